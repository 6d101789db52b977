package rundir

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

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
	h, err := readBegun(ctx, dir)
	if errors.Is(err, fs.ErrNotExist) { // it has just finished
		return nil, "", state, fmt.Errorf("%s: %w", path, ErrBusy)
	}
	if h == nil || err != nil {
		return nil, "", state, err
	}
	return &h.Settings, h.Part, state, nil
}

// readBegun reads a journal's first line; nil where the run was stopped while that was written.
func readBegun(ctx context.Context, dir string) (*header, error) {
	path := filepath.Join(dir, journalName)
	f, err := regularfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("cannot go on with the run: %w", err)
	}
	defer f.Close()
	h, _, err := readHeader(bufio.NewReaderSize(regularfile.Reader(ctx, f), 1<<16))
	if errors.Is(err, errTorn) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &h, nil
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
	j, err := readJournal(ctx, f)
	if errors.Is(err, errTorn) {
		return nil, fmt.Errorf("%s was stopped before its first result: finish it with --resume", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if diff := Differences(j.Settings, s); len(diff) > 0 {
		return nil, fmt.Errorf("%s is part of a run with other settings (%s)", dir, strings.Join(diff, "; "))
	}
	return j.records, nil
}
