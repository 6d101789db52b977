package tasks

import (
	"math"

	"github.com/softbench/softbench/stats"
	"github.com/softbench/softbench/tasks/metric"
	"github.com/softbench/softbench/tasks/pyrandom"
)

// whole is a metric that is no mean over documents.
func whole(name string, higher bool, w *metric.Whole, outcomes []Outcome, part func(*Outcome) (any, bool)) (metric.Result, bool) {
	var parts []any
	for i := range outcomes {
		if p, ok := part(&outcomes[i]); ok && !outcomes[i].Unscored {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return metric.Result{}, false
	}
	nan := metric.Number(math.NaN())
	m := metric.Result{Name: name, N: len(parts), HigherIsBetter: higher, OfAll: true, Value: nan, Stderr: nan, Low: nan, High: nan}
	v, err := w.Of(parts)
	if err != nil {
		return m, true
	}
	se := wholeStderr(w, parts)
	m.Value, m.Stderr = metric.Number(v), metric.Number(se)
	m.Low, m.High = metric.Number(v-stats.Normal95*se), metric.Number(v+stats.Normal95*se)
	return m, true
}

// bootstrapChunk is how many of lm-evaluation-harness' draws share a generator, which is seeded with the chunk's number.
const bootstrapChunk = 1000

// wholeStderr is the standard deviation of the metric over draws of the documents with replacement: those of
// lm-evaluation-harness (bootstrap_stderr), of which the first Draws are taken. NaN where there is none.
func wholeStderr(w *metric.Whole, parts []any) float64 {
	n := len(parts)
	if w.Draws == 0 || n < 2 {
		return math.NaN()
	}
	values := make([]float64, 0, w.Draws)
	drawn := make([]any, n)
	for chunk := 0; len(values) < w.Draws; chunk++ {
		random := pyrandom.New(int64(chunk))
		for range min(bootstrapChunk, w.Draws-len(values)) {
			for i := range drawn {
				drawn[i] = parts[int(random.Float64()*float64(n))]
			}
			v, err := w.Of(drawn)
			if err != nil {
				return math.NaN()
			}
			values = append(values, v)
		}
	}
	mean, squares := 0.0, 0.0
	for _, v := range values {
		mean += v
	}
	mean /= float64(len(values))
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(values)-1))
}
