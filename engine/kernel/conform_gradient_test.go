package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/softbench/softbench/engine/attention"
)

// expOnce: 2 ulp of the exponential, the subtraction's rounding carried through
// it, and a product.
func expOnce(t *testing.T, s Gradients, rng *rand.Rand, n int) {
	x, check := guarded(t, n, n%4)
	before := normals(rng, n, 0)
	copy(x, before)
	const shift, scale = float32(1.25), float32(0.3)
	s.Exp(x, shift, scale)
	check()
	for i, v := range x {
		d := float64(before[i]) - float64(shift)
		want := math.Exp(d) * float64(scale)
		if !(math.Abs(float64(v)-want) <= (6+math.Abs(d))*u*want) {
			t.Fatalf("n=%d: e^(%v-%v)·%v = %v, want %v", n, before[i], shift, scale, v, want)
		}
	}
}

// swigluGradOnce: each factor errs by a few u, of the larger of the two terms
// that are added.
func swigluGradOnce(t *testing.T, s Gradients, rng *rand.Rand, n int) {
	gate, up, dout := normals(rng, n, n%3), normals(rng, n, n%2), normals(rng, n, 1)
	for i := range gate {
		gate[i] *= 6
	}
	dgate, check1 := guarded(t, n, n%4)
	dup, check2 := guarded(t, n, (n+1)%4)
	s.SwiGLUGrad(dgate, dup, dout, gate, up)
	check1()
	check2()
	for i := range gate {
		g, d, w := float64(gate[i]), float64(dout[i]), float64(up[i])
		sig := 1 / (1 + math.Exp(-g))
		if want := d * g * sig; !(math.Abs(float64(dup[i])-want) <= 8*u*math.Abs(want)) {
			t.Fatalf("n=%d: dup[%d] = %v, want %v", n, i, dup[i], want)
		}
		size := math.Abs(d*w) * sig * (1 + math.Abs(g)) // 1-s cancels for large gates
		if want := d * w * (sig + g*sig*(1-sig)); !(math.Abs(float64(dgate[i])-want) <= 16*u*size) {
			t.Fatalf("n=%d: dgate[%d] = %v, want %v", n, i, dgate[i], want)
		}
	}
}

// weighGradOnce compares with the formulas in float64, scores of zero and rows
// without a positive score among them.
func weighGradOnce(t *testing.T, s Gradients, rng *rand.Rand, n int) {
	for _, kind := range attention.Kinds() {
		x, check1 := guarded(t, n, n%4)
		dots, check2 := guarded(t, n, (n+2)%4)
		scores, gains := normals(rng, n, 0), normals(rng, n, 0)
		st := NewState(kind, 0.5)
		for i := range scores {
			if n%5 == 0 {
				scores[i] = -float32(math.Abs(float64(scores[i])))
			}
			if i%7 == 3 {
				scores[i] = 0
			}
			st.Max = max(st.Max, scores[i])
		}
		st.Sum = 0.5 + float32(n)
		copy(x, scores)
		copy(dots, gains)
		const delta = float32(0.37)
		s.WeighGrad(kind, x, dots, st, delta)
		check1()
		check2()
		norm := float64(st.Norm(kind))
		floor := math.Exp(-float64(st.Max)) * norm
		for i := range scores {
			score, gain := float64(scores[i]), float64(gains[i])
			e := math.Exp(score-float64(st.Max)) * norm
			p, dx := e, e*(gain-float64(delta))
			switch kind.Definition().Rule {
			case attention.Difference, attention.Positive:
				p = max(e-floor, 0)
				switch {
				case score > 0:
				case score < 0 && kind.Definition().Rule == attention.Difference:
					dx = e * float64(delta)
				default:
					dx = 0
				}
			case attention.NonNegative:
				if score < 0 {
					p, dx = 0, 0
				}
			}
			near := (12 + 2*math.Abs(score-float64(st.Max))) * u
			if !(math.Abs(float64(x[i])-p) <= near*(e+floor)) || (p == 0) != (x[i] == 0) && math.Abs(score) > 1e-5 {
				t.Fatalf("%s n=%d: weight %d of score %v = %v, want %v", kind, n, i, score, x[i], p)
			}
			if !(math.Abs(float64(dots[i])-dx) <= near*e*(math.Abs(gain)+1)) || score == 0 && kind.Definition().Rule == attention.Difference && dots[i] != 0 {
				t.Fatalf("%s n=%d: gradient %d of score %v = %v, want %v", kind, n, i, score, dots[i], dx)
			}
		}
	}
}

