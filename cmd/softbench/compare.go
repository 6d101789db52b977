package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/gguf"
	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/html"
	"github.com/softbench/softbench/reports/lmeval"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

type compareOptions struct {
	io      streams
	sides   [2]string
	run     eval.RunOptions // of checkpoints; Suites empty: chosen by the other side
	tasks   taskFlags
	batch   batchFlags
	runs    string // directory of the checkpoints' runs
	kl      bool
	options compare.Options
	json    bool
	report  string
	echarts libraryFlags
}

func newCompare(io streams, run work[compareOptions]) *cobra.Command {
	o := compareOptions{io: io}
	cmd := &cobra.Command{
		Use:   "compare [A B]",
		Short: "Say whether B is better or worse than A",
		Long: `Compare two checkpoints, runs, or results of lm-evaluation-harness (its results
file or directory, written with --log_samples), any mix of them. Checkpoints are
run on --suite first; their runs are kept in --runs, and one that is there with the
same settings is used again.

Runs are paired document by document: exact McNemar for accuracies, sign flips for
perplexities, intervals and p corrected for the number of tasks (Holm). ~ is a
difference that may be chance; --effect says how many documents show one of a size
that you name. docs/statistics.md has what is tested and when it cannot tell.
Runs that did not do the same are refused with what differs.

--kl also measures how far B's distributions of the next token are from A's,
KL(A||B) of every scored token: of two checkpoints with one tokenizer, which are
computed side by side on the processor. With --data FILE in the place of a suite,
that is over any text.

Checkpoints are asked as 'softbench run' asks with the same flags of tasks, prompts and
chats; against a run, as that was asked.

Without A and B, the built-in twins are compared on the suite world, and the report
is written to twins.html (--report '' leaves it out): two small models that were
trained alike but for their attention, softmax and softpick.`,
		Example: `  softbench compare
  softbench compare ./softmax-340M ./softpick-340M --suite zero-shot --data ./data
  softbench compare ./my-model ./my-model-4 --kl --data text.txt
  softbench compare runs/softmax runs/softpick --report report.html
  softbench compare runs/softpick harness/results --intersect --json
  softbench compare runs/softpick results/res.json --map my_arc=arc_easy`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch len(args) {
			case 0, 2: // without any: the built-in twins
				return nil
			}
			return usageError(cmd, fmt.Errorf("two checkpoints, runs or results wanted, %d given", len(args)))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.run.Given, o.run.Arguments = flagValues(cmd)
			o.run.Command = commandAgain(cmd, args, "")
			o.tasks.given(&o.run)
			if len(args) == 0 {
				if err := o.defaultSides(); err != nil {
					return err
				}
				if !cmd.Flags().Changed("report") {
					o.report = twinsReport
				}
			} else {
				for i, name := range args {
					var err error
					if o.sides[i], err = builtIn(name, &o.run.Data); err != nil {
						return err
					}
				}
			}
			return run(&o, cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.run.Suites, "suite", nil, "suites or tasks to run checkpoints on (default: the other side's tasks, else zero-shot)")
	f.StringVar(&o.run.Data, "data", "", "directory with the tasks' documents")
	f.BoolVar(&o.run.Download, "download", false, "download from the hub what is not here: documents, and models named organisation/name")
	f.StringVar(&o.run.Model.Revision, "revision", "", "branch, tag or `commit` of models of the hub (default main; also organisation/name@REVISION)")
	f.BoolVar(&o.kl, "kl", false, "measure KL(A||B) of two checkpoints too, token by token; --data may name a text")
	f.StringVar(&o.runs, "runs", "", "`directory` to keep the checkpoints' runs in (default: in the user's cache)")
	f.StringToStringVar(&o.options.Map, "map", nil, "take a task of lm-evaluation-harness as another, `THEIRS=OURS`: a copy of ours under a name of its own")
	f.BoolVar(&o.options.Intersect, "intersect", false, "compare the tasks and documents that both sides have, with a note")
	f.Var((*effectFlag)(&o.options.Effect), "effect", "a `difference` named beforehand, such as 0.02 (of perplexities: 2% of the value): show how many documents would show it")
	f.BoolVar(&o.options.ByDocument, "by-document", false, "compare perplexities by their mean log ratio over documents, each counting the same, not over the sum of all documents")
	f.Uint64Var(&o.options.Seed, "seed", 0, "seed of the random draws, 0 for the usual one")
	f.BoolVar(&o.json, "json", false, "print the comparison as JSON instead of a table")
	f.StringVar(&o.report, "report", "", "write an HTML report to this `file` too")
	addTaskFlags(cmd, &o.tasks, &o.run)
	addModelFlags(cmd, &o.run.Model)
	addBatchFlags(cmd, &o.batch)
	addLibraryFlags(cmd, &o.echarts)
	return cmd
}

// effectFlag is a difference above 0 and at most 1.
type effectFlag float64

func (f *effectFlag) String() string { return text.Compact(float64(*f)) }
func (f *effectFlag) Type() string   { return "difference" }
func (f *effectFlag) Set(text string) error {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x > 0 && x <= 1) {
		return fmt.Errorf("want a difference above 0 and at most 1, such as 0.02")
	}
	*f = effectFlag(x)
	return nil
}

