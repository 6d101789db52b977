package metric

import (
	"math"
	"slices"
	"strings"

	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/stats"
)

// Metric is one row.
type Metric struct {
	Name           string
	HigherIsBetter bool
	Formula        Formula
	Weight         Weight
	Unit           Unit
	// Kinds of tasks that have it. Of the tasks of a kind, those that name no
	// metrics have all that are not Named, in the order of Table.
	Kinds []Kind
	Named bool // only tasks that name it have it
	// Column of samples.parquet with the document's 0 or 1; "": the value follows from the
	// document's loglikelihoods.
	Column string
	// Length of a choice, by which its loglikelihood is divided before the largest is taken;
	// nil where no choice is taken.
	Length func(choice string) int
	// Value of a document; nil where only the column has it, or it has a part in the whole alone.
	Value func(m *Metric, d Document) (value float64, ok bool)
	// Whole of a metric that is no mean over documents, and a document's Part in it; ok is false of a
	// document whose Value counts.
	Whole *Whole
	Part  func(d Document) (part any, ok bool)
	// Harness is what lm-evaluation-harness calls how the metric follows from its documents.
	Harness string
}

// Formula is how a metric follows from its documents' values and weights. Of means a
// difference is tested as of paired 0s and 1s where all values are (exact McNemar), of
// perplexities and bits by a paired bootstrap.
type Formula string

// The formulas.
const (
	Mean       Formula = "mean"       // Σ value / n
	Perplexity Formula = "perplexity" // exp(-Σ value / Σ weight), values being loglikelihoods
	Bits       Formula = "bits"       // -Σ value / Σ weight / ln 2
)

// Of is the metric of Σ value / Σ weight.
func (f Formula) Of(ratio float64) float64 {
	switch f {
	case Perplexity:
		return math.Exp(-ratio)
	case Bits:
		return -ratio / math.Ln2
	}
	return ratio
}

// Transform is the formula to statistics.
func (f Formula) Transform() stats.Transform {
	switch f {
	case Perplexity:
		return stats.Perplexity
	case Bits:
		return stats.Bits
	}
	return stats.Share
}

// Weight is what a document weighs.
type Weight int

// The weights.
const (
	One   Weight = iota // each document the same
	Words               // words of the original page
	Bytes               // UTF-8 bytes of the original page
)

// Unit is how values are written.
type Unit int

// The units.
const (
	Factor Unit = iota // a number of its own, as a perplexity
	Share              // from 0 to 1, shown in percent
)

// Document is what a metric is computed from: a model's answers to one document, and what they are
// measured by.
type Document struct {
	Gold         int             // index of the right choice; -1 where there is none
	AlsoGold     []int           // further right ones
	Answers      []answer.Answer // one for each request
	Choices      []string        // of multiple choice, one for each answer, as their length is measured; else nil
	Words, Bytes int             // of a whole text's page
	// Scores of a generated answer, by what the metric is called: its name, with the filter's behind it
	// where that is not "none" ("exact_match,strict-match").
	Scores map[string]float64
}

// Of is a document's part in the metric: what is averaged, and its weight. ok is false where
// it has none.
func (m *Metric) Of(d Document) (value, weight float64, ok bool) {
	if m.Value == nil || len(d.Answers) == 0 {
		return 0, 0, false
	}
	value, ok = m.Value(m, d)
	switch weight = 1; {
	case !ok:
		return 0, 0, false
	case m.Weight == Words:
		weight = float64(d.Words)
	case m.Weight == Bytes:
		weight = float64(d.Bytes)
	}
	return value, weight, true
}

// Scores are the choices' loglikelihoods, each over its length; nil where the metric takes no
// choice.
func (m *Metric) Scores(d Document) []float64 {
	if m.Length == nil || len(d.Choices) != len(d.Answers) {
		return nil
	}
	scores := make([]float64, len(d.Answers))
	for i := range d.Answers {
		scores[i] = d.Answers[i].LogLikelihood / float64(m.Length(d.Choices[i]))
	}
	return scores
}

// Chosen is the choice with the largest score; -1 where the metric takes none.
func (m *Metric) Chosen(d Document) int {
	scores := m.Scores(d)
	if len(scores) == 0 {
		return -1
	}
	return argmax(scores)
}

// argmax is numpy's: the lowest index among equals; a NaN (an empty choice of likelihood one) is
// above everything. An empty choice otherwise divides to -Inf and is chosen only where all are.
func argmax(v []float64) int {
	best := 0
	for i := 1; i < len(v); i++ {
		if math.IsNaN(v[best]) {
			return best
		}
		if v[i] > v[best] || math.IsNaN(v[i]) {
			best = i
		}
	}
	return best
}

// Find is the metric of a name; false for an unknown one. A generated answer's metric can have a
// filter's name behind its own.
func Find(name string) (*Metric, bool) {
	base, filter, filtered := strings.Cut(name, ",")
	i := slices.IndexFunc(Table, func(m Metric) bool { return m.Name == base })
	switch {
	case i < 0:
		return nil, false
	case !filtered:
		return &Table[i], true
	case filter == "" || !slices.Contains(Table[i].Kinds, GenerateUntil):
		return nil, false
	}
	m := Table[i]
	m.Name = name
	return &m, true
}

// ByName is Find, which makes of a name without a row what lm-evaluation-harness means by it:
// the mean of its documents' values.
func ByName(name string) *Metric {
	if m, ok := Find(name); ok {
		return m
	}
	m := &Metric{Name: name, HigherIsBetter: !strings.Contains(name, "perplexity"), Formula: Mean, Value: scored, Harness: "mean"}
	if name == "exact_match" || name == "f1" || strings.HasPrefix(name, "acc_") || strings.HasPrefix(name, "accuracy") {
		m.Unit = Share
	}
	return m
}

// OfKind are the names of a kind's metrics; named: those too that a task has to name.
func OfKind(kind Kind, named bool) (names []string) {
	for _, m := range Table {
		if slices.Contains(m.Kinds, kind) && (named || !m.Named) {
			names = append(names, m.Name)
		}
	}
	return names
}
