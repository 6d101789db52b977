package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/export"
	"github.com/softbench/softbench/reports/html"
)

// isTable says whether runs are set side by side in one table.
func (o *exportOptions) isTable() bool {
	return o.figures.dir == "" && (o.format == "markdown" || o.format == "latex")
}

// checkChoice refuses what is about tables where none is made.
func (o *exportOptions) checkChoice() error {
	o.choice.Spread = export.Spread(o.spread)
	switch o.choice.Spread {
	case export.NoSpread, export.Stderr, export.Interval:
	default:
		return fmt.Errorf("--spread %q: want none, stderr or interval", o.spread)
	}
	for _, f := range []struct {
		flag  string
		given bool
	}{{"metrics", len(o.choice.Metrics) > 0}, {"diagnostics", o.choice.Diagnostics}, {"spread", o.choice.Spread != export.NoSpread}} {
		switch {
		case !f.given || o.isTable():
		case o.figures.dir != "":
			return fmt.Errorf("--%s is about tables, and --figures makes none", f.flag)
		default:
			return fmt.Errorf("--%s is about tables, and --format %s writes each run as it is", f.flag, o.format)
		}
	}
	return nil
}

// takeBaseline refuses a --baseline that nothing would use, and puts that run first where a table
// is made.
func (o *exportOptions) takeBaseline() error {
	at := slices.Index(o.runs, o.base)
	switch {
	case o.base == "":
		return nil
	case o.figures.dir == "" && !o.isTable():
		return fmt.Errorf("--baseline is about tables and figures that compare runs, and --format %s writes each run as it is", o.format)
	case at < 0:
		return fmt.Errorf("--baseline %s: give it as one of the runs too", o.base)
	case len(o.runs) == 1:
		return errors.New("--baseline is about several runs, and one is given")
	case o.isTable():
		o.runs = slices.Concat(o.runs[at:at+1], o.runs[:at], o.runs[at+1:])
	}
	return nil
}

// course gives runs their places in trainings: as the page has them, and of fewer runs than make a
// course where a path says that its number is a step.
func (o *exportOptions) course(sides []*compare.Side) (runs []export.At) {
	places, ok := html.Course(o.runs, manifestsOf(sides))
	for i, s := range sides {
		at := export.At{Side: s, Series: s.Name}
		if ok {
			at.Series, at.Step = places[i].Series, int64(places[i].Step)
		} else if p, found := html.PlaceOf(o.runs[i]); found {
			at.Series, at.Step = p.Series, int64(p.Step)
		}
		runs = append(runs, at)
	}
	return runs
}

// tensorboard writes an event file for each training, in a directory that is named as it.
func (o *exportOptions) tensorboard(ctx context.Context, sides []*compare.Side) error {
	taken := map[string]string{}
	for _, f := range export.TensorBoard(o.course(sides)) {
		name := strings.Map(func(r rune) rune {
			if strings.ContainsRune(`/\\:*`, r) {
				return '_'
			}
			return r
		}, strings.Trim(strings.ReplaceAll(f.Series, "*", ""), "-_./\\ "))
		if name == "" {
			name = "runs"
		}
		if other, ok := taken[name]; ok {
			return fmt.Errorf("%s and %s would be written to the same directory %s: export them to different ones", other, f.Series, name)
		}
		taken[name] = f.Series
		dir := filepath.Join(o.out, name)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		path := filepath.Join(dir, f.Name)
		if err := atomicfile.Output(ctx, path, func(w io.Writer) error { _, err := w.Write(f.Data); return err }); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(o.io.out, oneLine(path)); err != nil {
			return err
		}
	}
	return nil
}
