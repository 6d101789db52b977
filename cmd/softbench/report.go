package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/html"
	"github.com/softbench/softbench/reports/rundir"
)

type reportOptions struct {
	io      streams
	runs    []string
	out     string
	title   string
	fetch   bool // ECharts, into the user's cache
	base    string
	compare compare.Options
	echarts libraryFlags
}

// libraryFlags say where a page's ECharts comes from.
type libraryFlags struct {
	echarts string
	offline bool
}

func addLibraryFlags(cmd *cobra.Command, l *libraryFlags) {
	f := cmd.Flags()
	f.StringVar(&l.echarts, "echarts", "", "put this ECharts `file` (echarts.min.js) into the page")
	f.BoolVar(&l.offline, "offline", false, "no link to a public server where there is no ECharts here")
}

func newReport(io streams, run work[reportOptions]) *cobra.Command {
	o := reportOptions{io: io}
	cmd := &cobra.Command{
		Use:   "report RUN... [-o FILE.html]",
		Short: "Write a page about one run, two or more",
		Long: `Write one HTML file about runs on disk, or results of lm-evaluation-harness: the
scores of one, the comparison of two (the first is the baseline), more side by side.
The file needs no other; its tables and drawings need no network.

Runs whose names differ in their last number (step-200, step-1000) are the checkpoints
of a training, and so are those whose models' revisions or directories do and say step,
checkpoint or the like: they stand in the order of their steps, and their scores and
diagnostics are drawn over them, a line for each training where there are several
(a/step-* b/step-*). The comparison is of the first and the last run; of three and more, every
run also stands against the --baseline, and up to 16 in all pairs, corrected together.

Of a run that was stopped, or that another process still writes, the page and the table
say how far each task is, have the results of the tasks that are whole, and name the
command that goes on with it. Among several runs such a one is left out, with a note.

Its interactive charts are drawn by ECharts, which comes from --echarts FILE, else
from the copy that --fetch-assets put into the user's cache, else over the network
when the page is opened (a pinned version, by its integrity hash; --offline leaves
that out).`,
		Example: `  softbench report runs/softmax runs/softpick -o report.html
  softbench report runs/softmax
  softbench report runs/step-* -o course.html --offline
  softbench report runs/* --baseline runs/softmax -o all.html
  softbench report --fetch-assets`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.runs = args
			if err := o.unused(cmd.Flags()); err != nil {
				return err
			}
			if o.fetch && len(args) == 0 && o.out == "" {
				return run(&o, cmd.Context())
			}
			if len(args) == 0 {
				return usageError(cmd, errors.New("no run given"))
			}
			if o.out == "" && len(args) > 1 {
				return usageError(cmd, errors.New("no file to write: -o FILE.html says which (of one run alone there is also a table without it)"))
			}
			return run(&o, cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "HTML `file` to write; without it one run's table is printed")
	f.StringVar(&o.title, "title", "", "title of the page")
	f.StringVar(&o.base, "baseline", "", "the `run` that every other one is compared with (default the first)")
	f.BoolVar(&o.compare.Intersect, "intersect", false, "compare the documents that both runs have, with a note")
	f.BoolVar(&o.fetch, "fetch-assets", false, "download ECharts into the user's cache first")
	addLibraryFlags(cmd, &o.echarts)
	return cmd
}

// unused refuses flags that nothing would use.
func (o *reportOptions) unused(flags *pflag.FlagSet) error {
	if o.fetch && len(o.runs) == 0 && o.out == "" {
		for _, f := range []string{"title", "baseline", "intersect", "echarts", "offline"} {
			if flags.Changed(f) {
				return fmt.Errorf("--%s is about a page, and no run is given: --fetch-assets alone downloads ECharts", f)
			}
		}
	}
	if o.out == "" {
		for _, f := range []string{"title", "echarts", "offline"} {
			if flags.Changed(f) {
				return fmt.Errorf("--%s is about a page, and no file is named: -o FILE.html says which", f)
			}
		}
	}
	if o.base != "" && !slices.Contains(o.runs, o.base) {
		return fmt.Errorf("--baseline %s: give it as one of the runs too", o.base)
	}
	if o.base != "" && len(o.runs) == 1 {
		return errors.New("--baseline is about several runs, and one is given")
	}
	if o.compare.Intersect && len(o.runs) == 1 {
		return errors.New("--intersect is about what two runs share, and one is given")
	}
	return nil
}

func (o *reportOptions) execute(ctx context.Context) error {
	if o.fetch {
		if err := fetchAssets(ctx, o.io.out, html.Pinned); err != nil || len(o.runs) == 0 {
			return err
		}
	}
	library, err := o.echarts.open()
	if err != nil {
		return err
	}
	if o.out == "" {
		return o.text(ctx)
	}
	page, err := openPage(ctx, o.io, o.runs, o.base, o.compare)
	if err != nil {
		return err
	}
	page.Title, page.Library = o.title, library
	return writePage(ctx, o.out, page)
}

// openPage is what a page about runs has: the runs in the order of their steps where they are
// a course, and the last one compared with the first.
// base is the path of the run that all others are compared with, "": the first.
func openPage(ctx context.Context, io streams, paths []string, base string, options compare.Options) (html.Page, error) {
	page := html.Page{Softbench: version()}
	if len(paths) == 1 {
		if u, err := unfinished(ctx, paths[0]); err != nil {
			return page, err
		} else if u != nil {
			return unfinishedPage(io, paths[0], u), nil
		}
	}
	paths, sides, left, err := finishedOf(ctx, io, paths, base)
	if err != nil {
		return page, err
	}
	page.LeftOut = left
	places, isCourse := html.Course(paths, manifestsOf(sides))
	order := make([]int, len(paths))
	for i := range order {
		order[i] = i
	}
	if at := slices.Index(paths, base); at > 0 && !isCourse {
		order = slices.Concat([]int{at}, order[:at], order[at+1:])
	}
	if isCourse {
		inOrderOfSteps(order, places)
	}
	paths, sides, places = reordered(paths, order), reordered(sides, order), reordered(places, order)
	page.Runs = pageRuns(io, sides)
	if isCourse {
		for i := range page.Runs {
			page.Runs[i].Place = &places[i]
		}
	}
	if len(sides) > 1 {
		if err := compareRuns(io, &page, sides[0], sides[len(sides)-1], options); err != nil {
			return page, err
		}
	}
	if len(sides) > 2 {
		return page, comparePairs(ctx, io, &page, sides, max(0, slices.Index(paths, base)), options)
	}
	return page, nil
}

// mostPairs bounds how many runs are compared in all pairs: of more, each with the baseline
// alone, and the page says so.
const mostPairs = 16

// comparePairs compares every run with the baseline, and where they are few all pairs.
// Those that cannot be compared are left out with a note, which the page has too.
func comparePairs(ctx context.Context, io streams, page *html.Page, sides []*compare.Side, base int, options compare.Options) error {
	one := func(a, b int) (*compare.Comparison, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		options.Names = [2]string{html.Letter(a, len(sides)), html.Letter(b, len(sides))}
		c, err := compare.Compare(sides[a], sides[b], options)
		if _, ok := errors.AsType[*compare.Incomparable](err); ok {
			return nil, nil
		}
		return c, err
	}
	unlike := map[[2]int]bool{}
	gather := func(pairs [][2]int) (out []html.Pair, err error) {
		var all []*compare.Comparison
		for _, p := range pairs {
			c, err := one(p[0], p[1])
			if err != nil {
				return nil, err
			}
			if c == nil {
				low, high := min(p[0], p[1]), max(p[0], p[1])
				if !unlike[[2]int{low, high}] {
					unlike[[2]int{low, high}] = true
					line := fmt.Sprintf("%s and %s cannot be compared: left out of the table of all runs", html.Letter(low, len(sides)), html.Letter(high, len(sides)))
					page.NotPaired = append(page.NotPaired, line)
					io.note(line)
				}
				continue
			}
			all, out = append(all, c), append(out, html.Pair{A: p[0], B: p[1], Comparison: c})
		}
		return out, compare.Together(all)
	}
	var against, pairs [][2]int
	for b := range sides {
		if b != base {
			against = append(against, [2]int{base, b})
		}
		for a := range b {
			pairs = append(pairs, [2]int{a, b})
		}
	}
	var err error
	if page.Against, err = gather(against); err != nil {
		return err
	}
	if len(sides) > mostPairs {
		page.NotPaired = append(page.NotPaired, fmt.Sprintf("All pairs are shown of up to %d runs; here are %d.", mostPairs, len(sides)))
		return nil
	}
	page.Pairs, err = gather(pairs)
	return err
}

// pageRuns are sides as the page takes them.
func pageRuns(io streams, sides []*compare.Side) []html.Run {
	var runs []html.Run
	all, without := 0, 0
	for _, s := range sides {
		maps, left := html.MapsOf(s.Maps, len(sides))
		all, without = all+len(s.Maps), without+left
		run := html.Run{Name: s.Name, Manifest: s.Manifest, Samples: s.Samples, Maps: maps}
		if s.Manifest == nil {
			run.Stated = &html.Stated{Format: s.Format, Path: s.Path, Tasks: s.Results(), Groups: s.GroupResults()}
			run.Samples = s.Answers
		}
		runs = append(runs, run)
	}
	if without > 0 {
		fmt.Fprintf(io.err, "note: the page has no room for %d of %d attention maps\n", without, all)
	}
	return runs
}

// inOrderOfSteps sorts runs, which have places, as a course has them: the trainings as they were
// given, each by its steps.
func inOrderOfSteps(runs []int, places []html.Place) {
	var trainings []string
	for _, p := range places {
		if !slices.Contains(trainings, p.Series) {
			trainings = append(trainings, p.Series)
		}
	}
	slices.SortStableFunc(runs, func(x, y int) int {
		a, b := places[x], places[y]
		return cmp.Or(cmp.Compare(slices.Index(trainings, a.Series), slices.Index(trainings, b.Series)), cmp.Compare(a.Step, b.Step))
	})
}

// reordered is what a list has, in another order; nothing of none.
func reordered[T any](list []T, order []int) (out []T) {
	if len(list) == 0 {
		return nil
	}
	for _, i := range order {
		out = append(out, list[i])
	}
	return out
}

// manifestsOf are the manifests of runs, nil of results of another program.
func manifestsOf(sides []*compare.Side) (out []*rundir.Run) {
	for _, s := range sides {
		out = append(out, s.Manifest)
	}
	return out
}

// compareRuns compares the last run with the first. Runs that cannot be compared
// still have a page, which says why there is no comparison.
func compareRuns(io streams, page *html.Page, first, last *compare.Side, options compare.Options) error {
	options.Names = [2]string{html.Letter(0, len(page.Runs)), html.Letter(len(page.Runs)-1, len(page.Runs))}
	c, err := compare.Compare(first, last, options)
	if _, ok := errors.AsType[*compare.Incomparable](err); ok {
		page.NotCompared = err.Error()
		io.note(page.NotCompared)
		return nil
	}
	page.Comparison = c
	return err
}

// writePage writes the page whole or not at all.
func writePage(ctx context.Context, path string, page html.Page) error {
	return atomicfile.Output(ctx, path, func(w io.Writer) error { return html.Write(w, page) })
}

// open finds ECharts: the file given, the user's cache, else a link.
func (l libraryFlags) open() (html.Library, error) {
	if l.echarts != "" {
		return html.OpenLibrary(l.echarts)
	}
	if cache, err := os.UserCacheDir(); err == nil { // without one there is no copy
		lib, ok, err := html.Pinned.Cached(cache)
		if err != nil || ok {
			return lib, err
		}
	}
	return html.Library{Link: !l.offline}, nil
}

func fetchAssets(ctx context.Context, out io.Writer, asset html.Asset) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("no cache directory to keep ECharts in: %w: give a copy with --echarts FILE", err)
	}
	path, err := asset.Fetch(ctx, http.DefaultClient, cache)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "ECharts is in", oneLine(path))
	return err
}
