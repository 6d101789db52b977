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
	N             int // documents
}

// Mean is a group's metric over its tasks', and its standard error, as lm-evaluation-harness has them:
// weighted, the mean over all documents and the error of samples pooled; else the mean of the tasks, and
// the error of a mean of independent ones. The error is NaN where a part has none.
func Mean(parts []Part, weighted bool) (value, stderr float64) {
	var sum, weight, squares float64
	n := 0
	for _, p := range parts {
		w := 1.0
		if weighted {
			w = float64(p.N)
		}
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
