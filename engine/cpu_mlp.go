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
	if err := c.matmul(ctx, c.scratch.gateUp, rows, w.gateUp, w.gateUpBias, false); err != nil {
		return err
	}
	if err := c.activate(ctx, c.config.Intermediate, w.act, rows); err != nil {
		return err
	}
	return c.add(ctx, rows, w.down, w.downBias, &w.postMLPNorm)
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
