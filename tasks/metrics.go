package tasks

import (
	"math"

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
	for _, name := range t.MetricNames {
		if m, ok := Aggregate(name, outcomes); ok {
			out = append(out, m)
		}
	}
	return out
}

// Aggregate is one metric over outcomes; ok is false where none of them has a part in it. Sums run
// in the order of the outcomes: give them in the order of the documents for the same bits.
func Aggregate(name string, outcomes []Outcome) (metric.Result, bool) {
	def, known := metric.Find(name)
	if !known {
		return metric.Result{}, false
	}
	l := stats.List{}
	var sum, weight float64
	weighted := false
	for _, o := range outcomes {
		v, w, ok := o.value(def)
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
	m := metric.Result{Name: name, N: len(l.Values), HigherIsBetter: def.HigherIsBetter, Value: metric.Number(def.Formula.Of(sum / weight)), Stderr: nan, Low: nan, High: nan}
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
