package tasks

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/softbench/softbench/stats"
	"github.com/softbench/softbench/tasks/metric"
)

// BootstrapSamples and BootstrapSeed fix the bootstrap behind the perplexities' errors and
// intervals, so that they are the same for the same outcomes. lm-evaluation-harness draws 100,000;
// the standard error of 10,000 is within about 0.7% of that.
const (
	BootstrapSamples = 10_000
	BootstrapSeed    = 20250420
)

// Metrics are the task's metrics over outcomes, in the task's order. Without outcomes there are none.
func (t *Task) Metrics(outcomes []Outcome) []metric.Result {
	var out []metric.Result
	for _, name := range t.namesIn(outcomes) {
		m, ok := t.aggregate(name, outcomes)
		if ok {
			out = append(out, m)
		}
	}
	return out
}

// namesIn are the task's metrics, and after them those that its own scoring gave beside them, whose mean is taken.
func (t *Task) namesIn(outcomes []Outcome) []string {
	if t.Scorer == nil {
		return t.MetricNames
	}
	more := map[string]bool{}
	for i := range outcomes {
		for name := range outcomes[i].Scores {
			more[name] = true
		}
	}
	for _, name := range t.MetricNames {
		delete(more, name)
	}
	return append(t.MetricNames[:len(t.MetricNames):len(t.MetricNames)], slices.Sorted(maps.Keys(more))...)
}

// aggregate is one metric, as the task's own file says or as its row does.
func (t *Task) aggregate(name string, outcomes []Outcome) (metric.Result, bool) {
	base, _, _ := strings.Cut(name, ",")
	own, ok := t.Own[base]
	if !ok && (t.Scorer == nil || slices.Contains(t.MetricNames, name)) {
		return Aggregate(name, outcomes)
	}
	if !ok {
		own.HigherIsBetter = metric.ByName(name).HigherIsBetter
	}
	if own.Whole != nil {
		return whole(name, own.HigherIsBetter, own.Whole, outcomes, func(o *Outcome) (any, bool) {
			p, ok := o.Parts[name]
			return p, ok
		})
	}
	def := *metric.ByName(name)
	def.Name, def.HigherIsBetter, def.Formula = name, own.HigherIsBetter, metric.Mean
	return mean(&def, outcomes, func(o *Outcome) (float64, float64, bool) {
		v, ok := o.Scores[name]
		return v, 1, ok && !o.Unscored
	})
}

// Aggregate is one metric over outcomes; ok is false where none of them has a part in it. Sums run
// in the order of the outcomes: give them in the order of the documents for the same bits.
func Aggregate(name string, outcomes []Outcome) (metric.Result, bool) {
	def, known := metric.Find(name)
	if !known {
		return metric.Result{}, false
	}
	if def.Whole != nil && len(outcomes) > 0 && outcomes[0].Choices != nil {
		return whole(name, def.HigherIsBetter, def.Whole, outcomes, func(o *Outcome) (any, bool) { return def.Part(o.Document) })
	}
	return mean(def, outcomes, func(o *Outcome) (float64, float64, bool) { return o.value(def) })
}

// mean is a metric that follows from its documents' values.
func mean(def *metric.Metric, outcomes []Outcome, value func(*Outcome) (value, weight float64, ok bool)) (metric.Result, bool) {
	l := stats.List{}
	var sum, weight float64
	weighted := false
	for i := range outcomes {
		o := &outcomes[i]
		v, w, ok := value(o)
		if !ok {
			continue
		}
		l.Values, l.Weights, l.Clusters = append(l.Values, v), append(l.Weights, w), append(l.Clusters, o.Cluster)
		weighted = weighted || w != 1
		sum += v
		weight += w
	}
	if len(l.Values) == 0 {
		return metric.Result{}, false
	}
	if !weighted {
		l.Weights = nil
	}
	nan := metric.Number(math.NaN())
	m := metric.Result{Name: def.Name, N: len(l.Values), HigherIsBetter: def.HigherIsBetter, Value: metric.Number(def.Formula.Of(sum / weight)), Stderr: nan, Low: nan, High: nan}
	// Values of which no error follows, as infinite ones, have none.
	if e, err := stats.Single(l, stats.Options{Transform: def.Formula.Transform(), Draws: BootstrapSamples, Seed: BootstrapSeed}); err == nil {
		m.Stderr, m.Low, m.High, m.Clusters = metric.Number(e.SE), metric.Number(e.Low), metric.Number(e.High), e.Clusters
		if e.Clusters > 0 {
			clustered := metric.Number(e.ClusteredSE)
			m.ClusteredStderr = &clustered
		}
	}
	return m, true
}
