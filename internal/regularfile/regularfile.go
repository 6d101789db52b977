package regularfile

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
)

// Open opens a regular file, or a symbolic link to one, for reading. Anything else
// is an error of one line that names it and is not opened, so that no FIFO is
// waited for and no device notices. Every error of this package is a PathError, for
// errors.Is.
func Open(path string) (*os.File, error) {
	if err := Check(path, math.MaxInt64); err != nil {
		return nil, err
	}
	// Between the two another thing may have taken the name: hence without waiting,
	// and looked at once more.
	f, err := os.OpenFile(path, os.O_RDONLY|withoutWaiting, 0)
	if err != nil {
		return nil, PathError(path, err)
	}
	info, err := f.Stat()
	if err == nil {
		err = regular(path, info)
	}
	if err != nil {
		_ = f.Close()
		return nil, PathError(path, err)
	}
	return f, nil
}

// Check is nil where Open would find a regular file of at most max bytes.
func Check(path string, max int64) error {
	info, err := os.Stat(path)
	if err != nil {
		return PathError(path, err)
	}
	if err := regular(path, info); err != nil {
		return err
	}
	if info.Size() > max {
		return tooLarge(path, info.Size(), max)
	}
	return nil
}

// ReadAll reads a regular file of at most max bytes. It ends with the context's
// error, which then names the file, soon after the context does.
func ReadAll(ctx context.Context, path string, max int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, PathError(path, err)
	}
	if info.Size() > max {
		return nil, tooLarge(path, info.Size(), max)
	}
	// One byte more than the file says and than max allows: a file that grows, or
	// whose size is not known beforehand (/proc), is found.
	b := make([]byte, 0, info.Size()+1)
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := f.Read(b[len(b):min(cap(b), len(b)+1<<20)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > max:
			return nil, tooLarge(path, int64(len(b)), max)
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, PathError(path, err)
		}
	}
}

// Reader ends with the context's error soon after the context does.
func Reader(ctx context.Context, r io.Reader) io.Reader { return &reader{ctx, r} }

type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p[:min(len(p), 1<<20)])
}

// NotRegularError is a path that is something else than a file.
type NotRegularError struct {
	Path string
	Mode fs.FileMode
}

func (e *NotRegularError) Error() string {
	return fmt.Sprintf("%s: it is %s, not a file; only regular files are read", e.Path, kind(e.Mode))
}

// TooLargeError is a file of more bytes than are read. Size is what is known of it:
// it may be larger still.
type TooLargeError struct {
	Path      string
	Size, Max int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s: the file has %d bytes or more; at most %d are read", e.Path, e.Size, e.Max)
}

func tooLarge(path string, size, max int64) error { return &TooLargeError{path, size, max} }

func regular(path string, info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return &NotRegularError{path, info.Mode()}
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe (FIFO)"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}
