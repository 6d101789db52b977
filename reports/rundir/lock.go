package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/softbench/softbench/internal/filelock"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/reports/text"
)

var (
	// ErrBusy says that another process is writing the run.
	ErrBusy = errors.New("another process is writing this run: wait for it, or choose another --out")
	// ErrOther says that a run with other settings is in the directory.
	ErrOther = errors.New("a run with other settings")
)

// lock makes this process the only writer of the run in dir, whose journal f is,
// until release or the end of the process. Where the file system has no locks, a
// file with the process's number stands in; a killed process leaves it behind,
// and the error then says what to delete.
func lock(dir string, f *os.File) (release func(), err error) {
	return lockWith(filelock.Try, dir, f)
}

func lockWith(try func(*os.File) error, dir string, f *os.File) (release func(), err error) {
	for range 5 { // a look at the run's state holds the lock for a moment
		if err = try(f); !errors.Is(err, filelock.ErrLocked) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if errors.Is(err, filelock.ErrNone) {
		return lockFile(filepath.Join(dir, lockName))
	}
	if errors.Is(err, filelock.ErrLocked) {
		err = ErrBusy
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return func() {}, nil // closing the journal ends the lock
}

// lockFile makes the file, which must not exist, with the process's number.
func lockFile(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		owner, _ := os.ReadFile(path)
		return nil, fmt.Errorf("%s: %s is writing this run: wait for it; if it is gone, delete this file",
			path, strings.TrimSpace(text.Printable(string(owner[:min(len(owner), 200)]))))
	}
	if err != nil {
		return nil, fmt.Errorf("cannot write the run: %w", err)
	}
	host, _ := os.Hostname()
	_, err = fmt.Fprintf(f, "process %d on %s\n", os.Getpid(), host)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
		return nil, fmt.Errorf("cannot write the run: %w", err)
	}
	return func() { _ = os.Remove(path) }, nil
}

// State is how far the run in a directory is.
type State int

// The states of a directory.
const (
	None        State = iota // no run
	Interrupted              // stopped before its end; Resume goes on with it
	Running                  // another process, or another Writer, is writing it
	Complete
)

func (s State) String() string {
	return [...]string{"none", "interrupted", "running", "complete"}[s]
}

// StateOf says how far the run in dir is, without reading it.
func StateOf(dir string) (State, error) {
	if _, err := os.Stat(filepath.Join(dir, manifestName)); err == nil {
		return Complete, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return None, err
	}
	f, err := regularfile.Open(filepath.Join(dir, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return None, nil
	}
	if err != nil {
		return None, err
	}
	defer f.Close() // and with it the lock
	switch err := filelock.Try(f); {
	case errors.Is(err, filelock.ErrLocked):
		return Running, nil
	case errors.Is(err, filelock.ErrNone):
		if _, err := os.Stat(filepath.Join(dir, lockName)); err == nil {
			return Running, nil
		}
	}
	return Interrupted, nil
}
