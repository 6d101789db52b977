package train

import (
	"context"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/rescue"
)

// ops are the matrix operations of a step, on a kernel set and some threads.
type ops struct {
	set     kernel.Gradients
	formats kernel.Formats // of packed matrices, and what products round their operands to; sums are float32
	threads int
	in      kernel.Input
	packed  map[[2]int]*kernel.Matrix
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
	var wg rescue.Group
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
	o.multiply(y, m, n, k, add,
		func(m0, m1 int) { o.set.Prepare(&o.in, x, k, m0, m1) },
		func(mat *kernel.Matrix, n0, n1 int) {
			o.set.PackRows(mat, n0, n1, func(j int, dst []float32) { copy(dst, w[j*k:][:k]) })
		})
}

// backward computes the gradients of product: dx [m, k] = dy·w and
// dw [n, k] += dyᵀ·x. What a product wants transposed is transposed on its way
// into the form that it reads.
func (o *ops) backward(dx, dw, dy, x, w []float32, m, n, k int) {
	o.multiply(dx, m, k, n, false,
		func(m0, m1 int) { o.set.Prepare(&o.in, dy, n, m0, m1) },
		func(mat *kernel.Matrix, k0, k1 int) { o.set.PackColumns(mat, k0, k1, w, k) })
	o.multiply(dw, n, k, m, true,
		func(n0, n1 int) { o.set.PrepareColumns(&o.in, dy, n, n0, n1) },
		func(mat *kernel.Matrix, k0, k1 int) { o.set.PackColumns(mat, k0, k1, x, k) })
}

// multiply computes y [m, n] = A [m, k] · Wᵀ, or adds it to y: prepare writes rows
// of A into o.in, pack rows of W [n, k] into its matrix.
func (o *ops) multiply(y []float32, m, n, k int, add bool, prepare func(m0, m1 int), pack func(mat *kernel.Matrix, n0, n1 int)) {
	o.in.Reset(o.formats.Arithmetic, m, k)
	o.each(chunks(m), func(_, i int) { prepare(i*chunk, min(m, (i+1)*chunk)) })
	mat := o.packed[[2]int{n, k}]
	if mat == nil {
		mat = o.set.NewMatrix(o.formats.Storage, n, k)
		o.packed[[2]int{n, k}] = mat
	}
	width := o.set.PanelWidth()
	tile := (max(chunk, n/(4*o.threads)) + width - 1) / width * width
	o.each((n+tile-1)/tile, func(_, i int) {
		n0, n1 := i*tile, min(n, (i+1)*tile)
		pack(mat, n0, n1)
		o.set.MatMul(y[n0:], n, &o.in, 0, m, mat, n0, n1, add)
	})
}
