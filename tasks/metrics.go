package tasks

import (
	"encoding/json"
	"math"

	"github.com/softbench/softbench/stats"
	"github.com/softbench/softbench/tasks/metric"
)

// Metric is one number over a task's outcomes, with how sure it is.
type Metric struct {
	Name           string
	Value          float64
	Stderr         float64 // as lm-evaluation-harness has it: documents are independent; NaN where n < 2
	Low, High      float64 // 95% interval, of clusters where there are any; NaN for perplexities where n < 2
	N              int     // documents it is over
	HigherIsBetter bool
	// Clusters of documents that are not independent, and the cluster-robust standard
	// error; 0 and NaN where every document stands alone.
	Clusters        int
	ClusteredStderr float64
}

// BootstrapSamples and BootstrapSeed fix the bootstrap behind the perplexities' errors and
// intervals, so that they are the same for the same outcomes. lm-evaluation-harness draws 100,000;
// the standard error of 10,000 is within about 0.7% of that.
const (
	BootstrapSamples = 10_000
	BootstrapSeed    = 20250420
)

// Metrics are the task's metrics over outcomes, in the task's order. Without outcomes there are none.
func (t *Task) Metrics(outcomes []Outcome) []Metric {
	var out []Metric
	for _, name := range t.MetricNames {
		if m, ok := Aggregate(name, outcomes); ok {
			out = append(out, m)
		}
	}
	return out
}

// Aggregate is one metric over outcomes; ok is false where none of them has a part in it. Sums run
// in the order of the outcomes: give them in the order of the documents for the same bits.
func Aggregate(name string, outcomes []Outcome) (Metric, bool) {
	def, known := metric.Find(name)
	if !known {
		return Metric{}, false
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
		return Metric{}, false
	}
	if !weighted {
		l.Weights = nil
	}
	nan := math.NaN()
	m := Metric{Name: name, N: len(l.Values), HigherIsBetter: def.HigherIsBetter, Value: def.Formula.Of(sum / weight), Stderr: nan, Low: nan, High: nan, ClusteredStderr: nan}
	// Values of which no error follows, as infinite ones, have none.
	if e, err := stats.Single(l, stats.Options{Transform: def.Formula.Transform(), Draws: BootstrapSamples, Seed: BootstrapSeed}); err == nil {
		m.Stderr, m.Low, m.High, m.Clusters, m.ClusteredStderr = e.SE, e.Low, e.High, e.Clusters, e.ClusteredSE
	}
	return m, true
}

// MarshalJSON writes the metric with null for what is not a finite number.
func (m Metric) MarshalJSON() ([]byte, error) {
	finite := func(f float64) *float64 {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil
		}
		return &f
	}
	return json.Marshal(metricJSON{m.Name, finite(m.Value), finite(m.Stderr), finite(m.Low), finite(m.High), m.N, m.HigherIsBetter, m.Clusters, finite(m.ClusteredStderr)})
}

// UnmarshalJSON reads what MarshalJSON writes; null is NaN.
func (m *Metric) UnmarshalJSON(b []byte) error {
	var j metricJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	number := func(f *float64) float64 {
		if f == nil {
			return math.NaN()
		}
		return *f
	}
	*m = Metric{j.Name, number(j.Value), number(j.Stderr), number(j.Low), number(j.High), j.N, j.HigherIsBetter, j.Clusters, number(j.ClusteredStderr)}
	return nil
}

type metricJSON struct {
	Name           string   `json:"name"`
	Value          *float64 `json:"value"`
	Stderr         *float64 `json:"stderr"`
	Low            *float64 `json:"low"`
	High           *float64 `json:"high"`
	N              int      `json:"n"`
	HigherIsBetter bool     `json:"higher_is_better"`

	Clusters        int      `json:"clusters,omitempty"`
	ClusteredStderr *float64 `json:"stderr_clustered,omitempty"`
}
