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

	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/reports/stress"
)

type stressOptions struct {
	io      streams
	models  []string // as the user named them
	methods []string
	bits    []int
	group   string
	run     eval.RunOptions
	batch   batchFlags
	json    bool

	settings []string // method:bits:group
	skipped  []string // what no method has
}

func newStress(io streams, run work[stressOptions]) *cobra.Command {
	o := stressOptions{io: io}
	cmd := &cobra.Command{
		Use:   "stress [MODEL...]",
		Short: "Say what weights of few bits cost, and whether one model bears them better",
		Long: `Quantise every model with every method at every number of bits, score all of them on
a suite, and measure how far each is from the weights as stored: scores with
intervals, the share of the score above chance that is kept, KL divergences,
kurtosis and largest activation, bytes. Of the first model and each other one it
answers whether the other keeps more than half of its score where the first does not,
and whether that difference is real.

All settings of a model are computed side by side over one forest, as many as memory
holds, on the processor. Everything is kept in --out: a stopped test goes on with the
same command, and settings that are added later compute what is missing. The page is
OUT/stress.html, its numbers OUT/stress.json.

Without models, the built-in twins are tested on the suite world.`,
		Example: `  softbench stress
  softbench stress ./softmax-340M ./softpick-340M --suite zero-shot --data ./data --out stress-340M
  softbench stress ./my-model --methods rtn,hqq,nf4 --bits 4,3,2 --suite arc_easy,wikitext --data ./data --limit 200`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.run.Given, o.run.Arguments = flagValues(cmd)
			o.run.Command = commandAgain(cmd, args, "")
			if o.models = args; len(args) == 0 {
				o.models = []string{twinSoftmax, twinSoftpick}
				if len(o.run.Suites) == 0 {
					o.run.Suites = []string{"world"}
				}
			}
			return run(&o, cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.methods, "methods", []string{"rtn", "hqq", "nf4"}, "how to quantise: "+methodNames())
	f.IntSliceVar(&o.bits, "bits", []int{8, 4, 3, 2}, "`bits` of a weight; a method is tested at those that it has")
	f.StringVar(&o.group, "group", "64", "`columns` that share a scale: 32, 64, 128, or row for a whole row")
	f.StringSliceVar(&o.run.Model.QuantiseInclude, "quantize-include", nil, "quantise these `parts` too: embeddings, head, norms")
	f.StringVar(&o.run.Model.Calibrate, "calibrate", "", "`file` of text that gptq, gptq-asym, awq and awq-asym are shown; it must not be what is tested")
	f.StringSliceVar(&o.run.Suites, "suite", nil, "suites or tasks to score (default: zero-shot)")
	f.StringVar(&o.run.Data, "data", "", "directory with the tasks' documents, or a text on which divergences alone are measured")
	f.BoolVar(&o.run.Download, "download", false, "download from the hub what is not here: documents, and models named organisation/name")
	f.Var(&limitValue{&o.run.Limit, &o.run.Share}, "limit", "first `N` documents of each task, or a share of them such as 0.1; 0 for all (default: as the suite says)")
	f.IntVar(&o.run.FewShot, "fewshot", 0, "worked examples before each document, 0 for none (default: as the suite says)")
	f.StringVar(&o.run.Out, "out", "stress", "`directory` of the test")
	f.BoolVar(&o.json, "json", false, "print JSON instead of a table")
	f.StringVar(&o.run.Model.DType, "dtype", "auto", "number format: auto (the checkpoint's), float32 or bfloat16")
	f.IntVar(&o.run.Model.Threads, "threads", 0, "threads, 0 for one per processor; no score depends on it")
	f.IntVar(&o.run.Model.MaxLength, "max-length", 0, "longest context in `tokens`, 0 for the checkpoint's own")
	addStripPrefix(cmd, &o.run.Model.StripPrefix)
	f.BoolVar(&o.run.Model.AllowUnscored, "allow-unscored", false, "count a request that cannot be scored instead of failing")
	addBatchFlags(cmd, &o.batch)
	return cmd
}

func methodNames() string {
	var names []string
	for _, m := range quantise.Methods {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}

// check refuses what no test can be of, before anything is read.
func (o *stressOptions) check() error {
	if o.run.Out == "" {
		return errors.New("--out is empty: name a directory for the test")
	}
	for _, m := range o.methods {
		found, lacks := false, error(nil)
		for _, bits := range o.bits {
			s, err := quantise.Parse(m + ":" + strconv.Itoa(bits) + ":" + o.group)
			if err == nil {
				found = true
				if name := s.String(); !slices.Contains(o.settings, name) {
					o.settings = append(o.settings, name)
				}
				continue
			}
			if _, other := quantise.Parse(m + ":4:" + o.group); other != nil {
				if _, other = quantise.Parse(m + "::" + o.group); other != nil {
					return fmt.Errorf("--methods, --bits and --group: %w", err)
				}
			}
			lacks = err
			o.skipped = append(o.skipped, fmt.Sprintf("%s has no %d bits", m, bits))
		}
		if !found {
			return fmt.Errorf("--methods %s: it has none of the bits of --bits; name one that it has, or leave it out: %w", m, lacks)
		}
	}
	if len(o.settings) == 0 {
		return errors.New("--methods and --bits name nothing to test")
	}
	for _, s := range o.settings {
		if method, _, _ := strings.Cut(s, ":"); calibrated(s) && o.run.Model.Calibrate == "" {
			return fmt.Errorf("--methods %s: it is fitted to text: --calibrate FILE names one", method)
		}
		run := o.modelAt(s)
		run.Device = "cpu"
		if err := run.Check(); err != nil {
			return err
		}
	}
	if o.run.Model.Calibrate != "" && !slices.ContainsFunc(o.settings, calibrated) {
		return errors.New("--calibrate is about the methods gptq, gptq-asym, awq and awq-asym, of which --methods names none")
	}
	var err error
	o.run.Memory, err = o.batch.check()
	o.run.BatchTokens = o.batch.tokens
	return err
}

// modelAt is the model quantised by a setting.
func (o *stressOptions) modelAt(setting string) eval.ModelOptions {
	m := o.run.Model
	if m.Quantise = setting; !calibrated(setting) {
		m.Calibrate = ""
	}
	return m
}

// calibrated says whether a setting takes text.
func calibrated(setting string) bool {
	s, err := quantise.Parse(setting)
	return err == nil && s.Calibrated()
}

func (o *stressOptions) execute(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	if info, err := os.Stat(o.run.Data); err == nil && info.Mode().IsRegular() && len(o.run.Suites) == 0 {
		o.run.Suites = []string{"text"}
	}
	if len(o.run.Suites) == 0 {
		o.run.Suites = []string{"zero-shot"}
	}
	o.run.Version, o.run.Stress, o.run.Model.Device = version(), true, "cpu"
	o.run.Note = o.noteOnce()
	for _, s := range o.skipped {
		o.run.Note(s)
	}
	result, err := o.result(ctx)
	if err != nil {
		return o.interrupted(err)
	}
	if err := o.write(ctx, result); err != nil {
		return err
	}
	if o.json {
		return writeJSON(o.io.out, result)
	}
	return stress.WriteTable(o.io.out, result)
}

// result computes what is not computed yet, and sums up all.
func (o *stressOptions) result(ctx context.Context) (*stress.Result, error) {
	tests, err := o.plan(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tests {
		if err := o.compute(ctx, t); err != nil {
			return nil, err
		}
	}
	var models []stress.Runs
	for _, t := range tests {
		runs, err := t.read(ctx)
		if err != nil {
			return nil, err
		}
		models = append(models, *runs)
	}
	var result *stress.Result
	err = heard(ctx, func() (err error) {
		result, err = stress.Summarise(models, stress.Options{Notes: []string{
			fittedNote(o.settings, o.run.Model.Calibrate, models),
		}})
		return err
	})
	return result, err
}

// noteOnce tells each note once: many runs have the same.
func (o *stressOptions) noteOnce() func(string) {
	told := map[string]bool{}
	return func(s string) {
		if !told[s] {
			o.io.note(s)
		}
		told[s] = true
	}
}

func (o *stressOptions) interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return exitError{exitInterrupted, "interrupted; what is done is kept: the same command goes on with it"}
	}
	return err
}

// slug is a name as that of a directory.
func slug(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}, filepath.Base(filepath.Clean(name)))
}
