package quantise

import (
	"fmt"
	"math"

	"github.com/softbench/softbench/engine/kernel"
)

// Hessian is Σ x·xᵀ over the inputs x of a linear layer, which GPTQ and AWQ weigh errors by.
type Hessian struct {
	N    int       // inputs
	Sum  []float32 // [N, N]
	Rows int       // inputs that were added
	// Magnitudes is Σ |x| of each input, and Set multiplies with the sum: for SearchScales alone.
	Magnitudes []float64
	Set        kernel.Set // nil: portable code

	factors map[bool]*factor // by act-order
	packed  *kernel.Matrix   // the sum
}

// dampings are the shares of the mean diagonal that are added to it: AutoGPTQ's and
// gptqmodel's. Which is better changes from row to row.
var dampings = [...]float64{0.01, 0.05}

// factor is the upper triangular U of (P·H·Pᵀ + damping)⁻¹ = Uᵀ·U for each damping, and the
// order P: column i of a factor is input order[i].
type factor struct {
	order []int
	added [len(dampings)]float64   // to the diagonal
	u     [len(dampings)][]float32 // [N, N]; below the diagonal nothing is defined
	dead  []bool                   // inputs that were always zero, by their own number
}

// factorise works out the factor once: all weights that read the same inputs share it.
func (h *Hessian) factorise(actOrder bool, each func(count int, one func(i int) error) error) (*factor, error) {
	if f := h.factors[actOrder]; f != nil {
		return f, nil
	}
	f := &factor{order: make([]int, h.N), dead: make([]bool, h.N)}
	diagonal := make([]float64, h.N)
	mean := 0.0
	for i := range diagonal {
		f.order[i] = i
		diagonal[i] = float64(h.Sum[i*h.N+i])
		if f.dead[i] = diagonal[i] == 0; f.dead[i] {
			diagonal[i] = 1
		}
		mean += diagonal[i] / float64(h.N)
	}
	if actOrder {
		sortByImportance(f.order, diagonal)
	}
	for d, share := range dampings {
		f.added[d] = share * mean
		var err error
		if f.u[d], err = h.inverseFactor(f.order, diagonal, f.added[d], each); err != nil {
			return nil, err
		}
	}
	if h.factors == nil {
		h.factors = map[bool]*factor{}
	}
	h.factors[actOrder] = f
	return f, nil
}

// inverseFactor is U of the inputs in an order. With rows and columns reversed, H = L·Lᵀ is
// H = R·Rᵀ with R upper triangular, and U = R⁻¹ is L⁻¹ reversed.
func (h *Hessian) inverseFactor(order []int, diagonal []float64, added float64, each func(count int, one func(i int) error) error) ([]float32, error) {
	n := h.N
	l := make([]float64, n*n)
	for i := range n {
		a := order[n-1-i]
		for j := range i {
			l[i*n+j] = float64(h.Sum[a*n+order[n-1-j]])
		}
		l[i*n+i] = diagonal[a] + added
	}
	if err := cholesky(l, n, each); err != nil {
		return nil, err
	}
	inverse, err := invertLower(l, n, each)
	if err != nil {
		return nil, err
	}
	u := make([]float32, n*n)
	err = each(n, func(a int) error {
		for b := a; b < n; b++ {
			u[a*n+b] = float32(inverse[(n-1-b)*n+n-1-a])
		}
		return nil
	})
	return u, err
}

// choleskyBlock is the number of columns that are worked out together.
const choleskyBlock = 64

// cholesky replaces the lower triangle of a symmetric positive definite matrix by L of
// L·Lᵀ. Each element is a sum of its own in ascending order: no number depends on each.
func cholesky(a []float64, n int, each func(count int, one func(i int) error) error) error {
	element := func(i, j int) float64 { return a[i*n+j] - dot(a[i*n:][:j], a[j*n:][:j]) }
	for k := 0; k < n; k += choleskyBlock {
		end := min(n, k+choleskyBlock)
		for i := k; i < end; i++ {
			for j := k; j < i; j++ {
				a[i*n+j] = element(i, j) / a[j*n+j]
			}
			d := element(i, i)
			if !(d > 0) || math.IsInf(d, 0) {
				return fmt.Errorf("the calibration's inputs give no positive definite matrix (pivot %d of %d is %g): calibrate on more text", i, n, d)
			}
			a[i*n+i] = math.Sqrt(d)
		}
		if err := each(n-end, func(r int) error {
			i := end + r
			for j := k; j < end; j++ {
				a[i*n+j] = element(i, j) / a[j*n+j]
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// invertLower returns the transpose of a lower triangular matrix's inverse: row j is column
// j of it, from the diagonal on.
func invertLower(l []float64, n int, each func(count int, one func(i int) error) error) ([]float64, error) {
	x := make([]float64, n*n)
	err := each(n, func(j int) error {
		column := x[j*n:][:n]
		column[j] = 1 / l[j*n+j]
		for i := j + 1; i < n; i++ {
			column[i] = -dot(l[i*n+j:][:i-j], column[j:i]) / l[i*n+i]
		}
		return nil
	})
	return x, err
}

// dot is Σ a·b, in four chains.
func dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}
