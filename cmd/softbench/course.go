package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/reports/text"
)

// station is a checkpoint of a course: one of several that a command runs in turn.
type station struct {
	model string // a directory, a file, or organisation/name@revision
	name  string // of its run's directory, below --out
}

// named is an error of the checkpoint's run that says which it is.
func (s station) named(err error) error {
	if strings.Contains(err.Error(), s.model) {
		return err
	}
	return fmt.Errorf("%s: %w", s.model, err)
}

// course is what --model names: a model as it is, or the checkpoints of a training in
// numeric order. Several are directories or GGUF files that a pattern matches, or
// revisions of a model of the hub, organisation/name@step1000,step2000.
func course(model string) ([]station, error) {
	if _, err := os.Stat(model); err == nil {
		return []station{{model: model}}, nil
	}
	if name, revisions, found := strings.Cut(model, "@"); found && strings.Contains(revisions, ",") {
		var all []station
		for revision := range strings.SplitSeq(revisions, ",") {
			if revision == "" {
				return nil, fmt.Errorf("--model %s: what stands between two commas is empty", model)
			}
			all = append(all, station{name + "@" + revision, strings.ReplaceAll(revision, "/", "-")})
		}
		return inOrder(model, all)
	}
	if !strings.ContainsAny(model, "*?[") {
		return []station{{model: model}}, nil
	}
	match, err := filepath.Glob(model)
	if err != nil {
		return nil, fmt.Errorf("--model %s: %w", model, err)
	}
	var all []station
	for _, path := range match {
		name := filepath.Base(path)
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			if !strings.EqualFold(filepath.Ext(name), ".gguf") {
				continue // a log beside the checkpoints
			}
			name = strings.TrimSuffix(name, filepath.Ext(name))
		}
		all = append(all, station{path, name})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("--model %s: no directory and no GGUF file matches", model)
	}
	return inOrder(model, all)
}

// inOrder puts checkpoints in numeric order and refuses two whose runs would be one.
func inOrder(model string, all []station) ([]station, error) {
	slices.SortStableFunc(all, func(a, b station) int { return text.Natural(a.name, b.name) })
	for i := 1; i < len(all); i++ {
		if all[i].name == all[i-1].name {
			return nil, fmt.Errorf("--model %s: the runs of %s and %s would both be called %s", model, all[i-1].model, all[i].model, all[i].name)
		}
	}
	return all, nil
}

// along runs the checkpoints one after the other, each into a directory of its own below
// --out. All are opened before the first is scored. What is complete is left as it is.
func (o *runOptions) along(ctx context.Context, all []station) error {
	if o.run.Out == "" {
		return fmt.Errorf("--model names %d checkpoints, whose runs need --out: a directory for each goes there", len(all))
	}
	if o.run.Model.Adapter != "" {
		return errors.New("--adapter is of one checkpoint, and --model names several")
	}
	if o.run.Model.Revision != "" {
		return errors.New("--revision is of one checkpoint, and --model names several: organisation/name@REVISION,REVISION names revisions")
	}
	together := eval.NewCourse()
	var runs []runOptions
	for _, s := range all {
		one := *o
		one.run.Progress = progress(o.io)
		one.run.Model.Model, one.run.Course = s.model, together
		one.run.Out = filepath.Join(o.run.Out, s.name)
		if one.run.Merge = nil; o.run.Merge != nil {
			for _, dir := range o.run.Merge {
				one.run.Merge = append(one.run.Merge, filepath.Join(dir, s.name))
			}
		}
		// What is not begun has nothing to go on with, and that is as it should be.
		if _, err := os.Stat(one.run.Out); errors.Is(err, fs.ErrNotExist) {
			one.run.Resume = false
		}
		if err := eval.Check(ctx, one.run); err != nil {
			return s.named(err)
		}
		runs = append(runs, one)
	}
	var done []any
	for i, one := range runs {
		if !o.json {
			fmt.Fprintf(o.io.out, "%s (%d of %d)\n", oneLine(all[i].name), i+1, len(all))
		}
		result, err := one.one(ctx)
		if err != nil {
			if errors.As(err, new(exitError)) {
				return err
			}
			return all[i].named(err)
		}
		if done = append(done, result); o.json {
			continue
		}
		if err := one.print(result); err != nil {
			return err
		}
		fmt.Fprintln(o.io.out)
	}
	if o.json {
		return writeJSON(o.io.out, done)
	}
	return nil
}
