package engine

import (
	"context"
	"slices"

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
	if err := c.quantiseInput(ctx, rows, w); err != nil {
		return err
	}
	first := 0
	for _, p := range w.parts {
		tile := kernel.TaskColumns(c.set, p.N, c.pool.threads)
		err := c.pool.run(ctx, (p.N+tile-1)/tile, func(_, i int) {
			n0, n1 := i*tile, min(p.N, (i+1)*tile)
			if p.Int8 != nil {
				c.set.MatMulInt8(y[first+n0:], w.N, &c.scratch.int8, 0, rows, p, n0, n1, add)
			} else {
				c.set.MatMul(y[first+n0:], w.N, &c.scratch.in, 0, rows, p, n0, n1, add)
			}
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

// quantiseInput rounds the prepared input to int8 too, where w has a part that wants that.
func (c *cpu) quantiseInput(ctx context.Context, rows int, w *linear) error {
	if !slices.ContainsFunc(w.parts, func(p *kernel.Matrix) bool { return p.Int8 != nil }) {
		return nil
	}
	c.scratch.int8.Reset(rows, w.K)
	return c.pool.run(ctx, chunks(rows), func(_, i int) {
		c.set.QuantiseInt8(&c.scratch.int8, &c.scratch.in, i*rowChunk, min(rows, (i+1)*rowChunk))
	})
}

// packer packs weights for a Set.
type packer struct {
	set     kernel.Set
	storage kernel.Storage // of numbers; codes of few bits stay what they are
	pool    pool
	// int8 lets weights be packed that are multiplied in int8: not those that matmul does not
	// multiply.
	int8 bool
}

// linear packs matrices of equal width, one below the other: neighbours that are stored
// in the same way as one.
func (p packer) linear(ctx context.Context, views ...*checkpoint.View) (*linear, error) {
	w := &linear{K: views[0].K}
	for len(views) > 0 {
		coding, int8 := codingOf(views[0]), p.takesInt8(views[0])
		n := 1
		for n < len(views) && equal(coding, codingOf(views[n])) && int8 == p.takesInt8(views[n]) {
			n++
		}
		pack := p.matrix
		if int8 {
			pack = p.int8Matrix
		}
		m, err := pack(ctx, coding, views[:n])
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

// takesInt8 reports whether a view's weights are packed to be multiplied in int8.
func (p packer) takesInt8(v *checkpoint.View) bool {
	c := v.Codes()
	return p.int8 && c != nil && c.Int8 && v.K <= kernel.MaxInt8K
}

// matrix packs views that are stored in the same way.
func (p packer) matrix(ctx context.Context, coding *kernel.Coding, views []*checkpoint.View) (*kernel.Matrix, error) {
	if coding == nil {
		return packRows(ctx, p.set, p.storage, p.pool, views...)
	}
	w := p.set.NewCoded(*coding, totalRows(views), views[0].K)
	return w, p.packCodes(ctx, views, func(n0, n1 int, row func(j int, codes []uint8, scales, zeros []float32)) {
		w.PackCodes(n0, n1, row)
	})
}

// int8Matrix packs views whose codes are int8, more by 128.
func (p packer) int8Matrix(ctx context.Context, _ *kernel.Coding, views []*checkpoint.View) (*kernel.Matrix, error) {
	w := p.set.NewInt8(totalRows(views), views[0].K)
	return w, p.packCodes(ctx, views, func(n0, n1 int, row func(j int, codes []uint8, scales, zeros []float32)) {
		codes, scale := make([]uint8, w.K), make([]float32, 1)
		w.PackInt8(n0, n1, func(j int, dst []int8) float32 {
			row(j, codes, scale, nil)
			for k, c := range codes {
				dst[k] = int8(c ^ 0x80)
			}
			return scale[0]
		})
	})
}

func totalRows(views []*checkpoint.View) (n int) {
	for _, v := range views {
		n += v.N
	}
	return n
}

// packCodes has pack fill rows of a matrix of codes, some at a time; row reads those of the views,
// one below the other.
func (p packer) packCodes(ctx context.Context, views []*checkpoint.View, pack func(n0, n1 int, row func(j int, codes []uint8, scales, zeros []float32))) error {
	var codes []*quantise.Codes
	for _, v := range views {
		codes = append(codes, v.Codes())
	}
	n, step := totalRows(views), p.set.PanelWidth()*max(1, 256/p.set.PanelWidth())
	err := readTasks(ctx, p.pool, (n+step-1)/step, func(task int) {
		pack(task*step, min(n, (task+1)*step), func(j int, row []uint8, scales, zeros []float32) {
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
	return err
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
