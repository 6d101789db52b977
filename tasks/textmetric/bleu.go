package textmetric

import (
	"math"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

// bleuOrder is the longest run of words that BLEU looks at.
const bleuOrder = 4

// bleuCounts are the words of an answer and of the right one, then, for runs of 1 to 4 words, how many of the answer's
// stand in the right one too, and how many there are: [2 + 4 + 4]. Words are those of mteval-v13a.
func bleuCounts(prediction, target string) []float64 {
	p, t := words13a(prediction), words13a(target)
	out := make([]float64, 2+2*bleuOrder)
	out[0], out[1] = float64(len(p)), float64(len(t))
	for n := 1; n <= bleuOrder; n++ {
		said, right := map[string]int{}, map[string]int{}
		ngrams(p, n, said)
		ngrams(t, n, right)
		out[1+n], out[1+bleuOrder+n] = float64(common(said, right)), float64(total(said))
	}
	return out
}

// bleuScore is 100 · BP · exp(mean of ln precision over runs of 1 to 4 words), BP being exp(1 - right/said) where fewer
// words are said than right; the k-th precision without a match is 1 / (2^k · runs). Its equal: sacrebleu's
// corpus_bleu with its own settings, lm-evaluation-harness' bleu.
func bleuScore(sums []float64) float64 {
	if len(sums) == 0 {
		return 0
	}
	said, right := sums[0], sums[1]
	correct, all := sums[2:2+bleuOrder], sums[2+bleuOrder:]
	penalty := 1.0
	if said < right {
		penalty = 0
		if said > 0 {
			penalty = math.Exp(1 - right/said)
		}
	}
	if correct[0]+correct[1]+correct[2]+correct[3] == 0 {
		return 0
	}
	smooth, logs := 1.0, 0.0
	precisions := [bleuOrder]float64{}
	for n := range precisions {
		if all[n] == 0 {
			break
		}
		if correct[n] == 0 {
			smooth *= 2
			precisions[n] = 100 / (smooth * all[n])
		} else {
			precisions[n] = 100 * correct[n] / all[n]
		}
	}
	for _, p := range precisions {
		if p == 0 {
			logs += -9999999999 // as sacrebleu takes the logarithm of 0
		} else {
			logs += math.Log(p)
		}
	}
	return penalty * math.Exp(logs/bleuOrder)
}

// words13a are a text's words as the script mteval-v13a takes them: sacrebleu's tokenizer 13a.
func words13a(s string) []string {
	s = py.RStrip(s)
	s = strings.ReplaceAll(s, "<skipped>", "")
	s = strings.ReplaceAll(s, "-\n", "")
	s = strings.ReplaceAll(s, "\n", " ")
	for _, pair := range [][2]string{{"&quot;", `"`}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}} {
		s = strings.ReplaceAll(s, pair[0], pair[1])
	}
	r := []rune(" " + s + " ")
	r = apart(r, func(a, _ rune) int {
		if a < 0x80 && strings.ContainsRune("{|}~[\\]^_` !\"#$%&()*+:;<=>?@/", a) {
			return 1
		}
		return 0
	}, ' ', -1, ' ')
	stop := func(a rune) bool { return a == '.' || a == ',' }
	digit := func(a rune) bool { return a >= '0' && a <= '9' }
	r = apart(r, func(a, b rune) int { return two(!digit(a) && stop(b)) }, -1, ' ', ' ')
	r = apart(r, func(a, b rune) int { return two(stop(a) && b >= 0 && !digit(b)) }, ' ', ' ', -1)
	r = apart(r, func(a, b rune) int { return two(digit(a) && b == '-') }, -1, ' ', ' ')
	return strings.FieldsFunc(string(r), py.IsSpace)
}

func two(b bool) int {
	if b {
		return 2
	}
	return 0
}

// apart writes characters around the one or two at a place, where takes says how many are taken: before them,
// between two of them, after them; -1 writes none. b is -1 at the end.
func apart(s []rune, takes func(a, b rune) int, before, between, after rune) []rune {
	out := make([]rune, 0, len(s)+len(s)/2)
	put := func(r rune) {
		if r >= 0 {
			out = append(out, r)
		}
	}
	for i := 0; i < len(s); {
		b := rune(-1)
		if i+1 < len(s) {
			b = s[i+1]
		}
		n := takes(s[i], b)
		if n == 0 {
			out = append(out, s[i])
			i++
			continue
		}
		put(before)
		out = append(out, s[i])
		if n == 2 {
			put(between)
			out = append(out, b)
		}
		put(after)
		i += n
	}
	return out
}
