package quantise

import (
	"fmt"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/safetensors"
)

// Matrix is a quantised weight [Rows, Cols]. The number of code c in group g is
//
//	(Levels[c] - zero)·Scales[g], rounded to Format
//
// with Levels[c] = c where there are no Levels, and zero = Zeros[g], or Zero where
// there are no Zeros.
type Matrix struct {
	Rows, Cols int
	Bits       int
	Group      int // columns that share a scale; the last group of a row may have fewer
	Codes      []byte
	Scales     []float32 // [Rows, groups of a row]
	Zeros      []float32 // the same; nil where all are Zero
	Zero       float32
	Levels     []float32 // [1<<Bits]; nil for whole numbers
	Format     safetensors.DType
	Int8       bool // activations are whole numbers of eight bits too

	across int // groups of a row
	stride int // bytes of a row of codes
	round  func(float32) float32
}

func newMatrix(rows, cols, bits, group int, format safetensors.DType) *Matrix {
	if group == 0 || group > cols {
		group = cols
	}
	m := &Matrix{Rows: rows, Cols: cols, Bits: bits, Group: group, Format: format, round: rounder(format)}
	m.across = (cols + group - 1) / group
	m.stride = (cols*bits + 7) / 8
	m.Codes = make([]byte, rows*m.stride)
	m.Scales = make([]float32, rows*m.across)
	return m
}

// Restore makes the matrix that s made once of its codes, scales and zeros.
func (s Scheme) Restore(rows, cols int, format safetensors.DType, codes []byte, scales, zeros []float32) (*Matrix, error) {
	m := newMatrix(rows, cols, s.Bits, s.Group, format)
	rules[s.Method].about(m)
	if len(codes) != len(m.Codes) || len(scales) != len(m.Scales) || len(zeros) != len(m.Zeros) {
		return nil, fmt.Errorf("%d bytes of codes, %d scales and %d zeros are not those of %d by %d weights in %s", len(codes), len(scales), len(zeros), rows, cols, s)
	}
	copy(m.Codes, codes)
	copy(m.Scales, scales)
	copy(m.Zeros, zeros)
	return m, nil
}

// columns are those of group g of a row.
func (m *Matrix) columns(g int) (from, to int) {
	return g * m.Group, min(m.Cols, (g+1)*m.Group)
}

// pack stores the codes of row i: a dense string of bits, the first code lowest.
func (m *Matrix) pack(i int, codes []uint8) {
	row := m.Codes[i*m.stride:][:m.stride]
	var word uint32
	have, at := 0, 0
	for _, c := range codes {
		word |= uint32(c) << have
		for have += m.Bits; have >= 8; have -= 8 {
			row[at] = byte(word)
			word >>= 8
			at++
		}
	}
	if have > 0 {
		row[at] = byte(word)
	}
}

// RowCodes writes the codes of row i into dst, which has Cols elements.
func (m *Matrix) RowCodes(i int, dst []uint8) {
	row := m.Codes[i*m.stride:][:m.stride]
	var word uint32
	have, at, mask := 0, 0, uint32(1)<<m.Bits-1
	for j := range dst[:m.Cols] {
		for have < m.Bits {
			word |= uint32(row[at]) << have
			have += 8
			at++
		}
		dst[j] = uint8(word & mask)
		word >>= m.Bits
		have -= m.Bits
	}
}

// Row writes the numbers of row i into dst.
func (m *Matrix) Row(i int, dst []float32) {
	codes := make([]uint8, m.Cols)
	m.RowCodes(i, codes)
	for g := range m.across {
		from, to := m.columns(g)
		m.numbers(i*m.across+g, codes[from:to], dst[from:to])
	}
}

// numbers writes those of codes of group g.
func (m *Matrix) numbers(g int, codes []uint8, dst []float32) {
	scale, zero := m.Scales[g], m.Zero
	if m.Zeros != nil {
		zero = m.Zeros[g]
	}
	for j, c := range codes {
		level := float32(c)
		if m.Levels != nil {
			level = m.Levels[c]
		}
		dst[j] = float32(level-zero) * scale
	}
	switch m.Format {
	case safetensors.F32:
	case safetensors.BF16: // m.round, without its call
		for j, x := range dst[:len(codes)] {
			dst[j] = kernel.FromBF16(kernel.ToBF16(x))
		}
	default:
		for j, x := range dst[:len(codes)] {
			dst[j] = m.round(x)
		}
	}
}

// Bytes is the size of codes, scales and zeros.
func (m *Matrix) Bytes() int64 {
	return int64(len(m.Codes)) + 4*int64(len(m.Scales)+len(m.Zeros))
}

// rounder rounds to a number format.
func rounder(d safetensors.DType) func(float32) float32 {
	switch d {
	case safetensors.BF16:
		return func(x float32) float32 { return kernel.FromBF16(kernel.ToBF16(x)) }
	case safetensors.F16:
		return func(x float32) float32 {
			var b [2]byte
			v := [1]float32{x}
			safetensors.Encode(d, b[:], v[:])
			safetensors.Decode(d, v[:], b[:])
			return v[0]
		}
	}
	return func(x float32) float32 { return x }
}

// epsilon is the distance of one from the next number.
func epsilon(d safetensors.DType) float32 {
	switch d {
	case safetensors.BF16:
		return 1.0 / (1 << 7)
	case safetensors.F16:
		return 1.0 / (1 << 10)
	}
	return 1.0 / (1 << 23)
}
