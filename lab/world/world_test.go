package world

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func trainingText(t *testing.T, seed uint64, n int) string {
	t.Helper()
	var b strings.Builder
	if err := Plain.Text(seed, &b, n); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// words are lower-case words without punctuation.
func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(c rune) bool { return (c < 'a' || c > 'z') && c != '\'' })
}

// TestGolden pins the bytes of a seed: a change here changes what every trained model saw.
func TestGolden(t *testing.T) {
	sum := func(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:8]) }
	if got := sum([]byte(trainingText(t, 1, 50_000))); got != goldenText {
		t.Errorf("text of seed 1: %s, want %s", got, goldenText)
	}
	if got := sum([]byte(variedText(t, 1, 50_000))); got != goldenVaried {
		t.Errorf("varied text of seed 1: %s, want %s", got, goldenVaried)
	}
	for form, want := range goldenQuestions {
		if got := sum(lines(t, Plain.Questions(1, form, 200))); got != want {
			t.Errorf("%s of seed 1: %s, want %s", form, got, want)
		}
	}
}

func TestTextOfASeed(t *testing.T) {
	a, b := trainingText(t, 1, 20_000), trainingText(t, 2, 20_000)
	if a != trainingText(t, 1, 20_000) {
		t.Error("the same seed gives another text")
	}
	if a == b {
		t.Error("another seed gives the same text")
	}
	if long := trainingText(t, 1, 40_000); !strings.HasPrefix(long, a) {
		t.Error("a short text is not the beginning of a long one")
	}
	if n := len(strings.Fields(a)); n < 20_000 || n > 21_000 {
		t.Errorf("%d words, want 20000 and at most one document more", n)
	}
	if !strings.HasSuffix(a, "."+Separator) || strings.Contains(a, "\n\n\n") {
		t.Error("documents do not end in one separator each")
	}
	forms := map[string]bool{}
	for _, w := range words(trainingText(t, 1, 400_000)) {
		forms[w] = true
	}
	t.Logf("%d word forms", len(forms))
	if len(forms) > 3000 {
		t.Errorf("%d word forms, want at most 3000", len(forms))
	}
}

// TestHeldOut looks for the questions in training text of three seeds: no run of eight words that has a
// part in the answer may occur, nor the whole of a shorter question.
func TestHeldOut(t *testing.T) {
	const n = 8
	forbidden := map[string]string{}
	for _, form := range Forms {
		for _, d := range Plain.Questions(7, form, 2000) {
			context, answer := words(d.Context), words(d.Choices[d.Gold])
			all := append(context, answer...)
			for end := len(context) + 1; end <= len(all); end++ {
				forbidden[strings.Join(all[max(0, end-n):end], " ")] = d.Context + " " + d.Choices[d.Gold]
			}
		}
	}
	for seed := range uint64(3) {
		for doc := range strings.SplitSeq(trainingText(t, seed, 300_000), Separator) {
			all := words(doc)
			for end := 1; end <= len(all); end++ {
				if q, ok := forbidden[strings.Join(all[max(0, end-n):end], " ")]; ok {
					t.Fatalf("seed %d: %q tells the answer of %q", seed, doc, q)
				}
			}
		}
	}
}

// TestEveryRuleIsTold looks for the rules that decide the questions: each must be told at least 20 times
// in 600,000 words, within two neighbouring sentences.
func TestEveryRuleIsTold(t *testing.T) {
	needed := map[string][]string{}
	for _, form := range Forms {
		for _, d := range Plain.Questions(8, form, 2000) {
			for _, n := range d.Needs {
				needed[strings.ToLower(strings.Join(n, "|"))] = n
			}
			if form != "lambada_openai" && len(d.Needs) == 0 {
				t.Fatalf("%s: %q needs no rule", form, d.Context)
			}
		}
	}
	t.Logf("%d rules", len(needed))
	found := map[string]int{}
	for doc := range strings.SplitSeq(strings.ToLower(trainingText(t, 1, 600_000)), Separator) {
		sentences := strings.SplitAfter(doc, ". ")
		for i := range sentences {
			window := sentences[i]
			if i > 0 {
				window = sentences[i-1] + window
			}
			for key := range needed {
				a, b, _ := strings.Cut(key, "|")
				if strings.Contains(window, a) && strings.Contains(window, b) {
					found[key]++
				}
			}
		}
	}
	for key := range needed {
		if found[key] < 20 {
			t.Errorf("%q is told %d times", key, found[key])
		}
	}
}

// TestBalancedRules checks what keeps options alike: every value belongs to equally many keys.
func TestBalancedRules(t *testing.T) {
	equal := func(what string, counts map[string]int) {
		n := 0
		for v, c := range counts {
			if n == 0 {
				n = c
			}
			if c != n {
				t.Errorf("%s: %q has %d keys, another value %d", what, v, c, n)
			}
		}
	}
	food, home, sound, place, reaction := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, a := range animals {
		food[a.food]++
		home[a.home]++
		if a.sound != "" {
			sound[a.sound]++
		}
	}
	for _, j := range jobs {
		place[j.place]++
		for _, w := range []string{j.place, j.does} {
			if strings.HasPrefix(w, j.name[:3]) {
				t.Errorf("%s and %s begin alike: the letters give the answer away", j.name, w)
			}
		}
	}
	for _, c := range causes {
		reaction[c.did]++
	}
	equal("food", food)
	equal("home", home)
	equal("sound", sound)
	equal("place", place)
	equal("reaction", reaction)
	for _, e := range events {
		if len(e.made[0]) != len(e.made[1]) || len(e.made[0]) < 4 {
			t.Errorf("%s: %d and %d materials, want the same number, at least 4", e.place, len(e.made[0]), len(e.made[1]))
		}
	}
	for _, rt := range routines {
		if len(rt.steps) < 5 {
			t.Errorf("%s: %d steps, want at least 5", rt.title, len(rt.steps))
		}
	}
	for d := range domains {
		a, b := peopleOf(training, d), peopleOf(heldOut, d)
		if len(a) != 36 || len(b) != 12 {
			t.Errorf("domain %d: %d and %d people, want 36 and 12", d, len(a), len(b))
		}
	}
}

type failing struct{ left int }

var errFull = errors.New("disk full")

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestTextErrors(t *testing.T) {
	if err := Plain.Text(1, &failing{100_000}, 1_000_000); !errors.Is(err, errFull) {
		t.Errorf("a full disk: %v", err)
	}
	if err := Plain.Text(1, &strings.Builder{}, 0); err == nil {
		t.Error("no words: no error")
	}
}

func BenchmarkText(b *testing.B) {
	for b.Loop() {
		var s strings.Builder
		if err := Plain.Text(1, &s, 100_000); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(s.Len()))
	}
}
