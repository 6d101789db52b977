//go:build (amd64 || arm64) && !noasm

package kernel

import "sync"

// columnRows is how many pairs of rows are rounded before they are transposed:
// 64 of them and 64 columns are 16 kilobytes.
const columnRows = 64

var columnScratch = sync.Pool{New: func() any { return new([columnRows * columnRows]float32) }}

// pairRows writes rows l and l+1 of x, columns [c, c+len(dst)), as pairs of
// bfloat16; a row behind the last of k is zeros.
func (s *simd) pairRows(dst []float32, x []float32, ldx, l, k, c int) {
	var zeros [columnRows]float32
	a, b := x[l*ldx+c:][:len(dst)], zeros[:len(dst)]
	if l+1 < k {
		b = x[(l+1)*ldx+c:][:len(dst)]
	}
	s.pair(first(dst), first(a), first(b), len(dst))
}

// PackColumns implements Gradients: x lies as a panel does, but for the rounding.
// Rows are outermost, so that each is read in one go.
func (s *simd) PackColumns(w *Matrix, n0, n1 int, x []float32, ldx int) {
	if w.Storage == StoredFloat32 {
		for l := range w.K {
			for n := n0; n < n1; n += s.panel {
				at := w.F32[n*w.K+l*s.panel:][:s.panel]
				clear(at[copy(at, x[l*ldx+n:][:min(s.panel, n1-n)]):])
			}
		}
		return
	}
	all, half := pairs(w.BF16), PairedK(w.K)/2
	for l := 0; l < w.K; l += 2 {
		for n := n0; n < n1; n += s.panel {
			at := all[n*half+l/2*s.panel:][:s.panel]
			columns := min(s.panel, n1-n)
			s.pairRows(at[:columns], x, ldx, l, w.K, n)
			clear(at[columns:])
		}
	}
	for n := n0; n < n1; n += s.panel {
		clear(all[n*half+(w.K+1)/2*s.panel : (n+s.panel)*half])
	}
}

// PrepareColumns implements Gradients: pairs of rows are rounded, and the pairs
// transposed as elements of 32 bits.
func (s *simd) PrepareColumns(in *Input, x []float32, ldx, m0, m1 int) {
	stride := InputStride(in.K)
	if in.Arithmetic == Float32 {
		s.Transpose(in.F32[m0*stride:], stride, x[m0:], ldx, in.K, m1-m0)
		for i := m0; i < m1; i++ {
			clear(in.F32[i*stride+in.K : i*stride+PairedK(in.K)])
		}
		return
	}
	scratch := columnScratch.Get().(*[columnRows * columnRows]float32)
	out := pairs(in.BF16)
	half := (in.K + 1) / 2
	for c := m0; c < m1; c += columnRows {
		columns := min(columnRows, m1-c)
		for p := 0; p < half; p += columnRows {
			rows := min(columnRows, half-p)
			for i := range rows {
				s.pairRows(scratch[i*columnRows:][:columns], x, ldx, 2*(p+i), in.K, c)
			}
			s.Transpose(out[c*stride/2+p:], stride/2, scratch[:], columnRows, rows, columns)
		}
	}
	columnScratch.Put(scratch)
	for i := m0; i < m1; i++ {
		clear(out[i*stride/2+half : i*stride/2+PairedK(in.K)/2])
	}
}
