package probe

import (
	"cmp"
	"fmt"
	"math/bits"
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

// Diagnostics is an engine.Observer, and a Tallier. Use one for one run over samples that are each a
// forest node without parent, and read it when every sample is observed, here or by
// another process (Take).
type Diagnostics struct {
	opts    Options
	hidden  int
	lengths []int // of each sample, by node
	heads   [][]head
	layers  int
	samples []*observed.Sample
	held    [][]piece // of each sample that comes in pieces, by layer
	spare   spare
	left    []atomic.Int32 // by sample, what is not complete: heads, and layers of the residual stream
}

// head accumulates one layer's head over the sample under way. Only one goroutine at a
// time touches it.
type head struct {
	zeros, small, silent int64
	mass                 float64
	byLength             [MassBuckets]float64
	keySums              []float64 // by key
	rows                 []rowTally
}

// rowTally is a query under way, of which blocks of weights are shown.
type rowTally struct {
	position int
	keys     int // shown so far
	sum      float64
	zeros    int
	small    int
}

// Mass is a sum of row sums over Queries queries.
type Mass struct {
	Sum     float64
	Queries int64
}

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
		opts: o, hidden: hidden, lengths: lengths, heads: make([][]head, layers), layers: layers,
		samples: make([]*observed.Sample, len(lengths)), held: make([][]piece, len(lengths)), left: make([]atomic.Int32, len(lengths)),
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

// Counts implements engine.Tallier.
func (p *Diagnostics) Counts() (small float32, keys int) { return Small, p.opts.Keys }

// TallyAttention implements engine.Tallier.
func (p *Diagnostics) TallyAttention(t engine.AttentionTally) {
	h := &p.heads[t.Layer][t.Head]
	for q, sum := range t.Sums {
		for k, w := range t.First[q*p.opts.Keys:][:p.opts.Keys] {
			h.keySums[k] += float64(w)
		}
		h.add(t.Query+q, sum, t.Zeros[q], t.Small[q])
	}
	p.endQueries(t.Layer, t.Head, t.Node, t.Query+len(t.Sums))
}

// add takes in a query's weights.
func (h *head) add(position int, sum float64, zeros, small int) {
	h.zeros += int64(zeros)
	h.small += int64(small)
	if zeros == position+1 {
		h.silent++
	}
	h.mass += sum
	h.byLength[bucketOf(position+1)] += sum
}

// endQueries ends a sample's head where that was the last of its queries; behind is the position
// after it.
func (p *Diagnostics) endQueries(layer, head, node, behind int) {
	if behind == p.lengths[node] {
		p.heads[layer][head].endSample(&p.samples[node].Layers[layer], head, behind, p.opts.Threshold)
		p.left[node].Add(-1)
	}
}

// Attention implements engine.Observer.
func (p *Diagnostics) Attention(b engine.AttentionBlock) {
	h := &p.heads[b.Layer][b.Head]
	for len(h.rows) < b.Queries {
		h.rows = append(h.rows, rowTally{position: -1})
	}
	for q := range b.Queries {
		position := b.Query + q
		row := &h.rows[q]
		if row.position != position {
			*row = rowTally{position: position}
		}
		weights := b.Weights[q*b.Keys:][:min(b.Keys, max(0, position+1-b.Key))]
		for k, w := range weights {
			if w == 0 {
				row.zeros++
			}
			if w <= Small {
				row.small++
			}
			if key := b.Key + k; key < len(h.keySums) {
				h.keySums[key] += float64(w)
			}
			row.sum += float64(w)
		}
		row.keys += len(weights)
		if position >= b.Key && position < b.Key+b.Keys { // the query's last key
			// Keys outside a sliding window are not shown; they are in the causal
			// triangle all the same, with weight zero.
			hidden := position + 1 - row.keys
			h.add(position, row.sum, row.zeros+hidden, row.small+hidden)
			row.position = -1
			p.endQueries(b.Layer, b.Head, b.Node, position+1)
		}
	}
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
