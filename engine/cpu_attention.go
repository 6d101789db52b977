package engine

import (
	"context"
	"math"
	"sort"

	"github.com/softbench/softbench/engine/kernel"
)

// attentionWork is one task: some rows of a span, for one key/value head.
type attentionWork struct {
	span   *Span
	kvHead int
	r0, r1 int // rows of the span
}

// attentionTile is the working memory of one task, and where its keys lie.
type attentionTile struct {
	q      []float32 // [queries, head size], scaled
	o      []float32 // [queries, kvLayout.width], unnormalised
	s      []float32 // [queries, KeyBlock]
	edge   []float32 // [queries, KeyGroup]
	states []kernel.State

	// With bfloat16, what the two products take.
	half    []uint16  // [queries, width]: the queries
	weights []uint16  // [queries, KeyBlock]
	values  []uint16  // [KeyBlock/2, width, 2]: of a block that segments share
	round   []float32 // [width] bfloat16: two rows of keys or values

	normed []float32 // the norm of a position's queries or keys, before it replaces them

	lo, hi  []int     // lanes of the key block that each query sees
	factors []float32 // what each query's outputs so far are multiplied by

	// Of observers alone.
	norms   []float32 // by query
	tallies []kernel.Tally
	shown   []float32 // [rows, keys of a block]: one head's final weights
}

// qkvWidth is the numbers of a row of queries, keys and values, and of the gate
// of the output behind them, where there is one.
func (c *cpu) qkvWidth() int {
	heads := c.config.Heads + 2*c.config.KVHeads
	if c.config.Attention.Gated {
		heads += c.config.Heads
	}
	return heads * c.config.HeadDim
}

// rotateAndStore applies the per-head norms and RoPE to queries and keys and
// puts keys and values into the rows' own segments.
func (c *cpu) rotateAndStore(ctx context.Context, layer int, b *Batch) error {
	rows := len(b.Tokens)
	return c.pool.run(ctx, chunks(rows), func(worker, i int) {
		r0, r1 := i*rowChunk, min(rows, (i+1)*rowChunk)
		at := sort.Search(len(b.Spans), func(j int) bool { return b.Spans[j].Row+b.Spans[j].N > r0 })
		for ; r0 < r1; at++ {
			sp := &b.Spans[at]
			end := min(r1, sp.Row+sp.N)
			c.storeRows(&c.scratch.tiles[worker], layer, sp, r0, end)
			r0 = end
		}
	})
}

// storeRows does so for rows [r0, r1) of the batch, all of one span.
func (c *cpu) storeRows(t *attentionTile, layer int, sp *Span, r0, r1 int) {
	stride, position := c.qkvWidth(), sp.Position+r0-sp.Row
	for r := r0; r < r1; r++ {
		c.prepareHeads(t, layer, c.scratch.qkv[r*stride:][:stride], position+r-r0, r)
	}
	own := sp.Path[len(sp.Path)-1].(*cpuSegment)
	c.layout.format.put(c, t, own, layer, position, r1-r0, c.scratch.qkv[r0*stride:])
}

// keysAndValues are those of one head in a row of queries, keys and values.
func (c *cpu) keysAndValues(row []float32, head int) (key, value []float32) {
	size, key0 := c.config.HeadDim, (c.config.Heads+head)*c.config.HeadDim
	return row[key0:][:size], row[key0+c.config.KVHeads*size:][:size]
}

// prepareHeads normalises, clips and rotates the queries and keys of one row of
// q, k and v, row r of the batch.
func (c *cpu) prepareHeads(t *attentionTile, layer int, row []float32, position, r int) {
	w, size := &c.weights.layers[layer], c.config.HeadDim
	q, k := row[:c.config.Heads*size], row[c.config.Heads*size:][:c.config.KVHeads*size]
	norms := c.config.QKNorm.On
	if norms && !c.config.QKNorm.After {
		c.normHeads(t, q, &w.qNorm, r)
		c.normHeads(t, k, &w.kNorm, r)
	}
	if c.config.ClipQKV > 0 {
		kernel.Clip(row[:(c.config.Heads+2*c.config.KVHeads)*size], c.config.ClipQKV)
	}
	if own := c.config.Blocks[layer].Rotary; own >= 0 && own < len(c.ropes) {
		cos, sin := c.ropes[own].at(position)
		for x := row[:len(q)+len(k)]; len(x) > 0; x = x[size:] {
			c.set.Rotate(x[:2*len(cos)], cos, sin)
		}
	}
	if norms && c.config.QKNorm.After {
		c.normHeads(t, q, &w.qNorm, r)
		c.normHeads(t, k, &w.kNorm, r)
	}
}

