package tasks

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// Outcome is one document's result: what the model said of each request, and what follows from it.
type Outcome struct {
	ID      int
	Hash    string
	Cluster string
	Gold    int      // -1 where there is none
	Results []Result // one per request; one for a rolling text
	// The index each accuracy chooses; -1 where the task has no choices.
	Chosen, ChosenNorm, ChosenBytes int
	Words, Bytes                    int // of a rolling text's page
	Truncated                       int // tokens cut off, over all requests
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
		Chosen: -1, ChosenNorm: -1, ChosenBytes: -1, Words: doc.Words, Bytes: doc.Bytes,
	}
	for _, r := range results {
		o.Truncated += r.Truncated
		o.Unscored = o.Unscored || r.Unscored != ""
	}
	if t.Kind == MultipleChoice && !o.Unscored {
		sums := make([]float64, len(results))
		norm := make([]float64, len(results))
		bytes := make([]float64, len(results))
		for i, r := range results {
			choice := doc.Requests[i].Choice
			sums[i] = r.LogLikelihood
			norm[i] = r.LogLikelihood / float64(utf8.RuneCountInString(choice))
			bytes[i] = r.LogLikelihood / float64(len(choice))
		}
		o.Chosen, o.ChosenNorm, o.ChosenBytes = argmax(sums), argmax(norm), argmax(bytes)
	}
	return o
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

// Value is the outcome's part in a metric: what is averaged, and its weight (1 for means, words or
// bytes for perplexities). For acc, acc_norm, acc_bytes it is 0 or 1; for the perplexities it is the
// document's loglikelihood. ok is false where the outcome has no part in the metric.
//
//	acc, acc_norm, acc_bytes   Σ value / n
//	perplexity                 exp(-Σ value / n)
//	word_, byte_perplexity     exp(-Σ value / Σ weight)
//	bits_per_byte              -Σ value / Σ weight / ln 2
func (o Outcome) Value(metric string) (value, weight float64, ok bool) {
	right := func(chosen int) (float64, float64, bool) {
		if chosen == o.Gold {
			return 1, 1, true
		}
		return 0, 1, true
	}
	choices := o.Chosen >= 0
	switch {
	case len(o.Results) == 0 || o.Unscored:
		return 0, 0, false
	case metric == "acc" && choices:
		return right(o.Chosen)
	case metric == "acc" && o.Gold < 0:
		if o.Results[0].Greedy {
			return 1, 1, true
		}
		return 0, 1, true
	case metric == "acc_norm" && choices:
		return right(o.ChosenNorm)
	case metric == "acc_bytes" && choices:
		return right(o.ChosenBytes)
	case metric == "perplexity":
		return o.Results[0].LogLikelihood, 1, true
	case metric == "word_perplexity":
		return o.Results[0].LogLikelihood, float64(o.Words), true
	case metric == "byte_perplexity", metric == "bits_per_byte":
		return o.Results[0].LogLikelihood, float64(o.Bytes), true
	}
	return 0, 0, false
}
