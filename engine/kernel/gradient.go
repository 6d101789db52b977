package kernel

import "github.com/softbench/softbench/engine/attention"

// Gradients are the loops that only training needs. Every Set of this package
// has them.
type Gradients interface {
	Set

	// Exp turns x into e^(x-shift)·scale, in place.
	Exp(x []float32, shift, scale float32)

	// SwiGLUGrad computes the gradient of silu(gate)·up from that of its value:
	//
	//	s     = 1/(1+e^-gate), silu = gate·s
	//	dgate = dout·up·(s + silu·(1-s))
	//	dup   = dout·silu
	SwiGLUGrad(dgate, dup, dout, gate, up []float32)

	// WeighGrad turns the scores x of one query, over all the keys it sees, into
	// its final weights, and dots, which hold dO·v of each key, into the gradient
	// of the scores, both in place. st is the query's final state and delta is
	// Σ dO·O. With e = e^(x-Max)·Norm and f = e^-Max·Norm:
	//
	//	exponential:  p = e            dx = e·(dots-delta)
	//	difference:   p = max(e-f, 0)  dx = e·([x>0]·dots - sign(x)·delta)
	//	positive:     p = max(e-f, 0)  dx = e·[x>0]·(dots-delta)
	//	non-negative: p = e where x >= 0, else 0;  dx = p·(dots-delta)
	//
	// (the paper's gradient, with p·(dots-delta) for what sums to one).
	WeighGrad(kind attention.Kind, x, dots []float32, st State, delta float32)

	// Transpose writes src [rows, columns], rows lds apart, as dst [columns,
	// rows], rows ldd apart.
	Transpose(dst []float32, ldd int, src []float32, lds, rows, columns int)

	// PackColumns is PackRows of a matrix that lies transposed: row j of W [n, k]
	// is column j of x, x[l*ldx+j] for l in [0, k).
	PackColumns(w *Matrix, n0, n1 int, x []float32, ldx int)

	// PrepareColumns is Prepare of a transposed x: row i of the input is column i
	// of x, x[l*ldx+i] for l in [0, in.K).
	PrepareColumns(in *Input, x []float32, ldx, m0, m1 int)
}

func (g Generic) PackColumns(w *Matrix, n0, n1 int, x []float32, ldx int) {
	g.PackRows(w, n0, n1, func(j int, dst []float32) {
		for l := range dst {
			dst[l] = x[l*ldx+j]
		}
	})
}

func (g Generic) PrepareColumns(in *Input, x []float32, ldx, m0, m1 int) {
	stride := InputStride(in.K)
	for i := m0; i < m1; i++ {
		for l := range in.K {
			if v := x[l*ldx+i]; in.Arithmetic == Float32 {
				in.F32[i*stride+l] = v
			} else {
				in.BF16[i*stride+l] = ToBF16(v)
			}
		}
	}
}

func (Generic) Exp(x []float32, shift, scale float32) {
	for i, v := range x {
		x[i] = exp32(v-shift) * scale
	}
}

func (Generic) SwiGLUGrad(dgate, dup, dout, gate, up []float32) {
	for i, g := range gate {
		s := 1 / (1 + exp32(-g))
		silu := g * s
		d, u := dout[i], up[i]
		dgate[i] = d * u * (s + silu*(1-s))
		dup[i] = d * silu
	}
}

func (Generic) WeighGrad(kind attention.Kind, x, dots []float32, st State, delta float32) {
	rule, norm := kind.Definition().Rule, st.Norm(kind)
	floor := exp32(-st.Max) * norm
	for i, score := range x {
		e := exp32(score-st.Max) * norm
		p, dx := e, e*(dots[i]-delta)
		switch rule {
		case attention.Difference:
			p = max(e-floor, 0)
			if score < 0 {
				dx = e * delta
			} else if !(score > 0) {
				dx = 0
			}
		case attention.Positive:
			p = max(e-floor, 0)
			if !(score > 0) {
				dx = 0
			}
		case attention.NonNegative:
			if score < 0 {
				p, dx = 0, 0
			}
		}
		x[i], dots[i] = p, dx
	}
}

func (Generic) Transpose(dst []float32, ldd int, src []float32, lds, rows, columns int) {
	transposeBlock(dst, ldd, src, lds, 0, rows, 0, columns)
}

// transposeBlock transposes rows [r0, r1) and columns [c0, c1) of src.
func transposeBlock(dst []float32, ldd int, src []float32, lds, r0, r1, c0, c1 int) {
	for r := r0; r < r1; r++ {
		for c := c0; c < c1; c++ {
			dst[c*ldd+r] = src[r*lds+c]
		}
	}
}
