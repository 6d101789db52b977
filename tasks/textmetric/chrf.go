package textmetric

import (
	"strings"
	"unicode/utf8"

	"github.com/softbench/softbench/tasks/py"
)

const (
	chrfOrder = 6 // characters of the longest run that chrF looks at
	chrfBeta2 = 4 // recall counts twice as much as precision
)

// chrfCounts are, for runs of 1 to 6 characters without white space, then of 1 to wordOrder words, how many the answer
// has, how many the right one, and how many both: [3 · (6 + wordOrder)].
func chrfCounts(prediction, target string, wordOrder int) []float64 {
	var out []float64
	add := func(said, right map[string]int) {
		n := 0
		if len(right) > 0 {
			n = total(said)
		}
		out = append(out, float64(n), float64(total(right)), float64(common(said, right)))
	}
	p, t := characters(prediction), characters(target)
	for n := 1; n <= chrfOrder; n++ {
		said, right := map[string]int{}, map[string]int{}
		ngrams(p, n, said)
		ngrams(t, n, right)
		add(said, right)
	}
	p, t = chrfWords(prediction), chrfWords(target)
	for n := 1; n <= wordOrder; n++ {
		said, right := map[string]int{}, map[string]int{}
		ngrams(p, n, said)
		ngrams(t, n, right)
		add(said, right)
	}
	return out
}

// characters are a text's, without white space.
func characters(s string) []string {
	return strings.Split(strings.Join(strings.FieldsFunc(s, py.IsSpace), ""), "")
}

// chrfWords are a text's words, with one ASCII punctuation mark cut off a word's end, else its beginning.
func chrfWords(s string) (out []string) {
	for _, w := range strings.FieldsFunc(s, py.IsSpace) {
		_, first := utf8.DecodeRuneInString(w)
		last := len(w) - 1
		switch {
		case first == len(w):
			out = append(out, w)
		case strings.IndexByte(punctuation, w[last]) >= 0:
			out = append(out, w[:last], w[last:])
		case strings.IndexByte(punctuation, w[0]) >= 0:
			out = append(out, w[:1], w[1:])
		default:
			out = append(out, w)
		}
	}
	return out
}

// chrfScore is 100 · (1 + β²) · P · R / (β² · P + R), β being 2, P and R the means of precision and recall over the
// lengths of runs that both sides have. Its equal: sacrebleu's corpus_chrf, lm-evaluation-harness' chrf and chrf++.
func chrfScore(sums []float64) float64 {
	precision, recall, orders := 0.0, 0.0, 0
	for i := 0; i+2 < len(sums); i += 3 {
		if said, right, same := sums[i], sums[i+1], sums[i+2]; said > 0 && right > 0 {
			precision += same / said
			recall += same / right
			orders++
		}
	}
	if orders == 0 {
		return 0
	}
	precision /= float64(orders)
	recall /= float64(orders)
	if precision+recall == 0 {
		return 0
	}
	return 100 * ((1 + chrfBeta2) * precision * recall / (chrfBeta2*precision + recall))
}
