package rundir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
)

// Create begins a run in dir, which must not exist or be empty. Where that fails
// it leaves nothing behind.
func Create(dir string, s Settings) (*Writer, error) { return CreatePart(dir, "", s, nil) }

// CreatePart is Create for a part of a run, such as "2/3"; "" is the whole. plan, not nil, is
// kept for those who look at the run before it is finished.
func CreatePart(dir, part string, s Settings, plan *Plan) (*Writer, error) {
	has, err := contentsOf(dir)
	if err == nil {
		err = has.refusal(dir, false)
	}
	if err != nil {
		return nil, err
	}
	if err := atomicfile.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("cannot write the run: %w", err)
	}
	w := &Writer{dir: dir, part: part, plan: plan, done: map[key]Record{}}
	if err := w.begin(s); err != nil {
		if has == missing {
			_ = os.Remove(dir) // does nothing where another process's run is in it
		}
		return nil, err
	}
	return w, nil
}

// Resume goes on with the run in dir, or begins one where there is none. The
// settings must be those it was begun with. Of a complete run it returns
// ErrFinished. note, not empty, is a remark for the user.
func Resume(ctx context.Context, dir string, s Settings) (w *Writer, note string, err error) {
	return ResumePart(ctx, dir, "", s, nil)
}

// ResumePart is Resume for a part of a run. Another part is refused (SamePart).
func ResumePart(ctx context.Context, dir, part string, s Settings, plan *Plan) (w *Writer, note string, err error) {
	has, err := contentsOf(dir)
	if err != nil {
		return nil, "", err
	}
	if has != aRun {
		w, err := CreatePart(dir, part, s, plan)
		return w, "", err
	}
	if err := Finished(ctx, dir, s); err != nil {
		return nil, "", err
	}
	w = &Writer{dir: dir, part: part, plan: plan, done: map[key]Record{}}
	note, err = w.reopen(ctx, s)
	if err != nil {
		w.Close()
		return nil, "", err
	}
	return w, note, nil
}

// Finished returns ErrFinished of a complete run with these settings, nil where the run
// is not complete, and what is wrong with one that is not whole or has others. A journal
// beside it is of a process that died after its last step but one, and goes.
func Finished(ctx context.Context, dir string, s Settings) error {
	if _, err := os.Stat(filepath.Join(dir, manifestName)); err != nil {
		return nil
	}
	r, _, err := Open(ctx, dir)
	if err != nil {
		return err
	}
	if err := SameSettings(dir, r.Settings, s); err != nil {
		return err
	}
	_ = os.Remove(filepath.Join(dir, journalName))
	return ErrFinished
}

// begin makes a journal with its first line.
func (w *Writer) begin(s Settings) error {
	line, err := appendLine(nil, header{journalOf, JournalSchema, w.part, s, w.plan})
	if err != nil {
		return fmt.Errorf("cannot write the run: %w", err)
	}
	path := filepath.Join(w.dir, journalName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", path, ErrBusy)
	}
	if err != nil {
		return fmt.Errorf("cannot write the run: %w", err)
	}
	w.journal = f
	if w.release, err = lock(w.dir, f); err != nil {
		w.Close()
		return err
	}
	if info, err := f.Stat(); err != nil || info.Size() > 0 {
		w.Close()
		return fmt.Errorf("%s: %w", path, ErrBusy)
	}
	if _, err := os.Stat(filepath.Join(w.dir, manifestName)); err == nil { // begun and finished since it was looked at
		w.Close()
		_ = os.Remove(path)
		return fmt.Errorf("%s: %w", path, ErrBusy)
	}
	if err := w.first(line); err != nil {
		_ = os.Remove(path) // a journal without its first line is nothing to keep
		w.Close()
		_ = os.Remove(path) // where an open file cannot be removed
		return err
	}
	syncDirectory(w.dir)
	return nil
}

// first writes the journal's first line.
func (w *Writer) first(line []byte) error {
	_, err := w.journal.WriteAt(line, 0)
	if err == nil {
		err = w.journal.Sync()
	}
	if err != nil {
		_ = w.journal.Truncate(0)
		return fmt.Errorf("cannot write the run: %w", err)
	}
	w.size, w.synced = int64(len(line)), int64(len(line))
	return nil
}

// reopen reads the journal of an unfinished run and cuts off a torn last line.
func (w *Writer) reopen(ctx context.Context, s Settings) (note string, err error) {
	path := filepath.Join(w.dir, journalName)
	if err := regularfile.Check(path, math.MaxInt64); errors.Is(err, fs.ErrNotExist) { // it has just finished
		return "", fmt.Errorf("%s: %w", path, ErrBusy)
	} else if err != nil {
		return "", fmt.Errorf("cannot go on with the run: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s: %w", path, ErrBusy)
	}
	if err != nil {
		return "", fmt.Errorf("cannot go on with the run: %w", err)
	}
	w.journal = f
	if w.release, err = lock(w.dir, f); err != nil {
		return "", err
	}
	opened, err := f.Stat()
	if err != nil {
		return "", err
	}
	if now, err := os.Stat(path); err != nil || !os.SameFile(opened, now) {
		return "", fmt.Errorf("%s: %w", path, ErrBusy) // it has just finished or begun
	}
	w.removeTemporary()
	j, err := readJournal(ctx, f)
	if errors.Is(err, errTorn) { // died in its first step: nothing was done yet
		line, err := appendLine(nil, header{journalOf, JournalSchema, w.part, s, w.plan})
		if err != nil {
			return "", err
		}
		if err := f.Truncate(0); err != nil {
			return "", err
		}
		return "the run had been stopped before its first result", w.first(line)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if err := SameSettings(w.dir, j.Settings, s); err != nil {
		return "", err
	}
	if err := SamePart(w.dir, j.Part, w.part); err != nil {
		return "", err
	}
	if opened.Size() > j.size {
		note = "the last result had been half written and is computed again"
		if err := f.Truncate(j.size); err != nil {
			return "", fmt.Errorf("cannot go on with the run: %w", err)
		}
	}
	w.size, w.synced = j.size, j.size
	for _, r := range j.records {
		w.done[r.key()] = r
	}
	return note, nil
}

// SameSettings is ErrOther, with what differs, where the run in dir has other settings.
func SameSettings(dir string, was, now Settings) error {
	if diff := Differences(was, now); len(diff) > 0 {
		return fmt.Errorf("%s holds %w (%s): give those again, or choose another --out", dir, ErrOther, strings.Join(diff, "; "))
	}
	return nil
}

// SamePart refuses to go on with one part of a run as another. A part may be gone on with
// as the whole run, and what was begun as the whole run as a part: either holds more than
// it needs.
func SamePart(dir, was, now string) error {
	if was != "" && now != "" && was != now {
		return fmt.Errorf("%s holds part %s of this run, not %s: choose another --out", dir, was, now)
	}
	return nil
}

// removeTemporary removes what a process that was killed in Finish left.
func (w *Writer) removeTemporary() {
	entries, _ := os.ReadDir(w.dir)
	for _, e := range entries {
		name := e.Name()
		ours := slices.ContainsFunc(append([]string{manifestName}, tableNames...), func(file string) bool {
			return strings.HasPrefix(name, "."+file+".")
		})
		if ours && strings.HasSuffix(name, ".tmp") {
			_ = os.Remove(filepath.Join(w.dir, name))
		}
	}
}
