package rundir

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/reports/text"
)

// finish writes the samples first: a manifest never stands beside samples that
// are not its own.
func finish(ctx context.Context, dir string, r *Run, samples []Sample, rows DiagnosticsRows) error {
	r.Schema, r.Name = Schema, r.Settings.Name()
	err := r.check()
	if err == nil {
		err = r.checkSamples(ctx, samples)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: refusing to write a run that could not be read: %w", dir, err)
	}
	if err := writeRun(ctx, dir, r, samples, rows); ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return ctx.Err() // the journal has all: the run can be resumed
	} else if err != nil {
		return fmt.Errorf("cannot write the run: %w; %s", err, keptAdvice)
	}
	return nil
}

func writeRun(ctx context.Context, dir string, r *Run, samples []Sample, rows DiagnosticsRows) error {
	r.Process.Written = nil
	note := func(name string, rows int, err error) error {
		if err != nil {
			return err
		}
		hash, err := hashFile(ctx, filepath.Join(dir, name))
		r.Process.Written = append(r.Process.Written, Written{name, rows, hash})
		return err
	}
	if err := note(samplesName, len(samples), writeSamples(ctx, filepath.Join(dir, samplesName), r.Name, samples)); err != nil {
		return err
	}
	for _, t := range rows.tables() {
		if err := note(t.name, t.rows, t.write(ctx, filepath.Join(dir, t.name))); err != nil {
			return err
		}
	}
	text, err := r.encode()
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, manifestName), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// Open reads and checks a complete run: the manifest, the samples, and that the
// two belong together. ReadHeads, ReadDiagnosticsSamples and ReadMaps
// read what diagnostics left. All of them end with the context's error soon after the
// context does.
func Open(ctx context.Context, dir string) (*Run, []Sample, error) {
	r, err := Read(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	if err := r.checkWritten(ctx, dir); err != nil { // first: what was changed never reaches the Parquet reader
		return nil, nil, err
	}
	rows, err := readSamples(ctx, dir, r.noMoreDocuments())
	if err != nil {
		return nil, nil, err
	}
	if err := r.checkSamples(ctx, rows); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Join(dir, samplesName), err)
	}
	return r, rows, nil
}

// checkWritten checks that the files beside the manifest are those that were
// written with it.
func (r *Run) checkWritten(ctx context.Context, dir string) error {
	if !slices.ContainsFunc(r.Process.Written, func(w Written) bool { return w.Name == samplesName }) {
		return fmt.Errorf("%s: not a finished run's manifest: it names no %s", filepath.Join(dir, manifestName), samplesName)
	}
	for _, w := range r.Process.Written {
		if !slices.Contains(tableNames, w.Name) {
			return fmt.Errorf("%s: %q is not a file of a run", filepath.Join(dir, manifestName), w.Name)
		}
		path := filepath.Join(dir, w.Name)
		hash, err := hashFile(ctx, path)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: this file of the run is missing", path)
		}
		if err != nil {
			return err
		}
		if hash != w.SHA256 {
			return fmt.Errorf("%s: SHA-256 is %.12s, but %s was written beside a file with %.12s: it is damaged or changed, or the files are of two runs", path, hash, manifestName, w.SHA256)
		}
	}
	return nil
}

func hashFile(ctx context.Context, path string) (string, error) {
	f, err := regularfile.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, regularfile.Reader(ctx, f)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// noMoreDocuments refuses the row of a document more than the manifest has of its task:
// reading ends there, not when all rows are in memory.
func (r *Run) noMoreDocuments() func(*Sample) error {
	type document struct {
		task string
		id   int32
	}
	have := map[string]int{}
	for _, t := range r.Tasks {
		have[t.Name] = t.Documents
	}
	for _, c := range r.Passkey {
		have[PasskeyTask] += c.N
	}
	seen := map[document]bool{}
	return func(s *Sample) error {
		d := document{s.Task, s.DocID}
		if seen[d] {
			return nil
		}
		seen[d] = true
		if have[s.Task]--; have[s.Task] < 0 {
			return fmt.Errorf("task %s has more documents than the manifest says", text.Printable(s.Task))
		}
		return nil
	}
}

// checkSamples checks the rows, and that they are of the run's documents.
func (r *Run) checkSamples(ctx context.Context, rows []Sample) error {
	if err := checkSamples(ctx, rows); err != nil {
		return err
	}
	documents := map[string]map[int32]bool{}
	for i := range rows {
		s := &rows[i]
		if documents[s.Task] == nil {
			documents[s.Task] = map[int32]bool{}
		}
		documents[s.Task][s.DocID] = true
	}
	for _, t := range r.Tasks {
		if n := len(documents[t.Name]); n != t.Documents {
			return fmt.Errorf("task %s has %d documents in the samples and %d in the manifest", t.Name, n, t.Documents)
		}
		delete(documents, t.Name)
	}
	trials := 0
	for _, c := range r.Passkey {
		trials += c.N
	}
	if n := len(documents[PasskeyTask]); n != trials {
		return fmt.Errorf("passkey has %d trials in the samples and %d in the manifest", n, trials)
	}
	delete(documents, PasskeyTask)
	for i := range rows {
		if documents[rows[i].Task] != nil {
			return fmt.Errorf("row %d is of task %s, which the manifest does not have", i, text.Printable(rows[i].Task))
		}
	}
	return nil
}
