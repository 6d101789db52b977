package engine

import (
	"context"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
)

// linear is a weight matrix [N, K], packed: one matrix, or several whose outputs lie side
// by side where their weights are stored in different ways.
type linear struct {
	N, K  int
	parts []*kernel.Matrix
}

// bytes is the size of the packed weights.
func (w *linear) bytes() (n int64) {
	for _, p := range w.parts {
		n += p.Bytes()
	}
	return n
}

// matmul multiplies the prepared input with w into y [rows, w.N], or adds to y.
func (c *cpu) matmul(ctx context.Context, y []float32, rows int, w *linear, bias []float32, add bool) error {
	if c.watch != nil {
		if err := c.watch(ctx, w, rows); err != nil {
			return err
		}
	}
	first := 0
	for _, p := range w.parts {
		tile := kernel.TaskColumns(c.set, p.N, c.pool.threads)
		err := c.pool.run(ctx, (p.N+tile-1)/tile, func(_, i int) {
			n0, n1 := i*tile, min(p.N, (i+1)*tile)
			c.set.MatMul(y[first+n0:], w.N, &c.scratch.in, 0, rows, p, n0, n1, add)
			if bias == nil {
				return
			}
			for r := range rows {
				out := y[r*w.N+first+n0:][:n1-n0]
				for j, b := range bias[first+n0 : first+n1] {
					out[j] += b
				}
			}
		})
		if err != nil {
			return err
		}
		first += p.N
	}
	return nil
}

// packer packs weights for a Set.
type packer struct {
	set     kernel.Set
	storage kernel.Storage // of numbers; codes of few bits stay what they are
	pool    pool
}

// linear packs matrices of equal width, one below the other: neighbours that are stored
// in the same way as one.
func (p packer) linear(ctx context.Context, views ...*checkpoint.View) (*linear, error) {
	w := &linear{K: views[0].K}
	for len(views) > 0 {
		coding := codingOf(views[0])
		n := 1
		for n < len(views) && equal(coding, codingOf(views[n])) {
			n++
		}
		m, err := p.matrix(ctx, coding, views[:n])
		if err != nil {
			return nil, err
		}
		w.parts = append(w.parts, m)
		w.N += m.N
		views = views[n:]
	}
	return w, nil
}

// codingOf says how a view's weights are coded; nil where they are numbers, or codes that
// no kernel reads.
func codingOf(v *checkpoint.View) *kernel.Coding {
	c := v.Codes()
	if c == nil || c.Coding.Check(v.K) != nil {
		return nil
	}
	return &c.Coding
}

func equal(a, b *kernel.Coding) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// matrix packs views that are stored in the same way.
func (p packer) matrix(ctx context.Context, coding *kernel.Coding, views []*checkpoint.View) (*kernel.Matrix, error) {
	if coding == nil {
		return packRows(ctx, p.set, p.storage, p.pool, views...)
	}
	n, k := 0, views[0].K
	var codes []*quantise.Codes
	for _, v := range views {
		n += v.N
		codes = append(codes, v.Codes())
	}
	w := p.set.NewCoded(*coding, n, k)
	step := p.set.PanelWidth() * max(1, 256/p.set.PanelWidth())
	err := readTasks(ctx, p.pool, (n+step-1)/step, func(task int) {
		w.PackCodes(task*step, min(n, (task+1)*step), func(j int, row []uint8, scales, zeros []float32) {
			at := 0
			for j >= views[at].N {
				j -= views[at].N
				at++
			}
			codes[at].Row(j, row, scales, zeros)
		})
	})
	for _, v := range views {
		v.Drop()
	}
	return w, err
}

// table is a weight of which single rows are read: as it is stored, or codes of few bits.
type table struct {
	view  *checkpoint.View
	codes *kernel.Matrix
}

// table copies a weight out of its file; head, where not nil, is the packed matrix of the
// same codes.
func (p packer) table(ctx context.Context, v *checkpoint.View, head *kernel.Matrix) (t table, err error) {
	switch coding := codingOf(v); {
	case coding == nil:
		t.view, err = copyTable(ctx, p.pool, v)
	case head != nil && head.Codes != nil:
		t.codes = head
	default:
		t.codes, err = p.matrix(ctx, coding, []*checkpoint.View{v})
	}
	return t, err
}

// RowF32 writes row i into dst.
func (t *table) RowF32(i int, dst []float32) {
	if t.codes != nil {
		t.codes.Row(i, dst)
		return
	}
	t.view.RowF32(i, dst)
}

// bytes is the table's own size: none where it is the head.
func (t *table) bytes(head *kernel.Matrix) int64 {
	switch {
	case t.view != nil:
		return int64(len(t.view.Stored.Data))
	case t.codes != nil && t.codes != head:
		return t.codes.Bytes()
	}
	return 0
}
