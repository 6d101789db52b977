package rundir

import (
	"slices"

	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks/metric"
)

// Answers are a document's rows as metrics take them; ok is false where a request has
// no loglikelihood.
func Answers(rows []Sample) (d metric.Document, ok bool) {
	first := &rows[0]
	d.Gold = -1
	if first.Gold != nil {
		d.Gold = int(*first.Gold)
	}
	if first.Words != nil {
		d.Words = int(*first.Words)
	}
	if first.Bytes != nil {
		d.Bytes = int(*first.Bytes)
	}
	if len(first.Scores) > 0 && len(first.Metrics) == len(first.Scores) {
		d.Answers, d.Scores = []answer.Answer{{}}, map[string]float64{}
		for i, name := range first.Metrics {
			d.Scores[name] = first.Scores[i]
		}
		return d, true
	}
	for i := range rows {
		r := &rows[i]
		if r.LogLikelihood == nil {
			return d, false
		}
		d.Answers = append(d.Answers, answer.Answer{LogLikelihood: *r.LogLikelihood, Greedy: r.IsGreedy != nil && *r.IsGreedy})
		if d.Gold >= 0 && r.Choice != nil {
			d.Choices = append(d.Choices, *r.Choice)
		}
	}
	if len(d.Choices) != len(rows) {
		d.Choices = nil
	}
	return d, true
}

// Value is a document's part in a metric, by its rows: its column where the metric has
// one, else what follows from the answers.
func Value(m *metric.Metric, rows []Sample) (value, weight float64, ok bool) {
	first := &rows[0]
	if i := slices.Index(first.Metrics, m.Name); i >= 0 && i < len(first.Scores) {
		return first.Scores[i], 1, true // what the task's own scoring gave
	}
	if m.Column != "" {
		right := first.verdict(m.Column)
		switch {
		case right == nil || *right == nil:
			return 0, 0, false
		case **right:
			return 1, 1, true
		}
		return 0, 1, true
	}
	if m.Weight == metric.Words && first.Words == nil || m.Weight == metric.Bytes && first.Bytes == nil {
		return 0, 0, false
	}
	d, ok := Answers(rows)
	if !ok {
		return 0, 0, false
	}
	return m.Of(d)
}

// SetVerdict keeps a document's 0 or 1 in a metric's column; a metric without one
// follows from the answers.
func (s *Sample) SetVerdict(m *metric.Metric, right bool) {
	if column := s.verdict(m.Column); column != nil {
		*column = &right
	}
}

// verdict is a column of 0s and 1s by name; nil: there is none of that name.
func (s *Sample) verdict(column string) **bool {
	switch column {
	case "correct":
		return &s.Correct
	case "correct_norm":
		return &s.CorrectNorm
	case "correct_bytes":
		return &s.CorrectBytes
	case "right_text":
		return &s.RightText
	}
	return nil
}
