package rundir

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/softbench/softbench/internal/regularfile"
)

// Begun returns the settings of the run in dir, which part of it is there and how far it
// is, without reading its results; nil where there is none, or one that was stopped in its
// first step. That another process writes it is ErrBusy.
func Begun(ctx context.Context, dir string) (_ *Settings, part string, _ State, _ error) {
	state, err := StateOf(dir)
	path := filepath.Join(dir, journalName)
	switch {
	case err != nil || state == None:
		return nil, "", state, err
	case state == Running:
		return nil, "", state, fmt.Errorf("%s: %w", path, ErrBusy)
	case state == Complete:
		r, err := Read(ctx, dir)
		if err != nil {
			return nil, "", state, err
		}
		return &r.Settings, "", state, nil
	}
	f, err := regularfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) { // it has just finished
		return nil, "", state, fmt.Errorf("%s: %w", path, ErrBusy)
	}
	if err != nil {
		return nil, "", state, fmt.Errorf("cannot go on with the run: %w", err)
	}
	defer f.Close()
	h, _, err := readHeader(bufio.NewReaderSize(regularfile.Reader(ctx, f), 1<<16))
	if errors.Is(err, errTorn) {
		return nil, "", state, nil
	}
	if err != nil {
		return nil, "", state, fmt.Errorf("%s: %w", path, err)
	}
	return &h.Settings, h.Part, state, nil
}
