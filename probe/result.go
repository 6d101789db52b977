package probe

import (
	"math"

	"github.com/softbench/softbench/engine/kernel"
)

// Head is what one head did over all samples. Shares are in [0, 1].
type Head struct {
	Layer, Head int
	// SinkShare[k] is the share of samples in which the mean weight of key k,
	// over the queries that see it, exceeds the threshold.
	SinkShare []float64
	// Sparsity is the share of the causal triangle's weights that are exactly
	// zero; NearSparsity of those of at most Small.
	Sparsity, NearSparsity float64
	// Dead: every weight is zero, for every query of every sample.
	Dead bool
	// Silent is the share of queries without any weight.
	Silent float64
	// Mass is the mean sum of a query's weights: 1 for softmax.
	Mass float64
	// MassByLength is the same by the number of keys a query sees: entry b is
	// over queries of [2^b, 2^(b+1)) keys.
	MassByLength [MassBuckets]Mass
}

// Layer is the residual stream after one block, over all samples.
type Layer struct {
	Layer    int
	Kurtosis float64 // Pearson's: 3 for a Gaussian
	Min, Max float64
	Massive  int64 // activations above MassiveValue and MassiveRatio medians
	Values   int64
}

// Summary is the whole model's measures.
type Summary struct {
	Samples, Tokens int
	// SinkRate[k] is the share of (sample, layer, head) whose mean weight on key
	// k exceeds the threshold (DESIGN §11; arXiv 2410.10781 with k = 1 there).
	SinkRate               []float64
	Sparsity, NearSparsity float64 // pooled over heads
	DeadHeads              float64 // share of heads
	Mass                   float64 // mean over heads and queries
	Kurtosis               float64 // pooled over layers
	Min, Max               float64
	Massive                int64
}

// Sample is one sample's measures over the whole model: what a comparison of two
// models pairs.
type Sample struct {
	SinkRate               float64 // share of heads whose mean weight on the first key exceeds the threshold
	Sparsity, NearSparsity float64 // pooled over heads
	DeadHeads              float64 // share of heads without any weight in this sample
	Mass                   float64 // mean over heads and queries
	Kurtosis               float64 // pooled over layers
}

// Samples returns every sample's measures, in the samples' order.
func (p *Diagnostics) Samples() []Sample {
	out := make([]Sample, len(p.samples))
	for i, o := range p.samples {
		var all tally
		var heads, sinks, dead int64
		var m kernel.Moments
		for n := range o.Layers {
			l := &o.Layers[n]
			for h := range l.Sinks {
				var one tally
				one.add(o, l, h)
				all.add(o, l, h)
				heads++
				sinks += int64(l.Sinks[h] & 1)
				if one.dead() {
					dead++
				}
			}
			m.Merge(stream(l))
		}
		out[i] = Sample{
			SinkRate: share(sinks, heads), Sparsity: share(all.zeros, all.weights), NearSparsity: share(all.small, all.weights),
			DeadHeads: share(dead, heads), Mass: all.mass / float64(all.queries), Kurtosis: m.Kurtosis(),
		}
	}
	return out
}

// head sums up a head over all samples, in their order.
func (p *Diagnostics) head(layer, head int) (t tally, sinks []int64, byLength [MassBuckets]Mass) {
	sinks = make([]int64, p.opts.Keys)
	for _, o := range p.samples {
		l := &o.Layers[layer]
		t.add(o, l, head)
		for k := range sinks {
			sinks[k] += int64(l.Sinks[head] >> k & 1)
		}
		for b, sum := range l.MassByLength[head] {
			byLength[b].Sum += sum
			byLength[b].Queries += int64(min(o.Tokens, 2<<b-1) - (1<<b - 1))
		}
	}
	return t, sinks, byLength
}

// Heads returns every head's measures, layer by layer.
func (p *Diagnostics) Heads() []Head {
	var out []Head
	for l := range p.heads {
		for i := range p.heads[l] {
			t, sinks, byLength := p.head(l, i)
			r := Head{
				Layer: l, Head: i, Sparsity: share(t.zeros, t.weights), NearSparsity: share(t.small, t.weights),
				Dead: t.dead(), Silent: share(t.silent, t.queries),
				Mass: t.mass / float64(t.queries), MassByLength: byLength,
			}
			for _, n := range sinks {
				r.SinkShare = append(r.SinkShare, share(n, int64(len(p.samples))))
			}
			out = append(out, r)
		}
	}
	return out
}

// layer sums up a layer over all samples, in their order.
func (p *Diagnostics) layer(i int) (m kernel.Moments, low, high float64, massive int64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, o := range p.samples {
		l := &o.Layers[i]
		m.Merge(stream(l))
		low, high, massive = min(low, l.Min), max(high, l.Max), massive+l.Massive
	}
	return m, low, high, massive
}

// Layers returns every layer's measures.
func (p *Diagnostics) Layers() []Layer {
	var out []Layer
	for i := range p.layers {
		m, low, high, massive := p.layer(i)
		out = append(out, Layer{Layer: i, Kurtosis: m.Kurtosis(), Min: low, Max: high, Massive: massive, Values: int64(m.N)})
	}
	return out
}

// Summary pools heads and layers.
func (p *Diagnostics) Summary() Summary {
	s := Summary{Samples: len(p.lengths), SinkRate: make([]float64, p.opts.Keys)}
	for _, n := range p.lengths {
		s.Tokens += n
	}
	var whole tally
	var dead, heads int64
	all := make([]int64, p.opts.Keys)
	for l := range p.heads {
		for i := range p.heads[l] {
			t, sinks, _ := p.head(l, i)
			whole.zeros, whole.small, whole.weights, whole.queries = whole.zeros+t.zeros, whole.small+t.small, whole.weights+t.weights, whole.queries+t.queries
			whole.mass += t.mass
			heads++
			if t.dead() {
				dead++
			}
			for k, n := range sinks {
				all[k] += n
			}
		}
	}
	for k, n := range all {
		s.SinkRate[k] = share(n, heads*int64(len(p.lengths)))
	}
	s.Sparsity, s.NearSparsity, s.DeadHeads = share(whole.zeros, whole.weights), share(whole.small, whole.weights), share(dead, heads)
	s.Mass = whole.mass / float64(whole.queries)
	var pooled kernel.Moments
	for i := range p.layers {
		m, low, high, massive := p.layer(i)
		if i == 0 {
			s.Min, s.Max = low, high
		}
		pooled.Merge(m)
		s.Min, s.Max, s.Massive = min(s.Min, low), max(s.Max, high), s.Massive+massive
	}
	s.Kurtosis = pooled.Kurtosis()
	return s
}

func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
