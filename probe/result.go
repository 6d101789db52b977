package probe

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
	out := make([]Sample, len(p.lengths))
	for i := range out {
		var all tally
		var heads, sinks, dead int64
		var m moments
		for l := range p.heads {
			for h := range p.heads[l] {
				t := &p.heads[l][h].each[i]
				all.zeros, all.small, all.weights = all.zeros+t.zeros, all.small+t.small, all.weights+t.weights
				all.queries += t.queries
				all.mass += t.mass
				heads++
				if t.sink {
					sinks++
				}
				if t.queries > 0 && t.silent == t.queries {
					dead++
				}
			}
			m.merge(p.layers[l].each[i])
		}
		out[i] = Sample{
			SinkRate: share(sinks, heads), Sparsity: share(all.zeros, all.weights), NearSparsity: share(all.small, all.weights),
			DeadHeads: share(dead, heads), Mass: all.mass / float64(all.queries), Kurtosis: m.kurtosis(),
		}
	}
	return out
}

// Heads returns every head's measures, layer by layer.
func (p *Diagnostics) Heads() []Head {
	var out []Head
	for l := range p.heads {
		for i := range p.heads[l] {
			h := &p.heads[l][i]
			r := Head{
				Layer: l, Head: i, Sparsity: share(h.zeros, h.weights), NearSparsity: share(h.small, h.weights),
				Dead: h.queries > 0 && h.silent == h.queries, Silent: share(h.silent, h.queries),
				Mass: h.mass / float64(h.queries), MassByLength: h.byLength,
			}
			for _, n := range h.sinks {
				r.SinkShare = append(r.SinkShare, share(int64(n), int64(h.samples)))
			}
			out = append(out, r)
		}
	}
	return out
}

// Layers returns every layer's measures.
func (p *Diagnostics) Layers() []Layer {
	var out []Layer
	for i := range p.layers {
		l := &p.layers[i]
		out = append(out, Layer{Layer: i, Kurtosis: l.moments.kurtosis(), Min: l.min, Max: l.max, Massive: l.massive, Values: int64(l.moments.n)})
	}
	return out
}

// Summary pools heads and layers.
func (p *Diagnostics) Summary() Summary {
	s := Summary{Samples: len(p.lengths), SinkRate: make([]float64, p.opts.Keys)}
	for _, n := range p.lengths {
		s.Tokens += n
	}
	var zeros, small, weights, queries, dead, heads int64
	var mass float64
	sinks := make([]int64, p.opts.Keys)
	for l := range p.heads {
		for i := range p.heads[l] {
			h := &p.heads[l][i]
			zeros, small, weights, queries = zeros+h.zeros, small+h.small, weights+h.weights, queries+h.queries
			mass += h.mass
			heads++
			if h.queries > 0 && h.silent == h.queries {
				dead++
			}
			for k, n := range h.sinks {
				sinks[k] += int64(n)
			}
		}
	}
	for k, n := range sinks {
		s.SinkRate[k] = share(n, heads*int64(len(p.lengths)))
	}
	s.Sparsity, s.NearSparsity, s.DeadHeads = share(zeros, weights), share(small, weights), share(dead, heads)
	s.Mass = mass / float64(queries)
	var all moments
	for i := range p.layers {
		l := &p.layers[i]
		if i == 0 {
			s.Min, s.Max = l.min, l.max
		}
		all.merge(l.moments)
		s.Min, s.Max, s.Massive = min(s.Min, l.min), max(s.Max, l.max), s.Massive+l.massive
	}
	s.Kurtosis = all.kurtosis()
	return s
}

func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
