package atomicfile

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/internal/regularfile"
)

// Write replaces a file that softbench keeps by what write produces, in one step:
// the bytes go to a temporary file beside it, are synced, and take its name. On any
// error path is as it was and nothing is left behind. Other names (hard links) of
// what was there keep the old bytes. What is not a plain file is written as Output
// does.
func Write(path string, write func(w io.Writer) error) error {
	return put(context.Background(), path, false, write)
}

// Output writes what a user named. Symbolic links are followed to what they mean,
// also where that is not there yet. A file that is there keeps its mode, its owner
// and its hard links; devices, pipes and descriptors get the bytes, once all of
// them are known. A pipe that nobody reads is waited for until ctx ends.
func Output(ctx context.Context, path string, write func(w io.Writer) error) error {
	return put(ctx, path, true, write)
}

// Append writes behind what is there, or makes the file.
func Append(ctx context.Context, path string, write func(w io.Writer) error) error {
	t, err := find(path)
	if err != nil {
		return regularfile.PathError(path, err)
	}
	if t.stream() {
		return regularfile.PathError(path, t.send(ctx, write))
	}
	f, err := os.OpenFile(t.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return regularfile.PathError(path, err)
	}
	err = write(f)
	return regularfile.PathError(path, errors.Join(err, f.Close()))
}

func put(ctx context.Context, path string, keepLinks bool, write func(w io.Writer) error) error {
	t, err := find(path)
	if err != nil {
		return regularfile.PathError(path, err)
	}
	if t.stream() {
		return regularfile.PathError(path, t.send(ctx, write))
	}
	if err := t.writable(); err != nil {
		return regularfile.PathError(path, err)
	}
	sweep(t.path)
	temp, err := t.temporary()
	switch {
	case err == nil:
	case t.info != nil && refuses(err): // the file may be written, but none beside it
		return regularfile.PathError(path, t.send(ctx, write))
	default:
		return regularfile.PathError(path, err)
	}
	defer temp.discard()
	w := bufio.NewWriterSize(temp.file, 1<<20)
	if err := write(w); err != nil {
		return regularfile.PathError(path, err)
	}
	if err := w.Flush(); err != nil {
		return regularfile.PathError(path, err)
	}
	if err := temp.file.Sync(); err != nil {
		return regularfile.PathError(path, err)
	}
	if err := ctx.Err(); err != nil {
		return regularfile.PathError(path, err)
	}
	if t.info != nil && (!temp.alike || keepLinks && links(t.info) > 1) {
		return regularfile.PathError(path, t.overwrite(temp.file))
	}
	switch err := temp.rename(t.path); {
	case err == nil:
		syncDir(filepath.Dir(t.path))
		return nil
	case t.info != nil && refuses(err): // as of a file that is mounted by itself
		return regularfile.PathError(path, t.overwrite(temp.file))
	default:
		return regularfile.PathError(path, err)
	}
}

// overwrite puts the temporary file's bytes in the place of a file's own. What does
// not fit is found before anything of the file is lost: first comes what lies behind
// its present end.
func (t *target) overwrite(from *os.File) (err error) {
	info, err := from.Stat()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(t.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	old, size := t.info.Size(), info.Size()
	part := func(begin, end int64) error {
		_, err := io.Copy(io.NewOffsetWriter(f, begin), io.NewSectionReader(from, begin, end-begin))
		return err
	}
	if size > old {
		err := part(old, size)
		if err == nil {
			err = f.Sync()
		}
		if err != nil {
			return errors.Join(err, f.Truncate(old))
		}
	}
	if err := part(0, min(old, size)); err != nil {
		return err
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	return f.Sync()
}

// MkdirAll makes a directory, and those above it, where there is none, also one that
// a symbolic link promises.
func MkdirAll(path string, mode fs.FileMode) error {
	short := strings.TrimRight(path, string(filepath.Separator))
	if short == "" {
		return os.MkdirAll(path, mode)
	}
	t, err := find(short)
	if err != nil || t.info != nil || t.fd >= 0 {
		return os.MkdirAll(path, mode) // there, or an error that says what is
	}
	if parent := filepath.Dir(t.path); parent != t.path {
		if err := MkdirAll(parent, mode); err != nil {
			return err
		}
	}
	return os.MkdirAll(t.path, mode)
}

// syncDir makes a rename durable where the system lets a directory be synced;
// elsewhere the rename itself is all there is.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
