package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/export"
	"github.com/softbench/softbench/reports/lmeval"
)

const exportFormats = "lm-eval, csv, parquet, markdown, latex, jsonl or tensorboard"

type exportOptions struct {
	io      streams
	runs    []string
	format  string
	out     string
	options compare.Options
	figures figureOptions
	choice  export.Choice
	spread  string
	base    string // the run that others are compared with; "": the first
}

func newExport(io streams, run work[exportOptions]) *cobra.Command {
	o := exportOptions{io: io}
	cmd := &cobra.Command{
		Use:   "export --format lm-eval|csv|parquet|markdown|latex|jsonl|tensorboard RUN... | --figures DIR RUN...",
		Short: "Write runs in other formats",
		Long: `Write runs, or results of lm-evaluation-harness, in another format:

  lm-eval   the files that lm-evaluation-harness writes, below the directory -o
  csv       a line for each run and metric, passkey cell and measure of
            diagnostics, in full precision
  parquet   the same as a Parquet file, with the length and depth of passkey cells
  markdown  a table with a column for each run, and marks where a run is better or
            worse than the first beyond chance; the best value is bold where that
            is shown
  latex     the same for a paper (package booktabs)
  jsonl     an object for each run with all its numbers, its step and its time, as
            loggers of Weights & Biases and MLflow take them
  tensorboard
            event files below the directory -o, a directory for each training

Runs whose names differ in their last number are checkpoints of a training: the
number is the step of jsonl and tensorboard; of one or two runs where their name says
that it is one, as step-200 and checkpoint-1000 do.

With --figures DIR, write every chart of the runs' page into that directory instead:
as SVG, PDF and PNG of a column's width in a paper, in a light style with 8 pt type,
and its numbers as CSV; attention maps have their tokens on the axes, and those of
one head of all runs stand side by side. --format says which (default all four).`,
		Example: `  softbench export --format latex runs/softmax runs/softpick -o table.tex
  softbench export --format csv runs/step-*
  softbench export --format latex --spread stderr --metrics acc_norm,perplexity runs/softmax runs/softpick
  softbench export --format tensorboard runs/step-* -o logs
  softbench export --format lm-eval runs/softpick -o harness
  softbench export --figures figures --format pdf,csv runs/softmax runs/softpick
  softbench export --figures figures --baseline runs/softmax runs/*`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.runs = args
			switch {
			case len(args) == 0:
				return usageError(cmd, errors.New("no run given"))
			case o.figures.dir != "":
			case o.format == "":
				return usageError(cmd, errors.New("no format: --format "+exportFormats+", or --figures DIR"))
			}
			return run(&o, cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", exportFormats+" (required); of figures svg, pdf, png, csv or several (default all)")
	f.StringVarP(&o.out, "output", "o", "", "`file` to write instead of standard output; for lm-eval and tensorboard the directory")
	f.BoolVar(&o.options.Intersect, "intersect", false, "in a table or figure, compare the tasks and documents that runs share")
	f.StringSliceVar(&o.choice.Metrics, "metrics", nil, "in a table, these `metrics` in this order, as acc or arc_easy/acc")
	f.BoolVar(&o.choice.Diagnostics, "diagnostics", false, "in a table, the measures of diagnostics behind the metrics: sink rate, sparsity, kurtosis")
	f.StringVar(&o.spread, "spread", string(export.NoSpread), "in a table, what stands behind a value: none, stderr or interval")
	f.StringVar(&o.base, "baseline", "", "in a table or figure, the `run` that every other one is compared with (default the first)")
	f.StringVar(&o.figures.dir, "figures", "", "write the charts into this `directory`")
	f.StringVar(&o.figures.width, "width", "", "width of figures: column (3.25 inch, default), page (6.75 inch)")
	return cmd
}

func (o *exportOptions) execute(ctx context.Context) error {
	if err := o.checkChoice(); err != nil {
		return err
	}
	if err := o.takeBaseline(); err != nil {
		return err
	}
	switch {
	case o.figures.dir != "":
		return o.writeFigures(ctx)
	case o.figures.width != "":
		return errors.New("--width is about figures: name their directory with --figures DIR")
	}
	var write func(io.Writer, []*compare.Side) error
	switch {
	case !o.options.Intersect:
	case !o.isTable():
		return fmt.Errorf("--intersect is about tables that compare runs, and --format %s writes each run as it is", o.format)
	case len(o.runs) == 1:
		return errors.New("--intersect is about what two runs share, and one is given")
	}
	switch o.format {
	case "lm-eval":
		return o.harness(ctx)
	case "csv":
		write = export.WriteCSV
	case "parquet":
		if o.out == "" {
			return errors.New("--format parquet writes a binary file: name it with -o FILE")
		}
		write = export.WriteParquet
	case "markdown":
		write = o.table((*export.Table).WriteMarkdown)
	case "latex":
		write = o.table((*export.Table).WriteLaTeX)
	case "jsonl":
		write = func(w io.Writer, sides []*compare.Side) error { return export.WriteJSONLines(w, o.course(sides)) }
	case "tensorboard":
		if o.out == "" {
			return errors.New("--format tensorboard writes files: name a directory with -o DIR")
		}
	default:
		return fmt.Errorf("--format %q: want %s", o.format, exportFormats)
	}
	var sides []*compare.Side
	names := map[string]int{}
	for _, path := range o.runs {
		s, err := compare.Open(ctx, path)
		if err != nil {
			return err
		}
		names[s.Name]++
		sides = append(sides, s)
	}
	for i, s := range sides {
		if names[s.Name] > 1 {
			s.Name = o.runs[i]
		}
	}
	if o.format == "tensorboard" {
		return o.tensorboard(ctx, sides)
	}
	if o.out == "" {
		return write(o.io.out, sides)
	}
	return atomicfile.Output(ctx, o.out, func(w io.Writer) error { return write(w, sides) })
}

func (o *exportOptions) table(write func(*export.Table, io.Writer) error) func(io.Writer, []*compare.Side) error {
	return func(w io.Writer, sides []*compare.Side) error {
		t, err := export.Make(sides, o.options, o.choice)
		if err != nil {
			return err
		}
		return write(t, w)
	}
}

// harness writes lm-evaluation-harness's files.
func (o *exportOptions) harness(ctx context.Context) error {
	if o.out == "" {
		return errors.New("--format lm-eval writes several files: name a directory with -o DIR")
	}
	seen := map[string]string{}
	for _, path := range o.runs {
		s, err := compare.Open(ctx, path)
		if err != nil {
			return err
		}
		if s.Manifest == nil {
			return fmt.Errorf("%s: these are results of lm-evaluation-harness already", path)
		}
		if other, ok := seen[s.Name]; ok {
			return fmt.Errorf("%s and %s would be written to the same directory %s: export them to different ones", other, path, s.Name)
		}
		seen[s.Name] = path
		docs, notes, err := lmeval.Documents(ctx, s.Manifest)
		if err != nil {
			return err
		}
		for _, n := range notes {
			o.io.note(n)
		}
		file, err := lmeval.Write(o.out, s.Name, s.Manifest, s.Samples, docs)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if _, err := fmt.Fprintln(o.io.out, oneLine(file)); err != nil {
			return err
		}
	}
	return nil
}
