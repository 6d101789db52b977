//go:build !noasm

package kernel

import (
	"sync"
	"unsafe"
)

// NewInt8 implements Set.
func (s *simd) NewInt8(n, k int) *Matrix { return newInt8(n, k, s.panel) }

var int8Scratch = sync.Pool{New: func() any { return new([14 * 32]int32) }}

// MatMulInt8 implements Set: sums are whole numbers, so that all Sets have the same.
func (s *simd) MatMulInt8(y []float32, ldy int, in *Int8Input, m0, m1 int, w *Matrix, n0, n1 int, add bool) {
	if m0 >= m1 || n0 >= n1 {
		return
	}
	checkInt8(y, ldy, in, m0, m1, w, n0, n1, s.panel)
	stride, padded := InputStride(in.K), w.K+w.K%2
	sums := int8Scratch.Get().(*[14 * 32]int32)
	defer int8Scratch.Put(sums)
	t := tile{
		ldc: uintptr(s.panel) * 4, lda: uintptr(stride) * 2,
		bstep: uintptr(s.panel) * 2, bvec: uintptr(s.lanes) * 2,
		steps: padded / 2, mode: modeStore, c: unsafe.Pointer(sums),
	}
	s.columns(&t, s.panel)
	block := s.rowBlock(t.lda)
	for b := m0; b < m1; b += block {
		end := min(m1, b+block)
		for n := n0; n < n1; n += s.panel {
			t.b = at(w.Int8.codes, n*padded)
			columns := w.Int8.scales[n:min(n1, n+s.panel)]
			for i := b; i < end; i += s.rows {
				t.rows = min(s.rows, end-i)
				t.a = at(in.codes, i*stride)
				if s.isa == isaAVX2 {
					tileInt8AVX2(&t)
				} else {
					tileInt8AVX512(&t)
				}
				for r := range t.rows {
					int8Numbers(y[(i+r-m0)*ldy+n-n0:], sums[r*s.panel:], in.scales[i+r], columns, add)
				}
			}
		}
	}
}
