package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// planned is a checkpoint's run that is not computed yet.
type planned struct {
	path string // as the user named it
	run  eval.RunOptions
	in   *eval.Inspection
	dir  string // where it goes
}

// runCheckpoints fills the sides that are nil with runs of their checkpoints. What
// keeps the sides from being compared is an error before any is computed, as far as it
// is known by then.
func (o *compareOptions) runCheckpoints(ctx context.Context, sides *[2]*compare.Side) error {
	var plans [2]*planned
	for i, path := range o.sides {
		if sides[i] != nil {
			continue
		}
		var err error
		if plans[i], err = o.plan(ctx, path, sides[1-i]); err != nil {
			return err
		}
	}
	if o.kl {
		if err := eval.SameTokens(plans[0].in, plans[1].in, o.run.Model.MaxLength, oneLine(o.sides[0]), oneLine(o.sides[1])); err != nil {
			return err
		}
	}
	if err := o.checkBefore(ctx, *sides, plans); err != nil {
		return err
	}
	if o.kl {
		return o.computeBeside(ctx, plans, sides)
	}
	for i, p := range plans {
		if p == nil {
			continue
		}
		var err error
		if sides[i], err = o.compute(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// openSide opens a run or results, which may take long.
func openSide(ctx context.Context, path string) (*compare.Side, error) {
	var side *compare.Side
	if err := heard(ctx, func() (err error) { side, err = compare.Open(ctx, path); return err }); err != nil {
		return nil, err
	}
	return side, nil
}

// plan finds and inspects a checkpoint. other is the other side where that is not a
// checkpoint, else nil.
func (o *compareOptions) plan(ctx context.Context, path string, other *compare.Side) (*planned, error) {
	run := o.run
	dir, err := eval.Locate(ctx, o.model(path))
	if err != nil {
		return nil, err
	}
	run.Model.Model, run.Model.Revision = dir, ""
	if len(run.Suites) == 0 {
		if err := likeOther(&run, other, o.options.Map); err != nil {
			return nil, err
		}
	}
	memory, err := o.batch.check()
	if err != nil {
		return nil, err
	}
	run.BatchTokens, run.Memory = o.batch.tokens, memory
	run.Version, run.Resume = version(), true
	run.Note = o.io.note
	p := &planned{path: path, run: run}
	if p.in, err = eval.Inspect(ctx, run.Model); err != nil {
		return nil, err
	}
	p.dir, err = o.runDirectory(&p.run, p.in, path)
	return p, err
}

// checkBefore refuses sides of which it is known that they cannot be compared. Two
// checkpoints have the same suites and documents: theirs are not read.
func (o *compareOptions) checkBefore(ctx context.Context, sides [2]*compare.Side, plans [2]*planned) error {
	two := plans[0] != nil && plans[1] != nil
	if two && o.kl {
		if err := someTask(ctx, &plans[0].run); err != nil {
			return err
		}
	}
	for i, p := range plans {
		if p == nil {
			continue
		}
		run := p.run
		if two {
			run.Suites, run.Limit, run.Share, run.FewShot, run.DiagnosticsLength, run.DiagnosticsThreshold, run.Given = nil, 0, 0, 0, 0, 0, nil
			run.IncludePath = nil
		}
		manifest, samples, err := eval.Foresee(ctx, run, p.in)
		if err != nil {
			return err
		}
		if sides[i], err = compare.FromRun(p.path, manifest, samples); err != nil {
			return err
		}
	}
	if plans[0] == nil && plans[1] == nil {
		return nil
	}
	err := compare.Check(sides[0], sides[1], o.options)
	if _, ok := errors.AsType[*compare.Incomparable](err); ok {
		text := err.Error() + "; nothing was computed"
		if two && o.run.Model.MaxLength == 0 && plans[0].in.MaxLength != plans[1].in.MaxLength {
			text += fmt.Sprintf(" (--max-length %d gives both the same context)", min(plans[0].in.MaxLength, plans[1].in.MaxLength))
		}
		return errors.New(text)
	}
	return err
}

// someTask refuses suites without anything that --kl can be measured on.
func someTask(ctx context.Context, run *eval.RunOptions) error {
	var find configs.Finder
	if err := heard(ctx, func() (err error) { find, err = configs.NewFinder(run.IncludePath...); return err }); err != nil {
		return err
	}
	for _, name := range run.Suites {
		var s *configs.Suite
		if err := heard(ctx, func() (err error) { s, err = find.Resolve(name); return err }); err != nil {
			return err
		}
		if len(s.Tasks) > 0 || s.Passkey != nil {
			return nil
		}
	}
	return fmt.Errorf("--suite %s: --kl is of the tokens that tasks score, and there is no task: name one too; nothing was computed",
		strings.Join(run.Suites, ","))
}

// compute runs a planned run, or finds that it is there.
func (o *compareOptions) compute(ctx context.Context, p *planned) (*compare.Side, error) {
	run := p.run
	// A run with other settings than its name says, as of other documents, is left
	// alone, be it finished or not: the next number is tried.
	const most = 20
	for n := 1; ; n++ {
		run.Out = p.dir
		if n > 1 {
			run.Out = fmt.Sprintf("%s-%d", p.dir, n)
		}
		_, there := rundir.Read(ctx, run.Out)
		err := o.share(ctx, run)
		switch {
		case errors.Is(err, context.Canceled):
			return nil, exitError{exitInterrupted, "interrupted; what is done is kept: the same command goes on with it"}
		case (errors.Is(err, rundir.ErrOther) || err != nil && there == nil) && n < most:
			continue
		case errors.Is(err, fs.ErrPermission):
			return nil, fmt.Errorf("%s: its run cannot be kept: %w; --runs DIR keeps it elsewhere", p.path, placeOf(err))
		case err != nil:
			return nil, fmt.Errorf("%s: %w", p.path, err)
		}
		side, err := openSide(ctx, run.Out)
		if err != nil {
			return nil, err
		}
		side.Name = filepath.Base(filepath.Clean(p.path))
		return side, nil
	}
}

// placeOf is the part of an error that names a place, without the option of run that
// compare does not have.
func placeOf(err error) error {
	if at := new(fs.PathError); errors.As(err, &at) {
		return at
	}
	return err
}

// share computes a run, or waits until the process that computes it has ended, and
// takes that one's. Where it stopped early, this process goes on with it.
func (o *compareOptions) share(ctx context.Context, run eval.RunOptions) error {
	for told := false; ; {
		if state, err := rundir.StateOf(run.Out); err != nil || state != rundir.Running {
			run.Progress = progress(o.io)
			if _, err = eval.Run(ctx, run); !errors.Is(err, rundir.ErrBusy) {
				return err
			}
		}
		if !told {
			fmt.Fprintln(o.io.err, "note: another process computes", oneLine(run.Out)+": waiting for it")
			told = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// likeOther chooses the tasks of the other side with its settings, else the
// default suite. names maps tasks of lm-evaluation-harness to ours.
func likeOther(run *eval.RunOptions, other *compare.Side, names map[string]string) error {
	if other == nil {
		run.Suites = []string{"zero-shot"}
		return nil
	}
	find, err := configs.NewFinder(run.IncludePath...)
	if err != nil {
		return err
	}
	if other.Manifest == nil {
		for _, t := range other.Tasks {
			name := cmp.Or(names[t.Name], t.Name)
			if _, err := find.Resolve(name); err != nil {
				_, noAlias := find.Resolve(t.Alias)
				if names[t.Name] != "" || t.Alias == "" || noAlias != nil {
					return fmt.Errorf("%s: task %s: %w; --map %s=OURS says of which task it is a copy, or --suite names what to run", other.Path, t.Name, err, t.Name)
				}
				name = t.Alias
			}
			run.Suites = append(run.Suites, name)
		}
		return nil
	}
	set := other.Manifest.Settings
	if set.Passkey != nil || set.Diagnostics != nil {
		return fmt.Errorf("%s has more than tasks: name its suite with --suite", other.Path)
	}
	asAsked(run, other.Manifest)
	for i, t := range set.Tasks {
		run.Suites = append(run.Suites, t.Name)
		if i > 0 && (t.Limit != set.Tasks[0].Limit || t.FewShot != set.Tasks[0].FewShot) {
			return fmt.Errorf("%s has tasks with different limits or worked examples: name its suite with --suite", other.Path)
		}
		if run.Limit == 0 && !slices.Contains(run.Given, "limit") {
			run.Limit = t.Limit
		}
		if run.FewShot == 0 && !slices.Contains(run.Given, "fewshot") {
			run.FewShot = t.FewShot
		}
	}
	return nil
}

// asAsked puts prompts into what a run's were put into, but for what the flags say.
func asAsked(run *eval.RunOptions, other *rundir.Run) {
	said := func(flag string) bool { return slices.Contains(run.Given, flag) }
	if p := other.Settings.Prompts; p != nil {
		if !said("apply-chat-template") {
			run.Model.Chat = p.ChatTemplate != ""
		}
		if !said("system-instruction") {
			run.Prompts.System = p.System
		}
		if !said("fewshot-as-multiturn") && p.ChatTemplate != "" {
			run.Prompts.Multiturn = p.Multiturn
		}
	}
	if seed, drawn := other.Seeds["fewshot"]; drawn && !said("fewshot-seed") {
		as := int64(seed)
		run.Prompts.FewShotSeed = &as
	}
}

// given is a value where there is one.
func given[T any](value *T) string {
	if value == nil {
		return "-"
	}
	return fmt.Sprint(*value)
}

// runDirectory names the directory of a checkpoint's run by all that is known
// before it is run.
func (o *compareOptions) runDirectory(run *eval.RunOptions, in *eval.Inspection, path string) (string, error) {
	base := o.runs
	if base == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no cache directory to keep runs in: %w: name one with --runs DIR", err)
		}
		base = filepath.Join(cache, "softbench", "runs")
	}
	key := fmt.Sprintf("%q", []any{
		engine.Revision, in.ModelSHA256, in.TokenizerSHA256, in.Attention, run.Suites, run.Data, run.Limit, run.FewShot,
		run.Model.DType, run.Model.Device, run.Model.MaxLength, run.Model.Strict, run.Model.AllowUnscored, os.Getenv("SOFTBENCH_ISA"),
	})
	if p := &run.Prompts; run.Model.Chat || p.System != "" || p.FewShotSeed != nil || run.Model.StripThinking != nil || run.Share > 0 || len(run.IncludePath) > 0 {
		key += fmt.Sprintf("%t %q %t %s %s %v %q", run.Model.Chat, p.System, p.Multiturn, given(p.FewShotSeed), given(run.Model.StripThinking), run.Share, run.IncludePath)
	}
	if m := &run.Model; m.Quantise != "" || m.Adapter != "" {
		key += fmt.Sprintf("%q %q %q", m.Quantise, m.QuantiseInclude, m.Adapter)
	}
	sum := sha256.Sum256([]byte(key))
	name := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, filepath.Base(filepath.Clean(path)))
	return filepath.Join(base, name+"-"+hex.EncodeToString(sum[:6])), nil
}
