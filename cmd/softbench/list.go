package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/reports/text"
)

type listOptions struct {
	io   streams
	what []string // tasks, suites or models; none: all; or runs and their directory
	path []string // directories of lm-evaluation-harness' task files
	why  bool     // list what of them is not loaded, and why
	json bool
}

// listing is what ls shows; its JSON field names are stable.
type listing struct {
	Suites []listed `json:"suites,omitempty"`
	Tasks  []listed `json:"tasks,omitempty"`
	Models []listed `json:"models,omitempty"`

	Runs []listedRun `json:"runs,omitempty"`
}

type listed struct {
	Name        string        `json:"name"`
	Description string        `json:"description"`
	Summary     *eval.Summary `json:"summary,omitempty"` // of a model in the cache
	Unread      string        `json:"unread,omitempty"`  // why there is none
	Why         string        `json:"why,omitempty"`     // of a task file's name: why it cannot be run
}

// text is what a line says beside the name.
func (l listed) text() string {
	switch s := l.Summary; {
	case l.Unread != "":
		return l.Description + " cannot be read: " + l.Unread
	case s == nil:
		return l.Description
	case s.Computed != "":
		return fmt.Sprintf("%s; %s: %s; computed with %s; in %s", s.Architecture, s.Format, s.Stored, s.Computed, l.Description)
	default:
		return fmt.Sprintf("%s; %s: %s; in %s", s.Architecture, s.Format, s.Stored, l.Description)
	}
}

func newList(io streams, run work[listOptions]) *cobra.Command {
	o := listOptions{io: io}
	cmd := &cobra.Command{
		Use:   "ls [tasks|suites|models|runs DIRECTORY]",
		Short: "List tasks and suites, the models that are built in or in the hub's cache, or runs",
		Example: `  softbench ls
  softbench ls tasks --json
  softbench ls runs ./runs
  softbench ls tasks --include-path lm_eval/tasks --why`,
		ValidArgs: []string{"tasks", "suites", "models", "runs"},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && args[0] == "runs" {
				return oneArg("directory of runs")(cmd, args[1:])
			}
			if err := cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs)(cmd, args); err != nil {
				return usageError(cmd, fmt.Errorf("want tasks, suites or models, runs and a directory, or nothing for all but runs"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.what = args
			return run(&o, cmd.Context())
		},
	}
	cmd.Flags().StringArrayVar(&o.path, "include-path", nil, "list the tasks, groups and tags of lm-evaluation-harness' task files in this `directory` that can be run")
	cmd.Flags().BoolVar(&o.why, "why", false, "with --include-path: list those that cannot be run, with file, line and reason")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func (o *listOptions) execute(ctx context.Context) error {
	if o.why && len(o.path) == 0 {
		return errors.New("--why is about task files: name their directory with --include-path")
	}
	if len(o.what) > 0 && o.what[0] == "runs" && len(o.path) == 0 {
		return o.runs(ctx, o.what[1])
	}
	if len(o.path) > 0 {
		if len(o.what) == 0 || o.what[0] != "tasks" {
			return errors.New("--include-path is about tasks: softbench ls tasks --include-path DIR")
		}
		return o.harness(ctx)
	}
	var l listing
	wants := func(what string) bool { return len(o.what) == 0 || o.what[0] == what }
	if wants("suites") {
		l.Suites = fromInfos(configs.Suites())
	}
	if wants("tasks") {
		l.Tasks = fromInfos(configs.Tasks())
	}
	if wants("models") {
		l.Models = append(l.Models,
			listed{Name: twinSoftmax, Description: "built in: a small model trained on the small world"},
			listed{Name: twinSoftpick, Description: "built in: the same with softpick attention"})
		for _, m := range eval.CachedModels() {
			l.Models = append(l.Models, cachedModel(ctx, m))
		}
	}
	if o.json {
		return writeJSON(o.io.out, l)
	}
	var b strings.Builder
	section := func(title string, list []listed) {
		if len(list) == 0 {
			return
		}
		b.WriteString(title + "\n")
		var rows [][2]string
		for _, i := range list {
			rows = append(rows, [2]string{oneLine(i.Name), oneLine(i.text())})
		}
		text.List(&b, rows, 2, text.TerminalWidth(o.io.out))
	}
	section("SUITES", l.Suites)
	section("TASKS", l.Tasks)
	section("MODELS", l.Models)
	_, err := io.WriteString(o.io.out, b.String())
	return err
}

// cachedModel says what a model in the hub's cache is; that one is broken does not keep
// the others from being listed.
func cachedModel(ctx context.Context, m eval.CachedModel) listed {
	l := listed{Name: m.Name, Description: m.Description}
	s, err := eval.Summarise(ctx, m.Description)
	if err != nil {
		l.Unread = err.Error()
	} else {
		l.Summary = &s
	}
	return l
}

func fromInfos(infos []configs.Info) []listed {
	var out []listed
	for _, i := range infos {
		out = append(out, listed{Name: i.Name, Description: i.Description})
	}
	return out
}

// harness lists the task files' names.
func (o *listOptions) harness(ctx context.Context) error {
	all, err := configs.HarnessTasks(ctx, o.path...)
	if err != nil {
		return err
	}
	list := []listed{}
	loaded := 0
	for _, t := range all {
		if t.Err == nil {
			loaded++
		}
		if (t.Err == nil) == o.why {
			continue
		}
		l := listed{Name: t.Name, Description: t.Kind + ", " + t.File}
		if t.File == "" {
			l.Description = t.Kind
		}
		if t.Err != nil {
			l.Why = t.Err.Error()
		}
		list = append(list, l)
	}
	if o.json {
		return writeJSON(o.io.out, listing{Tasks: list})
	}
	var rows [][2]string
	for _, l := range list {
		what := l.Description
		if o.why {
			what = l.Why
		}
		rows = append(rows, [2]string{oneLine(l.Name), oneLine(what)})
	}
	var b strings.Builder
	text.List(&b, rows, 0, text.TerminalWidth(o.io.out))
	if _, err := io.WriteString(o.io.out, b.String()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.io.err, "%d of %d tasks, groups and tags can be run\n", loaded, len(all))
	return err
}
