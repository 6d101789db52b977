package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/gate"
	"github.com/softbench/softbench/reports/rundir"
)

// leavesThem ends a message about divergences that are not there.
const leavesThem = "'softbench compare A B --kl --runs DIR' leaves them beside B's run"

// checkKL refuses flags about divergences that say nothing together.
func (o *gateOptions) checkKL() error {
	info, err := os.Stat(o.kl)
	run := err == nil && info.IsDir()
	switch {
	case o.kl == "" && o.hasKLMax:
		return errors.New("--kl-max is about --kl-baseline RUN, which is not given")
	case o.kl == "":
		return nil
	case o.baseline != "":
		return errors.New("--baseline and --kl-baseline: a gate judges scores or divergences: run it once for each")
	case run && o.update:
		return fmt.Errorf("--update: %s is a run: name the file that the divergences are kept in", oneLine(o.kl))
	case run && !o.hasKLMax:
		return fmt.Errorf("%s is a run: --kl-max says how many nats a token a run may be away from it, such as 0.05", oneLine(o.kl))
	case !run && o.hasKLMax:
		return fmt.Errorf("--kl-max is about a run that divergences are measured from, and %s is none: a baseline file has its own allowed_drop", oneLine(o.kl))
	case o.hasKLMax && (!(o.klMax >= 0) || math.IsInf(o.klMax, 0)):
		return fmt.Errorf("--kl-max %v: want 0 nats a token or more, such as 0.05", o.klMax)
	}
	return nil
}

// rightKind refuses a baseline of divergences in the place of one of scores, and the other way round.
func (o *gateOptions) rightKind(b *gate.Baseline, path string) error {
	switch {
	case b == nil || (b.From() != "") == (o.kl != ""):
		return nil
	case o.kl != "":
		return fmt.Errorf("%s: a baseline of scores, not of divergences: --baseline takes it", oneLine(path))
	}
	return fmt.Errorf("%s: a baseline of divergences, not of scores: --kl-baseline takes it", oneLine(path))
}

// openKL reads the run's divergences and what they are held against.
func (o *gateOptions) openKL(ctx context.Context) (*compare.Side, *gate.Baseline, error) {
	var first *compare.Side
	var base *gate.Baseline
	var err error
	if o.hasKLMax {
		first, err = compare.Open(ctx, o.kl)
	} else {
		base, err = o.readBaseline(ctx, o.kl)
	}
	if err != nil {
		return nil, nil, err
	}
	run, err := compare.Open(ctx, o.run)
	if err != nil {
		return nil, nil, err
	}
	if base != nil {
		side, err := o.divergences(ctx, run, base.From())
		return side, base, err
	}
	if first.Manifest == nil || run.Manifest == nil {
		return nil, nil, o.noRun()
	}
	dir, err := divergenceDir(o.kl, o.run)
	if err != nil {
		return nil, nil, err
	}
	side, err := readDivergences(ctx, dir, run)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("%s: no divergences from %s lie beside it: %s", oneLine(o.run), oneLine(o.kl), leavesThem)
	case err != nil:
		return nil, nil, err
	case side == nil || side.MustMatch[compare.KLFrom] != compare.KLFromOf(&first.Manifest.Settings):
		return nil, nil, fmt.Errorf("%s: the divergences are of other runs than %s and %s: measure them again", oneLine(dir), oneLine(o.kl), oneLine(o.run))
	}
	return side, gate.AtMostKL(side, first, o.klMax), nil
}

func (o *gateOptions) noRun() error {
	return errors.New("--kl-baseline judges softbench's own runs: results of lm-evaluation-harness have no distributions")
}

// divergenceDir is where the divergences of two runs lie, whatever their paths are written like.
func divergenceDir(first, other string) (string, error) {
	a, errA := filepath.Abs(first)
	b, errB := filepath.Abs(other)
	return eval.DivergenceDir(a, b), errors.Join(errA, errB)
}

// divergences finds a run's divergences beside it: those from a model as a baseline names it,
// or, where that is "", the only ones that there are.
func (o *gateOptions) divergences(ctx context.Context, run *compare.Side, from string) (*compare.Side, error) {
	if run.Manifest == nil {
		return nil, o.noRun()
	}
	anyOf, err := divergenceDir("*", o.run)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Dir(anyOf))
	if err != nil {
		return nil, err
	}
	begin, end, _ := strings.Cut(filepath.Base(anyOf), "*")
	var found []*compare.Side
	growing := false
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), begin) || !strings.HasSuffix(e.Name(), end) {
			continue
		}
		side, err := readDivergences(ctx, filepath.Join(filepath.Dir(anyOf), e.Name()), run)
		switch {
		case errors.Is(err, rundir.ErrGrowing), errors.Is(err, fs.ErrNotExist):
			growing = true
		case err != nil:
			return nil, err
		case side != nil && from != "" && side.MustMatch[compare.KLFrom] == from:
			return side, nil
		case side != nil:
			found = append(found, side)
		}
	}
	switch {
	case len(found) == 1, len(found) > 1 && from != "": // which the baseline refuses, saying why
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("%s: divergences from %d models lie beside it: keep the ones that count by themselves, with another --runs of compare", oneLine(o.run), len(found))
	case growing:
		return nil, fmt.Errorf("%s: %w", oneLine(o.run), rundir.ErrGrowing)
	}
	return nil, fmt.Errorf("%s: no divergences lie beside it: %s", oneLine(o.run), leavesThem)
}

// readDivergences makes a side of the divergences in a directory; nil where they are of another run.
func readDivergences(ctx context.Context, dir string, run *compare.Side) (*compare.Side, error) {
	first, other, records, err := rundir.DivergencesIn(ctx, dir)
	if err != nil || len(rundir.Diff(other, run.Manifest.Settings)) > 0 {
		return nil, err
	}
	return compare.DivergenceSide(run, first, records)
}
