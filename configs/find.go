package configs

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/tasks/harness"
	"github.com/softbench/softbench/tasks/strictyaml"
)

// Finder finds what a command line's names mean: those of lm-evaluation-harness' task files first, where
// directories with some are given, then the built-in ones.
type Finder struct {
	index *harness.Index
	used  *bool // something was found in them
}

// NewFinder reads the names of task files below directories.
func NewFinder(includePath ...string) (Finder, error) {
	x, err := harness.Open(includePath...)
	return Finder{x, new(bool)}, err
}

// Resolve is what a name means: a task, group or tag of the task files, a pattern of these, a YAML file of
// theirs or of ours, or what the package's Resolve knows.
func (f Finder) Resolve(name string) (*Suite, error) {
	if fileNamed(name) {
		b, err := regularfile.ReadAll(context.Background(), name, strictyaml.MaxBytes)
		if err != nil || !ofHarness(b) {
			return Resolve(name)
		}
		return f.harness(name)
	}
	if s, err := f.named(name); s != nil || err != nil {
		return s, err
	}
	s, err := Resolve(name)
	if err == nil {
		return s, nil
	}
	if strings.ContainsAny(name, "*?[") {
		return nil, fmt.Errorf("%q is a pattern, which matches tasks of --include-path DIR", name)
	}
	if near := f.index.Near(name); len(near) > 0 {
		return nil, fmt.Errorf("unknown suite or task %q; did you mean %s? (softbench ls tasks --include-path DIR shows all)", name, strings.Join(near, ", "))
	}
	if searched := f.index.Searched(); searched != "" {
		return nil, fmt.Errorf("%w; %s", err, searched)
	}
	return nil, err
}

// ours are keys that a suite or a task of our own has, of which one must be there; theirs are those that a
// file of the harness has.
var (
	ours   = regexp.MustCompile(`(?m)^(kind|tasks|passkey|diagnostics)[ \t]*:`)
	theirs = regexp.MustCompile(`(?m)^["']?(task|group|include|dataset_path)["']?[ \t]*:`)
)

// ofHarness tells a task file of lm-evaluation-harness from one of ours by its top-level keys.
func ofHarness(b []byte) bool { return theirs.Match(b) && !ours.Match(b) }

// named is a name of the task files; nil where they lack it.
func (f Finder) named(name string) (*Suite, error) {
	entries, err := f.index.Match(name)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	return f.harness(name)
}

func (f Finder) harness(name string) (*Suite, error) {
	*f.used = true
	found, err := f.index.Select(name)
	if err != nil {
		return nil, err
	}
	if len(found.Tasks) == 0 {
		return nil, errors.New(name + " has no tasks")
	}
	s := &Suite{Name: name, Groups: found.Groups}
	for _, t := range found.Tasks {
		e := Entry{Task: t.Task, Alias: t.Alias}
		if t.FewShot != nil && t.TakesExamples() {
			e.FewShot, e.Fixed = *t.FewShot, *t.FewShot == 0
		}
		s.Tasks = append(s.Tasks, e)
	}
	return s, nil
}

// Used reports whether a name was of the task files.
func (f Finder) Used() bool { return *f.used }

// HarnessTasks lists the names of the task files below directories, each with why it cannot be run.
func HarnessTasks(ctx context.Context, includePath ...string) ([]harness.Status, error) {
	x, err := harness.Open(includePath...)
	if err != nil {
		return nil, err
	}
	return x.Check(ctx)
}
