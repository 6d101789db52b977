package world

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/tokenizer"
)

func wordIDs(n int) (ids []int32) {
	for i := range n {
		ids = append(ids, int32(100+i))
	}
	return ids
}

// TestExercises: what a window says of its words is so. A copied word is that
// which followed the same words before; an unknown one is not in the chain.
func TestExercises(t *testing.T) {
	for _, words := range []int{LeastWords, 122} {
		for _, length := range []int{LeastWindow, 25, 128, 257} {
			e, err := NewExercises(wordIDs(words))
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, uint64(length)))
			for trial := range 60 {
				for _, kind := range AllExercises {
					window, known := make([]int32, length), make([]Target, length)
					e.Draw(r, kind, window, known)
					if err := e.checkWindow(kind, window, known); err != nil {
						t.Fatalf("%s of %d words, %d long, trial %d: %v\n%v\n%v", kind, words, length, trial, err, window, known)
					}
				}
			}
		}
	}
}

func (e *Exercises) checkWindow(kind Exercise, window []int32, known []Target) error {
	copied := 0
	for i, id := range window {
		if id < 100 || id >= 102+int32(len(e.words)) {
			return fmt.Errorf("word %d is none of the exercises'", i)
		}
		if mark := id == e.key || id == e.ask; mark && (kind != Pairs || known[i] != Unknown) {
			return fmt.Errorf("word %d is a mark", i)
		}
		switch known[i] {
		case Copied:
			copied++
			if kind != Pairs && !slices.ContainsFunc(occurrences(window[:i-1], window[i-1]), func(at int) bool { return window[at+1] == id }) {
				return fmt.Errorf("word %d follows nothing that it followed before", i)
			}
			if kind == Pairs && !slices.ContainsFunc(occurrences(window[:i-1], window[i-1]), func(at int) bool {
				return at > 0 && window[at-1] == e.key && window[at+1] == id
			}) {
				return fmt.Errorf("answer %d was not told", i)
			}
		case Likely:
			if i == 0 || known[i-1] == Likely && !slices.ContainsFunc(e.next[window[i-1]-102][:], func(n int32) bool { return e.words[n] == id }) {
				return fmt.Errorf("word %d does not follow in the chain", i)
			}
		}
	}
	if (copied > 0) != (kind != Chain) {
		return fmt.Errorf("%d copied words", copied)
	}
	return nil
}

func occurrences(window []int32, id int32) (at []int) {
	for i, x := range window {
		if x == id {
			at = append(at, i)
		}
	}
	return at
}

// TestChainIsPredictable: the chain's entropy is well below that of random
// words, and is the same for equally many words.
func TestChainIsPredictable(t *testing.T) {
	a, _ := NewExercises(wordIDs(122))
	b, _ := NewExercises(wordIDs(122))
	if !slices.Equal(a.next, b.next) {
		t.Fatal("two chains of the same words differ")
	}
	var entropy float64
	for i := range a.upTo {
		before := 0.0
		for _, upTo := range a.upTo[i] {
			if p := upTo - before; p > 0 {
				entropy -= p * math.Log(p)
			}
			before = upTo
		}
	}
	if entropy /= float64(len(a.upTo)); entropy < 1.4 || entropy > 2.1 {
		t.Errorf("%.3f nats a word; 12 followers with Dirichlet shares of 1/2 have 1.8", entropy)
	}
}

func TestMix(t *testing.T) {
	m, err := ParseMix("text=50,repeat=30,chain=20")
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	r := rand.New(rand.NewPCG(1, 2))
	for range 10000 {
		counts[m.Draw(r)]++
	}
	for source, part := range map[string]float64{"text": 0.5, "repeat": 0.3, "chain": 0.2, "span": 0} {
		if m.Part(source) != part || math.Abs(float64(counts[source])/10000-part) > 0.02 {
			t.Errorf("%s: part %v, drawn %d of 10000, want %v", source, m.Part(source), counts[source], part)
		}
	}
	for s, want := range map[string]string{
		"": "want SOURCE=PART", "text": "want SOURCE=PART", "text=": "want SOURCE=PART", "text=0": "above zero", "text=-1": "above zero",
		"text=1x": "want SOURCE=PART", "text=nan": "above zero", "text=inf": "above zero", "copy=1": `no source "copy"`, "text=1,text=2": "comes twice", "text=1,": "want SOURCE=PART",
	} {
		if _, err := ParseMix(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("mix %q: %v, want an error with %q", s, err, want)
		}
	}
}

// TestOwnWords: each is one token behind a space, in a tokenizer of a text and
// in one of letters only; the text's tokens are what they were.
func TestOwnWords(t *testing.T) {
	seen := map[string]bool{}
	for i := range MaxOwnWords {
		w := OwnWord(i)
		if seen[w] {
			t.Fatalf("%q twice", w)
		}
		seen[w] = true
	}
	text := trainingText(t, 1, 20000)
	for w := range seen {
		if strings.Contains(text, " "+w) {
			t.Fatalf("%q is in the world's text", w)
		}
	}
	trained, err := TrainBPE([]byte(text), 500)
	if err != nil {
		t.Fatal(err)
	}
	letters, err := LettersOnly()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"text": trained, "letters": letters} {
		with, err := AddOwnWords(data, MaxOwnWords)
		if err != nil {
			t.Fatal(err)
		}
		before, after := loadBytes(t, data), loadBytes(t, with)
		for i := range MaxOwnWords {
			if ids := after.Encode(" "+OwnWord(i), false); len(ids) != 1 || int(ids[0]) != before.VocabSize()+i {
				t.Fatalf("%s: word %d is %v, want %d", name, i, ids, before.VocabSize()+i)
			}
		}
		if got := after.VocabSize(); got != before.VocabSize()+MaxOwnWords {
			t.Errorf("%s: %d tokens", name, got)
		}
		if sample := text[:5000]; name == "text" && !slices.Equal(before.Encode(sample, true), after.Encode(sample, true)) {
			t.Error("the own words change the text's tokens")
		}
	}
	for _, n := range []int{0, -1, MaxOwnWords + 1} {
		if _, err := AddOwnWords(letters, n); err == nil {
			t.Errorf("%d own words are taken", n)
		}
	}
}

func loadBytes(t *testing.T, data []byte) *tokenizer.Tokenizer {
	t.Helper()
	dir := t.TempDir()
	if err := writeFile(dir+"/tokenizer.json", func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestWriteExercises: the same seed gives the same bytes, another does not.
func TestWriteExercises(t *testing.T) {
	mix := Mix{{string(Repeat), 1}}
	write := func(seed uint64) string {
		var b bytes.Buffer
		if err := WriteExercises(&b, seed, mix, 40, 7, 30); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if one := write(1); one != write(1) || one == write(2) {
		t.Error("bytes do not follow the seed")
	}
	docs := strings.Split(write(1), Separator)
	if len(docs) != 7 || len(strings.Fields(docs[3])) != 30 {
		t.Errorf("%d documents: %q", len(docs), docs)
	}
}
