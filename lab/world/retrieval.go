package world

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
)

// What retrieval asks of a model of invented words.
const (
	// LeastRetrieval is the least length of a document, in tokens.
	LeastRetrieval   = 32
	askedSpan        = spanLeast // words of the span that comes again
	askedPairs       = 4         // keys with their values, of which one is asked for
	retrievalStreams = 1 << 40   // apart from the streams of training windows and of diagnostics
)

// RetrievalDepths are where in a document stands what its end asks for: 0 at the
// beginning, 1 as near to the end as it can be. Document i has depth i modulo their
// number.
var RetrievalDepths = []float64{0, 0.25, 0.5, 0.75, 1}

// Retrieval are the exercises that a document of retrieval is made of.
var Retrieval = []Exercise{Span, Pairs}

// WriteRetrieval writes count documents of length tokens each, BOS the first of
// them, as JSON lines: "text", whose last word is what is asked for and is known
// from what stands further back, and "depth". The words are the first words
// invented ones; a span is eight random words in a chain, all of which come again
// at the end; of pairs, four keys stand in a chain with their values, and at the end
// one of them is asked for. The same numbers give the same bytes.
func WriteRetrieval(w io.Writer, seed uint64, form Exercise, words, count, length int) error {
	if length < LeastRetrieval {
		return fmt.Errorf("world: documents of %d tokens are too short for retrieval; want at least %d", length, LeastRetrieval)
	}
	ids := make([]int32, words)
	for i := range ids {
		ids[i] = int32(i)
	}
	e, err := NewExercises(ids)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(seed, retrievalStreams+uint64(length)))
	window, known := make([]int32, length-1), make([]Target, length-1)
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	for i := range count {
		depth := RetrievalDepths[i%len(RetrievalDepths)]
		e.chain(r, window, known)
		switch form {
		case Span:
			e.askSpan(r, window, depth)
		case Pairs:
			e.askPair(r, window, known, depth)
		default:
			return fmt.Errorf("world: no retrieval of %s", form)
		}
		var b strings.Builder
		b.WriteString(BOS)
		for _, word := range window {
			b.WriteString(" " + OwnWord(int(word)))
		}
		if err := lines.Encode(map[string]any{"text": b.String(), "depth": depth}); err != nil {
			return err
		}
	}
	return nil
}

// askSpan puts a span at a depth and again at the end.
func (e *Exercises) askSpan(r *rand.Rand, window []int32, depth float64) {
	end := len(window) - askedSpan
	at := int(math.Round(depth * float64(end-askedSpan)))
	for i := range askedSpan {
		window[at+i] = e.any(r)
		window[end+i] = window[at+i]
	}
}

// askPair puts the pair that the end asks for at a depth, and the others around it.
func (e *Exercises) askPair(r *rand.Rand, window []int32, known []Target, depth float64) {
	end := len(window) - 3
	places := end / 3
	asked := int(math.Round(depth * float64(places-1)))
	keys := r.Perm(len(e.words))[:askedPairs]
	others := r.Perm(places - 1)[:askedPairs-1]
	for i, place := range others {
		if place >= asked {
			place++
		}
		e.put(window, known, 3*place, e.key, e.words[keys[i]], e.any(r), Unknown)
	}
	key, value := e.words[keys[askedPairs-1]], e.any(r)
	e.put(window, known, 3*asked, e.key, key, value, Unknown)
	e.put(window, known, end, e.ask, key, value, Copied)
}
