package atomicfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// target is what a name stands for.
type target struct {
	path string      // with symbolic links followed
	info fs.FileInfo // of what is there; nil: nothing
	fd   int         // an open descriptor of this process, as behind /dev/stdout; -1: none
}

// maxLinks is how long a chain of symbolic links may be, as in Linux.
const maxLinks = 40

// find follows symbolic links by hand, since the last of them may lead to nothing
// yet. A directory, a disk and a socket are refused: no output is written to them.
func find(path string) (target, error) {
	followed, fd, err := follow(path)
	if err != nil || fd >= 0 {
		return target{path: followed, fd: fd}, err
	}
	t := target{path: followed, fd: -1}
	if t.info, err = os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if _, file := filepath.Split(t.path); file == "" {
			return t, fmt.Errorf("is the name of a directory")
		}
		t.info = nil
		return t, nil
	}
	if err != nil {
		return t, err
	}
	// A link of /proc leads somewhere else than its text says.
	if same, err := os.Lstat(t.path); err != nil || !os.SameFile(same, t.info) {
		t.path = path
	}
	return t, nil
}

func follow(path string) (followed string, fd int, err error) {
	for range maxLinks {
		if fd, ok := descriptor(path); ok {
			return path, fd, nil
		}
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			return path, -1, nil // what is wrong is said where it is used
		}
		to, err := os.Readlink(path)
		if err != nil {
			return path, -1, err
		}
		if !filepath.IsAbs(to) {
			dir, _ := filepath.Split(path) // not cleaned: ".." behind a link is the system's to resolve
			to = dir + to
		}
		path = to
	}
	return path, -1, errors.New("too many levels of symbolic links")
}

// stream says whether the bytes go through what is there instead of replacing it.
func (t *target) stream() bool {
	return t.fd >= 0 || t.info != nil && !t.info.Mode().IsRegular() && !t.info.IsDir()
}

// writable refuses what an output cannot be.
func (t *target) writable() error {
	if t.info == nil {
		return nil
	}
	if t.info.IsDir() {
		return errors.New("is a directory; name a file")
	}
	f, err := os.OpenFile(t.path, os.O_WRONLY, 0) // a file that is kept from being written is left alone
	if err != nil {
		return err
	}
	return f.Close()
}

// send writes through a device, a pipe, a descriptor, or a file beside which none
// can be made. All bytes are made first: no half of a page goes down a pipe.
func (t *target) send(ctx context.Context, write func(w io.Writer) error) error {
	if t.info != nil {
		switch mode := t.info.Mode(); {
		case mode&fs.ModeSocket != 0:
			return errors.New("is a socket; name a file")
		case mode&fs.ModeDevice != 0 && mode&fs.ModeCharDevice == 0:
			return errors.New("is a disk, which would be overwritten; name a file")
		}
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	f, err := t.open(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetWriteDeadline(time.Now()) }) // of a pipe whose reader sleeps
	defer stop()
	_, err = f.Write(b.Bytes())
	if err == nil && t.info != nil && t.info.Mode().IsRegular() {
		if err = f.Truncate(int64(b.Len())); err == nil {
			err = f.Sync()
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return errors.Join(err, f.Close())
}

func (t *target) open(ctx context.Context) (*os.File, error) {
	if t.fd >= 0 {
		return duplicate(t.fd, t.path)
	}
	if t.info.Mode()&fs.ModeNamedPipe == 0 {
		return os.OpenFile(t.path, os.O_WRONLY|notTerminal, 0)
	}
	for {
		f, err := os.OpenFile(t.path, os.O_WRONLY|notWaiting, 0)
		if !noReader(err) {
			return f, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