func transposeAll(t *testing.T, s Gradients, rng *rand.Rand) {
	for _, rows := range []int{1, 7, 8, 9, 16, 63, 100} {
		for _, columns := range []int{1, 7, 8, 31, 32, 33, 65, 130} {
			lds, ldd := columns+3, rows+2
			src := normals(rng, rows*lds, 1)
			dst, check := guarded(t, columns*ldd, rows%4)
			s.Transpose(dst, ldd, src, lds, rows, columns)
			check()
			for c := range columns {
				for r := range ldd {
					got := dst[c*ldd+r]
					if r >= rows {
						if c < columns-1 && !sameBits(got, guard) {
							t.Fatalf("%dx%d: wrote between rows", rows, columns)
						}
					} else if !sameBits(got, src[r*lds+c]) {
						t.Fatalf("%dx%d: row %d, column %d is %v, want %v", rows, columns, r, c, got, src[r*lds+c])
					}
				}
			}
		}
	}
}

// columnsAll: a transposed operand is packed, and prepared, as the same operand
// is that lies in rows, whatever was in the memory before.
func columnsAll(t *testing.T, s Gradients, rng *rand.Rand) {
	for _, dt := range []Arithmetic{Float32, BFloat16} {
		for _, k := range []int{1, 2, 31, 32, 33, 127, 130, 200} {
			for _, n := range []int{1, 15, 32, 33, 64, 100} {
				ldx := n + 5
				x := normals(rng, k*ldx, 1)
				x[0], x[len(x)/2] = float32(math.NaN()), float32(math.Inf(-1))
				row := func(j int, dst []float32) {
					for l := range dst {
						dst[l] = x[l*ldx+j]
					}
				}
				want, got := s.NewMatrix(FormatsOf(dt).Storage, n, k), s.NewMatrix(FormatsOf(dt).Storage, n, k)
				dirty(got.F32, got.BF16)
				width := s.PanelWidth()
				for n0 := 0; n0 < n; n0 += 2 * width {
					s.PackRows(want, n0, min(n, n0+2*width), row)
					s.PackColumns(got, n0, min(n, n0+2*width), x, ldx)
				}
				if i := differs(got.F32, want.F32, got.BF16, want.BF16); i >= 0 && !(s.Name() == "generic" && n%width != 0) {
					t.Fatalf("%v, W [%d, %d]: packed element %d differs", dt, n, k, i)
				}
				rows := make([]float32, n*k)
				for j := range n {
					row(j, rows[j*k:][:k])
				}
				var a, b Input
				a.Reset(dt, n, k)
				b.Reset(dt, n, k)
				dirty(b.F32, b.BF16)
				s.Prepare(&a, rows, k, 0, n)
				s.PrepareColumns(&b, x, ldx, 0, n/2)
				s.PrepareColumns(&b, x, ldx, n/2, n)
				padded := PairedK(k)
				if s.Name() == "generic" {
					padded = k
				}
				for j := range n {
					at := j * InputStride(k)
					cut := func(in *Input) ([]float32, []uint16) {
						if dt == Float32 {
							return in.F32[at:][:padded], nil
						}
						return nil, in.BF16[at:][:padded]
					}
					af, ah := cut(&a)
					bf, bh := cut(&b)
					if i := differs(bf, af, bh, ah); i >= 0 {
						t.Fatalf("%v, [%d, %d]: row %d, element %d differs", dt, n, k, j, i)
					}
				}
			}
		}
	}
}

func dirty(f []float32, h []uint16) {
	for i := range f {
		f[i] = guard
	}
	for i := range h {
		h[i] = 0x1234
	}
}

// differs is the first element that does, -1 for none.
func differs(a, b []float32, c, d []uint16) int {
	for i := range a {
		if !sameBits(a[i], b[i]) {
			return i
		}
	}
	for i := range c {
		if c[i] != d[i] {
			return i
		}
	}
	return -1
}
