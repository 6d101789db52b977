package engine

import (
	"cmp"
	"context"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
)

// The stages of which blocks are made: norms, products and sums over rows of a batch.

// add multiplies the prepared input with w and adds the product to the residual
// stream: as it is, or normalised and scaled before.
func (c *cpu) add(ctx context.Context, rows int, w *linear, bias []float32, post *normWeights) error {
	if c.config.NormSum {
		if err := c.matmul(ctx, c.scratch.x, rows, w, bias, true); err != nil {
			return err
		}
		return c.normaliseStream(ctx, rows, post)
	}
	if !post.has && c.config.ResidualScale == 0 {
		return c.matmul(ctx, c.scratch.x, rows, w, bias, true)
	}
	if err := c.matmul(ctx, c.scratch.branch, rows, w, bias, false); err != nil {
		return err
	}
	return c.addRows(ctx, c.scratch.branch, rows, post)
}

// normaliseStream makes rows of the residual stream norm(x).
func (c *cpu) normaliseStream(ctx context.Context, rows int, w *normWeights) error {
	hidden := c.config.Hidden
	return c.pool.run(ctx, chunks(rows), func(worker, i int) {
		buf := c.scratch.normed[worker*rowChunk*hidden:][:hidden]
		for r := i * rowChunk; r < min(rows, (i+1)*rowChunk); r++ {
			row := c.scratch.x[r*hidden:][:hidden]
			c.norm(buf, row, w, &c.config.Norm, r)
			copy(row, buf)
		}
	})
}

// addRows adds y [rows, hidden] to the residual stream; y is overwritten.
func (c *cpu) addRows(ctx context.Context, y []float32, rows int, post *normWeights) error {
	hidden, scale := c.config.Hidden, cmp.Or(c.config.ResidualScale, 1)
	return c.pool.run(ctx, chunks(rows), func(worker, i int) {
		buf := c.scratch.normed[worker*rowChunk*hidden:][:hidden]
		for r := i * rowChunk; r < min(rows, (i+1)*rowChunk); r++ {
			row := y[r*hidden:][:hidden]
			if post.has {
				c.norm(buf, row, post, &c.config.Norm, r)
				row = buf
			}
			kernel.Add(c.scratch.x[r*hidden:][:hidden], row, scale)
		}
	})
}

// norm normalises one vector into another, and notes its row where that keeps
// nothing of it.
func (c *cpu) norm(dst, x []float32, w *normWeights, n *checkpoint.Norm, row int) {
	if n.Mean {
		c.set.LayerNorm(dst, x, w.weight, w.bias, n.Eps)
	} else {
		c.set.RMSNorm(dst, x, w.weight, n.Eps)
	}
	if !kept(dst, x, n) {
		c.scratch.bad.note(row)
	}
}

// rowChunk is the number of rows a thread takes at once in row-wise stages.
const rowChunk = 16

func chunks(rows int) int { return (rows + rowChunk - 1) / rowChunk }

// normalise prepares norm(x), or x where w is none, as the next product's input.
func (c *cpu) normalise(ctx context.Context, w *normWeights, rows int) error {
	s, hidden := &c.scratch, c.config.Hidden
	if !w.has {
		return c.prepare(ctx, s.x, hidden, rows)
	}
	s.in.Reset(c.formats.Arithmetic, rows, hidden)
	return c.pool.run(ctx, chunks(rows), func(worker, i int) {
		buf := s.normed[worker*rowChunk*hidden:][:rowChunk*hidden]
		r0, r1 := i*rowChunk, min(rows, (i+1)*rowChunk)
		for r := r0; r < r1; r++ {
			c.norm(buf[(r-r0)*hidden:][:hidden], s.x[r*hidden:][:hidden], w, &c.config.Norm, r)
		}
		c.prepareRows(buf, hidden, r0, r1)
	})
}

// prepareRows stores buf, whose first row is row r0, in the input.
func (c *cpu) prepareRows(buf []float32, ld, r0, r1 int) {
	view := c.scratch.in
	view.Skip(r0)
	c.set.Prepare(&view, buf, ld, 0, r1-r0)
}

// prepare makes rows of x [rows, k] the next matrix multiply's input.
func (c *cpu) prepare(ctx context.Context, x []float32, k, rows int) error {
	c.scratch.in.Reset(c.formats.Arithmetic, rows, k)
	return c.pool.run(ctx, chunks(rows), func(_, i int) {
		c.set.Prepare(&c.scratch.in, x, k, i*rowChunk, min(rows, (i+1)*rowChunk))
	})
}
