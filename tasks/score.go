package tasks

import (
	"fmt"

	"github.com/softbench/softbench/tasks/metric"
)

// Outcome is one document's result: what the model said of each request, and what follows from it.
type Outcome struct {
	ID           int
	Hash         string
	Cluster      string
	Gold         int      // -1 where there is none
	Results      []Result // one per request; one for a rolling text
	Choices      []string // of multiple choice, as metrics measure their length; else nil
	Words, Bytes int      // of a rolling text's page
	Truncated    int      // tokens cut off, over all requests
	// Unscored: a request has no loglikelihood, so that the document has no part in
	// any metric. It is not wrong.
	Unscored bool
}

// Score turns the model's answers to a document's requests into its outcome. There must be one
// result per request (one in all for a rolling text), in order.
func (t *Task) Score(doc Doc, results []Result) Outcome {
	want := max(len(doc.Requests), 1)
	if len(results) != want {
		panic(fmt.Sprintf("tasks: %s document %d has %d requests, but %d results", t.Name, doc.ID, want, len(results)))
	}
	o := Outcome{
		ID: doc.ID, Hash: doc.Hash, Cluster: doc.Cluster, Gold: doc.Gold, Results: results,
		Words: doc.Words, Bytes: doc.Bytes,
	}
	for _, r := range results {
		o.Truncated += r.Truncated
		o.Unscored = o.Unscored || r.Unscored != ""
	}
	if t.Kind == MultipleChoice {
		for _, q := range doc.Requests {
			o.Choices = append(o.Choices, q.Choice)
		}
	}
	return o
}

// Value is the outcome's part in a metric: what is averaged, and its weight. ok is false where it
// has none, or no metric has that name.
func (o Outcome) Value(name string) (value, weight float64, ok bool) {
	m, ok := metric.Find(name)
	if !ok {
		return 0, 0, false
	}
	return o.value(m)
}

func (o Outcome) value(m *metric.Metric) (value, weight float64, ok bool) {
	if o.Unscored {
		return 0, 0, false
	}
	return m.Of(o.answers())
}

// Chosen is the choice that a metric takes for the answer; -1 where it takes none.
func (o Outcome) Chosen(name string) int {
	m, ok := metric.Find(name)
	if !ok || o.Unscored {
		return -1
	}
	return m.Chosen(o.answers())
}

func (o Outcome) answers() metric.Answers {
	a := metric.Answers{Gold: o.Gold, Choices: o.Choices, Words: o.Words, Bytes: o.Bytes}
	for _, r := range o.Results {
		a.LogLikelihoods, a.Greedy = append(a.LogLikelihoods, r.LogLikelihood), append(a.Greedy, r.Greedy)
	}
	return a
}
