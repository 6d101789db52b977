package kernel

import (
	"math"
	"unsafe"
)

// Int8 are the codes of a Matrix of whole numbers from -128 to 127, one scale a row of W, in panels
// of so many columns of the product:
//
//	codes [panel][k/each][column][each], k padded with zeros
//
// Pairs meet activations of 16 bits. Fours meet activations that are more by 128 and have no sign,
// as VPDPBUSD and TDPBUSD want them; over is what the sums of a column are too large by.
type Int8 struct {
	panel, each int
	codes       []int8
	scales      []float32 // [N]
	over        []int32   // [N], 128·Σ_k of the codes; of pairs, zeros
}

// MaxInt8K is the most columns of an int8 matrix: sums of as many products stay below 2^31.
const MaxInt8K = 1 << 16

// int8Step is the number of k that fours are padded to: an AMX tile takes them at once.
const int8Step = 64

// int8K is k padded.
func int8K(k, each int) int {
	if each == 4 {
		return (k + int8Step - 1) / int8Step * int8Step
	}
	return k + k%2
}

// newInt8 allocates W [n, k], whole panels of it.
func newInt8(n, k, panel, each int) *Matrix {
	if k > MaxInt8K {
		panic("kernel: int8 rows of more than MaxInt8K")
	}
	columns := (n + panel - 1) / panel * panel
	w := &Int8{
		panel: panel, each: each, codes: newSlice[int8](columns * int8K(k, each)),
		scales: newSlice[float32](n), over: newSlice[int32](n),
	}
	return &Matrix{N: n, K: k, Storage: StoredInt8, Int8: w}
}

// NewInt8 implements Set.
func (Generic) NewInt8(n, k int) *Matrix { return newInt8(n, k, genericPanel, 2) }

// PackInt8 fills rows [n0, n1) of W; row writes row j's K codes and returns its scale.
func (w *Matrix) PackInt8(n0, n1 int, row func(j int, codes []int8) (scale float32)) {
	c := w.Int8
	codes := make([]int8, w.K)
	for j := n0; j < n1; j++ {
		c.scales[j] = row(j, codes)
		at := j/c.panel*c.panel*int8K(w.K, c.each) + j%c.panel*c.each
		sum := int32(0)
		for k, v := range codes {
			c.codes[at+k/c.each*c.each*c.panel+k%c.each] = v
			sum += int32(v)
		}
		if c.each == 4 {
			c.over[j] = 128 * sum
		}
	}
}

// Int8Input is a block of activations [M, K] as whole numbers from -128 to 127, one scale a row, in
// the form a Set's MatMulInt8 reads.
type Int8Input struct {
	K      int
	codes  []int16 // rows of InputStride(K), padded with zeros; or of fours, in their memory, rows
	scales []float32
}

// fours is the memory of codes as rows of int8Stride bytes, each more by 128.
func (in *Int8Input) fours() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(in.codes))), 2*len(in.codes))
}

// int8Stride is the distance between rows of fours, an odd multiple of 64 as InputStride is of 32.
func int8Stride(k int) int { return (k+int8Step-1)/int8Step*int8Step | int8Step }

// Reset sizes the input for m rows of k activations, keeping its memory.
func (in *Int8Input) Reset(m, k int) {
	in.K = k
	if need := m * InputStride(k); cap(in.codes) < need {
		in.codes = newSlice[int16](need)
	}
	if cap(in.scales) < m {
		in.scales = make([]float32, m)
	}
	in.codes, in.scales = in.codes[:cap(in.codes)], in.scales[:cap(in.scales)]
}

// QuantiseInt8 implements Set.
func (Generic) QuantiseInt8(in *Int8Input, from *Input, m0, m1 int) {
	stride := InputStride(in.K)
	x := make([]float32, in.K)
	for i := m0; i < m1; i++ {
		row := x
		if from.Arithmetic == Float32 {
			row = from.F32[i*stride:][:in.K]
		} else {
			for k, h := range from.BF16[i*stride:][:in.K] {
				row[k] = FromBF16(h)
			}
		}
		codes := in.codes[i*stride:][:stride]
		in.scales[i] = quantiseRow(codes, row)
		clear(codes[in.K:])
	}
}

// quantiseRow is Quantise of one row.
func quantiseRow(codes []int16, x []float32) (scale float32) {
	var bits uint32 // of the largest magnitude: of what is not negative, bits are in the numbers' order
	for _, v := range x {
		bits = max(bits, math.Float32bits(v)&^(1<<31))
	}
	scale = int8Scale(bits)
	if scale != scale {
		return scale
	}
	const shift = 3 << 22 // its last place is one
	for k, v := range x {
		codes[k] = int16(min(v/scale+shift-shift, 127)) // no quotient is below -127.5
	}
	return scale
}

// int8Scale is the scale of a row whose largest magnitude has such bits.
func int8Scale(bits uint32) float32 {
	most := math.Float32frombits(bits)
	if !(most <= math.MaxFloat32) {
		return float32(math.NaN())
	}
	if scale := most / 127.5; scale != 0 {
		return scale
	}
	return 0x1p-23
}

// checkInt8 panics where a product would reach outside its operands.
func checkInt8(y []float32, ldy int, in *Int8Input, m0, m1 int, w *Matrix, n0, n1, panel, each int) {
	if w.Int8 == nil || w.Int8.panel != panel || w.Int8.each != each {
		panic("kernel: no int8 matrix of this Set")
	}
	checkRanges(y, ldy, in.K, m0, m1, w, n0, n1, panel)
	_, _ = in.codes[:m1*InputStride(in.K)], in.scales[:m1]
}

// int8Numbers turns sums of a panel's columns into numbers of y: sum·scale of the row·scale of the
// column, each rounded.
func int8Numbers(y []float32, sums []int32, row float32, columns []float32, add bool) {
	for j, scale := range columns {
		v := float32(float32(sums[j])*row) * scale
		if add {
			y[j] += v
		} else {
			y[j] = v
		}
	}
}

// MatMulInt8 implements Set.
func (Generic) MatMulInt8(y []float32, ldy int, in *Int8Input, m0, m1 int, w *Matrix, n0, n1 int, add bool) {
	if m0 >= m1 || n0 >= n1 {
		return
	}
	checkInt8(y, ldy, in, m0, m1, w, n0, n1, genericPanel, 2)
	padded := int8K(w.K, 2)
	for n := n0; n < n1; n += genericPanel {
		panel := w.Int8.codes[n*padded:][:genericPanel*padded]
		columns := w.Int8.scales[n:min(n1, n+genericPanel)]
		for i := m0; i < m1; i++ {
			var sums [genericPanel]int32
			a := in.codes[i*InputStride(in.K):][:padded]
			for k := 0; k < padded; k += 2 {
				a0, a1, p := int32(a[k]), int32(a[k+1]), panel[k*genericPanel:][:2*genericPanel]
				for j := range sums {
					sums[j] += a0*int32(p[2*j]) + a1*int32(p[2*j+1])
				}
			}
			int8Numbers(y[(i-m0)*ldy+n-n0:], sums[:], in.scales[i], columns, add)
		}
	}
}
