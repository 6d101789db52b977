package world

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
)

// Exercise is a kind of window of invented words that asks for one ability.
type Exercise string

// The exercises.
const (
	// Chain is a bigram chain of low entropy: each word has followers of its own.
	Chain Exercise = "chain"
	// Span is a chain in which one span of random words comes twice.
	Span Exercise = "span"
	// Repeat is a random sequence, again and again to the window's end.
	Repeat Exercise = "repeat"
	// Pairs is a chain with some keys, each with its value, asked for later in
	// another order.
	Pairs Exercise = "pairs"
)

// AllExercises in their order.
var AllExercises = []Exercise{Chain, Span, Repeat, Pairs}

// Target says how a word of a window can be known from those before it.
type Target uint8

const (
	Likely  Target = iota // from the word before, not surely
	Copied                // surely, by copying from further back
	Unknown               // not at all
)

// The numbers of the exercises. Two of the own words mark keys and questions.
const (
	followers   = 12
	marks       = 2
	LeastWords  = marks + followers
	LeastWindow = 24
	leastRepeat = 8
	spanLeast   = 8
	spanMost    = 32
)

// Exercises draws windows of one set of words.
type Exercises struct {
	words []int32 // token ids, without the marks
	key   int32
	ask   int32
	next  [][followers]int32
	upTo  [][followers]float64 // the followers' shares, summed
}

// NewExercises makes the exercises of words, token ids, the first two of which
// become marks. The chain is the same for equally many words.
func NewExercises(words []int32) (*Exercises, error) {
	if len(words) < LeastWords {
		return nil, fmt.Errorf("world: exercises of %d words; want at least %d", len(words), LeastWords)
	}
	e := &Exercises{words: words[marks:], key: words[0], ask: words[1]}
	r := rand.New(rand.NewPCG(1007, uint64(len(words))))
	e.next = make([][followers]int32, len(e.words))
	e.upTo = make([][followers]float64, len(e.words))
	for i := range e.words {
		sum := 0.0
		for j := range followers {
			e.next[i][j] = int32(r.IntN(len(e.words)))
			// A Dirichlet distribution of concentration 1/2: squares of normal numbers.
			z := r.NormFloat64()
			sum += z * z
			e.upTo[i][j] = sum
		}
		for j := range followers {
			e.upTo[i][j] /= sum
		}
	}
	return e, nil
}

// Draw fills a window, and how its words can be known; both have at least 24.
func (e *Exercises) Draw(r *rand.Rand, kind Exercise, window []int32, known []Target) {
	if kind == Repeat {
		again(r, window, known, func(first []int32) {
			for i := range first {
				first[i], known[i] = e.any(r), Unknown
			}
		})
		return
	}
	e.chain(r, window, known)
	switch kind {
	case Span:
		e.span(r, window, known)
	case Pairs:
		e.pairs(r, window, known)
	}
}

// again fills a window with a beginning of eight words to half of it, which begin
// draws, again and again to the window's end.
func again(r *rand.Rand, window []int32, known []Target, begin func(first []int32)) {
	n := len(window)
	period := leastRepeat + r.IntN(max(1, n/2-leastRepeat))
	begin(window[:period])
	for i := period; i < n; i++ {
		window[i], known[i] = window[i-period], Copied
	}
	// The first repeated word is only known once the period is.
	known[period] = Unknown
}

// Again is a window of AgainSource: a passage of text, whose tokens passage draws,
// again and again to the window's end.
func Again(r *rand.Rand, window []int32, known []Target, passage func(first []int32)) {
	again(r, window, known, func(first []int32) {
		passage(first)
		clear(known[:len(first)]) // Likely
	})
}

func (e *Exercises) any(r *rand.Rand) int32 { return e.words[r.IntN(len(e.words))] }

func (e *Exercises) chain(r *rand.Rand, window []int32, known []Target) {
	at := r.IntN(len(e.words))
	for i := range window {
		window[i], known[i] = e.words[at], Likely
		u := r.Float64()
		j, _ := slices.BinarySearch(e.upTo[at][:], u)
		at = int(e.next[at][min(j, followers-1)])
	}
	known[0] = Unknown
}

