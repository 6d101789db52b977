package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/reports/compare"
)

// checkKL refuses what --kl cannot be measured of, and takes a text for what it is measured on.
func (o *compareOptions) checkKL() error {
	for _, path := range o.sides {
		if !o.isCheckpoint(path) && here(path) {
			return fmt.Errorf("--kl computes two checkpoints side by side, and %s is not one: runs keep no distributions; name the checkpoint it was made of", oneLine(path))
		}
	}
	if err := processorAlone("--kl", o.run.Model.Device); err != nil {
		return err
	}
	if info, err := os.Stat(o.run.Data); err == nil && info.Mode().IsRegular() && len(o.run.Suites) == 0 {
		o.run.Suites = []string{"text"}
	}
	return nil
}

// processorAlone refuses a GPU where divergences are measured; --device auto takes none there.
func processorAlone(who, device string) error {
	if device == "cuda" {
		return fmt.Errorf("--device cuda: %s measures divergences, which are computed on the processor alone: give --device cpu", who)
	}
	return nil
}

// computeBeside runs two planned checkpoints side by side.
func (o *compareOptions) computeBeside(ctx context.Context, plans [2]*planned, sides *[2]*compare.Side) error {
	var runs []eval.Side
	for _, p := range plans {
		run := p.run
		run.Out, run.Progress, run.Model.Device = p.dir, progress(o.io), "cpu"
		runs = append(runs, eval.Side{Name: oneLine(p.path), Run: run})
	}
	done, err := eval.RunBeside(ctx, runs, false)
	if errors.Is(err, context.Canceled) {
		return exitError{exitInterrupted, "interrupted; what is done is kept: the same command goes on with it"}
	}
	if err != nil {
		return err
	}
	o.options.Divergences = done[1].Divergences
	for i := range sides {
		if sides[i], err = openSide(ctx, done[i].Out); err != nil {
			return err
		}
		sides[i].Name = filepath.Base(filepath.Clean(plans[i].path))
	}
	return nil
}
