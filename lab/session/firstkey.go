package session

import (
	"math"

	"github.com/softbench/softbench/engine"
)

// firstKey is an engine.Observer of the first token alone: the mean weight that
// each head gives it over all queries, and the norm of its residual stream over
// the mean norm of the other tokens', after each block.
type firstKey struct {
	hidden  int
	weights [][]mean // by layer and head
	first   []mean   // norms of first tokens, by layer
	rest    []mean
}

type mean struct {
	sum float64
	n   int
}

func (m *mean) add(x float64) { m.sum, m.n = m.sum+x, m.n+1 }

func (m mean) value() float64 { return m.sum / float64(m.n) }

func newFirstKey(layers, heads, hidden int) *firstKey {
	f := &firstKey{hidden: hidden, first: make([]mean, layers), rest: make([]mean, layers)}
	for range layers {
		f.weights = append(f.weights, make([]mean, heads))
	}
	return f
}

func (f *firstKey) Attention(b engine.AttentionBlock) {
	if b.Key != 0 {
		return
	}
	for q := range b.Queries {
		f.weights[b.Layer][b.Head].add(float64(b.Weights[q*b.Keys]))
	}
}

func (f *firstKey) Residual(r engine.Residual) {
	for i := 0; i < len(r.X); i += f.hidden {
		var squares float64
		for _, x := range r.X[i:][:f.hidden] {
			squares += float64(x) * float64(x)
		}
		to := f.rest
		if r.Position == 0 && i == 0 {
			to = f.first
		}
		to[r.Layer].add(math.Sqrt(squares))
	}
}

func (f *firstKey) means(layer int) (out []float64) {
	for _, w := range f.weights[layer] {
		out = append(out, w.value())
	}
	return out
}

func (f *firstKey) normRatio(layer int) float64 {
	return f.first[layer].value() / f.rest[layer].value()
}

// observers is an engine.Observer that tells several.
type observers []engine.Observer

func (o observers) Attention(b engine.AttentionBlock) {
	for _, each := range o {
		each.Attention(b)
	}
}

func (o observers) Residual(r engine.Residual) {
	for _, each := range o {
		each.Residual(r)
	}
}
