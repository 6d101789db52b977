package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

const many = 4000

// TestGoldIsRight checks every question with the independent checker: exactly one option is right, and
// it is the one marked.
func TestGoldIsRight(t *testing.T) {
	for _, form := range Forms[:3] {
		docs := Plain.Questions(3, form, many)
		if len(docs) != many {
			t.Fatalf("%s: %d questions, want %d", form, len(docs), many)
		}
		for _, d := range docs {
			right, ok := solve(form, d)
			if !ok {
				t.Fatalf("%s: the checker does not understand %q", form, d.Context)
			}
			if !slices.Equal(right, []int{d.Gold}) {
				t.Fatalf("%s: %q %q: the rules allow %v, marked is %d", form, d.Context, d.Choices, right, d.Gold)
			}
		}
	}
}

// TestLastWordIsFarBack checks LAMBADA's form: the facts give the last word, the deciding one stands at
// least 20 words before the end, and the other two facts would give other words.
func TestLastWordIsFarBack(t *testing.T) {
	docs := Plain.Questions(3, "lambada_openai", many)
	if len(docs) != many {
		t.Fatalf("%d passages, want %d", len(docs), many)
	}
	first, last := 0, 0
	for _, d := range docs {
		word, candidates, back, ok := solveStory(d.Context)
		if !ok || word != d.Choices[0] {
			t.Fatalf("%q: the facts give %q (%v), the passage ends %q", d.Context, word, ok, d.Choices[0])
		}
		if back < 20 {
			t.Fatalf("%q: decided %d words before the end, want at least 20", d.Context, back)
		}
		distinct := slices.Compact(slices.Sorted(slices.Values(candidates)))
		if len(candidates) != 3 || len(distinct) != 3 {
			t.Fatalf("%q: candidates %q, want three different", d.Context, candidates)
		}
		// The word itself occurs once at most: what decides it stands nowhere else.
		if n := slices.DeleteFunc(words(d.Context), func(w string) bool { return w != strings.ToLower(word) }); len(n) > 1 {
			t.Fatalf("%q: %q occurs more than once", d.Context, word)
		}
		if candidates[0] == word {
			first++
		}
		if candidates[2] == word {
			last++
		}
	}
	near(t, "lambada_openai: first candidate", first, many, 1./3)
	near(t, "lambada_openai: last candidate", last, many, 1./3)
}

// near fails where hits of n differ from chance by more than four standard errors.
func near(t *testing.T, what string, hits, n int, chance float64) {
	t.Helper()
	acc := float64(hits) / float64(n)
	bound := 4 * math.Sqrt(chance*(1-chance)/float64(n))
	t.Logf("%s: %.4f (chance %.4f ± %.4f)", what, acc, chance, bound)
	if math.Abs(acc-chance) > bound {
		t.Errorf("%s scores %.4f of %d, want %.4f ± %.4f", what, acc, n, chance, bound)
	}
}