func (e *Exercises) span(r *rand.Rand, window []int32, known []Target) {
	n := len(window)
	m := min(spanLeast+r.IntN(spanMost-spanLeast+1), (n-1)/3)
	a := r.IntN(n - 2*m)
	b := a + m + r.IntN(n-a-2*m+1)
	for i := range m {
		word := e.any(r)
		window[a+i], known[a+i] = word, Unknown
		window[b+i], known[b+i] = word, Copied
	}
	known[b] = Unknown
}

// pairs puts two to six "mark key value" at places that are multiples of three,
// and the questions "mark key" with their values behind them.
func (e *Exercises) pairs(r *rand.Rand, window []int32, known []Target) {
	places := len(window)/3 - 1
	k := min(2+r.IntN(5), places/2)
	at := r.Perm(places)[:2*k]
	slices.Sort(at)
	keys, order := r.Perm(len(e.words))[:k], r.Perm(k)
	values := make([]int32, k)
	for j := range k {
		values[j] = e.any(r)
		e.put(window, known, 3*at[j], e.key, e.words[keys[j]], values[j], Unknown)
	}
	for j, which := range order {
		e.put(window, known, 3*at[k+j], e.ask, e.words[keys[which]], values[which], Copied)
	}
}

func (e *Exercises) put(window []int32, known []Target, at int, mark, key, value int32, how Target) {
	copy(window[at:], []int32{mark, key, value})
	known[at], known[at+1], known[at+2] = Unknown, Unknown, how
}

// Share is a source of windows and how many of them are its.
type Share struct {
	Source string // an Exercise, TextSource or AgainSource
	Part   float64
}

// TextSource is the source of windows of text, AgainSource that of windows in which
// a passage of it comes again and again.
const (
	TextSource  = "text"
	AgainSource = "again"
)

// Mix is sources with their parts, which sum to one.
type Mix []Share

// ParseMix reads "text=50,repeat=30,chain=20": parts in any unit.
func ParseMix(s string) (Mix, error) {
	var m Mix
	sum := 0.0
	for _, field := range strings.Split(s, ",") {
		name, number, _ := strings.Cut(field, "=")
		var part float64
		if _, err := fmt.Sscanf(number+"\n", "%g\n", &part); err != nil || !(part > 0) || part > 1e9 {
			return nil, fmt.Errorf("mix %q: %q: want SOURCE=PART, with a part above zero", s, field)
		}
		if name != TextSource && name != AgainSource && !slices.Contains(AllExercises, Exercise(name)) {
			return nil, fmt.Errorf("mix %q: no source %q: want text, again, chain, span, repeat or pairs", s, name)
		}
		if slices.ContainsFunc(m, func(h Share) bool { return h.Source == name }) {
			return nil, fmt.Errorf("mix %q: %s comes twice", s, name)
		}
		m = append(m, Share{name, part})
		sum += part
	}
	for i := range m {
		m[i].Part /= sum
	}
	return m, nil
}

// Text says whether any source needs text, and Words whether any needs invented words.
func (m Mix) Text() bool { return m.Part(TextSource) > 0 || m.Part(AgainSource) > 0 }
func (m Mix) Words() bool {
	return slices.ContainsFunc(m, func(s Share) bool { return slices.Contains(AllExercises, Exercise(s.Source)) })
}

// Part is a source's part, 0 where it has none.
func (m Mix) Part(source string) float64 {
	for _, s := range m {
		if s.Source == source {
			return s.Part
		}
	}
	return 0
}

// Draw draws a source.
func (m Mix) Draw(r *rand.Rand) string {
	u := r.Float64()
	for _, s := range m {
		if u -= s.Part; u < 0 {
			return s.Source
		}
	}
	return m[len(m)-1].Source
}

// WriteExercises writes documents of length words of the exercises of mix, in
// count invented words, drawn by seed.
func WriteExercises(w io.Writer, seed uint64, mix Mix, count, documents, length int) error {
	ids := make([]int32, count)
	for i := range ids {
		ids[i] = int32(i)
	}
	e, err := NewExercises(ids)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(seed, 0))
	window, known := make([]int32, length), make([]Target, length)
	for i := range documents {
		e.Draw(r, Exercise(mix.Draw(r)), window, known)
		var b strings.Builder
		if i > 0 {
			b.WriteString(Separator)
		}
		for _, word := range window {
			b.WriteString(" " + OwnWord(int(word)))
		}
		if _, err := io.WriteString(w, b.String()); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, "\n")
	return err
}
