package rundir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
)

// Writer is a run that is going on. Only one process at a time writes a run, and
// only one goroutine at a time may use its Writer.
type Writer struct {
	dir     string
	part    string // "": the whole run
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

// keptAdvice follows an error that stops a run whose journal is whole.
const keptAdvice = "what was done before is kept: make room if the disk is full, then go on with --resume"

// Create begins a run in dir, which must not exist or be empty. Where that fails
// it leaves nothing behind.
func Create(dir string, s Settings) (*Writer, error) { return CreatePart(dir, "", s) }

// CreatePart is Create for a part of a run, such as "2/3"; "" is the whole.
func CreatePart(dir, part string, s Settings) (*Writer, error) {
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
	w := &Writer{dir: dir, part: part, done: map[key]Record{}}
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
	return ResumePart(ctx, dir, "", s)
}

// ResumePart is Resume for a part of a run. Another part is refused (SamePart).
func ResumePart(ctx context.Context, dir, part string, s Settings) (w *Writer, note string, err error) {
	has, err := contentsOf(dir)
	if err != nil {
		return nil, "", err
	}
	if has != aRun {
		w, err := CreatePart(dir, part, s)
		return w, "", err
	}
	if err := Finished(ctx, dir, s); err != nil {
		return nil, "", err
	}
	w = &Writer{dir: dir, part: part, done: map[key]Record{}}
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
	line, err := appendLine(nil, header{journalOf, JournalSchema, w.part, s})
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
	h, records, size, err := readJournal(ctx, f)
	if errors.Is(err, errTorn) { // died in its first step: nothing was done yet
		line, err := appendLine(nil, header{journalOf, JournalSchema, w.part, s})
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
	if err := SameSettings(w.dir, h.Settings, s); err != nil {
		return "", err
	}
	if err := SamePart(w.dir, h.Part, w.part); err != nil {
		return "", err
	}
	if opened.Size() > size {
		note = "the last result had been half written and is computed again"
		if err := f.Truncate(size); err != nil {
			return "", fmt.Errorf("cannot go on with the run: %w", err)
		}
	}
	w.size, w.synced = size, size
	for _, r := range records {
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

// ReadPart reads the records of an unfinished run, such as a shard, that has the
// given settings. A last line that was being written is left out.
func ReadPart(ctx context.Context, dir string, s Settings) ([]Record, error) {
	path := filepath.Join(dir, journalName)
	f, err := regularfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, manifestName)); err == nil {
			return nil, fmt.Errorf("%s holds a complete run, not a shard", dir)
		}
		return nil, fmt.Errorf("%s holds no shard: want a directory that 'softbench run --shard' wrote", dir)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h, records, _, err := readJournal(ctx, f)
	if errors.Is(err, errTorn) {
		return nil, fmt.Errorf("%s was stopped before its first result: finish it with --resume", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if diff := Differences(h.Settings, s); len(diff) > 0 {
		return nil, fmt.Errorf("%s is part of a run with other settings (%s)", dir, strings.Join(diff, "; "))
	}
	return records, nil
}

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

// syncDirectory makes a new file's name durable where the system can.
func syncDirectory(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
