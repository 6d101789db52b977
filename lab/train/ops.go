package train

import (
	"context"
	"sync"

	"github.com/softbench/softbench/engine/kernel"
)

// ops are the matrix operations of a step, on a kernel set and some threads.
type ops struct {
	set     kernel.Gradients
	dtype   kernel.DType // that products round their operands to; sums are float32
	threads int
	in      kernel.Input
	packed  map[[2]int]*kernel.Matrix
	a, b    []float32 // transposes
	// ctx, once cancelled, makes each leave out what it has not begun: the
	// results are then of no use, and the caller drops them.
	ctx context.Context
}

func newOps(set kernel.Set, threads int) *ops {
	return &ops{set: set.(kernel.Gradients), threads: threads, packed: map[[2]int]*kernel.Matrix{}, ctx: context.Background()}
}

// each runs task(i) for i in [0, n) on all threads; tasks write disjoint
// outputs.
func (o *ops) each(n int, task func(worker, i int)) {
	workers := min(o.threads, n)
	if workers <= 1 {
		for i := range n {
			if o.ctx.Err() != nil {
				return
			}
			task(0, i)
		}
		return
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n && o.ctx.Err() == nil; i += workers {
				task(w, i)
			}
		})
	}
	wg.Wait()
}

// chunk is the number of rows or columns of a task.
const chunk = 64

func chunks(n int) int { return (n + chunk - 1) / chunk }

// eachRow runs task for every row in [0, n), by chunks.
func (o *ops) eachRow(n int, task func(r int)) {
	o.each(chunks(n), func(_, i int) {
		for r := i * chunk; r < min(n, (i+1)*chunk); r++ {
			task(r)
		}
	})
}

// product computes y [m, n] = x [m, k] · wᵀ, w [n, k], or adds it to y.
func (o *ops) product(y, x, w []float32, m, n, k int, add bool) {
	o.in.Reset(o.dtype, m, k)
	o.each(chunks(m), func(_, i int) { o.set.Prepare(&o.in, x, k, i*chunk, min(m, (i+1)*chunk)) })
	mat := o.packed[[2]int{n, k}]
	if mat == nil {
		mat = o.set.NewMatrix(o.dtype, n, k)
		o.packed[[2]int{n, k}] = mat
	}
	width := o.set.PanelWidth()
	tile := (max(chunk, n/(4*o.threads)) + width - 1) / width * width
	o.each((n+tile-1)/tile, func(_, i int) {
		n0, n1 := i*tile, min(n, (i+1)*tile)
		o.set.PackRows(mat, n0, n1, func(j int, dst []float32) { copy(dst, w[j*k:][:k]) })
		o.set.MatMul(y[n0:], n, &o.in, 0, m, mat, n0, n1, add)
	})
}

// backward computes the gradients of product: dx [m, k] += dy·w and
// dw [n, k] += dyᵀ·x. dx may be nil.
func (o *ops) backward(dx, dw, dy, x, w []float32, m, n, k int) {
	o.a = resize(o.a, max(n*m, n*k))
	if dx != nil {
		o.transpose(o.a, w, n, k)
		o.product(dx, dy, o.a[:n*k], m, k, n, true)
	}
	o.transpose(o.a, dy, m, n)
	o.b = resize(o.b, m*k)
	o.transpose(o.b, x, m, k)
	o.product(dw, o.a[:n*m], o.b, n, k, m, true)
}

// transpose writes src [rows, columns] as dst [columns, rows].
func (o *ops) transpose(dst, src []float32, rows, columns int) {
	const strip = 32
	o.each((columns+strip-1)/strip, func(_, i int) {
		c := i * strip
		o.set.Transpose(dst[c*rows:], rows, src[c:], columns, rows, min(strip, columns-c))
	})
}

func resize(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