// TestNoSurfaceCue scores the questions with baselines that see only the options: each must be near
// chance.
func TestNoSurfaceCue(t *testing.T) {
	unigram := unigramOf(trainingText(t, 1, 300_000))
	for _, form := range Forms[:3] {
		docs := Plain.Questions(5, form, many)
		chance := 1 / float64(len(docs[0].Choices))
		frequency := goldRates(Plain.Questions(6, form, many))
		baselines := map[string]func(string) float64{
			"unigram sum":      func(c string) float64 { s, _ := unigram(c); return s },
			"unigram mean":     func(c string) float64 { s, n := unigram(c); return s / float64(n) },
			"longest":          func(c string) float64 { return float64(len(c)) },
			"shortest":         func(c string) float64 { return -float64(len(c)) },
			"option frequency": frequency,
		}
		for name, score := range baselines {
			// By family too: one with a cue would drown among the others.
			n, hits := make([]int, len(solvers[form])), make([]int, len(solvers[form]))
			allHits := 0
			for _, d := range docs {
				f := slices.IndexFunc(solvers[form], func(s solver) bool { return s.pattern.MatchString(d.Context) })
				n[f]++
				if best(d.Choices, score) == d.Gold {
					hits[f]++
					allHits++
				}
			}
			near(t, form+": "+name, allHits, len(docs), chance)
			for f := range n {
				if n[f] > 0 {
					near(t, fmt.Sprintf("%s: %s: family %d", form, name, f), hits[f], n[f], chance)
				}
			}
		}
		for position := range docs[0].Choices {
			hits := 0
			for _, d := range docs {
				if d.Gold == position {
					hits++
				}
			}
			near(t, form+": always option "+string(rune('0'+position)), hits, len(docs), chance)
		}
	}
	// Of a passage: the likeliest candidate, and the word that most often comes last.
	common, often := "", map[string]int{}
	for _, d := range Plain.Questions(6, "lambada_openai", many) {
		if often[d.Choices[0]]++; often[d.Choices[0]] > often[common] {
			common = d.Choices[0]
		}
	}
	likeliest, commonest := 0, 0
	for _, d := range Plain.Questions(5, "lambada_openai", many) {
		_, candidates, _, _ := solveStory(d.Context)
		if candidates[best(candidates, func(c string) float64 { s, _ := unigram(c); return s })] == d.Choices[0] {
			likeliest++
		}
		if common == d.Choices[0] {
			commonest++
		}
	}
	near(t, "lambada_openai: likeliest candidate", likeliest, many, 1./3)
	if commonest > many/20 {
		t.Errorf("lambada_openai: always %q scores %d of %d, want at most one in 20", common, commonest, many)
	}
	t.Logf("lambada_openai: always %q: %d of %d", common, commonest, many)
}

func best(choices []string, score func(string) float64) int {
	b := 0
	for i, c := range choices {
		if score(c) > score(choices[b]) {
			b = i
		}
	}
	return b
}

// goldRates learns how often each option is the right one where it is offered.
func goldRates(docs []Document) func(string) float64 {
	gold, offered := map[string]float64{}, map[string]float64{}
	key := func(c string) string { // without the name, which is in every option of piqa
		f := strings.Fields(c)
		if len(f) > 1 && slices.ContainsFunc(people, func(p person) bool { return p.name == f[0] }) {
			return strings.Join(f[1:], " ")
		}
		return c
	}
	for _, d := range docs {
		for i, c := range d.Choices {
			offered[key(c)]++
			if i == d.Gold {
				gold[key(c)]++
			}
		}
	}
	return func(c string) float64 { return (gold[key(c)] + 0.5) / (offered[key(c)] + 2) }
}

// unigramOf is the natural log likelihood of a text's words, and their number.
func unigramOf(text string) func(string) (float64, int) {
	count, total := map[string]float64{}, 0.
	for _, w := range words(text) {
		count[w]++
		total++
	}
	return func(c string) (sum float64, n int) {
		for _, w := range words(c) {
			sum += math.Log((count[w] + 0.5) / (total + 0.5*float64(len(count)+1)))
			n++
		}
		return sum, n
	}
}

func TestQuestionsAreDifferentAndRepeatable(t *testing.T) {
	for _, form := range Forms {
		a, b, c := lines(t, Plain.Questions(1, form, 500)), lines(t, Plain.Questions(1, form, 500)), lines(t, Plain.Questions(2, form, 500))
		if !bytes.Equal(a, b) {
			t.Errorf("%s: the same seed gives other questions", form)
		}
		if bytes.Equal(a, c) {
			t.Errorf("%s: another seed gives the same questions", form)
		}
		seen := map[string]bool{}
		for _, d := range Plain.Questions(1, form, 500) {
			options := slices.Sorted(slices.Values(d.Choices))
			if key := d.Context + strings.Join(options, "|"); seen[key] {
				t.Errorf("%s: twice: %s", form, key)
			} else {
				seen[key] = true
			}
		}
	}
	for _, form := range Forms {
		if n := len(Plain.Questions(1, form, maxQuestions)); n != maxQuestions {
			t.Errorf("%s: %d different questions, want %d", form, n, maxQuestions)
		}
	}
	if got := Plain.Questions(1, "winogrande", 5); got != nil {
		t.Errorf("an unknown form gives %v", got)
	}
}

func lines(t *testing.T, docs []Document) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, d := range docs {
		line, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.Bytes()
}
