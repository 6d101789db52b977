package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/lab/session"
	"github.com/softbench/softbench/lab/study"
	"github.com/softbench/softbench/lab/train"
	"github.com/softbench/softbench/lab/twins"
)

func newLab(io streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Make the small world, and train models on it or on any text",
		Long: `A small world of simple English with rules and held-out questions, and a trainer
for LLaMA-style models with any attention kind, on the processor. docs/lab.md has
the whole way from nothing to a comparison.`,
		Example: `  softbench help lab world
  softbench help lab train
  softbench help lab report
  softbench help lab study`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLabWorld(io, (*labWorldOptions).execute), newLabTrain(io, (*labTrainOptions).execute),
		newLabReport(io, (*labReportOptions).execute), newLabStudy(io, (*labStudyOptions).execute))
	return cmd
}

// labPresets are the numbers that --preset and a study begin from.
var labPresets = study.Presets{
	Settings: map[string]session.Settings{"twin": twins.Training, "toy": twins.Toy, "varied": twins.Varied},
	Worlds:   map[string]session.WorldOptions{"twin": twins.World, "toy": twins.ToyWorld, "varied": twins.VariedWorld},
}

const presetHelp = "numbers to begin from: twin, those of the built-in twins; toy, those of a small model of invented words; or varied, those of a less uniform text mixed with invented words"

func noPreset(name string) error { return fmt.Errorf("--preset %q: want twin, toy or varied", name) }

type labWorldOptions struct {
	io     streams
	out    string
	preset string
	world  session.WorldOptions
	flags  *pflag.FlagSet // which were given
}

func newLabWorld(io streams, run work[labWorldOptions]) *cobra.Command {
	o := labWorldOptions{io: io, world: session.WorldOptions{Seed: 1, Words: 2_000_000, Questions: 300, Vocab: 2048}}
	cmd := &cobra.Command{
		Use:   "world",
		Short: "Write the small world: text, held-out questions, tokenizer",
		Long: `Write a directory with training text (train.txt), held-out text, held-out
questions in the forms of ARC, HellaSwag, PIQA and LAMBADA, and a BPE tokenizer
trained on the text; of invented words (--own-words) also suites of retrieval. The
same numbers give the same bytes. It serves as --world of
'softbench lab train' and as --data of 'softbench run world'.`,
		Example: `  softbench lab world --out world --words 16000000 --seed 1`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.flags = cmd.Flags()
			return run(&o, cmd.Context())
		},
	}
	addWorldFlags(cmd.Flags(), &o.world)
	cmd.Flags().StringVar(&o.out, "out", "", "directory to write (required)")
	cmd.Flags().StringVar(&o.preset, "preset", "", presetHelp)
	return cmd
}

func addWorldFlags(f *pflag.FlagSet, w *session.WorldOptions) {
	f.Uint64Var(&w.Seed, "seed", w.Seed, "seed of all draws")
	f.IntVar(&w.Words, "words", w.Words, "words of training text")
	f.IntVar(&w.Questions, "questions", w.Questions, "questions of each of the four forms")
	f.IntVar(&w.Vocab, "vocab", w.Vocab, "tokenizer's vocabulary")
	f.StringVar((*string)(&w.Text), "text", string(w.Text), "`kind` of text: varied, with longer documents, thousands of names, numbers and things, records and lists (default: that of the built-in twins)")
	f.IntVar(&w.OwnWords, "own-words", w.OwnWords, "invented words for the exercises of --mix, each a token of its own behind the vocabulary; with --words 0, a world of nothing else")
}

// checkWorld refuses worlds that no machine holds.
func checkWorld(w *session.WorldOptions) error {
	for _, n := range []struct {
		flag       string
		value, top int
	}{{"words", w.Words, 1 << 30}, {"questions", w.Questions, 1 << 24}, {"vocab", w.Vocab, 1 << 20}, {"own-words", w.OwnWords, 1 << 20}} {
		if n.value < 0 || n.value > n.top {
			return fmt.Errorf("--%s %d: want at most %d, and not less than 0", n.flag, n.value, n.top)
		}
	}
	return w.Text.Check()
}

