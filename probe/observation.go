package probe

import (
	"fmt"

	"github.com/softbench/softbench/probe/observed"
)

// maxKeys is how many keys a mask of sinks has room for.
const maxKeys = 64

// newObservation has room for a sample of so many tokens.
func newObservation(tokens, layers, heads int) *observed.Sample {
	o := &observed.Sample{Tokens: tokens, Layers: make([]observed.Layer, layers)}
	for i := range o.Layers {
		l := &o.Layers[i]
		l.Sinks, l.Zeros, l.Small, l.Silent = make([]uint64, heads), make([]int64, heads), make([]int64, heads), make([]int64, heads)
		l.Mass, l.MassByLength = make([]float64, heads), make([][]float64, heads)
		for h := range l.MassByLength {
			l.MassByLength[h] = make([]float64, bucketOf(tokens)+1)
		}
	}
	return o
}

// Observed is what sample i gave, nil where it is not complete.
func (p *Diagnostics) Observed(i int) *observed.Sample {
	if p.left[i].Load() > 0 {
		return nil
	}
	return p.samples[i]
}

// Take takes what another process observed of sample i, which must be of the same shape.
func (p *Diagnostics) Take(i int, o *observed.Sample) error {
	if o == nil || o.Tokens != p.lengths[i] || len(o.Layers) != p.layers {
		return fmt.Errorf("the observation of sample %d is not of a sample of %d tokens and a model of %d layers", i, p.lengths[i], p.layers)
	}
	for n := range o.Layers {
		l, heads := &o.Layers[n], len(p.heads[n])
		fits := len(l.Sinks) == heads && len(l.Zeros) == heads && len(l.Small) == heads && len(l.Silent) == heads && len(l.Mass) == heads && len(l.MassByLength) == heads
		for _, m := range l.MassByLength {
			fits = fits && len(m) == bucketOf(o.Tokens)+1
		}
		if !fits || l.Moments[0] != float64(o.Tokens*p.hidden) {
			return fmt.Errorf("the observation of sample %d has a layer %d that is not of %d heads and %d values a token", i, n, heads, p.hidden)
		}
	}
	p.samples[i] = o
	p.left[i].Store(0)
	return nil
}

// triangle is the number of weights of a head over the sample: query i sees i+1 keys.
func triangle(o *observed.Sample) int64 { return int64(o.Tokens) * int64(o.Tokens+1) / 2 }

// tally is what heads gave over one sample or several.
type tally struct {
	zeros, small, weights, silent, queries int64
	mass                                   float64
}

func (t *tally) add(o *observed.Sample, l *observed.Layer, head int) {
	t.zeros, t.small, t.weights = t.zeros+l.Zeros[head], t.small+l.Small[head], t.weights+triangle(o)
	t.silent, t.queries = t.silent+l.Silent[head], t.queries+int64(o.Tokens)
	t.mass += l.Mass[head]
}

// dead says that no query had any weight.
func (t *tally) dead() bool { return t.queries > 0 && t.silent == t.queries }
