//go:build !noasm

package kernel

import "github.com/softbench/softbench/engine/attention"

func (s *simd) Exp(x []float32, shift, scale float32) {
	if s.isa == isaAVX2 {
		expAVX2(first(x), len(x), shift, scale)
	} else {
		expAVX512(first(x), len(x), shift, scale)
	}
}

func (s *simd) SwiGLUGrad(dgate, dup, dout, gate, up []float32) {
	n := len(gate)
	dgate, dup, dout, up = dgate[:n], dup[:n], dout[:n], up[:n]
	if s.isa == isaAVX2 {
		swigluGradAVX2(first(dgate), first(dup), first(dout), first(gate), first(up), n)
	} else {
		swigluGradAVX512(first(dgate), first(dup), first(dout), first(gate), first(up), n)
	}
}

func (s *simd) WeighGrad(kind attention.Kind, x, dots []float32, st State, delta float32) {
	n := len(x)
	dots = dots[:n]
	norm, floor := st.Norm(kind), -st.Max
	if s.isa == isaAVX2 {
		expAVX2(&floor, 1, 0, norm)
		weighGradAVX2[kind.Definition().Rule](first(x), first(dots), n, st.Max, norm, floor, delta)
	} else {
		expAVX512(&floor, 1, 0, norm)
		weighGradAVX512[kind.Definition().Rule](first(x), first(dots), n, st.Max, norm, floor, delta)
	}
}

// weighGrad is one of the assembly's loops, by attention.Rule.
type weighGrad func(x, dots *float32, n int, max, norm, floor, delta float32)

var (
	weighGradAVX512 = [...]weighGrad{weighGrad0AVX512, weighGrad1AVX512, weighGrad2AVX512, weighGrad3AVX512}
	weighGradAVX2   = [...]weighGrad{weighGrad0AVX2, weighGrad1AVX2, weighGrad2AVX2, weighGrad3AVX2}
)

func (s *simd) Transpose(dst []float32, ldd int, src []float32, lds, rows, columns int) {
	if rows == 0 || columns == 0 {
		return
	}
	_, _ = dst[(columns-1)*ldd+rows-1], src[(rows-1)*lds+columns-1]
	r8, c8 := rows&^7, columns&^7
	// In strips of columns: what is written together lies in the cache together.
	const strip = 32
	for c := 0; c < c8; c += strip {
		n := min(strip, c8-c)
		for r := 0; r < r8; r += 8 {
			transpose8AVX2(at(dst, c*ldd+r), uintptr(ldd)*4, at(src, r*lds+c), uintptr(lds)*4, n)
		}
	}
	transposeBlock(dst, ldd, src, lds, 0, rows, c8, columns)
	transposeBlock(dst, ldd, src, lds, r8, rows, 0, c8)
}

//go:noescape
func expAVX512(x *float32, n int, shift, scale float32)

//go:noescape
func swigluGradAVX512(dgate, dup, dout, gate, up *float32, n int)

//go:noescape
func weighGrad0AVX512(x, dots *float32, n int, max, norm, floor, delta float32)

//go:noescape
func weighGrad1AVX512(x, dots *float32, n int, max, norm, floor, delta float32)

//go:noescape
func weighGrad2AVX512(x, dots *float32, n int, max, norm, floor, delta float32)

//go:noescape
func weighGrad3AVX512(x, dots *float32, n int, max, norm, floor, delta float32)

//go:noescape
func expAVX2(x *float32, n int, shift, scale float32)

//go:noescape
func swigluGradAVX2(dgate, dup, dout, gate, up *float32, n int)

//go:noescape
func weighGrad0AVX2(x, dots *float32, n int, max, norm, floor, delta float32)

//go:noescape
func weighGrad1AVX2(x, dots *float32, n int, max, norm, floor, delta float32)

//go:noescape
func weighGrad2AVX2(x, dots *float32, n int, max, norm, floor, delta float32)

//go:noescape
func weighGrad3AVX2(x, dots *float32, n int, max, norm, floor, delta float32)
