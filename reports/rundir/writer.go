package rundir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Writer is a run that is going on. Only one process at a time writes a run, and
// only one goroutine at a time may use its Writer.
type Writer struct {
	dir     string
	part    string // "": the whole run
	plan    *Plan
	journal journalFile
	release func() // the lock, where closing the journal does not end it
	size    int64  // of what is written, whole
	synced  int64  // of that, what is on the disk
	buffer  []byte
	failed  error
	done    map[key]Record
}

// journalFile is what a Writer needs of the journal, an *os.File.
type journalFile interface {
	io.WriterAt
	Sync() error
	Truncate(size int64) error
	Close() error
}

// ErrFinished says that the run in the directory is complete.
var ErrFinished = errors.New("the run is complete")

// keptAdvice follows an error that stops a run whose journal is whole. Stress tests
// and comparisons, which have no --resume, go on by themselves.
const keptAdvice = "what was done before is kept: make room if the disk is full, then go on with the same command ('softbench run' with --resume)"

// Done returns the records that the journal held when the run was resumed.
func (w *Writer) Done(task string, doc, request int) (Record, bool) {
	r, ok := w.done[key{task, doc, request}]
	return r, ok
}

// Resumed is the number of records that Done knows.
func (w *Writer) Resumed() int { return len(w.done) }

// Add takes a record; Sync makes it safe. A record that is not a result, such as
// one with a loglikelihood that is not finite, is refused.
func (w *Writer) Add(r Record) error {
	if w.failed != nil {
		return w.failed
	}
	err := r.check()
	if err == nil {
		w.buffer, err = appendLine(w.buffer, r)
	}
	return err
}

// AddWhole takes the results of a task, all of whose requests are there.
func (w *Writer) AddWhole(t Whole) error {
	if w.failed != nil {
		return w.failed
	}
	err := t.check()
	if err == nil {
		w.buffer, err = appendLine(w.buffer, struct {
			Whole Whole `json:"whole"`
		}{t})
	}
	return err
}

// Flush writes what was added: it outlives this process, if not the system.
// After an error the journal holds what it held before, and every later call
// fails.
func (w *Writer) Flush() error {
	if w.failed != nil || len(w.buffer) == 0 {
		return w.failed
	}
	if w.journal == nil {
		return w.fail(errors.New("it is closed"), w.size)
	}
	if _, err := w.journal.WriteAt(w.buffer, w.size); err != nil {
		return w.fail(err, w.size)
	}
	w.size += int64(len(w.buffer))
	w.buffer = w.buffer[:0]
	return nil
}

// Sync writes what was added and waits until it is on the disk. After an error
// the journal holds what it held at the last Sync, and every later call fails.
func (w *Writer) Sync() error {
	if err := w.present(); err != nil {
		return err
	}
	if err := w.Flush(); err != nil || w.synced == w.size {
		return err
	}
	if err := w.journal.Sync(); err != nil {
		return w.fail(err, w.synced)
	}
	w.synced = w.size
	return nil
}

// present finds that the journal's name has gone: everything written since then, and
// before, is lost, and the sooner that is said the better.
func (w *Writer) present() error {
	f, ok := w.journal.(*os.File)
	if w.failed != nil || !ok {
		return w.failed
	}
	opened, err := f.Stat()
	if err != nil {
		return w.fail(err, w.size)
	}
	path := filepath.Join(w.dir, journalName)
	now, err := os.Stat(path)
	if err == nil && os.SameFile(opened, now) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil // the file system does not answer; writing tells
	}
	w.buffer = nil
	w.failed = fmt.Errorf("%s: the journal was removed or replaced while the run was being written, and its results are lost with it: begin anew", path)
	return w.failed
}

// fail ends the writing, with a journal of size bytes.
func (w *Writer) fail(err error, size int64) error {
	if w.journal != nil {
		_ = w.journal.Truncate(size) // where this fails too, Resume cuts off the same
	}
	w.buffer = nil
	w.failed = fmt.Errorf("cannot write the run: %w; %s", err, keptAdvice)
	return w.failed
}

// Finish writes samples, what diagnostics left, and manifest, in this order
// and each in one step, and removes the journal: a run with a manifest is
// complete. It sets r.Schema and r.Process.Written. Rows that Open would refuse
// are refused; on any error the journal remains, and the run can be resumed.
func (w *Writer) Finish(ctx context.Context, r *Run, samples []Sample, rows DiagnosticsRows) error {
	if err := w.Sync(); err != nil {
		return err
	}
	if w.journal == nil {
		return errors.New("cannot finish the run: it is closed")
	}
	if err := finish(ctx, w.dir, r, samples, rows); err != nil {
		return err
	}
	path := filepath.Join(w.dir, journalName)
	left := os.Remove(path)
	err := w.Close()
	if left != nil {
		_ = os.Remove(path) // where an open file cannot be removed; Resume would do it too
	}
	return err
}

// Close lets go of the journal without finishing the run.
func (w *Writer) Close() error {
	if w.journal == nil {
		return nil
	}
	err := w.journal.Close()
	w.journal = nil
	if w.release != nil {
		w.release()
	}
	return err
}

// syncDirectory makes a new file's name durable where the system can.
func syncDirectory(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
