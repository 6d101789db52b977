// Package hashmodel is an engine.Backend for tests: its "predictions" are hashes
// of the tokens a row may see, which it finds only through the segments it is
// given. A wrong path, position or order of rows gives other numbers.
package hashmodel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/softbench/softbench/engine"
)

// Vocab is the number of token ids.
const Vocab = 1000

// Backend counts what it is asked to do; set FailAfter to make a pass fail.
// Faults of its caller panic: a test cannot miss them.
type Backend struct {
	Live, Peak int64 // positions with keys and values, now and at most
	Rows       int
	Segments   int // made
	Spans      int // of all batches
	Paths      int // arrays that a batch's paths lie in, at most
	FailAfter  int // forward passes; 0: never
}

type segment struct {
	b        *Backend
	start, n int
	tokens   []int32
	released bool
}

func (s *segment) Range() (start, n int) { return s.start, s.n }

func (s *segment) Release() {
	if s.released {
		panic("segment released twice")
	}
	s.released = true
	s.b.Live -= int64(s.n)
}

func (b *Backend) Describe() engine.Description {
	return engine.Description{Device: "hash", Top: engine.MaxTop, Windows: []int{0, 7}}
}

func (b *Backend) Close() error { return nil }

// SegmentBytes implements engine.Backend: a position is a byte.
func (b *Backend) SegmentBytes(_, n int) int64 { return int64(n) }

func (b *Backend) NewSegment(start, n int) (engine.Segment, error) {
	b.Live += int64(n)
	b.Peak = max(b.Peak, b.Live)
	b.Segments++
	return &segment{b: b, start: start, n: n}, nil
}

func (b *Backend) Forward(_ context.Context, batch *engine.Batch) error {
	if b.FailAfter--; b.FailAfter == 0 {
		return errors.New("device lost")
	}
	b.Rows += len(batch.Tokens)
	b.Spans += len(batch.Spans)
	b.Paths = max(b.Paths, arrays(batch))
	hashes := make([]int32, len(batch.Tokens))
	for _, sp := range batch.Spans {
		own := sp.Path[len(sp.Path)-1].(*segment)
		for r := range sp.N {
			position := sp.Position + r
			if position != own.start+len(own.tokens) || len(own.tokens) >= own.n {
				panic(fmt.Sprintf("position %d written to a segment [%d, %d) that holds %d", position, own.start, own.start+own.n, len(own.tokens)))
			}
			own.tokens = append(own.tokens, batch.Tokens[sp.Row+r])
			hashes[sp.Row+r] = hashPath(sp.Path, position)
		}
	}
	for i := range batch.Heads {
		h := &batch.Heads[i]
		h.Argmax = hashes[h.Row]
		for j, t := range h.Targets {
			h.LogProbs[j] = logProb(hashes[h.Row], t)
		}
		h.Best = best(hashes[h.Row], h.Top)
	}
	return nil
}

// best are the most probable tokens after a hash; of equal ones the lowest ids.
func best(hash int32, top int) []engine.Candidate {
	if top == 0 {
		return nil
	}
	all := make([]engine.Candidate, Vocab)
	for t := range all {
		all[t] = engine.Candidate{Token: int32(t), LogProb: logProb(hash, int32(t))}
	}
	slices.SortStableFunc(all, func(a, b engine.Candidate) int { return cmp.Compare(b.LogProb, a.LogProb) })
	return all[:top]
}

// Best are the tokens that are most probable after others.
func Best(tokens []int32, top int) []engine.Candidate { return best(Next(tokens), top) }

func hashPath(path []engine.Segment, last int) int32 {
	var tokens []int32
	for i, s := range path {
		seg := s.(*segment)
		if seg.released {
			panic("row attends to a released segment")
		}
		end := last + 1
		if i+1 < len(path) {
			end, _ = path[i+1].Range()
		}
		tokens = append(tokens, seg.tokens[:end-seg.start]...)
	}
	return Next(tokens)
}

// Next is the token predicted after tokens.
func Next(tokens []int32) int32 {
	h := uint32(2166136261)
	for _, t := range tokens {
		h = (h ^ uint32(t)) * 16777619
	}
	return int32(h % Vocab)
}

// LogProb is the log-probability of token after tokens.
func LogProb(tokens []int32, token int32) float32 { return logProb(Next(tokens), token) }

func logProb(hash, token int32) float32 {
	if hash == token {
		return -0.25
	}
	return -float32((hash+token)%97) - 1
}

// arrays is how many arrays a batch's paths lie in.
func arrays(b *engine.Batch) int {
	seen := map[*engine.Segment]bool{}
	for _, sp := range b.Spans {
		seen[&sp.Path[0]] = true
	}
	return len(seen)
}