func (o *labWorldOptions) execute(ctx context.Context) error {
	if o.out == "" {
		return errors.New("no directory given: --out DIR says where the world goes")
	}
	if o.preset != "" {
		w, ok := labPresets.Worlds[o.preset]
		if !ok {
			return noPreset(o.preset)
		}
		if err := over(o.flags, func(f *pflag.FlagSet) { addWorldFlags(f, &w) }); err != nil {
			return err
		}
		o.world = w
	}
	if err := checkWorld(&o.world); err != nil {
		return err
	}
	for _, f := range []string{"questions", "vocab", "text"} {
		if o.world.Words == 0 && o.world.OwnWords > 0 && o.flags.Changed(f) {
			return fmt.Errorf("--%s is about the small world's text, and with --words 0 there is none", f)
		}
	}
	// Making text hears no context: whoever is told to stop does not wait for it.
	if err := heard(ctx, func() error { return session.World(o.out, o.world) }); err != nil {
		return err
	}
	what := fmt.Sprintf("at least %d words of text, %d questions of each form", o.world.Words, o.world.Questions)
	if o.world.Words == 0 {
		what = "no text, exercises"
	}
	if o.world.OwnWords > 0 {
		what += fmt.Sprintf(" of %d invented words", o.world.OwnWords)
	}
	_, err := fmt.Fprintf(o.io.out, "%s: %s\n", oneLine(o.out), what)
	return err
}

// over sets, among the flags that add binds, those that were given: a preset's
// numbers stay where the command line says nothing.
func over(given *pflag.FlagSet, add func(*pflag.FlagSet)) error {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	add(f)
	var err error
	given.Visit(func(flag *pflag.Flag) {
		if f.Lookup(flag.Name) != nil {
			err = errors.Join(err, f.Set(flag.Name, flag.Value.String()))
		}
	})
	return err
}

type labTrainOptions struct {
	io     streams
	train  session.Options
	world  string
	preset string
	log    bool
	json   bool
	flags  *pflag.FlagSet // which were given
}

func newLabTrain(io streams, run work[labTrainOptions]) *cobra.Command {
	o := labTrainOptions{io: io, train: session.Options{Settings: session.Default()}}
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a LLaMA-style model with any attention kind",
		Long: `Train on text files (--data) or on a directory of 'softbench lab world' (--world),
and write a checkpoint that transformers loads into --out (that of a scaled kind
only softbench and flash-linear-attention do). A blank line parts documents. The same numbers, text and instruction set give the same weights, bit
for bit, on any number of threads.

State and checkpoint are saved every --save-every steps; Ctrl-C saves the state
too, and --resume goes on as if nothing had been. OUT/training/history.jsonl holds
losses and, every --diagnostics-every steps, diagnostics: sinks, dead heads,
sparsity, kurtosis. OUT/report.html draws all that, anew at every save.`,
		Example: `  softbench lab train --world world --attention softpick --out models/softpick --log
  softbench lab train --data book.txt --attention rectified --steps 2000 --out models/rectified
  softbench lab train --data book.txt --attention rectified --steps 2000 --out models/rectified --resume
  softbench lab world --preset toy --out toy
  softbench lab train --preset toy --world toy --attention softpick --out models/toy`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.flags = cmd.Flags()
			return run(&o, cmd.Context())
		},
	}
	f := cmd.Flags()
	addTrainFlags(f, &o.train.Settings)
	f.StringVar(&o.preset, "preset", "", presetHelp)
	f.StringVar(&o.world, "world", "", "directory of a world to train on")
	f.StringSliceVar(&o.train.Files, "data", nil, "text `files` to train on, in this order")
	f.StringSliceVar(&o.train.Valid, "valid", nil, "text `files` to measure on (default: the world's, else the beginning of --data)")
	f.StringVar(&o.train.Tokenizer, "tokenizer", "", "`directory` with a tokenizer (default: the world's, else one is trained on the text)")
	f.StringVar(&o.train.Out, "out", "", "directory of the checkpoint (required)")
	f.BoolVar(&o.train.Resume, "resume", false, "go on with the training in --out")
	f.IntVar(&o.train.Threads, "threads", 0, "threads, 0 for one per processor; no weight depends on it")
	f.IntVar(&o.train.SaveEvery, "save-every", 100, "`steps` between saves of state and checkpoint")
	f.IntVar(&o.train.LogEvery, "log-every", 25, "`steps` between lines of the history")
	f.IntVar(&o.train.DiagnosticsEvery, "diagnostics-every", 100, "`steps` between diagnostics, 0 for only at the end")
	f.IntVar(&o.train.DiagnosticsSamples, "diagnostics-samples", 8, "samples that diagnostics measure")
	f.IntVar(&o.train.DiagnosticsLength, "diagnostics-length", 0, "`tokens` of such a sample, 0 for the context")
	f.BoolVar(&o.log, "log", false, "print the history's lines instead of a progress bar")
	f.BoolVar(&o.json, "json", false, "print the last line of the history as JSON")
	return cmd
}

