package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/reports/rundir"
)

type runOptions struct {
	io    streams
	run   eval.RunOptions
	batch batchFlags
	shard string
	piece eval.Shard // that --shard names
	json  bool
	show  int // documents of each task to show instead of running; counts where given
	dry   bool

	tasks taskFlags
}

func newRun(io streams, run work[runOptions]) *cobra.Command {
	o := runOptions{io: io}
	cmd := &cobra.Command{
		Use:   "run [SUITE...]",
		Short: "Score a checkpoint on suites of tasks",
		Long: `Score a checkpoint on suites, on single tasks, or on YAML files with either
(default: zero-shot). 'softbench ls' lists what is built in. Documents come from
--data DIR/<dataset>/<config>/<split>.jsonl or .parquet, or from the hub's local
cache; nothing is downloaded unless --download is given. Then documents and a model
(--model organisation/name) that are not there are fetched into the hub's cache,
which huggingface_hub shares (HF_HOME; HF_TOKEN for gated ones), and checked against
the hub's hashes; a download that was stopped goes on.

--include-path DIR reads lm-evaluation-harness' own task files: a task, a group or a
tag of theirs by name, a pattern such as 'mmlu_*', or a YAML file by its path. What
cannot be read just as the harness reads it is refused by file and line
(softbench ls tasks --include-path DIR --why lists it; docs/harness-tasks.md).

--show N prints the prompts, continuations or stop texts, token ids and right answers
of the first N documents of each task, as the model will be given them, and ends.
--dry-run counts what a run will take, without what --out has already with --resume:
requests, distinct tokens, memory, and the time, for which some batches of the model
are timed on this machine.

With --out, every result is written as it comes, and a run that was stopped goes
on with --resume. The directory then holds run.json (settings and metrics) and
samples.parquet (every document and request).

Several machines share a run with --shard: each computes a part into a directory of
its own and knows nothing of the others. The same command with --merge and those
directories, in place of --shard, makes the run of them, with the bytes that one
process would have written; a part that is missing is refused. --shard auto takes the
part that a Slurm array, torchrun or (auto/N) a Kubernetes job gives this process, and
goes on with what is in --out; docs/cluster.md has scripts for them.

The checkpoints of a training run one after the other where --model is a pattern or
lists revisions of a model of the hub: each into a directory of its name below --out,
in numeric order, and what is complete is not computed again with --resume.
'softbench report' of these directories draws them over the steps.`,
		Example: `  softbench run arc_easy piqa --model ./my-model --data ./data --out runs/my-model
  softbench run zero-shot --model ./my-model --data ./data --limit 100 --json
  softbench run piqa --model organisation/name --revision main --download
  softbench run 'mmlu_*' --include-path lm_eval/tasks --model ./my-model --data ./data --fewshot 5
  softbench run gsm8k --include-path lm_eval/tasks --model ./my-model --data ./data --show 3
  softbench run zero-shot --model ./my-model --data ./data --dry-run
  softbench run diagnostics --model ./my-model --data ./data --diagnostics-length 64 --out runs/diagnostics
  softbench run all --model ./my-model --out runs/my-model --resume
  softbench run all --model ./my-model --out runs/my-model.2 --shard 2/3
  softbench run all --model ./my-model --out runs/my-model --merge 'runs/my-model.*'
  softbench run all --model 'checkpoints/step-*' --out runs --resume
  softbench run all --model organisation/name@step1000,step2000 --download --out runs`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.run.Suites = args
			if len(args) == 0 {
				o.run.Suites = []string{"zero-shot"}
			}
			o.run.Given, o.run.Arguments = flagValues(cmd)
			o.run.Command = commandAgain(cmd, args, "resume")
			o.tasks.given(&o.run)
			return run(&o, cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.run.Model.Model, "model", "", "checkpoint directory, a pattern of several, organisation/name of a model in the hub's cache, or a built-in one: twin/softmax, twin/softpick (required)")
	f.StringVar(&o.run.Out, "out", "", "directory to write the run to")
	f.BoolVar(&o.run.Resume, "resume", false, "go on with the run in --out")
	f.StringVar(&o.shard, "shard", "", "compute one `part` of the run, such as 2/3, or auto (auto/N) for the scheduler's, and leave it in --out")
	f.StringSliceVar(&o.run.Merge, "merge", nil, "make the run of the shards in these `directories`, or in those that a pattern matches")
	f.StringVar(&o.run.Data, "data", "", "directory with the tasks' documents")
	f.BoolVar(&o.run.Download, "download", false, "download from the hub what is not here: documents, and a model named organisation/name")
	f.BoolVar(&o.run.SkipMissing, "skip-missing", false, "leave out tasks whose documents are not here, with a note, instead of failing")
	f.StringVar(&o.run.Model.Revision, "revision", "", "branch, tag or `commit` of a model of the hub (default main; also organisation/name@REVISION)")
	f.IntVar(&o.run.DiagnosticsLength, "diagnostics-length", 0, "`tokens` of a sample that diagnostics measure, 0 for the suite's (diagnostics: 512)")
	f.Float64Var(&o.run.DiagnosticsThreshold, "diagnostics-threshold", 0, "mean `weight` on the first token above which a head counts as a sink, 0 for the suite's (0.3)")
	f.IntVar(&o.show, "show", 0, "print what the model would be asked of the first `N` documents of each task, with token ids, and end; no weights are read")
	f.BoolVar(&o.dry, "dry-run", false, "count requests, distinct tokens, memory and the time that this machine will take, and end")
	f.BoolVar(&o.json, "json", false, "print the run, or what is shown, as JSON instead of a table")
	addTaskFlags(cmd, &o.tasks, &o.run)
	addModelFlags(cmd, &o.run.Model)
	addBatchFlags(cmd, &o.batch)
	return cmd
}

// flagValues are the names of the flags that were given and the values of all,
// for the manifest.
func flagValues(cmd *cobra.Command) (given []string, all map[string]string) {
	given = []string{}
	all = map[string]string{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		all[f.Name] = f.Value.String()
		if f.Changed {
			given = append(given, f.Name)
		}
	})
	return given, all
}

