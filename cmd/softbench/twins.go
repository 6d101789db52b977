package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/softbench/softbench/lab/twins"
)

// twinsReport is where the page about the built-in twins goes.
const twinsReport = "twins.html"

// The names of the built-in models, wherever a checkpoint is named.
const (
	twinSoftmax  = "twin/softmax"
	twinSoftpick = "twin/softpick"
)

// builtIn returns the directory of a built-in model, or name as it is where it
// names none, or a directory that is there. The model's own documents are those
// to take where data, if any, is empty.
func builtIn(name string, data *string) (string, error) {
	if name != twinSoftmax && name != twinSoftpick {
		return name, nil
	}
	if _, err := os.Stat(name); err == nil {
		return name, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory to unpack %s in: %w", name, err)
	}
	set, err := twins.Unpack(filepath.Join(cache, "softbench"))
	if errors.Is(err, fs.ErrPermission) {
		return "", fmt.Errorf("%w; set XDG_CACHE_HOME to a directory of your own", err)
	}
	if err != nil {
		return "", err
	}
	if data != nil && *data == "" {
		*data = set.Data
	}
	if name == twinSoftmax {
		return set.Softmax, nil
	}
	return set.Softpick, nil
}

// defaultSides compares the built-in twins, on their own suite and documents
// where nothing else was asked for.
func (o *compareOptions) defaultSides() error {
	base := o.runs
	if base == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("no cache directory to unpack the built-in models in: %w: name one with --runs DIR", err)
		}
		base = filepath.Join(cache, "softbench")
	}
	set, err := twins.Unpack(base)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; --runs DIR unpacks them elsewhere", err)
	}
	if err != nil {
		return err
	}
	o.sides = [2]string{set.Softmax, set.Softpick}
	if len(o.run.Suites) == 0 {
		o.run.Suites = []string{"world"}
	}
	o.run.Data = cmp.Or(o.run.Data, set.Data)
	return nil
}
