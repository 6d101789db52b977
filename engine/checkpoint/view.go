package checkpoint

import (
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
)

// View is a part of a stored tensor, in the order the model wants: a matrix W
// [N, K] of which y = W·x is computed, or a vector of N numbers (K is 1). It
// reads from the mapped file, so it is valid until the Checkpoint is closed.
type View struct {
	Stored *safetensors.Tensor
	N, K   int

	row     func(j int) int // where row j lies; nil: at j
	columns bool            // the tensor is [K, all rows]: a row here is a column there
	from    int             // the first of the K rows there, where it holds several matrices
	offset  float32         // added to every number
}

// RowF32 writes row j, K numbers, into dst.
func (v *View) RowF32(j int, dst []float32) {
	if v.row != nil {
		j = v.row(j)
	}
	switch {
	case v.K == 1: // a vector, whatever its tensor's shape
		dst[0] = v.Stored.ElementF32(j)
	case v.columns:
		v.Stored.ColumnF32(j, v.from, dst[:v.K])
	default:
		v.Stored.RowF32(j, dst[:v.K])
	}
	if v.offset != 0 {
		for i := range dst[:v.K] {
			dst[i] += v.offset
		}
	}
}

// BF16 reports whether rows are bfloat16 that lie side by side, so that Row may
// be used.
func (v *View) BF16() bool {
	return !v.Stored.Decoded() && v.Stored.DType == safetensors.BF16 && !v.columns && v.offset == 0
}

// Row returns the bytes of row j, as stored; only where BF16 says so.
func (v *View) Row(j int) []byte {
	if v.row != nil {
		j = v.row(j)
	}
	return v.Stored.Row(j)
}

// Codes returns the codes of few bits that the weights are stored as, with the view's
// rows; nil where they are numbers, or codes in a form that kernels do not take.
func (v *View) Codes() *quantise.Codes {
	if v.offset != 0 || v.K == 1 {
		return nil
	}
	t, row := v.Stored, v.row
	if of, from := t.Order(); of != nil && !v.columns {
		before := row
		t, row = of, func(j int) int {
			if before != nil {
				j = before(j)
			}
			return from(j)
		}
	}
	coded, ok := t.Decoder().(quantise.Coded)
	if !ok {
		return nil
	}
	c := coded.Codes(v.columns, v.from)
	if c == nil || c.Cols != v.K {
		return nil
	}
	of := *c
	of.Rows = v.N
	if row == nil {
		return &of
	}
	of.Row = func(j int, codes []uint8, scales, zeros []float32) { c.Row(row(j), codes, scales, zeros) }
	return &of
}

// F32 returns all numbers, row by row, as a copy; nil for a nil View.
func (v *View) F32() []float32 {
	if v == nil {
		return nil
	}
	out := make([]float32, v.N*v.K)
	for j := range v.N {
		v.RowF32(j, out[j*v.K:])
	}
	return out
}

// Elements is N·K.
func (v *View) Elements() int { return v.N * v.K }

// Drop lets go of the mapped pages behind the view (safetensors.Drop).
func (v *View) Drop() { safetensors.Drop(v.Stored) }