// commandAgain are the words of a command as it was given, less the program's name, with a switch
// that is on as well; "": none.
func commandAgain(cmd *cobra.Command, args []string, on string) []string {
	words := append(strings.Fields(cmd.CommandPath())[1:], args...)
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name == on {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			switch {
			case f.Value.Type() == "bool" && v == "true":
				words = append(words, "--"+f.Name)
			case f.Value.Type() == "bool" || strings.HasPrefix(v, "-"):
				words = append(words, "--"+f.Name+"="+v)
			default:
				words = append(words, "--"+f.Name, v)
			}
		}
	})
	if on != "" {
		words = append(words, "--"+on)
	}
	return words
}

func (o *runOptions) execute(ctx context.Context) error {
	if o.run.Model.Model == "" {
		return errors.New("no model given: --model DIR says which checkpoint to score")
	}
	var err error
	if o.run.Model.Model, err = builtIn(o.run.Model.Model, &o.run.Data); err != nil {
		return err
	}
	checkpoints, err := course(o.run.Model.Model)
	if err != nil {
		return err
	}
	if o.run.Out == "" && slices.Contains(o.run.Given, "out") {
		return errors.New("--out is empty: name a directory, or leave --out away to keep nothing")
	}
	if o.run.Resume && o.run.Out == "" {
		return errors.New("--resume needs --out: the run to go on with")
	}
	if len(o.run.Merge) > 0 && o.run.Out == "" {
		return errors.New("--merge needs --out: where the run goes")
	}
	if o.shard != "" {
		if o.piece, err = o.part(); err != nil {
			return fmt.Errorf("--shard: %w", err)
		}
		if o.run.Out == "" {
			return errors.New("--shard needs --out: where the part goes")
		}
		if len(o.run.Merge) > 0 {
			return errors.New("--shard and --merge exclude each other: merge when every shard is done")
		}
	}
	if o.run.Merge, err = directories(o.run.Merge); err != nil {
		return fmt.Errorf("--merge: %w", err)
	}
	memory, err := o.batch.check()
	if err != nil {
		return err
	}
	o.run.BatchTokens, o.run.Memory = o.batch.tokens, memory
	o.run.Version = version()
	o.run.Note = o.io.note
	o.run.Progress = progress(o.io)
	o.run.Model.Downloading = downloading(o.io)
	if look, flag, err := o.looking(); err != nil || look != nil {
		switch {
		case err != nil:
			return err
		case len(checkpoints) > 1:
			return fmt.Errorf("--%s is of one checkpoint, and --model names %d: name one", flag, len(checkpoints))
		}
		o.run.Model.Model = checkpoints[0].model
		return look(ctx)
	}
	if len(checkpoints) > 1 || checkpoints[0].name != "" {
		return o.along(ctx, checkpoints)
	}
	result, err := o.one(ctx)
	if err != nil {
		return err
	}
	if o.json {
		return writeJSON(o.io.out, result)
	}
	return o.print(result)
}

