//go:build (amd64 || arm64) && !noasm

package kernel

import "unsafe"

// NewMatrix implements Set. Panels lie one after the other, the last padded
// with zero columns:
//
//	float32:  [panel][k][column in panel]
//	bfloat16: [panel][k/2][column in panel][2], k padded with zeros to 32
func (s *simd) NewMatrix(f Storage, n, k int) *Matrix {
	columns := (n + s.panel - 1) / s.panel * s.panel
	if f == StoredBFloat16 {
		return newMatrix(f, n, k, columns*PairedK(k))
	}
	return newMatrix(f, n, k, columns*k)
}

// PackRows implements Set. It gathers a panel's rows and transposes them.
func (s *simd) PackRows(w *Matrix, n0, n1 int, row func(j int, dst []float32)) {
	stride := InputStride(w.K)
	rows := make([]float32, s.panel*stride)
	var halves []uint16
	if w.Storage == StoredBFloat16 {
		halves = make([]uint16, s.panel*stride)
	}
	for n := n0; n < n1; n += s.panel {
		columns := min(s.panel, n1-n)
		for c := range columns {
			row(n+c, rows[c*stride:][:w.K])
		}
		clear(rows[columns*stride:])
		if w.Storage == StoredFloat32 {
			s.transpose(w.F32[n*w.K:][:s.panel*w.K], rows, stride, w.K)
			continue
		}
		for c := range s.panel {
			s.Round(halves[c*stride:][:PairedK(w.K)], rows[c*stride:][:w.K])
		}
		// A pair of bfloat16 moves as one element of 32 bits.
		s.transpose(pairs(w.BF16[n*PairedK(w.K):][:s.panel*PairedK(w.K)]), pairs(halves), stride/2, PairedK(w.K)/2)
	}
}

// PackHalves implements Set. The rows are only moved.
func (s *simd) PackHalves(w *Matrix, n0, n1 int, row func(j int) []byte) {
	if w.Storage != StoredBFloat16 {
		panic("kernel: PackHalves into a matrix of " + w.Storage.String())
	}
	stride, padded := InputStride(w.K), PairedK(w.K)
	halves := make([]uint16, s.panel*stride)
	for n := n0; n < n1; n += s.panel {
		columns := min(s.panel, n1-n)
		for c := range columns {
			copy(bytesOf(halves[c*stride:][:w.K]), row(n + c)[:2*w.K])
		}
		clear(halves[columns*stride:])
		s.transpose(pairs(w.BF16[n*padded:][:s.panel*padded]), pairs(halves), stride/2, padded/2)
	}
}

// bytesOf is the memory of x. This processor is little-endian.
func bytesOf(x []uint16) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 2*len(x))
}

// transpose writes src, panel rows of n elements that lie stride apart, into
// dst [n, panel].
func (s *simd) transpose(dst, src []float32, stride, n int) {
	whole := s.transposeEights(dst, src, stride, n)
	for i := whole; i < n; i++ {
		for c := range s.panel {
			dst[i*s.panel+c] = src[c*stride+i]
		}
	}
}

// pairs is x, an even number of bfloat16, as elements of 32 bits. They are only
// moved, never computed with.
func pairs(x []uint16) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x)/2)
}

func (s *simd) Round(dst []uint16, src []float32) {
	s.round(first(dst), first(src), len(src))
	clear(dst[len(src):])
}
