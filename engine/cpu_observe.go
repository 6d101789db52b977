package engine

import (
	"context"

	"github.com/softbench/softbench/engine/kernel"
)

// tallyScratch holds what an observer is told of a batch and a layer.
type tallyScratch struct {
	sums         []float64 // [heads, rows of the batch]
	zeros, small []int
	first        []float32        // [heads, rows, keys]
	moments      []kernel.Moments // of each row of the residual stream
}

// attendObserved is attend for an observer of blocks, which sees each head's queries in order: a
// task is a whole head.
func (c *cpu) attendObserved(ctx context.Context, layer int, work []attentionWork, o Observer) error {
	return c.pool.run(ctx, c.config.KVHeads, func(worker, h int) {
		t := &c.scratch.tiles[worker]
		for i := range work {
			if work[i].kvHead == h && ctx.Err() == nil {
				c.attendTile(t, layer, work[i])
				c.observeTile(t, layer, work[i], o)
			}
		}
	})
}

// attendTallied is attend for a Tallier: tasks are those of every other batch, and what they
// find is told head by head once all are done.
func (c *cpu) attendTallied(ctx context.Context, layer int, work []attentionWork, b *Batch, o Tallier) error {
	rows, s := len(b.Tokens), &c.scratch.tally
	small, keys := o.Counts()
	n := c.config.Heads * rows
	grow(&s.sums, n)
	grow(&s.zeros, n)
	grow(&s.small, n)
	grow(&s.first, n*keys)
	clear(s.first)
	if err := c.pool.run(ctx, len(work), func(worker, i int) {
		c.attendTile(&c.scratch.tiles[worker], layer, work[i])
		c.tallyTile(&c.scratch.tiles[worker], layer, work[i], rows, small, keys)
	}); err != nil {
		return err
	}
	return c.pool.run(ctx, c.config.Heads, func(_, h int) {
		for _, sp := range b.Spans {
			at, end := h*rows+sp.Row, h*rows+sp.Row+sp.N
			o.TallyAttention(AttentionTally{
				Layer: layer, Head: h, Node: sp.Node, Query: sp.Position,
				Sums: s.sums[at:end], Zeros: s.zeros[at:end], Small: s.small[at:end], First: s.first[at*keys : end*keys],
			})
		}
	})
}

// againWeights goes over a finished task's key blocks a second time, now that each query's
// maximum and denominator are known, and calls visit with the final weights in t.s, query i's from
// i*KeyBlock on; what they give is added to t.tallies.
func (c *cpu) againWeights(t *attentionTile, layer int, w attentionWork, small float32, visit func(block, end int)) {
	m := (w.r1 - w.r0) * c.config.Heads / c.config.KVHeads
	group := m / (w.r1 - w.r0)
	grow(&t.norms, m)
	grow(&t.tallies, m)
	clear(t.tallies)
	for i := range m {
		t.norms[i] = t.states[i].Norm(c.kind)
	}
	c.eachKeyBlock(t, layer, w, func(block, end int) {
		for i := range m {
			t.lo[i], t.hi[i] = c.visible(layer, w, i/group, block)
		}
		c.set.Tally(c.kind, t.s, m, t.lo, t.hi, t.states, t.norms, small, t.tallies)
		visit(block, end)
	})
}

// tallyTile notes what a finished task's weights give; rows are the batch's.
func (c *cpu) tallyTile(t *attentionTile, layer int, w attentionWork, rows int, small float32, keys int) {
	group, s := c.config.Heads/c.config.KVHeads, &c.scratch.tally
	// at is the place of the task's query i.
	at := func(i int) int { return (w.kvHead*group+i%group)*rows + w.span.Row + w.r0 + i/group }
	c.againWeights(t, layer, w, small, func(block, end int) {
		if block >= keys {
			return
		}
		for i := range t.tallies {
			copy(s.first[at(i)*keys+block:][:min(keys, end)-block], t.s[i*kernel.KeyBlock:])
		}
	})
	window := c.config.Blocks[layer].Window
	for i, tally := range t.tallies {
		hidden := 0 // by the window
		if position := w.span.Position + w.r0 + i/group; window > 0 {
			hidden = max(0, position+1-window)
		}
		j := at(i)
		s.sums[j], s.zeros[j], s.small[j] = tally.Sum, tally.Zeros+hidden, tally.Small+hidden
	}
}

// observeTile shows the final weights of a finished task.
func (c *cpu) observeTile(t *attentionTile, layer int, w attentionWork, o Observer) {
	group, rows := c.config.Heads/c.config.KVHeads, w.r1-w.r0
	grow(&t.shown, rows*kernel.KeyBlock)
	c.againWeights(t, layer, w, 0, func(block, end int) {
		keys := end - block
		for h := range group {
			for r := range rows {
				copy(t.shown[r*keys:][:keys], t.s[(r*group+h)*kernel.KeyBlock:])
			}
			o.Attention(AttentionBlock{
				Layer: layer, Head: w.kvHead*group + h, Node: w.span.Node,
				Query: w.span.Position + w.r0, Queries: rows, Key: block, Keys: keys,
				Weights: t.shown[:rows*keys],
			})
		}
	})
}

// observeResidual tells of the residual stream after a block.
func (c *cpu) observeResidual(ctx context.Context, layer int, b *Batch) error {
	hidden := c.config.Hidden
	of := func(sp *Span) Residual {
		return Residual{Layer: layer, Node: sp.Node, Position: sp.Position, X: c.scratch.x[sp.Row*hidden:][:sp.N*hidden]}
	}
	tallier, ok := b.Observer.(Tallier)
	if !ok {
		for i := range b.Spans {
			b.Observer.Residual(of(&b.Spans[i]))
		}
		return nil
	}
	rows := c.scratch.tally.moments
	grow(&rows, len(b.Tokens))
	c.scratch.tally.moments = rows
	if err := c.pool.run(ctx, chunks(len(rows)), func(_, i int) {
		for r := i * rowChunk; r < min(len(rows), (i+1)*rowChunk); r++ {
			rows[r] = c.set.Moments(c.scratch.x[r*hidden:][:hidden])
		}
	}); err != nil {
		return err
	}
	return c.pool.run(ctx, len(b.Spans), func(_, i int) {
		sp := &b.Spans[i]
		tallier.TallyResidual(ResidualTally{of(sp), rows[sp.Row:][:sp.N]})
	})
}