// looking is what is printed of a run instead of running it, and the flag for it; nil where it is
// to be run.
func (o *runOptions) looking() (look func(context.Context) error, flag string, err error) {
	show := slices.Contains(o.run.Given, "show")
	switch {
	case show && o.dry:
		return nil, "", errors.New("--show and --dry-run exclude each other: each prints something else of the run, and ends")
	case show:
		return o.shows, "show", nil
	case o.dry:
		return o.forecast, "dry-run", nil
	}
	return nil, "", nil
}

// one runs a checkpoint, or computes a part of its run.
func (o *runOptions) one(ctx context.Context) (result any, err error) {
	if o.shard != "" {
		result, err = eval.RunShard(ctx, o.run, o.piece)
	} else {
		result, err = eval.Run(ctx, o.run)
	}
	if err != nil {
		return nil, o.interrupted(err)
	}
	return result, nil
}

// print prints what one returned.
func (o *runOptions) print(result any) error {
	switch result := result.(type) {
	case *rundir.Run:
		return rundir.WriteTable(o.io.out, result)
	case *eval.ShardResult:
		_, err := fmt.Fprintf(o.io.out, "%s: shard %s is done, %d of %d requests; when all are, give the same command --merge with their directories instead of --shard\n",
			oneLine(o.run.Out), result.Shard, result.Requests, result.Of)
		return err
	}
	return fmt.Errorf("a result of type %T", result)
}

// part is the part of the run that --shard names. A scheduler starts the same command
// again after a preemption, so that with auto a part that is begun goes on.
func (o *runOptions) part() (eval.Shard, error) {
	if o.shard != "auto" && !strings.HasPrefix(o.shard, "auto/") {
		return eval.ParseShard(o.shard)
	}
	o.run.Resume = true
	return eval.AutoShard(o.shard, os.Getenv)
}

// directories replaces a name that is none by what it matches as a pattern.
func directories(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		if _, err := os.Stat(name); err == nil || !strings.ContainsAny(name, "*?[") {
			all = append(all, name)
			continue
		}
		match, err := filepath.Glob(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if len(match) == 0 {
			return nil, fmt.Errorf("nothing matches %s: the shards' directories are not there", name)
		}
		all = append(all, match...)
	}
	return all, nil
}

// interrupted is the error of a run, with what to do where it was cancelled.
func (o *runOptions) interrupted(err error) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	message := "interrupted"
	if strings.HasPrefix(o.shard, "auto") {
		return exitError{exitInterrupted, message + "; what is done is kept: the same command goes on"}
	}
	if o.run.Out != "" {
		message += "; what is done is kept: go on with the same command and --resume"
	}
	return exitError{exitInterrupted, message}
}

// limitValue is --limit: a number of documents, or a share of each task's.
type limitValue struct {
	count *int
	share *float64
}

func (v *limitValue) String() string {
	switch {
	case v.count == nil:
		return "0"
	case *v.share > 0:
		return strconv.FormatFloat(*v.share, 'g', -1, 64)
	}
	return strconv.Itoa(*v.count)
}

func (v *limitValue) Set(s string) error {
	want := errors.New("want a whole number of documents, such as 100, or a share of them between 0 and 1, such as 0.1")
	if n, err := strconv.Atoi(s); err == nil && n >= 0 {
		*v.count, *v.share = n, 0
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f > 0 && f < 1) {
		return want
	}
	*v.count, *v.share = 0, f
	return nil
}

func (v *limitValue) Type() string { return "N" }
