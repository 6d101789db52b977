package textmetric

import (
	"slices"
	"strings"
	"unicode"

	"github.com/softbench/softbench/tasks/py"
)

// f1 is the harmonic mean of the shares of words that prediction and target have in common, as
// SQuAD's script counts them: without case, ASCII's punctuation, articles and the width of blanks.
// Without words on a side it is whether both have none. Its equal: SQuAD 2's script.
func f1(prediction, target string) float64 {
	p, t := squadWords(prediction), squadWords(target)
	if len(p) == 0 || len(t) == 0 {
		return truth(len(p) == len(t))
	}
	return harmonic(common(counts(p, 1), counts(t, 1)), len(p), len(t))
}

// SquadF1 is f1 of a prediction and a right answer.
func SquadF1(prediction, target string) float64 { return f1(prediction, target) }

// SquadExact says that both are the same words, as SQuAD's script compares them.
func SquadExact(prediction, target string) bool {
	return slices.Equal(squadWords(prediction), squadWords(target))
}

// squadWords are a text's words as SQuAD's normalize_answer leaves them.
func squadWords(s string) []string {
	return strings.FieldsFunc(withoutArticles(drop(py.Lower(s), punctuation)), py.IsSpace)
}

// withoutArticles writes a blank for each article that is a word of its own (\b(a|an|the)\b).
func withoutArticles(s string) string {
	var b strings.Builder
	word := 0
	flush := func(end int) {
		switch w := s[word:end]; w {
		case "a", "an", "the":
			b.WriteByte(' ')
		default:
			b.WriteString(w)
		}
	}
	for i, r := range s {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || r == '_' {
			continue
		}
		flush(i)
		b.WriteRune(r)
		word = i + len(string(r))
	}
	flush(len(s))
	return b.String()
}

// rougeN is ROUGE-N's F-measure, n words at a time, without stemming. Its equal: rouge-score.
func rougeN(prediction, target string, n int) float64 {
	p, t := counts(rougeWords(prediction), n), counts(rougeWords(target), n)
	return harmonic(common(p, t), total(p), total(t))
}

// rougeL is ROUGE-L's F-measure, of the longest sequence of words that both have in this order.
func rougeL(prediction, target string) float64 {
	p, t := rougeWords(prediction), rougeWords(target)
	return harmonic(longest(p, t), len(p), len(t))
}

// rougeWords are the runs of ASCII letters and digits in lower case.
func rougeWords(s string) []string {
	return strings.FieldsFunc(py.Lower(s), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

// longest is the length of the longest common subsequence.
func longest(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		before := 0 // of the row above, one place to the left
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = before + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			before = above
		}
	}
	return row[len(b)]
}

// counts are how often each run of n words comes.
func counts(words []string, n int) map[string]int {
	out := map[string]int{}
	for i := 0; i+n <= len(words); i++ {
		out[strings.Join(words[i:i+n], "\x00")]++
	}
	return out
}

func common(a, b map[string]int) (n int) {
	for w, c := range a {
		n += min(c, b[w])
	}
	return n
}

func total(a map[string]int) (n int) {
	for _, c := range a {
		n += c
	}
	return n
}

// harmonic is 2·precision·recall / (precision + recall), 0 where nothing is in common.
func harmonic(same, predicted, right int) float64 {
	if same == 0 {
		return 0
	}
	precision, recall := float64(same)/float64(predicted), float64(same)/float64(right)
	return 2 * precision * recall / (precision + recall)
}
