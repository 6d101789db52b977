package textmetric

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/given"
)

// Corpus is a metric of all answers together: counts of each are added up, and the metric follows from the sums.
type Corpus struct {
	Name           string
	HigherIsBetter bool
	// Counts are an answer's against its right one.
	Counts func(prediction, target string) []float64
	// Score is the metric, from 0 to 100, of the counts' sums. The numbers are sacrebleu's.
	Score func(sums []float64) float64
}

// corpora are all of them.
var corpora = []Corpus{
	{"bleu", true, bleuCounts, bleuScore},
	{"chrf", true, func(p, t string) []float64 { return chrfCounts(p, t, 0) }, chrfScore},
	{"chrf++", true, func(p, t string) []float64 { return chrfCounts(p, t, 2) }, chrfScore},
	{"ter", false, terCounts, terScore},
}

// NewCorpus is the metric of a name; nil: there is none. It takes no options.
func NewCorpus(name string, options map[string]any) (*Corpus, error) {
	i := slices.IndexFunc(corpora, func(c Corpus) bool { return c.Name == name })
	if i < 0 {
		return nil, nil
	}
	if err := given.New(options).Done(); err != nil {
		return nil, fmt.Errorf("metric %s: %w", name, err)
	}
	return &corpora[i], nil
}

// Of is the metric of several answers' counts.
func (c *Corpus) Of(counts [][]float64) float64 {
	if len(counts) == 0 {
		return c.Score(nil)
	}
	sums := make([]float64, len(counts[0]))
	for _, row := range counts {
		for i, v := range row {
			sums[i] += v
		}
	}
	return c.Score(sums)
}

// ngrams counts the runs of n words.
func ngrams(words []string, n int, into map[string]int) {
	for i := 0; i+n <= len(words); i++ {
		into[strings.Join(words[i:i+n], "\x00")]++
	}
}