func addTrainFlags(f *pflag.FlagSet, s *session.Settings) {
	f.StringVar(&s.Attention, "attention", s.Attention, "attention `kind`: "+attention.Names())
	f.IntVar(&s.Hidden, "hidden", s.Hidden, "width of the residual stream")
	f.IntVar(&s.Intermediate, "intermediate", s.Intermediate, "width of the MLP")
	f.IntVar(&s.Layers, "layers", s.Layers, "transformer blocks")
	f.IntVar(&s.Heads, "heads", s.Heads, "attention heads of a block")
	f.IntVar(&s.HeadDim, "head-dim", s.HeadDim, "size of a head, 0 for --hidden divided by --heads")
	f.IntVar(&s.Context, "context", s.Context, "`tokens` of a training window")
	f.IntVar(&s.Positions, "positions", s.Positions, "longest context the checkpoint claims to take, 0 for --context")
	f.Float64Var(&s.Theta, "theta", s.Theta, "base of the rotary position embedding")
	f.BoolVar(&s.Tie, "tie", s.Tie, "use the embedding as output head")
	f.IntVar(&s.Vocab, "vocab", s.Vocab, "vocabulary of a tokenizer trained on the text")
	f.IntVar(&s.Batch, "batch", s.Batch, "windows computed at once")
	f.IntVar(&s.Accumulate, "accumulate", s.Accumulate, "batches of a step")
	f.IntVar(&s.Steps, "steps", s.Steps, "steps of the whole training")
	f.Float64Var(&s.Rate, "rate", s.Rate, "highest learning rate")
	f.IntVar(&s.Warmup, "warmup", s.Warmup, "`steps` over which the rate rises; it then falls as a cosine to a tenth")
	f.Float64Var(&s.Decay, "decay", s.Decay, "weight decay of matrices")
	f.Float64Var(&s.Clip, "clip", s.Clip, "largest norm of a gradient, 0 for any")
	f.Uint64Var(&s.Seed, "seed", s.Seed, "seed of weights and order")
	f.Float64Var(&s.Init, "init", s.Init, "standard deviation of the first weights; of those that write to the residual stream, divided by sqrt(2 layers)")
	f.Float64Var(&s.QKGain, "qk-gain", s.QKGain, "what the first weights of q and k are multiplied by")
	f.Float64Var(&s.Beta1, "adam-beta1", s.Beta1, "AdamW's decay of the first moment")
	f.Float64Var(&s.Beta2, "adam-beta2", s.Beta2, "AdamW's decay of the second moment")
	f.Float64Var(&s.AdamEps, "adam-eps", s.AdamEps, "what AdamW adds to the second moment's root")
	f.StringVar(&s.Mix, "mix", s.Mix, "`sources` of windows with their parts, such as text=50,repeat=30,chain=20; of text, again, chain, span, repeat, pairs; in phases as until 4000: text=1,chain=1; text=1,repeat=1")
	f.StringVar(&s.DType, "dtype", s.DType, "what matrix products round to, and the checkpoint stores: bfloat16 or float32")
}

func (o *labTrainOptions) execute(ctx context.Context) error {
	if o.preset != "" {
		s, ok := labPresets.Settings[o.preset]
		if !ok {
			return noPreset(o.preset)
		}
		if err := over(o.flags, func(f *pflag.FlagSet) { addTrainFlags(f, &s) }); err != nil {
			return err
		}
		o.train.Settings = s
	}
	if o.flags.Changed("vocab") {
		switch { // before the preset's number, and before a world's tokenizer stands in for one
		case o.train.Tokenizer != "":
			return errors.New("--vocab is about a tokenizer trained on the text, and --tokenizer names one")
		case o.world != "":
			return errors.New("--vocab is about a tokenizer trained on the text, and the world of --world has one")
		}
	}
	if err := checkTrain(&o.train); err != nil {
		return err
	}
	if err := o.text(); err != nil {
		return err
	}
	if o.train.Threads == 0 {
		o.train.Threads = runtime.GOMAXPROCS(0)
	}
	if !o.log {
		trainBar(o.io, &o.train)
	}
	o.train.Page = trainPage(o.train.Out)
	var begun time.Time
	var before int64 // tokens of the steps before this process
	o.train.Begin = func(s session.Start) {
		begun, before = time.Now(), int64(s.Done)*o.train.Settings.TokensPerStep()
		from := "anywhere in the text"
		if s.FromDocuments {
			from = "where documents do"
		}
		fmt.Fprintf(o.io.err, "%s, %d parameters; %d tokens in %d documents; windows begin %s; from step %d\n",
			o.train.Settings.Attention, s.Parameters, s.Tokens, s.Documents, from, s.Done)
	}
	if o.log {
		o.train.Line = func(l session.Line) {
			logLine(o.io.err, l, float64(l.Tokens-before)/time.Since(begun).Seconds())
		}
	}
	result, err := session.Run(ctx, o.train)
	switch {
	case errors.Is(err, context.Canceled):
		if kept := keptError(err); kept != nil {
			return exitError{exitInterrupted, "interrupted, and the state could not be saved: " + kept.Error()}
		}
		return exitError{exitInterrupted, "interrupted; what is done is kept: go on with the same command and --resume"}
	case err != nil:
		return err
	}
	last := result.Lines[len(result.Lines)-1]
	if o.json {
		return writeJSON(o.io.out, last)
	}
	what := "held-out text"
	if !last.Measure.HeldOut {
		what = "the training text"
	}
	_, err = fmt.Fprintf(o.io.out, "%s: step %d, %d tokens, loss %.4f on %s; sinks %.1f%%, dead heads %.1f%%, weights that are 0 %.1f%%, kurtosis %.1f\n",
		oneLine(o.train.Out), last.Step, last.Tokens, last.Measure.Loss, what, 100*last.Measure.SinkRate, 100*last.Measure.Dead, 100*last.Measure.Sparsity, last.Measure.Kurtosis)
	return err
}

