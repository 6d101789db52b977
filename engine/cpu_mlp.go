package engine

import (
	"context"
	"fmt"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
)

// mlp adds the MLP's output of each row to the residual stream.
func (c *cpu) mlp(ctx context.Context, w *cpuLayer, norm *normWeights, rows int) error {
	if err := c.normalise(ctx, norm, rows); err != nil {
		return err
	}
	if c.gatesInTasks(w, rows) {
		if err := c.matmulSwiGLU(ctx, w.gateUp, rows); err != nil {
			return err
		}
		return c.add(ctx, rows, w.down, w.downBias, &w.postMLPNorm)
	}
	if err := c.matmul(ctx, c.scratch.gateUp, rows, w.gateUp, w.gateUpBias, false); err != nil {
		return err
	}
	if err := c.activate(ctx, c.config.Intermediate, w.act, rows); err != nil {
		return err
	}
	return c.add(ctx, rows, w.down, w.downBias, &w.postMLPNorm)
}

// gatesInTasks reports whether matmulSwiGLU takes a layer's MLP: rows enough that gates and ups of
// all columns would leave the caches, and nothing between them and silu(gate)·up.
func (c *cpu) gatesInTasks(w *cpuLayer, rows int) bool {
	const fewest = 128
	n, mlp := c.config.Intermediate, c.config.MLP
	return rows >= fewest && mlp.Gated && mlp.Act == checkpoint.SiLU && w.gateUpBias == nil && c.watch == nil &&
		len(w.gateUp.parts) == 1 && w.gateUp.parts[0].Int8 == nil && n%c.set.PanelWidth() == 0 && n == kernel.PairedK(n)
}

// matmulSwiGLU multiplies the prepared input with w = [gate; up] and makes silu(gate)·up, the next
// product's input. A task makes both for its columns of all rows in memory of its thread's own, and
// joins them there: they are in the cache still, and are not written to memory. The bits are those
// of matmul and activate.
func (c *cpu) matmulSwiGLU(ctx context.Context, w *linear, rows int) error {
	s, m, n, panel := &c.scratch, w.parts[0], c.config.Intermediate, c.set.PanelWidth()
	tile := max(panel, kernel.TaskColumns(c.set, n, c.pool.threads)/2/panel*panel)
	ldy := kernel.InputStride(2 * tile)
	if need := c.pool.threads * rows * ldy; need > len(s.gateUp) {
		growFloats(&s.gateUp, need)
	}
	s.activated.Reset(c.formats.Arithmetic, rows, n)
	err := c.pool.run(ctx, (n+tile-1)/tile, func(worker, i int) {
		n0, n1 := i*tile, min(n, (i+1)*tile)
		y := s.gateUp[worker*rows*ldy:][:rows*ldy]
		c.set.MatMul(y, ldy, &s.in, 0, rows, m, n0, n1, false)
		c.set.MatMul(y[tile:], ldy, &s.in, 0, rows, m, n+n0, n+n1, false)
		for r := range rows {
			gate, up := y[r*ldy:][:n1-n0], y[r*ldy+tile:][:n1-n0]
			c.set.SwiGLU(gate, gate, up)
			s.activated.Put(c.set, r, n0, gate)
		}
	})
	s.in, s.activated = s.activated, s.in
	return err
}

// activate makes act(gate)·up, or act(up), n numbers a row, the next product's
// input.
func (c *cpu) activate(ctx context.Context, n int, learned [4]float32, rows int) error {
	s, mlp := &c.scratch, c.config.MLP
	width := n
	if mlp.Gated {
		width = 2 * n
	}
	s.in.Reset(c.formats.Arithmetic, rows, n)
	return c.pool.run(ctx, chunks(rows), func(_, i int) {
		r0, r1 := i*rowChunk, min(rows, (i+1)*rowChunk)
		for r := r0; r < r1; r++ {
			x := s.gateUp[r*width:][:n]
			switch {
			case mlp.Gated && mlp.Act == checkpoint.SiLU:
				c.set.SwiGLU(x, x, s.gateUp[r*width+n:][:n])
			case mlp.Act == checkpoint.ClampedSwiGLU:
				kernel.ClampedSwiGLU(x, s.gateUp[r*width+n:][:n], mlp.Alpha, mlp.Limit)
			case mlp.Gated:
				c.activation(mlp.Act, x, learned)
				kernel.Multiply(x, s.gateUp[r*width+n:][:n])
			default:
				c.activation(mlp.Act, x, learned)
			}
		}
		c.set.Prepare(&s.in, s.gateUp, width, r0, r1)
	})
}

// activation applies an activation in place.
func (c *cpu) activation(a checkpoint.Activation, x []float32, learned [4]float32) {
	switch a {
	case checkpoint.SiLU:
		c.set.SelfGate(x, 1, 0)
	case checkpoint.GELU:
		c.set.GELU(x)
	case checkpoint.GELUTanh:
		c.set.SelfGate(x, kernel.GELUTanhA, kernel.GELUTanhB)
	case checkpoint.ReLU:
		kernel.ReLU(x)
	case checkpoint.ReLU2:
		kernel.ReLU2(x)
	case checkpoint.QuickGELU:
		c.set.SelfGate(x, kernel.QuickGELU, 0)
	case checkpoint.XIELU:
		kernel.XIELU(x, learned[0], learned[1], learned[2], learned[3])
	default:
		panic(fmt.Sprintf("engine: activation %d", a))
	}
}
