//go:build !noasm

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// The Sets of x86, and which of the assembly's loops each runs.
const (
	isaAVX2 isa = iota
	isaAVX512
	isaAVX512BF16
)

var (
	avx2       = &simd{isa: isaAVX2, name: "avx2", lanes: 8, rows: 6, panel: 16, products: wideProducts}
	avx512     = &simd{isa: isaAVX512, name: "avx512", lanes: 16, rows: 14, panel: 32, products: wideProducts}
	avx512bf16 = &simd{isa: isaAVX512BF16, name: "avx512bf16", lanes: 16, rows: 14, panel: 32, dots: true, products: dotProducts}
)

// tileF32 runs the micro-kernel over float32.
func (s *simd) tileF32(t *tile) {
	if s.isa == isaAVX2 {
		tileF32AVX2(t)
	} else {
		tileF32AVX512(t)
	}
}

// tileWide runs the micro-kernel over float32 and pairs of bfloat16.
func (s *simd) tileWide(t *tile) {
	if s.isa == isaAVX2 {
		tileWideAVX2(t)
	} else {
		tileWideAVX512(t)
	}
}

// widen converts whole blocks of 32.
func (s *simd) widen(dst []float32, src []uint16) {
	if s.isa == isaAVX2 {
		widenAVX2(&dst[0], &src[0], len(src))
	} else {
		widenAVX512(&dst[0], &src[0], len(src))
	}
}

// widenBlocks widens whole blocks of 32 elements, and returns how many elements
// that is.
func widenBlocks(dst []float32, src []byte) int {
	n := len(dst) &^ 31
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	widenAVX2(&dst[0], (*uint16)(unsafe.Pointer(&src[0])), n)
	return n
}

// tileDot runs the micro-kernel over pairs of bfloat16 in both operands.
func (s *simd) tileDot(t *tile) { tileDotAVX512(t) }

// transposeEights does what it can of transpose, and returns how many of n elements that is.
func (s *simd) transposeEights(dst, src []float32, stride, n int) int {
	whole := n &^ 7
	for c := 0; c < s.panel && whole > 0; c += 8 {
		transpose8AVX2(at(dst, c), uintptr(s.panel)*4, at(src, c*stride), uintptr(stride)*4, whole)
	}
	return whole
}

func (s *simd) scale(x *float32, n int, a float32) {
	if s.isa == isaAVX2 {
		scaleAVX2(x, n, a)
	} else {
		scaleAVX512(x, n, a)
	}
}

func (s *simd) sumSquares(x *float32, n int) float32 {
	if s.isa == isaAVX2 {
		return sumSquaresAVX2(x, n)
	}
	return sumSquaresAVX512(x, n)
}

func (s *simd) norm(dst, x, weight *float32, n int, r float32) {
	if s.isa == isaAVX2 {
		normAVX2(dst, x, weight, n, r)
	} else {
		normAVX512(dst, x, weight, n, r)
	}
}

func (s *simd) rotate(a, b, cos, sin *float32, n int) {
	if s.isa == isaAVX2 {
		rotateAVX2(a, b, cos, sin, n)
	} else {
		rotateAVX512(a, b, cos, sin, n)
	}
}

func (s *simd) swiglu(dst, gate, up *float32, n int) {
	if s.isa == isaAVX2 {
		swigluAVX2(dst, gate, up, n)
	} else {
		swigluAVX512(dst, gate, up, n)
	}
}

func (s *simd) sum(x *float32, n int) float32 {
	if s.isa == isaAVX2 {
		return sumAVX2(x, n)
	}
	return sumAVX512(x, n)
}

func (s *simd) shift(dst, x *float32, n int, a float32) {
	if s.isa == isaAVX2 {
		shiftAVX2(dst, x, n, a)
	} else {
		shiftAVX512(dst, x, n, a)
	}
}

func (s *simd) selfGate(x *float32, n int, a, b float32) {
	if s.isa == isaAVX2 {
		selfGateAVX2(x, n, a, b)
	} else {
		selfGateAVX512(x, n, a, b)
	}
}

func (s *simd) gelu(x *float32, n int) {
	if s.isa == isaAVX2 {
		geluAVX2(x, n)
	} else {
		geluAVX512(x, n)
	}
}

func (s *simd) maximum(x *float32, n int) float32 {
	if s.isa == isaAVX2 {
		return maximumAVX2(x, n)
	}
	return maximumAVX512(x, n)
}

func (s *simd) indexOf(x *float32, n int, a float32) int {
	if s.isa == isaAVX2 {
		return indexOfAVX2(x, n, a)
	}
	return indexOfAVX512(x, n, a)
}

func (s *simd) sumExp(x *float32, n int, m float32) float32 {
	if s.isa == isaAVX2 {
		return sumExpAVX2(x, n, m)
	}
	return sumExpAVX512(x, n, m)
}

func (s *simd) round(dst *uint16, src *float32, n int) {
	if s.isa == isaAVX2 {
		roundAVX2(dst, src, n)
	} else {
		roundAVX512(dst, src, n)
	}
}

func (s *simd) pair(dst, a, b *float32, n int) {
	if s.isa == isaAVX2 {
		pairAVX2(dst, a, b, n)
	} else {
		pairAVX512(dst, a, b, n)
	}
}

func (s *simd) weigh(t *weighing) {
	if s.isa == isaAVX2 {
		weighAVX2(t)
	} else {
		weighAVX512(t)
	}
}
