package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/softbench/softbench/lab/twins"
)

// twinsReport is where the page about the built-in twins goes.
const twinsReport = "twins.html"

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
	if err != nil {
		return err
	}
	o.sides = [2]string{set.Softmax, set.Softpick}
	if len(o.run.Suites) == 0 {
		o.run.Suites = []string{"world"}
	}
	if o.run.Data == "" {
		o.run.Data = set.Data
	}
	return nil
}
