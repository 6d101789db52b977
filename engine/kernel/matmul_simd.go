//go:build (amd64 || arm64) && !noasm

package kernel

import (
	"sync"
)

// Prepare implements Set. Rows are padded with zeros to whole blocks of k.
func (s *simd) Prepare(in *Input, x []float32, ldx, m0, m1 int) {
	stride, padded := InputStride(in.K), PairedK(in.K)
	for i := m0; i < m1; i++ {
		src := x[i*ldx:][:in.K]
		if in.Arithmetic == Float32 {
			dst := in.F32[i*stride:][:padded]
			clear(dst[copy(dst, src):])
			continue
		}
		s.Round(in.BF16[i*stride:][:padded], src)
	}
}

// MatMul implements Set.
//
// Good rectangles are wide and high: A is read once for each panel, so that
// every panel of columns costs the most with few rows. All rows of a batch, up
// to some hundreds, by some 256 columns (whole panels) keep both in the caches
// and leave enough tasks for the threads. Where a task has fewer rows than a
// tile, time is that of reading the weights.
func (s *simd) MatMul(y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1 int, add bool) {
	if m0 >= m1 || n0 >= n1 {
		return
	}
	checkProduct(y, ldy, in, m0, m1, w, n0, n1, s.panel)
	mode := modeStore
	if add {
		mode = modeAdd
	}
	product := s.products[w.Storage][in.Arithmetic]
	if product == nil {
		panic(noProduct(s.name, w, in))
	}
	product(s, y, ldy, in, m0, m1, w, n0, n1, mode)
}

// simdProduct is one product of a simd: MatMul of what it multiplies.
type simdProduct func(s *simd, y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1 int, mode int)

// The products: bfloat16 by widening, and by an instruction of its own.
var (
	wideProducts = products[simdProduct]{
		StoredFloat32:  {Float32: (*simd).matMulF32},
		StoredBFloat16: {BFloat16: (*simd).matMulWide},
		StoredCodes:    {Float32: (*simd).matMulCodes, BFloat16: (*simd).matMulCodes},
	}
	dotProducts = products[simdProduct]{
		StoredFloat32:  {Float32: (*simd).matMulF32},
		StoredBFloat16: {BFloat16: (*simd).matMulDot},
		StoredCodes:    {Float32: (*simd).matMulCodes, BFloat16: (*simd).matMulCodes},
	}
)

func (s *simd) Multiplies(w Storage, a Arithmetic) bool { return s.products[w][a] != nil }

// cacheBlock is the size in bytes of the rows of A that are kept in the second
// level cache while B's panels pass by.
const cacheBlock = 512 << 10

// rowBlock is the number of rows of A, of stride bytes each, in a cacheBlock:
// whole tiles.
func (s *simd) rowBlock(stride uintptr) int {
	return max(1, cacheBlock/int(stride)/s.rows) * s.rows
}

// matMulF32 multiplies float32 with float32.
func (s *simd) matMulF32(y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1 int, mode int) {
	stride := InputStride(in.K)
	t := tile{
		ldc: uintptr(ldy) * 4, lda: uintptr(stride) * 4,
		bstep: uintptr(s.panel) * 4, bvec: uintptr(s.lanes) * 4,
		steps: w.K, mode: mode,
	}
	block := s.rowBlock(t.lda)
	for b := m0; b < m1; b += block {
		end := min(m1, b+block)
		for n := n0; n < n1; n += s.panel {
			t.b = at(w.F32, n*w.K)
			s.columns(&t, min(s.panel, n1-n))
			for i := b; i < end; i += s.rows {
				t.rows = min(s.rows, end-i)
				t.a, t.c = at(in.F32, i*stride), at(y, (i-m0)*ldy+n-n0)
				s.tileF32(&t)
			}
		}
	}
}

// matMulDot multiplies pairs of bfloat16 with VDPBF16PS or BFDOT, which take subnormals
// as zero.
func (s *simd) matMulDot(y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1 int, mode int) {
	stride, padded := InputStride(in.K), PairedK(w.K)
	t := tile{
		ldc: uintptr(ldy) * 4, lda: uintptr(stride) * 2,
		bstep: uintptr(s.panel) * 4, bvec: uintptr(s.lanes) * 4,
		steps: (w.K + 1) / 2, mode: mode,
	}
	block := s.rowBlock(t.lda)
	for b := m0; b < m1; b += block {
		end := min(m1, b+block)
		for n := n0; n < n1; n += s.panel {
			t.b = at(w.BF16, n*padded)
			s.columns(&t, min(s.panel, n1-n))
			for i := b; i < end; i += s.rows {
				t.rows = min(s.rows, end-i)
				t.a, t.c = at(in.BF16, i*stride), at(y, (i-m0)*ldy+n-n0)
				s.tileDot(&t)
			}
		}
	}
}

// matMulWide multiplies bfloat16 by widening: A's rows once into scratch, B's
// panels in the micro-kernel.
func (s *simd) matMulWide(y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1 int, mode int) {
	stride, padded := InputStride(in.K), PairedK(w.K)
	t := tile{
		ldc: uintptr(ldy) * 4, lda: uintptr(stride) * 4,
		bstep: uintptr(s.panel) * 4, bvec: uintptr(s.lanes) * 4,
		steps: (w.K + 1) / 2, mode: mode,
	}
	block := s.rowBlock(t.lda)
	scratch := wideScratch.Get().(*[]float32)
	defer wideScratch.Put(scratch)
	if need := min(block, m1-m0) * stride; cap(*scratch) < need {
		*scratch = make([]float32, need)
	}
	for b := m0; b < m1; b += block {
		end := min(m1, b+block)
		rows := (*scratch)[:(end-b)*stride]
		s.widen(rows, in.BF16[b*stride:][:len(rows)-stride+padded])
		for n := n0; n < n1; n += s.panel {
			t.b = at(w.BF16, n*padded)
			s.columns(&t, min(s.panel, n1-n))
			for i := b; i < end; i += s.rows {
				t.rows = min(s.rows, end-i)
				t.a, t.c = at(rows, (i-b)*stride), at(y, (i-m0)*ldy+n-n0)
				s.tileWide(&t)
			}
		}
	}
}

var wideScratch = sync.Pool{New: func() any { return new([]float32) }}
