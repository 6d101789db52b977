package tokenizer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/softbench/softbench/internal/regularfile"
)

// Bounds on the files, in bytes. The largest tokenizer.json in use has 34 MB; what
// is built of it takes several times its size.
const (
	maxTokenizer = 64 << 20
	maxSettings  = 16 << 20
)

// reader reads the files of one tokenizer, once each, and remembers how they were.
type reader struct {
	ctx  context.Context
	seen []seenFile
}

type seenFile struct {
	path string
	info os.FileInfo // nil: there was none
}

// read returns a file's bytes; fs.ErrNotExist where there is none.
func (r *reader) read(path string, max int64) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		r.seen = append(r.seen, seenFile{path, nil})
		return nil, err
	}
	if err != nil {
		return nil, regularfile.PathError(path, err)
	}
	r.seen = append(r.seen, seenFile{path, info})
	return regularfile.ReadAll(r.ctx, path, max)
}

// unchanged returns an error where a file is not what it was when it was read.
func (f seenFile) unchanged() error {
	now, err := os.Stat(f.path)
	switch {
	case f.info == nil && errors.Is(err, fs.ErrNotExist):
		return nil
	case f.info == nil && err == nil:
		return fmt.Errorf("%s: the file appeared while the tokenizer was read: start again when nothing writes to its directory", f.path)
	case err == nil && os.SameFile(f.info, now) && now.Size() == f.info.Size() && now.ModTime().Equal(f.info.ModTime()):
		return nil
	}
	return fmt.Errorf("%s: the file was written to, replaced or removed while it was read: start again when nothing writes to its directory", f.path)
}
