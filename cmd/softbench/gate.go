package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/gate"
	"github.com/softbench/softbench/reports/html"
	"github.com/softbench/softbench/stats"
)

// Exit codes of a gate besides exitOK and exitMisuse.
const (
	exitRegressed    = 1
	exitInconclusive = 3 // where the policy says that inconclusive fails
)

// stepSummary is the variable with the file that GitHub shows as a job's summary.
const stepSummary = "GITHUB_STEP_SUMMARY"

type gateOptions struct {
	io                   streams
	run                  string
	baseline, policy     string
	kl                   string // baseline of divergences, or the run that they are measured from
	klMax                float64
	hasKLMax             bool
	junit, markdown      string
	page                 string
	summary              string // with --github: $GITHUB_STEP_SUMMARY
	update, github, json bool

	plan      bool
	documents int
	drop      float64
	hasDrop   bool
}

func newGate(io streams, run work[gateOptions]) *cobra.Command {
	o := gateOptions{io: io}
	cmd := &cobra.Command{
		Use:   "gate RUN --baseline FILE",
		Short: "Fail a CI job when a score regressed",
		Long: `Hold a run (or results of lm-evaluation-harness) against a baseline, document by
document. A metric passes when the interval of its difference lies within the
allowed drop, is regressed when the whole interval lies beyond it, and inconclusive
otherwise: then the number of documents is printed with which a run that is as good
as the baseline would pass. --update makes the baseline of the run, or renews it and
keeps its allowed drops; nothing else ever writes it. --plan says before anything is
run which drop the baseline's documents, or any number of them, will find.

--kl-baseline judges how far the run's distributions are from another model's, as
'compare A B --kl --runs DIR' left it beside B's run: by --kl-max nats a token from A's
run, or by a file that --update made, from which the mean may grow by its allowed_drop.
There, what is not shown to be within the bound fails (exit code 3).

Exit codes: 0 passed, 1 regressed, 2 misuse or broken input (a missing task, other
documents, tokenizer, prompts or settings), 3 inconclusive where the policy says
that this fails; by default it passes.`,
		Example: `  softbench gate runs/new --baseline baseline.json --update
  softbench gate runs/new --baseline baseline.json --policy gate.yaml --junit gate.xml
  softbench gate runs/new --baseline baseline.json --github --report gate.html
  softbench gate runs/b --kl-baseline runs/a --kl-max 0.05
  softbench gate --plan --documents 1000 --drop 0.02`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.plan && len(args) == 0 {
				return nil
			}
			return oneArg("run")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.hasDrop, o.hasKLMax = cmd.Flags().Changed("drop"), cmd.Flags().Changed("kl-max")
			if len(args) > 0 {
				o.run = args[0]
			}
			if o.plan {
				return run(&o, cmd.Context())
			}
			if o.baseline == "" && o.kl == "" {
				return usageError(cmd, errors.New("no baseline: --baseline FILE says what to hold the run against"))
			}
			if o.github {
				o.summary = os.Getenv(stepSummary)
			}
			return run(&o, cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.baseline, "baseline", "", "baseline `file` (required)")
	f.StringVar(&o.kl, "kl-baseline", "", "judge divergences instead: the `run` that 'compare --kl' measured them from, or a baseline file of them")
	f.Float64Var(&o.klMax, "kl-max", 0, "with --kl-baseline RUN: how many `nats` a token the run may be away from it")
	f.BoolVar(&o.update, "update", false, "write the baseline instead of judging the run")
	f.StringVar(&o.policy, "policy", "", "YAML `file` with allowed drops, levels and what is required")
	f.StringVar(&o.junit, "junit", "", "write JUnit XML to this `file`")
	f.StringVar(&o.markdown, "markdown", "", "write a Markdown summary to this `file`")
	f.StringVar(&o.page, "report", "", "write the decision as an HTML page to this `file`")
	f.BoolVar(&o.github, "github", false, "print annotations for GitHub Actions, and add the summary to $"+stepSummary)
	f.BoolVar(&o.json, "json", false, "print the decision, or the plan, as JSON instead of a table")
	f.BoolVar(&o.plan, "plan", false, "say which drop will be found, and judge nothing")
	f.IntVar(&o.documents, "documents", 0, "with --plan: this many `documents`, instead of the baseline's")
	f.Float64Var(&o.drop, "drop", 0, "with --plan: how many documents find this drop, in the metric's unit")
	return cmd
}

func (o *gateOptions) execute(ctx context.Context) error {
	if !o.plan {
		if err := o.checkKL(); err != nil {
			return err
		}
	}
	if err := o.checkFiles(); err != nil {
		return err
	}
	if o.plan {
		return o.makePlan(ctx)
	}
	for _, f := range []struct {
		flag  string
		given bool
	}{{"documents", o.documents != 0}, {"drop", o.hasDrop}} {
		if f.given {
			return fmt.Errorf("--%s is about --plan, which is not given", f.flag)
		}
	}
	if o.update {
		return o.renew(ctx)
	}
	r, err := o.judge(ctx)
	if err != nil {
		return o.broken(ctx, err)
	}
	if err := o.tell(ctx, r); err != nil {
		return fmt.Errorf("%w (the decision was %s)", err, r.Headline())
	}
	switch {
	case r.Decision == stats.Regressed:
		return exitError{exitRegressed, r.Headline()}
	case r.Fails:
		return exitError{exitInconclusive, r.Headline()}
	}
	return nil
}

// checkFiles refuses to write one file over another: a report over the baseline.
func (o *gateOptions) checkFiles() error {
	files := []struct{ flag, path string }{
		{"--baseline", o.baseline}, {"--kl-baseline", o.kl}, {"--policy", o.policy}, {"--junit", o.junit}, {"--markdown", o.markdown}, {"--report", o.page}, {"$" + stepSummary, o.summary},
	}
	for i, a := range files {
		for _, b := range files[:i] {
			if a.path != "" && b.path != "" && sameFile(a.path, b.path) {
				return fmt.Errorf("%s is both %s and %s: name two files", a.path, b.flag, a.flag)
			}
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX == nil && errY == nil {
		return os.SameFile(x, y)
	}
	a, errA := filepath.Abs(a)
	b, errB := filepath.Abs(b)
	return errA == nil && errB == nil && a == b
}

// tell prints the decision, then writes it to all files asked for.
func (o *gateOptions) tell(ctx context.Context, r *gate.Result) error {
	annotations := o.io.out
	if o.json {
		if err := writeJSON(o.io.out, r); err != nil {
			return err
		}
		annotations = o.io.err // GitHub reads both
	} else if err := r.WriteTable(o.io.out); err != nil {
		return err
	}
	if loud := r.Undecided(); loud != "" && o.json {
		fmt.Fprintln(o.io.err, "softbench: warning:", loud)
	}
	if o.github {
		if err := r.WriteAnnotations(annotations); err != nil {
			return err
		}
	}
	return o.write(ctx, decisionReports{r.WriteJUnit, r.WriteMarkdown, func(w io.Writer) error { return html.WriteGate(w, r, version()) }})
}

// decisionReports write a decision, or that there is none, in a gate's formats.
type decisionReports struct{ junit, markdown, page func(io.Writer) error }

// write writes the reports asked for, as many as can be.
func (o *gateOptions) write(ctx context.Context, r decisionReports) error {
	var errs []error
	for _, f := range []struct {
		path  string
		write func(io.Writer) error
	}{{o.junit, r.junit}, {o.markdown, r.markdown}, {o.page, r.page}} {
		if f.path != "" {
			errs = append(errs, atomicfile.Output(ctx, f.path, f.write))
		}
	}
	if o.summary != "" {
		errs = append(errs, atomicfile.Append(ctx, o.summary, r.markdown))
	}
	return errors.Join(errs...)
}

// judge reads everything and decides.
func (o *gateOptions) judge(ctx context.Context) (*gate.Result, error) {
	policy, err := o.readPolicy()
	if err != nil {
		return nil, err
	}
	var side *compare.Side
	var base *gate.Baseline
	if o.kl != "" {
		policy = policy.ForKL()
		side, base, err = o.openKL(ctx)
	} else if base, err = o.readBaseline(ctx, o.baseline); err == nil {
		side, err = compare.Open(ctx, o.run)
	}
	if err != nil {
		return nil, err
	}
	r, err := gate.Check(side, base, policy)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.run, err)
	}
	r.Baseline = cmp.Or(o.kl, o.baseline)
	return r, nil
}

// readBaseline reads the baseline of scores, or of divergences, that is to be judged by.
func (o *gateOptions) readBaseline(ctx context.Context, path string) (*gate.Baseline, error) {
	b, err := readBaseline(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no baseline there: make it of a run you trust with --update", path)
	}
	if err != nil {
		return nil, err
	}
	return b, o.rightKind(b, path)
}

// A baseline is bounded: a million documents with perplexities fit.
const (
	maxBaseline        = 32 << 20 // bytes
	maxBaselineObjects = 100_000
)

func readBaseline(ctx context.Context, path string) (*gate.Baseline, error) {
	text, err := regularfile.ReadAll(ctx, path, maxBaseline)
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(text, []byte("{")); n > maxBaselineObjects {
		return nil, fmt.Errorf("%s: not a baseline: %d objects; it has at most %d", path, n, maxBaselineObjects)
	}
	b, err := gate.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

func (o *gateOptions) readPolicy() (*gate.Policy, error) {
	if o.policy == "" {
		return nil, nil
	}
	return gate.ReadPolicy(o.policy)
}

// broken tells the job's reports too that nothing was judged: one of an earlier run
// would look like a decision on this one.
func (o *gateOptions) broken(ctx context.Context, err error) error {
	also := o.write(ctx, decisionReports{
		func(w io.Writer) error { return gate.WriteJUnitError(w, err) },
		func(w io.Writer) error { return gate.WriteMarkdownError(w, err) },
		func(w io.Writer) error { return html.WriteGateError(w, err, version()) },
	})
	if also != nil {
		err = fmt.Errorf("%w (and %v)", err, also)
	}
	if o.github {
		fmt.Fprint(o.io.err, gate.ErrorAnnotation(err))
	}
	return err
}

// renew writes the baseline. One that cannot be read is left alone: its allowed
// drops would be lost.
func (o *gateOptions) renew(ctx context.Context) error {
	for _, f := range []struct {
		flag  string
		given bool
	}{{"junit", o.junit != ""}, {"markdown", o.markdown != ""}, {"report", o.page != ""}, {"github", o.github}, {"json", o.json}} {
		if f.given {
			return fmt.Errorf("--%s is about a decision, and --update makes none", f.flag)
		}
	}
	policy, err := o.readPolicy()
	if err != nil {
		return err
	}
	path := cmp.Or(o.kl, o.baseline)
	old, err := readBaseline(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = nil
	case err != nil:
		if info, no := os.Stat(path); no != nil || !info.Mode().IsRegular() {
			return err // a device or a pipe is not to be removed
		}
		return fmt.Errorf("%w; it was left as it is: remove it to begin anew", err)
	}
	if err := o.rightKind(old, path); err != nil {
		return err
	}
	side, err := compare.Open(ctx, o.run)
	if err == nil && o.kl != "" {
		side, err = o.divergences(ctx, side, old.From())
	}
	if err != nil {
		return err
	}
	b, err := gate.Make(side, policy, old)
	if err != nil {
		return fmt.Errorf("%s: %w", o.run, err)
	}
	if err := b.Write(ctx, path); err != nil {
		return err
	}
	return b.WriteSummary(o.io.out, path, old)
}

// makePlan says what a gate will find.
func (o *gateOptions) makePlan(ctx context.Context) error {
	for _, f := range []struct {
		flag  string
		given bool
	}{{"junit", o.junit != ""}, {"markdown", o.markdown != ""}, {"report", o.page != ""}, {"github", o.github}, {"update", o.update}, {"kl-baseline", o.kl != ""}, {"kl-max", o.hasKLMax}} {
		if f.given {
			return fmt.Errorf("--%s is about a decision, and --plan makes none", f.flag)
		}
	}
	const most = 1 << 20
	switch {
	case o.run != "":
		return fmt.Errorf("--plan judges no run: leave %s out", o.run)
	case o.baseline != "" && o.documents != 0:
		return errors.New("--baseline and --documents: a plan is for one of them")
	case o.baseline == "" && (o.documents < 1 || o.documents > most):
		return fmt.Errorf("--documents %d: a plan needs 1 to %d, or --baseline FILE, whose documents it takes", o.documents, most)
	case o.hasDrop && !(o.drop > 0 && o.drop <= 1):
		return fmt.Errorf("--drop %v: want a share of more than 0 and at most 1, such as 0.02", o.drop)
	}
	policy, err := o.readPolicy()
	if err != nil {
		return err
	}
	var base *gate.Baseline
	if o.baseline != "" {
		if base, err = readBaseline(ctx, o.baseline); err != nil {
			return err
		}
	}
	var drop *float64
	if o.hasDrop {
		drop = &o.drop
	}
	p, err := gate.MakePlan(base, policy, o.documents, drop)
	if err != nil {
		return err
	}
	if o.json {
		return writeJSON(o.io.out, p)
	}
	return p.WriteTable(o.io.out)
}
