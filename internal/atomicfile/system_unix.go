//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	notWaiting  = unix.O_NONBLOCK // for the reader of a pipe
	notTerminal = unix.O_NOCTTY   // a terminal that is written to does not become the process's own
)

// descriptor is the number behind a name of one of this process's open files.
func descriptor(path string) (fd int, ok bool) {
	switch path {
	case "/dev/stdin":
		return 0, true
	case "/dev/stdout":
		return 1, true
	case "/dev/stderr":
		return 2, true
	}
	dir, name := filepath.Split(path)
	switch filepath.Clean(dir) {
	case "/dev/fd", "/proc/self/fd", "/proc/thread-self/fd", "/proc/" + strconv.Itoa(os.Getpid()) + "/fd":
		n, err := strconv.Atoi(name)
		return n, err == nil && n >= 0
	}
	return -1, false
}

// duplicate opens a descriptor a second time: closing it leaves the first.
func duplicate(fd int, name string) (*os.File, error) {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(n), name), nil
}

// links is the number of names of a file.
func links(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 1
}

// alike gives a file another's owner and mode, and says whether it could.
func alike(f *os.File, info fs.FileInfo) bool {
	want, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	if f.Chown(int(want.Uid), int(want.Gid)) != nil {
		return false
	}
	return f.Chmod(info.Mode()) == nil // after the owner: a change of owner takes bits away
}

// refuses says of an error that no file may be made or replaced there.
func refuses(err error) bool {
	return slices.ContainsFunc([]error{unix.EACCES, unix.EPERM, unix.EROFS, unix.EBUSY, unix.EXDEV}, func(e error) bool { return errors.Is(err, e) })
}

func noReader(err error) bool { return errors.Is(err, unix.ENXIO) }
