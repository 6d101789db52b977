// Package textmetric scores a generated answer against the right ones, by the numbers of
// lm-evaluation-harness and of the packages that it and its users take them from.
//
// It knows texts alone: which metrics a task has, and how they follow from its documents, is
// packages tasks' and metric's.
package textmetric

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/given"
)

// Scorer is a metric with a task's options.
type Scorer struct {
	Name  string
	score func(prediction, target string) (float64, error)
}

// makers of scorers by the metric's name. Each scores one right answer.
var makers = map[string]func(*given.Options) (func(prediction, target string) (float64, error), error){
	"exact_match": exactMatch,
	"f1":          without(f1),
	"rouge1":      without(func(p, t string) float64 { return rougeN(p, t, 1) }),
	"rouge2":      without(func(p, t string) float64 { return rougeN(p, t, 2) }),
	"rougeL":      without(rougeL),
}

// Names are the metrics', sorted.
func Names() []string { return slices.Sorted(maps.Keys(makers)) }

// New makes a scorer; an option that the metric does not have is an error.
func New(name string, options map[string]any) (*Scorer, error) {
	make, known := makers[name]
	if !known {
		return nil, fmt.Errorf("the metric %q is not one of generated answers; those are %s", name, strings.Join(Names(), ", "))
	}
	o := given.New(options)
	score, err := make(o)
	if err == nil {
		err = o.Done()
	}
	if err != nil {
		return nil, fmt.Errorf("metric %s: %w", name, err)
	}
	return &Scorer{name, score}, nil
}

// Score is an answer's: that against the right answer which it is nearest to.
func (s *Scorer) Score(prediction string, targets []string) (float64, error) {
	best := 0.0
	for _, t := range targets {
		v, err := s.score(prediction, t)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", s.Name, err)
		}
		best = max(best, v)
	}
	return best, nil
}

func without(score func(prediction, target string) float64) func(*given.Options) (func(string, string) (float64, error), error) {
	return func(*given.Options) (func(string, string) (float64, error), error) {
		return func(prediction, target string) (float64, error) { return score(prediction, target), nil }, nil
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