// normHeads normalises one position's queries or keys, x [heads·head size].
func (c *cpu) normHeads(t *attentionTile, x []float32, w *normWeights, row int) {
	n := &c.config.QKNorm
	growFloats(&t.normed, len(x))
	defer copy(x, t.normed)
	if n.Wide {
		c.norm(t.normed, x, w, &n.Norm, row)
		return
	}
	size := c.config.HeadDim
	for at := 0; at < len(x); at += size {
		part := *w
		if n.PerHead && !n.Bare {
			part.weight = w.weight[at:][:size]
			if w.bias != nil {
				part.bias = w.bias[at:][:size]
			}
		}
		c.norm(t.normed[at:][:size], x[at:][:size], &part, &n.Norm, row)
	}
}

// attend fills mixed with the attention's output of every row; in the last
// layer, of the rows that planHeads keeps.
func (c *cpu) attend(ctx context.Context, layer int, b *Batch) error {
	group := c.config.Heads / c.config.KVHeads
	step := max(1, c.set.QueryTile()/group)
	// Head by head: the keys and values of one head are all that a task reads,
	// and the next task finds them in the cache.
	work := c.scratch.work[:0]
	for h := range c.config.KVHeads {
		work = c.headWork(work, h, step, layer, b)
	}
	c.scratch.work = work
	switch o := b.Observer.(type) {
	case nil:
		return c.pool.run(ctx, len(work), func(worker, i int) {
			c.attendTile(&c.scratch.tiles[worker], layer, work[i])
		})
	case Tallier:
		return c.attendTallied(ctx, layer, work, b, o)
	default:
		return c.attendObserved(ctx, layer, work, o)
	}
}

// headWork adds one head's tasks: all rows of the batch, at most step at once,
// or in the last layer runs of those that planHeads keeps.
func (c *cpu) headWork(work []attentionWork, head, step, layer int, b *Batch) []attentionWork {
	kept, all := c.scratch.kept, !c.last(layer)
	for i := range b.Spans {
		sp := &b.Spans[i]
		if all {
			for r := 0; r < sp.N; r += step {
				work = append(work, attentionWork{sp, head, r, min(sp.N, r+step)})
			}
			continue
		}
		for len(kept) > 0 && kept[0] < sp.Row+sp.N { // runs of neighbours
			n := 1
			for n < min(step, len(kept)) && kept[n] == kept[0]+n && kept[n] < sp.Row+sp.N {
				n++
			}
			work = append(work, attentionWork{sp, head, kept[0] - sp.Row, kept[0] - sp.Row + n})
			kept = kept[n:]
		}
	}
	return work
}

// attendTile computes a task in one pass over its key blocks, which start at
// multiples of KeyBlock from position 0 and come in ascending order.
func (c *cpu) attendTile(t *attentionTile, layer int, w attentionWork) {
	size, group := c.config.HeadDim, c.config.Heads/c.config.KVHeads
	width := c.layout.width()
	m := (w.r1 - w.r0) * group
	c.loadQueries(t, layer, w)
	grow(&t.o, m*width)
	clear(t.o)
	grow(&t.states, m)
	grow(&t.lo, m)
	grow(&t.hi, m)
	grow(&t.factors, m)
	sinks := c.weights.layers[layer].sinks
	for i := range t.states {
		learned := float32(0)
		if sinks != nil {
			learned = sinks[w.kvHead*group+i%group]
		}
		t.states[i] = kernel.NewState(c.kind, learned)
	}
	c.eachKeyBlock(t, layer, w, func(block, end int) {
		for i := range m {
			t.lo[i], t.hi[i] = c.visible(layer, w, i/group, block)
		}
		any := c.set.WeighRows(c.kind, t.s, m, t.lo, t.hi, t.states, t.factors)
		for i, factor := range t.factors {
			if factor != 1 {
				c.set.Scale(t.o[i*width:][:size], factor)
			}
		}
		if any { // else every weight is zero: the values are not read
			c.layout.format.addValues(c, t, layer, w, m, block, end)
		}
	})
	stride := c.config.Heads * size
	for i := range m {
		o := t.o[i*width:][:size]
		c.set.Scale(o, t.states[i].Norm(c.kind))
		row, head := w.span.Row+w.r0+i/group, w.kvHead*group+i%group
		if c.config.Attention.Gated {
			gate := c.scratch.qkv[row*c.qkvWidth()+(c.config.Heads+2*c.config.KVHeads+head)*size:]
			kernel.Gate(o, gate[:size])
		}
		copy(c.scratch.mixed[row*stride+head*size:], o)
	}
}

