package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// listedRun is a run's directory.
type listedRun struct {
	Name      string   `json:"name"`
	State     string   `json:"state"`                   // complete, interrupted or running
	Done      int      `json:"requests_done,omitempty"` // of a run that is not complete
	Requests  int      `json:"requests,omitempty"`      // of all of it, where that is known
	Model     string   `json:"model,omitempty"`
	Attention string   `json:"attention,omitempty"`
	DType     string   `json:"dtype,omitempty"`
	Suites    []string `json:"suites,omitempty"`
	Tasks     int      `json:"tasks,omitempty"`
	End       string   `json:"end,omitempty"`
	Unread    string   `json:"unread,omitempty"` // why no more is known
}

// runs lists the runs in a directory, in numeric order of their names.
func (o *listOptions) runs(ctx context.Context, dir string) error {
	entries, err := atomicfile.Entries(dir)
	if err != nil {
		return err
	}
	var list []listedRun
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if run, ok := runIn(ctx, filepath.Join(dir, e.Name())); ok {
			run.Name = e.Name()
			list = append(list, run)
		}
	}
	if len(list) == 0 {
		return fmt.Errorf("%s: no directory in it holds a run", dir)
	}
	slices.SortFunc(list, func(a, b listedRun) int { return text.Natural(a.Name, b.Name) })
	if o.json {
		return writeJSON(o.io.out, listing{Runs: list})
	}
	g := &text.Grid{}
	for _, c := range []struct {
		title string
		rank  int
	}{{"RUN", text.Keep}, {"STATE", text.Keep}, {"MODEL", 5}, {"ATTENTION", 4}, {"DTYPE", 3}, {"SUITES", 2}, {"END", 1}} {
		g.Column(c.title, text.Left, c.rank)
	}
	for _, r := range list {
		switch {
		case r.Unread != "":
			r.State += ": " + r.Unread
		case r.Requests > 0:
			r.State += fmt.Sprintf(", %s done", text.Percent(float64(r.Done)/float64(r.Requests)))
		case r.Done > 0:
			r.State += ", " + text.Plural(r.Done, "request", "requests") + " done"
		}
		row := []string{r.Name, r.State, r.Model, r.Attention, r.DType, strings.Join(r.Suites, " "), r.End}
		for i := range row {
			row[i] = oneLine(row[i])
		}
		g.Row(row...)
	}
	var b strings.Builder
	g.Fit(text.TerminalWidth(o.io.out)).Write(&b)
	_, err = o.io.out.Write([]byte(b.String()))
	return err
}

// runIn is what a directory's run is; false where it holds none. That one cannot be read
// does not keep the others from being listed.
func runIn(ctx context.Context, dir string) (listedRun, bool) {
	settings, _, state, err := rundir.Begun(ctx, dir)
	if state == rundir.None {
		return listedRun{}, false
	}
	run := listedRun{State: state.String()}
	switch {
	case err != nil && !errors.Is(err, rundir.ErrBusy):
		run.Unread = err.Error()
	case state == rundir.Interrupted || state == rundir.Running:
		u, err := rundir.ReadUnfinished(ctx, dir)
		if err != nil {
			run.Unread = err.Error()
			return run, true
		}
		if u == nil { // it has just finished
			return runIn(ctx, dir)
		}
		settings = &u.Settings
		run.Done, run.Requests = u.Counts()
		if p := u.Plan; p != nil {
			run.Model, run.Suites, run.Tasks = filepath.Base(p.Directory), p.Suites, len(u.Settings.Tasks)
		}
	case state == rundir.Complete:
		manifest, err := rundir.Read(ctx, dir)
		if err != nil {
			run.Unread = err.Error()
			return run, true
		}
		run.Model, run.Suites, run.Tasks = filepath.Base(manifest.Process.Directory), manifest.Suites, len(manifest.Tasks)
		run.End = manifest.Process.End.UTC().Format("2006-01-02 15:04")
		settings = &manifest.Settings
	}
	if settings != nil {
		run.Attention, run.DType = settings.Attention, settings.DType
	}
	return run, true
}
