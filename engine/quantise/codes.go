package quantise

import (
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/safetensors"
)

// Codes are a quantised weight [Rows, Cols] in the form that kernels multiply with as it
// is (kernel.Matrix.PackCodes).
type Codes struct {
	Rows, Cols int
	Coding     kernel.Coding
	// Int8 says that activations are to be whole numbers of eight bits too: codes of eight
	// bits with a zero of 128 and a scale of each row, for kernel.Set.MatMulInt8.
	Int8 bool
	// Row writes the codes of row i, and a scale and a zero of each group.
	Row func(i int, codes []uint8, scales, zeros []float32)
}

// Coded is what a safetensors.Decoder may implement beside: it returns the codes that its
// numbers are made of, nil where they have no such form. The weight's rows are the
// tensor's, or, with columns, its columns from row `from` of its last dimension on.
type Coded interface {
	Codes(columns bool, from int) *Codes
}

// Rounding is the format of numbers that are kept as d.
func Rounding(d safetensors.DType) kernel.Rounding {
	switch d {
	case safetensors.BF16:
		return kernel.RoundBFloat16
	case safetensors.F16:
		return kernel.RoundFloat16
	}
	return kernel.RoundFloat32
}

// Coded is the matrix as kernels take it.
func (m *Matrix) Coded() *Codes {
	c := kernel.Coding{Bits: m.Bits, Group: m.Group, Zero: m.Zero, Zeros: m.Zeros != nil, Round: Rounding(m.Format)}
	switch {
	case len(m.Levels) == len(c.Levels):
		c.Form = kernel.Level
		copy(c.Levels[:], m.Levels)
	case m.Levels != nil:
		c.Form = kernel.E4M3
	}
	return &Codes{m.Rows, m.Cols, c, m.Int8, func(i int, codes []uint8, scales, zeros []float32) {
		m.RowCodes(i, codes)
		copy(scales, m.Scales[i*m.across:])
		if m.Zeros != nil {
			copy(zeros, m.Zeros[i*m.across:])
		}
	}}
}
