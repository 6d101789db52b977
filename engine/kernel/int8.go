package kernel

import "math"

// Int8 are the codes of a Matrix of whole numbers from -128 to 127, one scale a row of W, in panels
// of so many columns of the product:
//
//	codes [panel][k/2][column][2], k padded with zeros to pairs
type Int8 struct {
	panel  int
	codes  []int8
	scales []float32 // [N]
}

// MaxInt8K is the most columns of an int8 matrix: sums of as many products stay below 2^31.
const MaxInt8K = 1 << 16

// newInt8 allocates W [n, k], whole panels of it.
func newInt8(n, k, panel int) *Matrix {
	if k > MaxInt8K {
		panic("kernel: int8 rows of more than MaxInt8K")
	}
	columns := (n + panel - 1) / panel * panel
	w := &Int8{panel: panel, codes: newSlice[int8](columns * (k + k%2)), scales: newSlice[float32](n)}
	return &Matrix{N: n, K: k, Storage: StoredInt8, Int8: w}
}

// NewInt8 implements Set.
func (Generic) NewInt8(n, k int) *Matrix { return newInt8(n, k, genericPanel) }

// PackInt8 fills rows [n0, n1) of W; row writes row j's K codes and returns its scale.
func (w *Matrix) PackInt8(n0, n1 int, row func(j int, codes []int8) (scale float32)) {
	c := w.Int8
	codes := make([]int8, w.K)
	for j := n0; j < n1; j++ {
		c.scales[j] = row(j, codes)
		at := j/c.panel*c.panel*(w.K+w.K%2) + j%c.panel*2
		for k, v := range codes {
			c.codes[at+k/2*2*c.panel+k%2] = v
		}
	}
}

// Int8Input is a block of activations [M, K] as whole numbers from -128 to 127, one scale a row.
type Int8Input struct {
	K      int
	codes  []int16 // rows of InputStride(K), padded with zeros
	scales []float32
}

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

// Quantise makes rows [m0, m1) of what was prepared, each with a scale of its own, as compressed-tensors
// does a token at a time:
//
//	scale = max|x| / 127.5, or 2^-23 where all are zero;  code = round(x/scale), ties to even, within -128..127
//
// A row that is not finite has the scale NaN.
func (in *Int8Input) Quantise(from *Input, m0, m1 int) {
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
	most := math.Float32frombits(bits)
	if !(most <= math.MaxFloat32) {
		return float32(math.NaN())
	}
	if scale = most / 127.5; scale == 0 {
		scale = 0x1p-23
	}
	const shift = 3 << 22 // its last place is one
	for k, v := range x {
		codes[k] = int16(min(v/scale+shift-shift, 127)) // no quotient is below -127.5
	}
	return scale
}

// checkInt8 panics where a product would reach outside its operands.
func checkInt8(y []float32, ldy int, in *Int8Input, m0, m1 int, w *Matrix, n0, n1, panel int) {
	if w.Int8 == nil || w.Int8.panel != panel {
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
	checkInt8(y, ldy, in, m0, m1, w, n0, n1, genericPanel)
	padded := w.K + w.K%2
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
