package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/lab/session"
	"github.com/softbench/softbench/reports/html"
	"github.com/softbench/softbench/reports/rundir"
)

type labReportOptions struct {
	io    streams
	dirs  []string
	out   string
	title string
}

func newLabReport(io streams, run work[labReportOptions]) *cobra.Command {
	o := labReportOptions{io: io}
	cmd := &cobra.Command{
		Use:   "report DIR... [-o FILE.html]",
		Short: "Write a page about one training, or several together",
		Long: `Write one HTML file about trainings of 'softbench lab train': losses, sinks, dead
heads, sparsity and kurtosis against steps, as drawings and tables, and the settings
that differ. It needs no other file and no network. 'softbench lab train' writes the
page of its own training at every save.`,
		Example: `  softbench lab report models/softpick
  softbench lab report models/softmax models/softpick models/rectified -o ablation.html`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dirs = args
			switch {
			case len(args) == 0:
				return usageError(cmd, errors.New("no directory of a training given"))
			case len(args) > 1 && o.out == "":
				return usageError(cmd, errors.New("no file to write: -o FILE.html says which, for several trainings"))
			}
			return run(&o, cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&o.out, "output", "o", "", "HTML `file` to write (of one training, default: DIR/report.html)")
	cmd.Flags().StringVar(&o.title, "title", "", "title of the page")
	return cmd
}

func (o *labReportOptions) execute(ctx context.Context) error {
	page := html.TrainingPage{Title: o.title, Softbench: version()}
	names := trainingNames(o.dirs)
	for i, dir := range o.dirs {
		c, err := session.ReadCourse(dir)
		if err != nil {
			return err
		}
		page.Trainings = append(page.Trainings, pageTraining(names[i], *c))
	}
	if o.out == "" {
		o.out = session.ReportPath(o.dirs[0])
	}
	if err := atomicfile.Output(ctx, o.out, func(w io.Writer) error { return html.WriteTraining(w, page) }); err != nil {
		return err
	}
	noun := "trainings"
	if len(page.Trainings) == 1 {
		noun = "training"
	}
	_, err := fmt.Fprintf(o.io.out, "%s: %d %s\n", oneLine(o.out), len(page.Trainings), noun)
	return err
}

// trainingNames are the directories' last names, or the paths as given where
// two of those are the same.
func trainingNames(dirs []string) []string {
	var names []string
	seen := map[string]bool{}
	for _, d := range dirs {
		name := filepath.Base(d)
		if abs, err := filepath.Abs(d); err == nil {
			name = filepath.Base(abs)
		}
		if seen[name] {
			return dirs
		}
		seen[name] = true
		names = append(names, name)
	}
	return names
}

// trainPage writes the page of a training under way.
func trainPage(out string) func(io.Writer, session.Course) error {
	name := trainingNames([]string{out})[0]
	return func(w io.Writer, c session.Course) error {
		return html.WriteTraining(w, html.TrainingPage{Trainings: []html.Training{pageTraining(name, c)}, Softbench: version()})
	}
}

// pageTraining is a training as its page takes it.
func pageTraining(name string, c session.Course) html.Training {
	t := html.Training{Name: name, Steps: c.Settings.Steps, Stopped: c.Stopped, Settings: struct {
		session.Settings
		Parameters int      `json:"parameters,omitempty"`
		Files      []string `json:"text"`
		Valid      []string `json:"held_out"`
	}{c.Settings, c.Parameters, c.Files, c.Valid}}
	for _, l := range c.Lines {
		line := html.TrainingLine{
			Step: l.Step, Tokens: l.Tokens, Loss: rundir.Number(l.Loss), Norm: rundir.Number(l.Norm), Rate: rundir.Number(l.Rate), Seconds: rundir.Number(l.Seconds),
		}
		if m := l.Measure; m != nil {
			line.Measure = &html.TrainingMeasure{
				HeldOut: m.HeldOut, Loss: m.Loss, SinkRate: m.SinkRate, Sparsity: m.Sparsity, Dead: m.Dead,
				Mass: m.Mass, Kurtosis: m.Kurtosis, Largest: m.Largest, Massive: m.Massive,
				Copying: rundir.Number(math.NaN()), InnerKurtosis: m.InnerKurtosis(), FirstNorm: m.LargestFirstNorm(),
			}
		}
		if m := l.Measure; m != nil && m.Copying != nil {
			line.Measure.Copying = *m.Copying
		}
		t.Lines = append(t.Lines, line)
	}
	return t
}
