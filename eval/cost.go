package eval

import (
	"math"
	"time"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
)

// cost says how long work takes: a time for each batch, row, pair and scored row, fitted to work of
// which the time is known. What that does not tell apart is taken to be as multiplications are.
type cost struct {
	units [4]float64 // multiplications of one batch, row, pair and head

	// Of what was observed: the sums of x·xᵀ/t and of x, x being multiplications and t seconds.
	xx      [4][4]float64
	x       [4]float64
	seconds float64
	// Of late: the same sums, halved every recently seconds of work.
	recent        [4]float64
	recentSeconds float64
}

// recently is how long an observation has a say in how fast the machine is now.
const recently = 20.0

// newCost takes a model's sizes for what is not observed yet. A product of attention is slower than
// one of a matrix of weights, and a batch has to read all weights, whatever its rows.
func newCost(c *checkpoint.Config) *cost {
	const attention, batch = 2, 8
	hidden, heads := float64(c.Hidden), float64(c.Heads*c.HeadDim)
	matrices := 2.0
	if c.MLP.Gated {
		matrices = 3
	}
	row := float64(c.Layers) * (2*hidden*heads + 2*hidden*float64(c.KVHeads*c.HeadDim))
	for i := range c.Layers {
		width := c.Intermediate
		if i < len(c.Blocks) && c.Blocks[i].Experts {
			width = c.Experts.Each*c.Experts.Width + c.Experts.Shared
		}
		row += matrices * hidden * float64(width)
	}
	return &cost{units: [4]float64{batch * row, row, attention * 2 * heads, hidden * float64(c.Vocab)}}
}

// in are the multiplications of work.
func (c *cost) in(w engine.Work) (x [4]float64) {
	for i, n := range [4]int64{w.Batches, w.Rows, w.Pairs, w.Heads} {
		x[i] = c.units[i] * float64(max(n, 0))
	}
	return x
}

// observe takes work and the time it took.
func (c *cost) observe(w engine.Work, took time.Duration) {
	t := took.Seconds()
	if t <= 0 {
		return
	}
	x := c.in(w)
	fade := math.Exp2(-t / recently)
	for i := range x {
		for k := range x {
			c.xx[i][k] += x[i] * x[k] / t
		}
		c.x[i] += x[i]
		c.recent[i] = c.recent[i]*fade + x[i]
	}
	c.seconds += t
	c.recentSeconds = c.recentSeconds*fade + t
}

// known says whether anything was observed.
func (c *cost) known() bool { return c.seconds > 0 }

// fit are the seconds of a multiplication of each kind: least squares with errors in proportion to
// the time, drawn a little to what all kinds take together, and never far below it.
func (c *cost) fit() (m [4]float64) {
	sum, trace := 0.0, 0.0
	for i := range c.x {
		sum += c.x[i]
		trace += c.xx[i][i]
	}
	if sum == 0 || trace == 0 {
		return m
	}
	const draw, least, rounds = 1e-3, 0.02, 300
	all := c.seconds / sum
	for i := range m {
		m[i] = all
	}
	for range rounds {
		for i := range m {
			rest := c.x[i] + draw*trace*all
			for k := range m {
				if k != i {
					rest -= c.xx[i][k] * m[k]
				}
			}
			m[i] = max(rest/(c.xx[i][i]+draw*trace), least*all)
		}
	}
	return m
}

// takes is how long work takes at the speed of late.
func (c *cost) takes(w engine.Work) time.Duration {
	m, late, want := c.fit(), 0.0, 0.0
	x := c.in(w)
	for i := range m {
		late += m[i] * c.recent[i]
		want += m[i] * x[i]
	}
	if late > 0 {
		want *= c.recentSeconds / late
	}
	return time.Duration(want * float64(time.Second))
}

// left is what is still to be done of what was foreseen. Texts that are decoded are taken to get the
// share of their longest that those at their end got.
func left(foreseen, done engine.Stats) engine.Work {
	most := foreseen.Decoded.Rows - done.Decoded.Rows // rows of texts to come, at most
	if most <= 0 {
		return foreseen.Work().Minus(done.Work())
	}
	const before = 0.02 // of all texts, taken to be at their longest
	doubt := before * float64(foreseen.Decoded.Rows)
	share := (float64(done.Ended) + doubt) / (float64(done.EndedOf) + doubt)
	underWay := float64(done.Decoded.Rows - done.Ended)
	rows := max(0, float64(foreseen.Decoded.Rows-done.EndedOf)*share-underWay)
	part := min(1, rows/float64(most))
	of := func(n int64) int64 { return int64(math.Round(float64(n) * part)) }
	texts := foreseen.Decoded.Minus(done.Decoded)
	rest := foreseen.Work().Minus(done.Work()).Minus(texts)
	all := rest.Rows + texts.Rows
	rest.Rows, rest.Pairs, rest.Heads = rest.Rows+of(texts.Rows), rest.Pairs+of(texts.Pairs), rest.Heads+of(texts.Heads)
	if all > 0 {
		rest.Batches = int64(math.Ceil(float64(rest.Batches) * float64(rest.Rows) / float64(all)))
	}
	return rest
}
