package probe

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/probe/observed"
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
// forest node without parent, and read it when every sample is observed, here or by
// another process (Take).
type Diagnostics struct {
	opts    Options
	hidden  int
	lengths []int // of each sample, by node
	heads   [][]head
	layers  []layer
	samples []*observed.Sample
	left    []atomic.Int32 // by sample, what is not complete: heads, and layers of the residual stream
}

// head accumulates one layer's head over the sample under way. Only one goroutine at a
// time touches it.
type head struct {
	zeros, small, silent int64
	mass                 float64
	byLength             [MassBuckets]float64
	keySums              []float64 // by key
	rows                 []rowSum
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

// layer holds one layer's residual stream of a sample that comes in pieces.
type layer struct{ held []float32 }

// New makes diagnostics for a model of layers × heads and a residual stream of width
// hidden, over samples whose lengths are given by forest node.
func New(layers, heads, hidden int, lengths []int, o Options) (*Diagnostics, error) {
	o.Threshold = cmp.Or(o.Threshold, DefaultThreshold)
	o.Keys = cmp.Or(o.Keys, 1)
	if o.Threshold < 0 || o.Threshold >= 1 || o.Keys < 0 || o.Keys > maxKeys {
		return nil, fmt.Errorf("sink threshold %v over %d keys: want a threshold in (0, 1) and one key to %d", o.Threshold, o.Keys, maxKeys)
	}
	if len(lengths) == 0 {
		return nil, fmt.Errorf("no samples to measure")
	}
	for i, n := range lengths {
		if n < o.Keys {
			return nil, fmt.Errorf("sample %d has %d tokens, fewer than the %d keys asked about", i, n, o.Keys)
		}
	}
	p := &Diagnostics{
		opts: o, hidden: hidden, lengths: lengths, heads: make([][]head, layers), layers: make([]layer, layers),
		samples: make([]*observed.Sample, len(lengths)), left: make([]atomic.Int32, len(lengths)),
	}
	for l := range p.heads {
		p.heads[l] = make([]head, heads)
		for h := range p.heads[l] {
			p.heads[l][h].keySums = make([]float64, o.Keys)
		}
	}
	for i, n := range lengths {
		p.samples[i] = newObservation(n, layers, heads)
		p.left[i].Store(int32(layers*heads + layers))
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
				h.endSample(&p.samples[b.Node].Layers[b.Layer], b.Head, p.lengths[b.Node], p.opts.Threshold)
				p.left[b.Node].Add(-1)
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
	if !row.any {
		h.silent++
	}
	h.mass += row.sum
	h.byLength[bucketOf(row.position+1)] += row.sum
	row.position = -1
}

// bucketOf is the bucket of queries that see so many keys.
func bucketOf(keys int) int { return min(MassBuckets-1, bits.Len(uint(keys))-1) }

// endSample puts away what the sample gave, and decides whether key k is a sink: alpha_k
// is the sum of its weights over the queries that see it, i >= k, divided by their number
// T-k+1.
func (h *head) endSample(to *observed.Layer, i, length int, threshold float64) {
	to.Zeros[i], to.Small[i], to.Silent[i], to.Mass[i] = h.zeros, h.small, h.silent, h.mass
	copy(to.MassByLength[i], h.byLength[:])
	for k, sum := range h.keySums {
		if sum/float64(length-k) > threshold {
			to.Sinks[i] |= 1 << k
		}
	}
	clear(h.keySums)
	*h = head{keySums: h.keySums, rows: h.rows}
}

func (p *Diagnostics) Residual(r engine.Residual) {
	l := &p.layers[r.Layer]
	if r.Position == 0 {
		l.held = l.held[:0]
	}
	l.held = append(l.held, r.X...)
	if r.Position+len(r.X)/p.hidden == p.lengths[r.Node] {
		addStream(&p.samples[r.Node].Layers[r.Layer], l.held)
		p.left[r.Node].Add(-1)
		l.held = l.held[:0]
	}
}

// addStream takes in the sample's residual stream after this layer.
func addStream(l *observed.Layer, x []float32) {
	var m moments
	abs := make([]float32, len(x))
	l.Min, l.Max = math.Inf(1), math.Inf(-1)
	for i, v := range x {
		f := float64(v)
		m.add(f)
		l.Min, l.Max = min(l.Min, f), max(l.Max, f)
		abs[i] = float32(math.Abs(f))
	}
	l.Moments = [5]float64{m.n, m.mean, m.m2, m.m3, m.m4}
	slices.Sort(abs)
	n := len(abs)
	median := (float64(abs[(n-1)/2]) + float64(abs[n/2])) / 2
	limit := max(MassiveValue, MassiveRatio*median)
	for i := n - 1; i >= 0 && float64(abs[i]) > limit; i-- {
		l.Massive++
	}
}
