package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/memory"
	"github.com/softbench/softbench/reports/html"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/stress"
)

// stressed is one model's part of a test.
type stressed struct {
	name     string
	dir      string // of its runs
	run      eval.RunOptions
	in       *eval.Inspection
	settings []string // stress.Stored first
}

// plan finds and inspects all models, and refuses a directory with another test.
func (o *stressOptions) plan(ctx context.Context) ([]*stressed, error) {
	var all []*stressed
	var names []string
	for _, name := range o.models {
		run := o.run
		dir, err := builtIn(name, &run.Data)
		if err != nil {
			return nil, err
		}
		run.Model.Model, run.Model.Download, run.Model.Note, run.Model.Downloading = dir, run.Download, run.Note, downloading(o.io)
		if dir, err = eval.Locate(ctx, run.Model); err != nil {
			return nil, err
		}
		run.Model.Model = dir
		t := &stressed{name: filepath.Base(filepath.Clean(name)), run: run, settings: append([]string{stress.Stored}, o.settings...)}
		for n := 2; slices.Contains(names, t.name); n++ {
			t.name = fmt.Sprintf("%s-%d", filepath.Base(filepath.Clean(name)), n)
		}
		names = append(names, t.name)
		t.dir = filepath.Join(run.Out, slug(t.name))
		if t.in, err = eval.Inspect(ctx, run.Model); err != nil {
			return nil, err
		}
		if len(all) > 0 {
			if err := eval.SameTokens(all[0].in, t.in, run.Model.MaxLength, oneLine(all[0].name), oneLine(t.name)); err != nil {
				return nil, err
			}
		}
		all = append(all, t)
	}
	for _, t := range all {
		if err := t.same(ctx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// same refuses a directory in which another model, or one on other documents, was tested.
func (t *stressed) same(ctx context.Context) error {
	was, err := rundir.Read(ctx, t.path(stress.Stored))
	if err != nil {
		return nil // there is no run that is finished
	}
	now, _, err := eval.Foresee(ctx, t.run, t.in)
	if err != nil {
		return err
	}
	pick := func(s rundir.Settings) rundir.Settings {
		return rundir.Settings{ModelSHA256: s.ModelSHA256, TokenizerSHA256: s.TokenizerSHA256, MaxLength: s.MaxLength, Tasks: s.Tasks}
	}
	if diff := rundir.Differences(pick(was.Settings), pick(now.Settings)); len(diff) > 0 {
		return fmt.Errorf("--out: %s holds a test of something else (%s): choose another directory", oneLine(t.dir), strings.Join(diff, "; "))
	}
	return nil
}

func (t *stressed) path(setting string) string {
	return filepath.Join(t.dir, slug(strings.ReplaceAll(setting, ":", "-")))
}

// done says whether a setting's run and divergences are whole.
func (t *stressed) done(ctx context.Context, setting string) bool {
	if _, err := rundir.Read(ctx, t.path(setting)); err != nil {
		return false
	}
	_, err := os.Stat(filepath.Join(eval.DivergenceDir(t.path(stress.Stored), t.path(setting)), rundir.DivergenceName))
	return err == nil
}

// compute runs a model at the settings that are not done, side by side with its stored weights.
func (o *stressOptions) compute(ctx context.Context, t *stressed) error {
	var left []string
	for _, s := range t.settings[1:] {
		if !t.done(ctx, s) {
			left = append(left, s)
		}
	}
	most := atOnce(t.in)
	if len(left) > most {
		o.run.Note(fmt.Sprintf("%s: memory holds %d of %d settings at once: the stored weights are computed once for each %d", t.name, most, len(left), most))
	}
	for some := range slices.Chunk(left, most) {
		// Said when all is found right and the scoring begins.
		heading := sync.OnceFunc(func() { fmt.Fprintf(o.io.err, "%s: %s\n", oneLine(t.name), strings.Join(some, ", ")) })
		var sides []eval.Side
		for _, s := range append([]string{stress.Stored}, some...) {
			run := t.run
			show := progress(o.io)
			run.Out, run.Progress = t.path(s), func(p eval.Progress) { heading(); show(p) }
			if s == stress.Stored {
				run.Model.QuantiseInclude, run.Model.Calibrate = nil, ""
			} else if run.Model.Quantise = s; !calibrated(s) {
				run.Model.Calibrate = ""
			}
			sides = append(sides, eval.Side{Name: oneLine(t.name) + ", " + s, Run: run})
		}
		if _, err := eval.RunBeside(ctx, sides, true); err != nil {
			return err
		}
	}
	return nil
}

// atOnce is how many settings of a model half of the free memory holds beside its stored weights.
func atOnce(in *eval.Inspection) int {
	free := memory.Available() / 2
	if free <= 0 {
		return 4 // the system does not say
	}
	bytes := 4 * max(in.Parameters, 1)
	if in.DType == "BF16" || in.DType == "F16" {
		bytes /= 2
	}
	return int(min(max(1, free/bytes-1), 64))
}

// read opens what was computed.
func (t *stressed) read(ctx context.Context) (*stress.Runs, error) {
	runs := &stress.Runs{Name: t.name}
	for _, s := range t.settings {
		side, err := openSide(ctx, t.path(s))
		if err != nil {
			return nil, err
		}
		run := stress.Run{Setting: s, Side: side}
		if s != stress.Stored {
			first := runs.Settings[0].Side
			run.Divergences, err = rundir.ReadDivergences(ctx, eval.DivergenceDir(t.path(stress.Stored), t.path(s)), first.Manifest.Settings, side.Manifest.Settings)
			if err != nil {
				return nil, err
			}
		}
		runs.Settings = append(runs.Settings, run)
	}
	return runs, nil
}

// write writes the page and its numbers.
func (o *stressOptions) write(ctx context.Context, r *stress.Result) error {
	page := filepath.Join(o.run.Out, "stress.html")
	err := heard(ctx, func() error {
		return atomicfile.Write(page, func(w io.Writer) error { return html.WriteStress(w, r, version()) })
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(o.io.err, "report:", oneLine(page))
	return atomicfile.Write(filepath.Join(o.run.Out, "stress.json"), func(w io.Writer) error { return writeJSON(w, r) })
}
