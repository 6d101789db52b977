//go:build !noasm

package kernel

import "sync"

// codeScratch holds the numbers of a panel of codes, in the form a product takes.
type codeScratch struct {
	w       Matrix
	numbers []float32 // [k][column]
}

var codeScratches = sync.Pool{New: func() any { return new(codeScratch) }}

// NewCoded implements Set: a vector of codes is a panel.
func (s *simd) NewCoded(c Coding, n, k int) *Matrix { return newCoded(c, n, k, s.panel, s.panel) }

// matMulCodes multiplies with the numbers that codes stand for: each panel of them is unpacked, by
// portable code, into what PackRows would make of them, and multiplied as that.
func (s *simd) matMulCodes(y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1 int, mode int) {
	scratch := codeScratches.Get().(*codeScratch)
	defer codeScratches.Put(scratch)
	scratch.w = Matrix{K: w.K, Storage: usual[in.Arithmetic].Storage, F32: scratch.w.F32, BF16: scratch.w.BF16}
	if size := w.K * s.panel; cap(scratch.numbers) < size {
		scratch.numbers = make([]float32, size)
	}
	numbers := scratch.numbers[:w.K*s.panel]
	product := s.products[scratch.w.Storage][in.Arithmetic]
	for n := n0; n < n1; n += s.panel {
		scratch.w.N = min(s.panel, n1-n)
		w.Codes.numbers(numbers, n/s.panel, 0, w.K)
		if scratch.w.Storage == StoredFloat32 {
			scratch.w.F32 = numbers
		} else {
			scratch.w.BF16 = s.pairNumbers(scratch.w.BF16, numbers, w.K)
		}
		product(s, y[n-n0:], ldy, in, m0, m1, &scratch.w, 0, scratch.w.N, mode)
	}
	scratch.w.F32 = nil
}

// pairNumbers rounds [k][column] to bfloat16, as [k/2][column][2] with zeros up to PairedK.
func (s *simd) pairNumbers(dst []uint16, numbers []float32, k int) []uint16 {
	size := PairedK(k) * s.panel
	if cap(dst) < size {
		dst = make([]uint16, size)
	}
	dst = dst[:size]
	clear(dst[k/2*2*s.panel:])
	for i := range k {
		for c, x := range numbers[i*s.panel:][:s.panel] {
			dst[(i/2*s.panel+c)*2+i%2] = ToBF16(x)
		}
	}
	return dst
}
