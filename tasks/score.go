package tasks

import (
	"fmt"
	"slices"

	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks/metric"
)

// Outcome is one document's result: what the model said of each request, and what follows from it.
type Outcome struct {
	ID      int
	Hash    string
	Cluster string
	// What metrics are computed from; the answers are one per request, and the choices those of a
	// kind that chooses.
	metric.Document
	Truncated int // tokens cut off, over all requests
	// Unscored: a request has no loglikelihood, so that the document has no part in
	// any metric. It is not wrong.
	Unscored bool
	Taken    []Taken // of a generated answer, by each of the task's filters
	// Parts in metrics that are no mean over documents, by the metric's name.
	Parts map[string]any
}

// Score turns the model's answers to a document's requests into its outcome. There must be one
// answer per request, in order. An error is of a filter that comes to no end.
func (t *Task) Score(doc Doc, answers []answer.Answer) (Outcome, error) {
	if len(answers) != len(doc.Requests) {
		panic(fmt.Sprintf("tasks: %s document %d has %d requests, but %d answers", t.Name, doc.ID, len(doc.Requests), len(answers)))
	}
	o := Outcome{
		ID: doc.ID, Hash: doc.Hash, Cluster: doc.Cluster,
		Document: metric.Document{Gold: doc.Gold, AlsoGold: doc.AlsoGold, Answers: answers, Words: doc.Words, Bytes: doc.Bytes},
	}
	for _, a := range answers {
		o.Truncated += a.Truncated
		o.Unscored = o.Unscored || a.Unscored != ""
	}
	if t.Chooses() {
		for _, q := range doc.Requests {
			o.Choices = append(o.Choices, q.Choice)
		}
	}
	var err error
	switch {
	case t.Generation != nil:
		err = t.Generation.score(&doc, answers[0], &o, t.Scorer)
	case t.Scorer != nil && !o.Unscored:
		var values map[string]any
		if values, err = t.Scorer.Score(&doc, answers, "", false); err == nil {
			o.keep(values, "")
		}
	}
	if err != nil {
		return o, fmt.Errorf("task %s: %w", t.Name, err)
	}
	return o, nil
}

// keep takes values in under their names, with what stands behind them.
func (o *Outcome) keep(values map[string]any, behind string) {
	for name, v := range values {
		name += behind
		if n, ok := v.(float64); ok {
			if o.Scores == nil {
				o.Scores = map[string]float64{}
			}
			o.Scores[name] = n
			continue
		}
		if o.Parts == nil {
			o.Parts = map[string]any{}
		}
		o.Parts[name] = v
	}
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

func (o *Outcome) value(m *metric.Metric) (value, weight float64, ok bool) {
	if o.Unscored {
		return 0, 0, false
	}
	return m.Of(o.Document)
}

// Chosen is the choice that a metric takes for the answer; -1 where it takes none.
func (o Outcome) Chosen(name string) int {
	m, ok := metric.Find(name)
	if !ok || o.Unscored {
		return -1
	}
	return m.Chosen(o.Document)
}

// ScoreNames are the names of a document's numbers, the task's metrics first.
func (t *Task) ScoreNames(o *Outcome) []string {
	return slices.DeleteFunc(slices.Clone(t.namesIn([]Outcome{*o})), func(name string) bool {
		_, ok := o.Scores[name]
		return !ok
	})
}