// keptError is what went wrong besides the interrupt.
func keptError(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, e := range joined.Unwrap() {
		if !errors.Is(e, context.Canceled) {
			return e
		}
	}
	return nil
}

// text resolves --world and --data.
func (o *labTrainOptions) text() error {
	if (o.world == "") == (len(o.train.Files) == 0) {
		return errors.New("give text to train on: either --world DIR or --data FILES")
	}
	if o.world == "" {
		return nil
	}
	files, valid, tok, err := session.WorldFiles(o.world)
	if err != nil {
		return err
	}
	o.train.Files = files
	if len(o.train.Valid) == 0 {
		o.train.Valid = []string{valid}
	}
	o.train.Tokenizer = cmp.Or(o.train.Tokenizer, tok)
	return nil
}

// logLine prints a history line; speed is in tokens/s of this process.
func logLine(w io.Writer, l session.Line, speed float64) {
	var b strings.Builder
	fmt.Fprintf(&b, "step %d  %d tokens  loss %.4f  norm %.2f  rate %.2e  %.0f tokens/s", l.Step, l.Tokens, l.Loss, l.Norm, l.Rate, speed)
	if m := l.Measure; m != nil {
		fmt.Fprintf(&b, "  measured loss %.4f  sinks %.3f  dead %.3f  zeros %.3f  mass %.3f  kurtosis %.1f  largest %.1f",
			m.Loss, m.SinkRate, m.Dead, m.Sparsity, m.Mass, m.Kurtosis, m.Largest)
		if m.Copying != nil {
			fmt.Fprintf(&b, "  copying %.3f", *m.Copying)
		}
	}
	fmt.Fprintln(w, b.String())
}

// trainBar shows a progress bar on a terminal, and nothing elsewhere.
func trainBar(io streams, o *session.Options) {
	f, ok := io.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return
	}
	o.Step = drawBar(f, o.Settings, filepath.Base(o.Out))
}

// drawBar draws the bar of a training on a terminal: step, loss, tokens/s, time
// left.
func drawBar(w io.Writer, s session.Settings, name string) func(train.Report) {
	perStep := s.TokensPerStep()
	var bar *progressbar.ProgressBar
	var before int64 // tokens of the steps before the first one drawn
	var drawn time.Time
	return func(r train.Report) {
		if bar == nil {
			// A resumed training's rate and time left count from here.
			before = r.Tokens - perStep
			bar = progressbar.NewOptions64(perStep*int64(s.Steps)-before,
				progressbar.OptionSetWriter(w), progressbar.OptionShowIts(), progressbar.OptionSetItsString("tokens"),
				progressbar.OptionSetPredictTime(true),
				progressbar.OptionClearOnFinish(), progressbar.OptionUseANSICodes(true))
		}
		// The bar's own throttle would let a new text through and hold the
		// count that belongs to it back.
		if time.Since(drawn) < 100*time.Millisecond && r.Step < s.Steps {
			return
		}
		drawn = time.Now()
		bar.Describe(fmt.Sprintf("%s step %d/%d loss %.4f", name, r.Step, s.Steps, r.Loss))
		_ = bar.Set64(r.Tokens - before) // a bar that cannot be drawn is not a reason to stop
	}
}