func (o *compareOptions) execute(ctx context.Context) error {
	if err := o.run.Model.Check(); err != nil {
		return err
	}
	if o.report == "" {
		for _, flag := range []string{"echarts", "offline"} {
			if slices.Contains(o.run.Given, flag) {
				return fmt.Errorf("--%s is about the page: name its file with --report", flag)
			}
		}
	}
	var library html.Library
	if o.report != "" {
		err := heard(ctx, func() (err error) { library, err = o.echarts.open(); return err })
		if err != nil { // before hours of work
			return err
		}
	}
	if o.kl {
		if err := o.checkKL(); err != nil {
			return err
		}
	}
	if o.run.Model.Revision != "" && here(o.sides[0]) && here(o.sides[1]) {
		return errors.New("--revision is about models of the hub, but both sides are directories here")
	}
	checkpoints := 0
	for _, path := range o.sides {
		if o.isCheckpoint(path) {
			checkpoints++
		}
	}
	if checkpoints == 0 {
		for _, flag := range o.run.Given {
			switch flag {
			case "map", "intersect", "seed", "effect", "by-document", "json", "report", "echarts", "offline":
			default:
				return fmt.Errorf("--%s is about running a checkpoint, but neither side is one", flag)
			}
		}
	}
	var sides [2]*compare.Side
	for i, path := range o.sides { // what is there already, first
		if o.isCheckpoint(path) {
			continue
		}
		var err error
		if sides[i], err = openSide(ctx, path); err != nil {
			return err
		}
	}
	if err := o.runCheckpoints(ctx, &sides); err != nil {
		return err
	}
	a, b := sides[0], sides[1]
	if a.Name == b.Name {
		a.Name, b.Name = o.sides[0], o.sides[1]
	}
	var c *compare.Comparison
	err := heard(ctx, func() (err error) { c, err = compare.Compare(a, b, o.options); return err })
	if err != nil {
		return err
	}
	if o.report != "" {
		page := html.Page{Runs: pageRuns(o.io, sides[:]), Comparison: c, Library: library, Softbench: version()}
		if err := heard(ctx, func() error { return writePage(ctx, o.report, page) }); err != nil {
			return err
		}
		fmt.Fprintln(o.io.err, "report:", oneLine(o.report))
	}
	if o.json {
		return writeJSON(o.io.out, c)
	}
	return compare.WriteTable(o.io.out, c)
}

// isCheckpoint says whether a path is to be run: a GGUF file, a directory with a config.json,
// or no path at all but the name of a model in the hub's cache, or on the hub where
// that may be asked.
func (o *compareOptions) isCheckpoint(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return !lmeval.Is(path) && eval.IsModel(o.model(path))
	}
	if gguf.Is(path) {
		return true
	}
	if state, err := rundir.StateOf(path); err != nil || state != rundir.None {
		return false
	}
	return checkpoint.Is(path)
}

func here(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// model says how to find a side's checkpoint.
func (o *compareOptions) model(path string) eval.ModelOptions {
	m := o.run.Model
	m.Model, m.Download = path, o.run.Download
	if here(path) {
		m.Revision = "" // it is about the other side
	}
	m.Note = o.io.note
	m.Downloading = downloading(o.io)
	return m
}
