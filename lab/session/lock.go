package session

import (
	"errors"
	"fmt"
	"os"

	"github.com/softbench/softbench/internal/filelock"
	"github.com/softbench/softbench/internal/regularfile"
)

// lockFile is there while a training runs, and after one that was killed.
const lockFile = "lock"

// lock makes this process the only one that trains in a directory, until unlock
// or the end of the process. Where the file system has no locks it does nothing.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, regularfile.PathError(path, err)
	}
	switch err := filelock.Try(f); {
	case errors.Is(err, filelock.ErrNone):
		return func() { _ = f.Close(); _ = os.Remove(path) }, nil
	case errors.Is(err, filelock.ErrLocked):
		_ = f.Close()
		return nil, fmt.Errorf("%s: another process is training here: wait for it, or name a new directory", path)
	case err != nil:
		_ = f.Close()
		return nil, regularfile.PathError(path, err)
	}
	opened, err := f.Stat()
	if now, gone := os.Stat(path); err != nil || gone != nil || !os.SameFile(opened, now) {
		_ = f.Close()
		return nil, fmt.Errorf("%s: another process has just trained here: try again", path)
	}
	// Removed first: who opens it meanwhile finds that it is no longer the file.
	return func() { _ = os.Remove(path); _ = f.Close() }, nil
}
