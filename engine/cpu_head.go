package engine

import (
	"context"
	"math"
	"slices"

	"github.com/softbench/softbench/engine/kernel"
)

// headColumns is the number of vocabulary entries whose logits exist at once,
// for one thread; headRows the number of scored rows. Partial sums are over
// headColumns entries counted from token 0, so no sum's order depends on either
// the batch or the threads.
const (
	headColumns = 1024
	headRows    = 64
)

// theLogits is what the head computes, in errors.
const theLogits = "the logits"

type headScratch struct {
	normed   []float32 // [scored rows, hidden]
	logits   []float32 // [threads, headRows, headColumns]
	partials []headPartial
	targets  []float32 // logits of the targets, row after row
	offsets  []int     // of each row in targets
	best     []topList // [scored rows, columns], of those that want some
}

// headPartial is what remains of headColumns logits of one row.
type headPartial struct {
	max, sum float32
	arg      int32
}

// scoreHeads runs the output head for the scored rows, which lastNorm has made ready,
// and keeps of each row's logits their log-sum-exp, the targets' values and the argmax.
func (c *cpu) scoreHeads(ctx context.Context, b *Batch) error {
	rows, h, w := len(b.Heads), &c.scratch.head, c.weights.head
	columns := (w.N + headColumns - 1) / headColumns
	growFloats(&h.logits, c.pool.threads*headRows*headColumns)
	grow(&h.partials, rows*columns)
	grow(&h.offsets, rows)
	total := 0
	for i := range b.Heads {
		h.offsets[i] = total
		total += len(b.Heads[i].Targets)
	}
	grow(&h.targets, total)
	c.clearBest(b, columns)

	// Neighbouring tasks share columns, so that weights come from the cache.
	blocks := (rows + headRows - 1) / headRows
	err := c.pool.run(ctx, columns*blocks, func(worker, task int) {
		column, block := task/blocks, task%blocks
		n0, n1 := column*headColumns, min(w.N, (column+1)*headColumns)
		r0, r1 := block*headRows, min(rows, (block+1)*headRows)
		logits := h.logits[worker*headRows*headColumns:][:headRows*headColumns]
		c.headTile(logits, b, r0, r1, n0, n1)
		for r := r0; r < r1; r++ {
			row := logits[(r-r0)*headColumns:][:n1-n0]
			p := &h.partials[r*columns+column]
			m, arg, sum := c.set.MaxSumExp(row)
			*p = headPartial{m, sum, int32(n0 + arg)}
			if top := b.Heads[r].Top; top > 0 {
				h.best[r*columns+column].take(row, n0, top)
			}
			for i, t := range b.Heads[r].Targets {
				if int(t) >= n0 && int(t) < n1 {
					h.targets[h.offsets[r]+i] = row[int(t)-n0]
				}
			}
		}
	})
	if err = c.headFinite(b, err); err != nil {
		return err
	}
	for r := range b.Heads {
		lse, arg := mergePartials(h.partials[r*columns:][:columns])
		if math.IsNaN(lse) || math.IsInf(lse, 0) {
			return b.NotFinite(theLogits, b.Heads[r].Row)
		}
		out := &b.Heads[r]
		out.Argmax = arg
		out.Best = mergeBest(h.best, r*columns, columns, out.Top, lse)
		for i := range out.Targets {
			x := float64(h.targets[h.offsets[r]+i])
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return b.NotFinite(theLogits, b.Heads[r].Row)
			}
			out.LogProbs[i] = float32(x - lse)
		}
	}
	return nil
}

// headTile implements tiled; lastNorm has made the head's input.
func (c *cpu) headTile(dst []float32, b *Batch, r0, r1, n0, n1 int) {
	c.set.MatMul(dst, headColumns, &c.scratch.in, r0, r1, c.weights.head, n0, n1, false)
	for r := r0; r < r1; r++ {
		if !c.finishLogits(dst[(r-r0)*headColumns:][:n1-n0], n0) {
			c.scratch.bad.note(b.Heads[r].Row)
		}
	}
}

func (c *cpu) maxSumExp(row []float32) (m float32, arg int, sum float32) { return c.set.MaxSumExp(row) }

func (c *cpu) headFinite(b *Batch, err error) error { return c.finite(b, theLogits, nil, err) }

// lastNorm makes the last norm of the scored rows, projected to the head's width
// where that is another, the head's input.
func (c *cpu) lastNorm(ctx context.Context, b *Batch) error {
	s, h, rows, hidden := &c.scratch, &c.scratch.head, len(b.Heads), c.config.Hidden
	growFloats(&h.normed, rows*hidden)
	s.in.Reset(c.formats.Arithmetic, rows, hidden)
	err := c.pool.run(ctx, chunks(rows), func(_, i int) {
		r0, r1 := i*rowChunk, min(rows, (i+1)*rowChunk)
		for r := r0; r < r1; r++ {
			dst, x := h.normed[r*hidden:][:hidden], s.x[s.at[r]*hidden:][:hidden]
			if w := &c.weights.norm; w.has {
				c.norm(dst, x, w, &c.config.Norm, b.Heads[r].Row)
			} else {
				copy(dst, x)
			}
		}
		c.set.Prepare(&s.in, h.normed, hidden, r0, r1)
	})
	w := c.weights.projectOut
	if err = c.finite(b, residual, nil, err); err != nil || w == nil {
		return err
	}
	growFloats(&s.projected, rows*w.N)
	if err := c.matmul(ctx, s.projected, rows, w, nil, false); err != nil {
		return err
	}
	return c.prepare(ctx, s.projected, w.N, rows)
}

// finishLogits does to the logits of the tokens from n0 on what some
// architectures do: a bias, a scale, a soft cap; false where the cap would hide that
// one is infinite.
func (c *cpu) finishLogits(row []float32, n0 int) bool {
	if bias := c.weights.headBias; bias != nil {
		kernel.Add(row, bias[n0:], 1)
	}
	if a := c.config.LogitScale; a != 0 {
		c.set.Scale(row, a)
	}
	a := c.config.LogitCap
	if a == 0 {
		return true
	}
	finite := !slices.ContainsFunc(row, func(v float32) bool { return math.IsInf(float64(v), 0) })
	kernel.SoftCap(row, a)
	return finite
}

// mergePartials returns the log-sum-exp and the lowest index of the maximum.
func mergePartials(parts []headPartial) (lse float64, arg int32) {
	m := parts[0].max
	arg = parts[0].arg
	for _, p := range parts[1:] {
		if p.max > m {
			m, arg = p.max, p.arg
		}
	}
	var sum float64
	for _, p := range parts {
		sum += float64(p.sum) * math.Exp(float64(p.max-m))
	}
	return float64(m) + math.Log(sum), arg
}
