package rundir

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/softbench/softbench/internal/atomicfile"
)

// contents is what a directory holds.
type contents int

const (
	missing contents = iota
	empty
	aRun
	somethingElse
)

// refusal says what keeps a run from being written to such a directory.
func (has contents) refusal(dir string, resume bool) error {
	switch {
	case has == aRun && !resume:
		return fmt.Errorf("%s holds a run already: go on with it with --resume, or choose another --out", dir)
	case has == somethingElse:
		return fmt.Errorf("%s is not empty and holds no run: choose another --out", dir)
	}
	return nil
}

// CheckOut says, before anything is computed, what Create or Resume would refuse of a
// directory's contents, and whether a run is there.
func CheckOut(dir string, resume bool) (there bool, err error) {
	has, err := contentsOf(dir)
	if err == nil {
		err = has.refusal(dir, resume)
	}
	return has == aRun, err
}

// contentsOf is what dir holds.
func contentsOf(dir string) (contents, error) {
	entries, err := atomicfile.Entries(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return missing, nil
	}
	if err != nil {
		return missing, fmt.Errorf("--out: %w", err)
	}
	for _, e := range entries {
		if e.Name() == manifestName || e.Name() == journalName {
			return aRun, nil
		}
	}
	if len(entries) > 0 {
		return somethingElse, nil
	}
	return empty, nil
}
