package tasks

import (
	"encoding/json"
	"math"

	"github.com/softbench/softbench/stats"
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

// metric is how one metric is computed from the outcomes' values and weights.
type metric struct {
	higherIsBetter bool
	transform      stats.Transform             // what final is to statistics
	final          func(ratio float64) float64 // of Σ value / Σ weight
}

// The metrics by name.
var metrics = map[string]metric{
	// acc: share of documents whose right choice has the highest loglikelihood; for last_word, whose
	// continuation is the greedy one. Higher is better. lm-evaluation-harness: acc, mean, mean_stderr.
	"acc": {higherIsBetter: true, final: identity},
	// acc_norm: the same with each loglikelihood divided by its choice's length in Unicode code
	// points. Higher is better. lm-evaluation-harness: acc_norm.
	"acc_norm": {higherIsBetter: true, final: identity},
	// acc_bytes: the same, divided by the choice's length in UTF-8 bytes, as papers that speak of
	// byte-normalised accuracy mean it. Higher is better. lm-evaluation-harness: acc_bytes.
	"acc_bytes": {higherIsBetter: true, final: identity},
	// perplexity: exp(-mean of the documents' loglikelihoods), each document weighing the same
	// whatever its tokens. Lower is better. lm-evaluation-harness: perplexity, bootstrapped.
	"perplexity": {transform: stats.Perplexity, final: negExp},
	// word_perplexity: exp(-Σ loglikelihood / Σ words of the original pages). Lower is better.
	// lm-evaluation-harness: word_perplexity, weighted_perplexity (which gives no error).
	"word_perplexity": {transform: stats.Perplexity, final: negExp},
	// byte_perplexity: exp(-Σ loglikelihood / Σ bytes of the original pages). Lower is better.
	// lm-evaluation-harness: byte_perplexity, weighted_perplexity (which gives no error).
	"byte_perplexity": {transform: stats.Perplexity, final: negExp},
	// bits_per_byte: -Σ loglikelihood / Σ bytes / ln 2, the logarithm to base 2 of byte_perplexity.
	// Lower is better. lm-evaluation-harness: bits_per_byte (which gives no error).
	"bits_per_byte": {transform: stats.Bits, final: func(r float64) float64 { return -r / math.Ln2 }},
}

func identity(r float64) float64 { return r }
func negExp(r float64) float64   { return math.Exp(-r) }

// HigherIsBetter is the direction of a metric of that name; ok is false for an unknown one.
func HigherIsBetter(name string) (higher, ok bool) {
	m, ok := metrics[name]
	return m.higherIsBetter, ok
}

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
	def, known := metrics[name]
	if !known {
		return Metric{}, false
	}
	l := stats.List{}
	var sum, weight float64
	weighted := false
	for _, o := range outcomes {
		v, w, ok := o.Value(name)
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
	m := Metric{Name: name, N: len(l.Values), HigherIsBetter: def.higherIsBetter, Value: def.final(sum / weight), Stderr: nan, Low: nan, High: nan, ClusteredStderr: nan}
	// Values of which no error follows, as infinite ones, have none.
	if e, err := stats.Single(l, stats.Options{Transform: def.transform, Draws: BootstrapSamples, Seed: BootstrapSeed}); err == nil {
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
