package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/lab/session"
	"github.com/softbench/softbench/lab/study"
	"github.com/softbench/softbench/reports/html"
)

type labStudyOptions struct {
	io   streams
	file string
	run  study.Options
	list bool
	json bool
}

func newLabStudy(io streams, run work[labStudyOptions]) *cobra.Command {
	o := labStudyOptions{io: io}
	cmd := &cobra.Command{
		Use:   "study FILE.yaml --out DIR",
		Short: "Train a grid of models over several seeds, and judge claims about them",
		Long: `Train every combination of a grid's settings (attention kind, rate, decay, init,
head size, depth, mix of data, any other of 'softbench lab train') once for each seed,
as many trainings at once as there are threads, and write OUT/study.html: curves
with bands over the seeds, final measures with 95% intervals over them, and for
every claim of the file whether the numbers bear it out. Where the file has an exam,
every finished model is asked its tasks, as stored and quantised, as 'softbench
stress' does. docs/lab.md describes the file.

The page is written anew after every training. A stopped study goes on where it was
with the same command, and ends with the same page. Whether a claim holds is not
an error: the exit code is 0 when every training came to its end.

With --record trainings are shared: between studies that have some in common,
between machines, and with whoever has the file. lab/studies/record.jsonl of the
repository has those that were made so far.`,
		Example: `  softbench lab study lab/studies/sinks.yaml --out studies/sinks
  softbench lab study lab/studies/sinks.yaml --out studies/sinks --list`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError(cmd, fmt.Errorf("%d files given: want one study", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			for _, f := range []string{"json", "threads", "world"} {
				if o.list && cmd.Flags().Changed(f) {
					return fmt.Errorf("--%s is about training, and --list trains nothing", f)
				}
			}
			return run(&o, cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.run.Out, "out", "", "directory of the study (required)")
	f.StringVar(&o.run.World, "world", "", "directory of a world (default: OUT/world, made as the file says)")
	f.StringVar(&o.run.Record, "record", "", "file of finished trainings, of this study and others: none of them is made again, and what ends here is added")
	f.IntVar(&o.run.Threads, "threads", 0, "threads of all trainings together, 0 for one per processor; no number depends on it")
	f.BoolVar(&o.list, "list", false, "list the trainings and how far each is, and train nothing")
	f.BoolVar(&o.json, "json", false, "print the page's numbers as JSON instead of a table of verdicts")
	return cmd
}

func (o *labStudyOptions) execute(ctx context.Context) error {
	if o.run.Out == "" {
		return errors.New("no directory given: --out DIR says where the study goes")
	}
	if err := eval.CheckThreads(o.run.Threads); err != nil {
		return err
	}
	if o.run.Threads == 0 {
		o.run.Threads = runtime.GOMAXPROCS(0)
	}
	var s *study.Study
	err := heard(ctx, func() (err error) {
		s, err = study.Read(o.file, labPresets)
		return err
	})
	if err != nil {
		return err
	}
	if o.list {
		return o.listTrainings(ctx, s)
	}
	o.run.Examine = o.examine
	o.tell(ctx, s)
	trainings, err := s.Run(ctx, o.run)
	if trainings != nil {
		if wrong := o.page(context.WithoutCancel(ctx), s); wrong != nil {
			return errors.Join(err, wrong)
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return exitError{exitInterrupted, "interrupted; what is done is kept: go on with the same command"}
	case err != nil:
		return err
	}
	return o.print(ctx, s)
}

// tell reports progress on stderr, and keeps the page.
func (o *labStudyOptions) tell(ctx context.Context, s *study.Study) {
	total := len(s.Trainings(o.run.Out))
	o.run.Began = func(t study.Training) { fmt.Fprintf(o.io.err, "%s: begins\n", oneLine(t.Name)) }
	o.run.Line = func(t study.Training, l session.Line) {
		if l.Measure != nil {
			fmt.Fprintf(o.io.err, "%s: ", oneLine(t.Name))
			logLine(o.io.err, l, float64(l.Tokens)/l.Seconds)
		}
	}
	o.run.Ended = func(t study.Training) {
		if err := o.page(context.WithoutCancel(ctx), s); err != nil {
			fmt.Fprintln(o.io.err, "the page:", oneLine(err.Error()))
		}
		what := "done"
		if t.Stopped != "" {
			what = "stopped: " + t.Stopped
		}
		fmt.Fprintf(o.io.err, "%s: %s (%d trainings in all)\n", oneLine(t.Name), oneLine(what), total)
	}
}

func (o *labStudyOptions) path() string { return filepath.Join(o.run.Out, "study.html") }

// page writes the page of what is on disk.
func (o *labStudyOptions) page(ctx context.Context, s *study.Study) error {
	p, err := o.summary(ctx, s)
	if err != nil {
		return err
	}
	if err := atomicfile.MkdirAll(o.run.Out, 0o777); err != nil { // nothing was trained: all is in the record
		return err
	}
	return atomicfile.Write(o.path(), func(w io.Writer) error { return html.WriteStudy(w, *p) })
}

func (o *labStudyOptions) summary(ctx context.Context, s *study.Study) (*html.StudyPage, error) {
	trainings, err := s.Progress(ctx, o.run)
	if err != nil {
		return nil, err
	}
	r, err := s.Summarise(trainings)
	if err != nil {
		return nil, err
	}
	return studyPage(r), nil
}

func (o *labStudyOptions) listTrainings(ctx context.Context, s *study.Study) error {
	trainings, err := s.Progress(ctx, o.run)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(o.io.out, 0, 0, 2, ' ', 0)
	var tokens int64
	for _, t := range trainings {
		step := 0
		if n := len(t.Lines); n > 0 {
			step = t.Lines[n-1].Step
		}
		fmt.Fprintf(w, "%s\tstep %d of %d\n", oneLine(t.Name), step, t.Steps)
		settings := s.Cells[t.Cell].Settings
		tokens += settings.TokensPerStep() * int64(settings.Steps)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.io.out, "%d trainings, %d tokens\n", len(trainings), tokens)
	return err
}

func (o *labStudyOptions) print(ctx context.Context, s *study.Study) error {
	p, err := o.summary(ctx, s)
	if err != nil {
		return err
	}
	if o.json {
		return writeJSON(o.io.out, p)
	}
	for _, v := range p.Verdicts {
		where := v.Cell
		if v.Against != "" {
			where += " against " + v.Against
		}
		interval := ""
		if v.Seeds > 1 {
			interval = fmt.Sprintf(" [%.4g, %.4g]", v.Low, v.High)
		}
		fmt.Fprintf(o.io.out, "%-12s %s (%s; %s): %.4g%s, %d seeds\n", v.Verdict, oneLine(v.Claim), oneLine(v.Condition), oneLine(where), v.Mean, interval, v.Seeds)
	}
	_, err = fmt.Fprintf(o.io.out, "%s: %d trainings\n", oneLine(o.path()), len(p.Trainings))
	return err
}

// studyPage is a study's result as its page takes it.
func studyPage(r *study.Result) *html.StudyPage {
	p := &html.StudyPage{Name: r.Study.Name, Question: r.Study.Question, Settings: r.Study.Cells[0].Settings, Softbench: version()}
	for _, m := range r.Measures {
		p.Measures = append(p.Measures, html.StudyMeasure{Name: m.Name, Title: m.Title, Share: m.Share})
	}
	estimate := func(e study.Estimate) html.StudyEstimate {
		return html.StudyEstimate{Mean: e.Mean, Low: e.Low, High: e.High, Seeds: e.N}
	}
	for _, c := range r.Cells {
		cell := html.StudyCell{Name: c.Name}
		for k := range r.Measures {
			cell.Finals = append(cell.Finals, estimate(c.Finals[k]))
			points := []html.StudyPoint{}
			for _, x := range c.Curves[k] {
				points = append(points, html.StudyPoint{Step: x.Step, Mean: x.Mean, Min: x.Min, Max: x.Max, Seeds: x.N})
			}
			cell.Curves = append(cell.Curves, points)
		}
		p.Cells = append(p.Cells, cell)
	}
	for _, v := range r.Verdicts {
		x := html.StudyVerdict{
			Claim: v.Claim.Text, Condition: v.Claim.Condition(), Cell: r.Cells[v.Cell].Name, Verdict: v.Words(),
			Share: v.Share, StudyEstimate: estimate(v.Estimate),
		}
		if v.Against >= 0 {
			x.Against = r.Cells[v.Against].Name
		}
		p.Verdicts = append(p.Verdicts, x)
	}
	for _, t := range r.Trainings {
		x := html.StudyTraining{Name: t.Name, Steps: t.Steps, Done: t.Done, Stopped: t.Stopped, Kernels: t.Kernels}
		if n := len(t.Lines); n > 0 {
			x.Step = t.Lines[n-1].Step
		}
		p.Trainings = append(p.Trainings, x)
	}
	return p
}
