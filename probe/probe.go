package probe

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/softbench/softbench/engine"
)

// Options are the constants of the definitions.
type Options struct {
	// Threshold is the mean weight of a key above which a head counts as a
	// sink; 0 means DefaultThreshold.
	Threshold float64
	// Keys is how many of the first keys count as sinks; 0 means 1.
	Keys int
}

// DefaultThreshold is the published one (Attention-Sink, arXiv 2410.10781).
const DefaultThreshold = 0.3

// Small is the weight up to which a weight counts as nearly zero.
const Small = 1e-5

// Massive activations: absolute value above MassiveValue, and above
// MassiveRatio times the median absolute value of the same layer and sample
// (arXiv 2402.17762).
const (
	MassiveValue = 100
	MassiveRatio = 1000
)

// MassBuckets is the number of buckets of attention mass by context length:
// bucket b holds queries that see [2^b, 2^(b+1)) keys.
const MassBuckets = 24

// Diagnostics is an engine.Observer. Use one for one run over samples that are each a
// forest node without parent, and read it when the run is over.
type Diagnostics struct {
	opts    Options
	hidden  int
	lengths []int // of each sample, by node
	heads   [][]head
	layers  []layer
}

// head accumulates one layer's head. Only one goroutine at a time touches it.
type head struct {
	sinks    []int // samples whose mean weight on key k exceeds the threshold
	samples  int
	zeros    int64 // weights of exactly 0
	small    int64 // weights <= Small
	weights  int64 // all of the causal triangle
	silent   int64 // queries without any weight
	queries  int64
	mass     float64
	byLength [MassBuckets]Mass
	keySums  []float64 // of the sample under way, by key
	rows     []rowSum
	before   tally   // at the sample's beginning
	each     []tally // by sample
}

// tally is a head's counts over one sample, or over all until now.
type tally struct {
	sink                                   bool // on key 0
	zeros, small, weights, silent, queries int64
	mass                                   float64
}

func (h *head) now() tally {
	return tally{zeros: h.zeros, small: h.small, weights: h.weights, silent: h.silent, queries: h.queries, mass: h.mass}
}

// rowSum is a query under way.
type rowSum struct {
	position int
	keys     int // shown so far
	sum      float64
	any      bool
}

// Mass is a sum of row sums over Queries queries.
type Mass struct {
	Sum     float64
	Queries int64
}

// layer accumulates one layer's residual stream.
type layer struct {
	moments  moments
	each     []moments // by sample
	min, max float64
	massive  int64
	held     []float32 // of a sample that comes in pieces
}

// New makes diagnostics for a model of layers × heads and a residual stream of width
// hidden, over samples whose lengths are given by forest node.
func New(layers, heads, hidden int, lengths []int, o Options) (*Diagnostics, error) {
	o.Threshold = cmp.Or(o.Threshold, DefaultThreshold)
	o.Keys = cmp.Or(o.Keys, 1)
	if o.Threshold < 0 || o.Threshold >= 1 || o.Keys < 0 {
		return nil, fmt.Errorf("sink threshold %v over %d keys: want a threshold in (0, 1) and at least one key", o.Threshold, o.Keys)
	}
	if len(lengths) == 0 {
		return nil, fmt.Errorf("no samples to measure")
	}
	for i, n := range lengths {
		if n < o.Keys {
			return nil, fmt.Errorf("sample %d has %d tokens, fewer than the %d keys asked about", i, n, o.Keys)
		}
	}
	p := &Diagnostics{opts: o, hidden: hidden, lengths: lengths, heads: make([][]head, layers), layers: make([]layer, layers)}
	for l := range p.heads {
		p.heads[l] = make([]head, heads)
		for h := range p.heads[l] {
			p.heads[l][h].sinks = make([]int, o.Keys)
			p.heads[l][h].keySums = make([]float64, o.Keys)
			p.heads[l][h].each = make([]tally, len(lengths))
		}
		p.layers[l].each = make([]moments, len(lengths))
		p.layers[l].min, p.layers[l].max = math.Inf(1), math.Inf(-1)
	}
	return p, nil
}

func (p *Diagnostics) Attention(b engine.AttentionBlock) {
	h := &p.heads[b.Layer][b.Head]
	for len(h.rows) < b.Queries {
		h.rows = append(h.rows, rowSum{position: -1})
	}
	for q := range b.Queries {
		position := b.Query + q
		row := &h.rows[q]
		if row.position != position {
			*row = rowSum{position: position}
		}
		weights := b.Weights[q*b.Keys:][:min(b.Keys, max(0, position+1-b.Key))]
		for k, w := range weights {
			if w == 0 {
				h.zeros++
			}
			if w <= Small {
				h.small++
			}
			if key := b.Key + k; key < len(h.keySums) {
				h.keySums[key] += float64(w)
			}
			row.sum += float64(w)
			row.any = row.any || w != 0
		}
		row.keys += len(weights)
		if position >= b.Key && position < b.Key+b.Keys { // the query's last key
			h.endRow(row)
			if position == p.lengths[b.Node]-1 {
				h.endSample(b.Node, p.lengths[b.Node], p.opts.Threshold)
			}
		}
	}
}

func (h *head) endRow(row *rowSum) {
	// Keys outside a sliding window are not shown; they are in the causal
	// triangle all the same, with weight zero.
	hidden := int64(row.position + 1 - row.keys)
	h.zeros += hidden
	h.small += hidden
	h.weights += int64(row.position + 1)
	h.queries++
	if !row.any {
		h.silent++
	}
	h.mass += row.sum
	bucket := min(MassBuckets-1, int(math.Log2(float64(row.position+1))))
	h.byLength[bucket].Sum += row.sum
	h.byLength[bucket].Queries++
	row.position = -1
}

// endSample decides whether key k is a sink: alpha_k is the sum of its weights
// over the queries that see it, i >= k, divided by their number T-k+1.
func (h *head) endSample(sample, length int, threshold float64) {
	h.samples++
	t, was := h.now(), h.before
	h.before = t
	h.each[sample] = tally{
		sink:  h.keySums[0]/float64(length) > threshold,
		zeros: t.zeros - was.zeros, small: t.small - was.small, weights: t.weights - was.weights,
		silent: t.silent - was.silent, queries: t.queries - was.queries, mass: t.mass - was.mass,
	}
	for k, sum := range h.keySums {
		if sum/float64(length-k) > threshold {
			h.sinks[k]++
		}
		h.keySums[k] = 0
	}
}

func (p *Diagnostics) Residual(r engine.Residual) {
	l := &p.layers[r.Layer]
	if r.Position == 0 {
		l.held = l.held[:0]
	}
	l.held = append(l.held, r.X...)
	if r.Position+len(r.X)/p.hidden == p.lengths[r.Node] {
		l.add(r.Node, l.held)
		l.held = l.held[:0]
	}
}

// add takes in one sample's residual stream after this layer.
func (l *layer) add(sample int, x []float32) {
	var m moments
	abs := make([]float32, len(x))
	for i, v := range x {
		f := float64(v)
		m.add(f)
		l.min, l.max = min(l.min, f), max(l.max, f)
		abs[i] = float32(math.Abs(f))
	}
	l.moments.merge(m)
	l.each[sample] = m
	slices.Sort(abs)
	n := len(abs)
	median := (float64(abs[(n-1)/2]) + float64(abs[n/2])) / 2
	limit := max(MassiveValue, MassiveRatio*median)
	for i := n - 1; i >= 0 && float64(abs[i]) > limit; i-- {
		l.massive++
	}
}
