package rundir

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Writer is a run that is going on. Only one process at a time writes a run.
type Writer struct {
	dir     string
	journal *os.File
	size    int64 // of what is whole and synced
	buffer  []byte
	failed  error
	done    map[key]Record
}

// ErrFinished says that the run in the directory is complete.
var ErrFinished = errors.New("the run is complete")

// Create begins a run in dir, which must not exist or be empty.
func Create(dir string, s Settings) (*Writer, error) {
	switch has, err := look(dir); {
	case err != nil:
		return nil, err
	case has == aRun:
		return nil, fmt.Errorf("%s holds a run already: go on with it with --resume, or choose another --out", dir)
	case has == somethingElse:
		return nil, fmt.Errorf("%s is not empty and holds no run: choose another --out", dir)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("cannot write the run: %w", err)
	}
	w := &Writer{dir: dir, done: map[key]Record{}}
	return w, w.begin(s)
}

// Resume goes on with the run in dir, or begins one where there is none. The
// settings must be those it was begun with. Of a complete run it returns
// ErrFinished. note, not empty, is a remark for the user.
func Resume(dir string, s Settings) (w *Writer, note string, err error) {
	has, err := look(dir)
	if err != nil {
		return nil, "", err
	}
	if has != aRun {
		w, err := Create(dir, s)
		return w, "", err
	}
	if _, err := os.Stat(filepath.Join(dir, manifestName)); err == nil {
		r, err := Read(dir)
		if err != nil {
			return nil, "", err
		}
		if err := sameSettings(dir, r.Settings, s); err != nil {
			return nil, "", err
		}
		if _, err := ReadSamples(dir); err != nil {
			return nil, "", err
		}
		_ = os.Remove(filepath.Join(dir, journalName)) // of a run that died after its last step but one
		return nil, "", ErrFinished
	}
	w = &Writer{dir: dir, done: map[key]Record{}}
	note, err = w.reopen(s)
	if err != nil {
		w.Close()
		return nil, "", err
	}
	return w, note, nil
}

// begin makes a journal with its first line.
func (w *Writer) begin(s Settings) error {
	path := filepath.Join(w.dir, journalName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("cannot write the run: %w", err)
	}
	w.journal = f
	if err := lock(f); err != nil {
		w.Close()
		return fmt.Errorf("%s: %w", path, err)
	}
	line, err := appendLine(nil, header{Schema, s})
	if err == nil {
		err = w.write(line)
	}
	if err != nil {
		w.Close()
		_ = os.Remove(path) // a journal without its first line is nothing to keep
		return err
	}
	return nil
}

// reopen reads the journal of an unfinished run and cuts off a torn last line.
func (w *Writer) reopen(s Settings) (note string, err error) {
	path := filepath.Join(w.dir, journalName)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", fmt.Errorf("cannot go on with the run: %w", err)
	}
	w.journal = f
	if err := lock(f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	h, records, size, err := readJournal(bufio.NewReader(f))
	if errors.Is(err, errTorn) { // died in its first step: nothing was done yet
		if err := f.Truncate(0); err != nil {
			return "", err
		}
		line, err := appendLine(nil, header{Schema, s})
		if err != nil {
			return "", err
		}
		return "the run had been stopped before its first result", w.write(line)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if err := sameSettings(w.dir, h.Settings, s); err != nil {
		return "", err
	}
	if info, err := f.Stat(); err != nil {
		return "", err
	} else if info.Size() > size {
		note = "the last result had been half written and is computed again"
	}
	if err := f.Truncate(size); err != nil {
		return "", fmt.Errorf("cannot go on with the run: %w", err)
	}
	w.size = size
	for _, r := range records {
		w.done[r.key()] = r
	}
	return note, nil
}

func sameSettings(dir string, was, now Settings) error {
	if diff := Differences(was, now); len(diff) > 0 {
		return fmt.Errorf("%s holds a run with other settings (%s): give those again, or choose another --out", dir, strings.Join(diff, "; "))
	}
	return nil
}

// Done returns the records that the journal held when the run was resumed.
func (w *Writer) Done(task string, doc, request int) (Record, bool) {
	r, ok := w.done[key{task, doc, request}]
	return r, ok
}

// Resumed is the number of records that Done knows.
func (w *Writer) Resumed() int { return len(w.done) }

// Add takes a record; Sync makes it safe.
func (w *Writer) Add(r Record) (err error) {
	w.buffer, err = appendLine(w.buffer, r)
	return err
}

// Sync writes what was added and waits until it is on the disk. After an error
// the journal holds what it held before, and every later call fails.
func (w *Writer) Sync() error {
	if w.failed != nil || len(w.buffer) == 0 {
		return w.failed
	}
	w.failed = w.write(w.buffer)
	w.buffer = w.buffer[:0]
	return w.failed
}

func (w *Writer) write(b []byte) error {
	_, err := w.journal.WriteAt(b, w.size)
	if err == nil {
		err = w.journal.Sync()
	}
	if err != nil {
		_ = w.journal.Truncate(w.size) // what was synced stays valid even where this fails too
		return fmt.Errorf("cannot write the run, and stop here; what is done is kept, make room and use --resume: %w", err)
	}
	w.size += int64(len(b))
	return nil
}

// Finish writes samples, heads (where there are any) and manifest, in this order and each in one step, and
// removes the journal: a run with a manifest is complete.
func (w *Writer) Finish(r *Run, samples []Sample, heads []HeadRow) error {
	if err := w.Sync(); err != nil {
		return err
	}
	if err := finish(w.dir, r, samples, heads); err != nil {
		return fmt.Errorf("%w; what is done is kept, make room and use --resume", err)
	}
	_ = os.Remove(filepath.Join(w.dir, journalName)) // Resume would remove it too
	return w.Close()
}

// Close lets go of the journal without finishing the run.
func (w *Writer) Close() error {
	if w.journal == nil {
		return nil
	}
	err := w.journal.Close()
	w.journal = nil
	return err
}

// contents is what a directory holds.
type contents int

const (
	nothing contents = iota
	aRun
	somethingElse
)

func look(dir string) (contents, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nothing, nil
	}
	if err != nil {
		return nothing, fmt.Errorf("--out: %w", err)
	}
	for _, e := range entries {
		if e.Name() == manifestName || e.Name() == journalName {
			return aRun, nil
		}
	}
	if len(entries) > 0 {
		return somethingElse, nil
	}
	return nothing, nil
}