// loadQueries gathers a task's queries, scaled by 1/sqrt(head size) and, in
// scaled kinds, by s[head]·ln(position+2). Query i is row i/group, head i%group.
func (c *cpu) loadQueries(t *attentionTile, layer int, w attentionWork) {
	size, group := c.config.HeadDim, c.config.Heads/c.config.KVHeads
	stride := c.qkvWidth()
	m := (w.r1 - w.r0) * group
	grow(&t.q, m*size)
	grow(&t.s, m*kernel.KeyBlock)
	grow(&t.edge, m*kernel.KeyGroup)
	base := c.scoreScale(layer)
	for i := range m {
		r, head := w.r0+i/group, w.kvHead*group+i%group
		scale := base
		if s := c.weights.layers[layer].scale; s != nil {
			scale *= s[head] * float32(math.Log(float64(w.span.Position+r+2)))
		}
		scale *= c.positionScale(layer, w.span.Position+r)
		q := t.q[i*size:][:size]
		copy(q, c.scratch.qkv[(w.span.Row+r)*stride+head*size:])
		c.set.Scale(q, scale)
	}
	c.layout.format.queries(c, t, m)
}

// scoreScale is what products of queries and keys are multiplied by in a layer.
func (c *cpu) scoreScale(layer int) float32 {
	scale := c.config.AttnScale
	if scale == 0 {
		scale = float32(1 / math.Sqrt(float64(c.config.HeadDim)))
	}
	if own := c.config.Blocks[layer].AttnScale; own != 0 {
		scale *= own
	}
	return scale
}

// positionScale is what a query's position multiplies it by.
func (c *cpu) positionScale(layer, position int) float32 {
	i := c.config.Blocks[layer].Rotary
	if i < 0 || i >= len(c.config.Rotary) {
		return 1
	}
	r := &c.config.Rotary[i]
	if r.QueryBeta == 0 {
		return 1
	}
	return float32(1 + r.QueryBeta*math.Log(float64(1+position/r.OriginalMaxPositions)))
}

// eachKeyBlock calls visit with the scores of a task's queries over each key
// block any of them sees, in t.s; end is the position after the last key that
// the task sees in it. Scores of unseen keys are arbitrary.
func (c *cpu) eachKeyBlock(t *attentionTile, layer int, w attentionWork, visit func(block, end int)) {
	m := (w.r1 - w.r0) * c.config.Heads / c.config.KVHeads
	last := w.span.Position + w.r1 - 1
	first := 0
	if window := c.config.Blocks[layer].Window; window > 0 {
		first = max(0, w.span.Position+w.r0-window+1)
	}
	for block := first / kernel.KeyBlock * kernel.KeyBlock; block <= last; block += kernel.KeyBlock {
		end := min(block+kernel.KeyBlock, last+1)
		eachSegment(w.span.Path, block, end, func(seg *cpuSegment, from, to int) {
			g, until := from/kernel.KeyGroup, (to+kernel.KeyGroup-1)/kernel.KeyGroup
			if lane := from % kernel.KeyGroup; lane != 0 {
				// The group's first lanes belong to the segment before.
				c.layout.format.scores(c, t.edge, kernel.KeyGroup, t, m, seg, layer, w.kvHead, g, 1)
				for i := range m {
					copy(t.s[i*kernel.KeyBlock+from-block:][:kernel.KeyGroup-lane], t.edge[i*kernel.KeyGroup+lane:])
				}
				g++
			}
			if g < until {
				c.layout.format.scores(c, t.s[g*kernel.KeyGroup-block:], kernel.KeyBlock, t, m, seg, layer, w.kvHead, g, until-g)
			}
		})
		if a := c.config.ScoreCap; a > 0 {
			kernel.SoftCap(t.s[:m*kernel.KeyBlock], a)
		}
		visit(block, end)
	}
}

// visible is the range of a key block's lanes that a row sees.
func (c *cpu) visible(layer int, w attentionWork, row, block int) (lo, hi int) {
	position := w.span.Position + w.r0 + row
	if window := c.config.Blocks[layer].Window; window > 0 {
		lo = max(0, position-window+1-block)
	}
	return lo, max(0, min(kernel.KeyBlock, position+1-block))
}

// eachSegment calls visit for each part of [from, to) that lies in one segment, in ascending order:
// in as few parts as share could make of them. It looks at no others than those: a path may be as
// long as a context has tokens.
func eachSegment(path []Segment, from, to int, visit func(seg *cpuSegment, from, to int)) {
	for from < to {
		at := sort.Search(len(path), func(i int) bool { return path[i].(*cpuSegment).from > from }) - 1
		end := to
		if at+1 < len(path) {
			end = min(to, path[at+1].(*cpuSegment).start)
		}
		visit(path[at].(*cpuSegment), from, end)
		from = end
	}
}
