package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/eval"
)

type listOptions struct {
	io   streams
	what []string // tasks, suites or models; none: all
	json bool
}

// listing is what ls shows; its JSON field names are stable.
type listing struct {
	Suites []listed `json:"suites,omitempty"`
	Tasks  []listed `json:"tasks,omitempty"`
	Models []listed `json:"models,omitempty"`
}

type listed struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

func newList(io streams, run work[listOptions]) *cobra.Command {
	o := listOptions{io: io}
	cmd := &cobra.Command{
		Use:   "ls [tasks|suites|models]",
		Short: "List tasks and suites, and the models that are built in or in the hub's cache",
		Example: `  softbench ls
  softbench ls tasks --json`,
		ValidArgs: []string{"tasks", "suites", "models"},
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs)(cmd, args); err != nil {
				return usageError(cmd, fmt.Errorf("want tasks, suites or models, or nothing for all"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.what = args
			return run(&o, cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func (o *listOptions) execute(context.Context) error {
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
			listed{twinSoftmax, "built in: a small model trained on the small world"},
			listed{twinSoftpick, "built in: the same with softpick attention"})
		for _, m := range eval.CachedModels() {
			l.Models = append(l.Models, listed{m.Name, m.Description})
		}
	}
	if o.json {
		return writeJSON(o.io.out, l)
	}
	w := tabwriter.NewWriter(o.io.out, 0, 0, 2, ' ', 0)
	section := func(title string, list []listed) {
		if len(list) == 0 {
			return
		}
		fmt.Fprintf(w, "%s\n", title)
		for _, i := range list {
			fmt.Fprintf(w, "  %s\t%s\n", oneLine(i.Name), oneLine(i.Description))
		}
	}
	section("SUITES", l.Suites)
	section("TASKS", l.Tasks)
	section("MODELS", l.Models)
	return w.Flush()
}

func fromInfos(infos []configs.Info) []listed {
	var out []listed
	for _, i := range infos {
		out = append(out, listed{i.Name, i.Description})
	}
	return out
}
