package kernel

import (
	"fmt"
	"math"
	"unsafe"
)

// Matrix is a weight matrix W [N, K] packed by a Set, for that Set only.
type Matrix struct {
	N, K    int
	Storage Storage
	// F32 and BF16 hold panels of PanelWidth columns in the Set's own layout, Codes
	// codes of few bits, Int8 whole numbers for MatMulInt8; all but one are nil.
	F32   []float32
	BF16  []uint16
	Codes *Codes
	Int8  *Int8
}

// newMatrix allocates size elements, zeros, for W [n, k].
func newMatrix(f Storage, n, k, size int) *Matrix {
	w := &Matrix{N: n, K: k, Storage: f}
	switch f {
	case StoredFloat32:
		w.F32 = newSlice[float32](size)
	case StoredBFloat16:
		w.BF16 = newSlice[uint16](size)
	default:
		panic("kernel: a matrix kept as " + f.String())
	}
	return w
}

// NewFloats allocates n zeros, on large pages where the system has them: for
// buffers of megabytes that kernels walk through.
func NewFloats(n int) []float32 { return newSlice[float32](n) }

// NewBytes is the same of bytes.
func NewBytes(n int) []byte { return newSlice[byte](n) }

func newSlice[T any](n int) []T {
	x := make([]T, n)
	if n > 0 {
		adviseHugePages(unsafe.Pointer(&x[0]), uintptr(n)*unsafe.Sizeof(x[0]))
	}
	return x
}

// Bytes is the size of the packed weights.
func (w *Matrix) Bytes() int64 {
	n := int64(len(w.F32))*4 + int64(len(w.BF16))*2
	if c := w.Codes; c != nil {
		n += 4 * int64(len(c.words)+len(c.scales)+len(c.zeros))
	}
	if c := w.Int8; c != nil {
		n += int64(len(c.codes)) + 4*int64(len(c.scales)+len(c.over))
	}
	return n
}

// Input is a block of activations [M, K] in the form a Set's MatMul reads.
type Input struct {
	K          int
	Arithmetic Arithmetic
	F32        []float32
	BF16       []uint16
}

// Reset sizes the input for m rows of k activations, keeping its memory.
func (in *Input) Reset(a Arithmetic, m, k int) {
	in.Arithmetic, in.K = a, k
	// Rows are padded so that a Set may read K in pairs and in whole vectors.
	if need := m * InputStride(k); cap(in.F32) < need && a == Float32 {
		in.F32 = newSlice[float32](need)
	} else if cap(in.BF16) < need && a == BFloat16 {
		in.BF16 = newSlice[uint16](need)
	}
	in.F32, in.BF16 = in.F32[:cap(in.F32)], in.BF16[:cap(in.BF16)]
}

// Put stores x as columns [k0, k0+len(x)) of row m, as s.Prepare would. The padding behind column K
// is left as it is.
func (in *Input) Put(s Set, m, k0 int, x []float32) {
	at := m*InputStride(in.K) + k0
	if in.Arithmetic == Float32 {
		copy(in.F32[at:][:len(x)], x)
	} else {
		s.Round(in.BF16[at:][:len(x)], x)
	}
}

// Skip makes row m the first row of the view.
func (in *Input) Skip(m int) {
	if in.Arithmetic == Float32 {
		in.F32 = in.F32[m*InputStride(in.K):]
	} else {
		in.BF16 = in.BF16[m*InputStride(in.K):]
	}
}

// checkProduct panics where a MatMul would reach outside its operands: assembly
// checks no index.
func checkProduct(y []float32, ldy int, in *Input, m0, m1 int, w *Matrix, n0, n1, panel int) {
	checkRanges(y, ldy, in.K, m0, m1, w, n0, n1, panel)
	if rows := m1 * InputStride(in.K); in.Arithmetic == Float32 {
		_ = in.F32[:rows]
	} else {
		_ = in.BF16[:rows]
	}
}

// checkRanges is what all products check.
func checkRanges(y []float32, ldy, k, m0, m1 int, w *Matrix, n0, n1, panel int) {
	if k != w.K || n1 > w.N || n0%panel != 0 || m0 < 0 || n0 < 0 {
		panic(fmt.Sprintf("kernel: product of rows %d:%d [·, %d] with columns %d:%d of %v [%d, %d] in panels of %d",
			m0, m1, k, n0, n1, w.Storage, w.N, w.K, panel))
	}
	_ = y[(m1-m0-1)*ldy+n1-n0-1]
}

// InputStride is the distance between two rows of an Input of k activations.
//
// It is an odd multiple of 32: rows whose distance is a multiple of a page
// share the same few sets of the first-level cache, and a micro-kernel that
// reads a dozen rows side by side would evict its own lines.
func InputStride(k int) int { return (k+31)/32*32 | 32 }

// PairedK is k rounded up to what bfloat16 operands are padded to with zeros: 32,
// which an AMX tile takes at once.
func PairedK(k int) int { return (k + 31) / 32 * 32 }

// Halves is the memory of x as bfloat16, two for each float32.
func Halves(x []float32) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(x))), 2*len(x))
}

// Words is the memory of x as 32-bit words: of bfloat16, pairs, the first in the low half.
func Words(x []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// ToBF16 rounds to the nearest bfloat16, ties to even; NaN stays NaN.
func ToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + (b>>16)&1) >> 16)
}

// WidenBF16 widens len(dst) bfloat16 that lie in src in little-endian order, as
// checkpoints have them. It is exact.
func WidenBF16(dst []float32, src []byte) {
	src = src[:2*len(dst)]
	done := widenBlocks(dst, src)
	for i := done; i < len(dst); i++ {
		dst[i] = FromBF16(uint16(src[2*i]) | uint16(src[2*i+1])<<8)
	}
}

// FromBF16 widens a bfloat16; it is exact.
func FromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
