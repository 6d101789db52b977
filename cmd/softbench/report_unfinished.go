package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/html"
	"github.com/softbench/softbench/reports/rundir"
)

// unfinished is what there is of a run that is not finished, nil of anything else.
func unfinished(ctx context.Context, dir string) (*rundir.Unfinished, error) {
	var u *rundir.Unfinished
	err := heard(ctx, func() (err error) { u, err = rundir.ReadUnfinished(ctx, dir); return err })
	return u, err
}

// unfinishedPage is a page about one run that is not finished.
func unfinishedPage(io streams, dir string, u *rundir.Unfinished) html.Page {
	io.note(oneLine(dir) + ": " + u.Title() + "; the page has what is there, marked")
	run := html.Run{Name: filepath.Base(filepath.Clean(dir)), Manifest: u.Run(), Unfinished: u}
	return html.Page{Softbench: version(), Runs: []html.Run{run}}
}

// finishedOf opens the runs that are finished. Those that are not are left out, and lines say so;
// that none is left, or the baseline base is not, is an error.
func finishedOf(ctx context.Context, io streams, paths []string, base string) (kept []string, sides []*compare.Side, left []string, err error) {
	var first error
	for _, dir := range paths {
		if err := ctx.Err(); err != nil {
			return nil, nil, nil, err
		}
		side, err := compare.Open(ctx, dir)
		if not, ok := errors.AsType[*rundir.NotFinished](err); ok && len(paths) > 1 && dir != base {
			first = cmp.Or(first, err)
			left = append(left, "left out: "+oneLine(not.Error()))
			io.note(left[len(left)-1])
			continue
		}
		if err != nil {
			return nil, nil, nil, err
		}
		kept, sides = append(kept, dir), append(sides, side)
	}
	if len(sides) == 0 {
		return nil, nil, nil, fmt.Errorf("none of these runs is finished: report each by itself, or: %w", first)
	}
	return kept, sides, left, nil
}

// text prints a run's results, or how far it is.
func (o *reportOptions) text(ctx context.Context) error {
	dir := o.runs[0]
	if u, err := unfinished(ctx, dir); err != nil {
		return err
	} else if u != nil {
		return rundir.WriteUnfinished(o.io.out, u)
	}
	side, err := openSide(ctx, dir)
	if err != nil {
		return err
	}
	if side.Manifest == nil {
		return fmt.Errorf("%s has results of lm-evaluation-harness, which has a table of them of its own: -o FILE.html writes a page", oneLine(dir))
	}
	return rundir.WriteTable(o.io.out, side.Manifest)
}
