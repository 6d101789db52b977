package tasks

import (
	"math"
	"slices"
)

// Group is tasks and groups under one name, with what is computed over all its tasks.
type Group struct {
	Name, Alias string
	Members     []string // tasks and groups directly in it
	Tasks       []string // all tasks in it, those of groups in it too
	Aggregates  []GroupMetric
}

// GroupMetric is a metric over a group's tasks.
type GroupMetric struct {
	Metric   string
	Filters  []string // of generated answers; nil: every filter the tasks have
	Weighted bool     // each task by its documents; else all tasks the same
}

// Part is a task's metric as a part of a group's.
type Part struct {
	Value, Stderr float64
	Low, High     float64 // its interval
	N             int     // documents
}

// weight is that of a part in the mean.
func (p *Part) weight(weighted bool) float64 {
	if weighted {
		return float64(p.N)
	}
	return 1
}

// Mean is a group's metric over its tasks', and its standard error, as lm-evaluation-harness has them:
// weighted, the mean over all documents and the error of samples pooled; else the mean of the tasks, and
// the error of a mean of independent ones. The error is NaN where a part has none.
func Mean(parts []Part, weighted bool) (value, stderr float64) {
	var sum, weight, squares float64
	n := 0
	for _, p := range parts {
		w := p.weight(weighted)
		sum += p.Value * w
		weight += w
		n += p.N
	}
	for _, p := range parts {
		if weighted {
			squares += float64(p.N-1) * p.Stderr * p.Stderr * float64(p.N)
		} else {
			squares += p.Stderr * p.Stderr
		}
	}
	if slices.ContainsFunc(parts, func(p Part) bool { return math.IsNaN(p.Stderr) }) {
		return sum / weight, math.NaN()
	}
	if weighted {
		return sum / weight, math.Sqrt(squares / float64(n-len(parts)) / float64(n))
	}
	return sum / weight, math.Sqrt(squares) / float64(len(parts))
}

// Interval is that of a group's metric, from its tasks' own: the distances of a mean of independent
// estimates from its limits are the root of the sum of their squared, weighted distances, below and
// above apart (Zou and Donner, "Construction of confidence limits about effect measures", 2008).
// Where all answers of a task are right, or wrong, its standard error is 0, and its interval is not.
// It is NaN where a part has none.
func Interval(parts []Part, weighted bool) (low, high float64) {
	var sum, weight, below, above float64
	for _, p := range parts {
		w := p.weight(weighted)
		sum += w * p.Value
		weight += w
		below += w * w * (p.Value - p.Low) * (p.Value - p.Low)
		above += w * w * (p.High - p.Value) * (p.High - p.Value)
	}
	return (sum - math.Sqrt(below)) / weight, (sum + math.Sqrt(above)) / weight
}
