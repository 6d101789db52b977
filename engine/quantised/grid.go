package quantised

import (
	"encoding/binary"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
)

// grid decodes a matrix number by number.
type grid struct {
	cols  int
	at    func(i, j int) float32
	codes *quantise.Codes // the same as codes; nil where they have no such form
}

func (g grid) Codes(columns bool, _ int) *quantise.Codes {
	if columns {
		return nil
	}
	return g.codes
}

// coded is the form of codes that lie in a row of code, with scale s.index(i, j) of s.t
// and, where zero is not nil, that number of zero. Blocks of rows and groups of columns
// have to be whole.
func coded(c kernel.Coding, rows, cols int, s *scales, code func(i, j int) uint8, zero func(n int) float32) *quantise.Codes {
	if s.group != nil {
		return nil // columns in an order of their own
	}
	c.Group, c.Zeros = s.cols, zero != nil
	return &quantise.Codes{Rows: rows, Cols: cols, Coding: c, Row: func(i int, codes []uint8, scales, zeros []float32) {
		for j := range codes {
			codes[j] = code(i, j)
		}
		for g := range scales {
			n := s.index(i, g*s.cols)
			scales[g] = s.t.ElementF32(n)
			if zero != nil {
				zeros[g] = zero(i*s.across + g)
			}
		}
	}}
}

func (g grid) Row(i int, dst []float32) {
	for j := range dst {
		dst[j] = g.at(i, j)
	}
}

func (g grid) Column(j, from int, dst []float32) {
	for i := range dst {
		dst[i] = g.at(from+i, j)
	}
}

// matrix is a decoded weight of the numbers at(i, j), which codes, where not nil, stand
// for too.
func matrix(name, how string, rows, cols int, at func(i, j int) float32, codes *quantise.Codes, parts ...*safetensors.Tensor) *safetensors.Tensor {
	present := parts[:0:0]
	for _, p := range parts {
		if p != nil {
			present = append(present, p)
		}
	}
	return safetensors.NewDecoded(name, safetensors.DType(how), []int{rows, cols}, grid{cols, at, codes}, present...)
}

// rounder rounds to a number format, as the reference's tensors of it do.
func rounder(d safetensors.DType) func(float32) float32 {
	if d != safetensors.F16 && d != safetensors.BF16 {
		return func(x float32) float32 { return x }
	}
	return func(x float32) float32 {
		var b [2]byte
		v := [1]float32{x}
		safetensors.Encode(d, b[:], v[:])
		safetensors.Decode(d, v[:], b[:])
		return v[0]
	}
}

// word is 32-bit word i of a tensor.
func word(t *safetensors.Tensor, i int) uint32 { return binary.LittleEndian.Uint32(t.Data[4*i:]) }

// field is the n-th number of so many bits of a dense string of bits, whose words lie
// stride apart from start on.
func field(t *safetensors.Tensor, start, stride, n, bits int) int {
	at := n * bits
	w, shift := at/32, at%32
	v := uint64(word(t, start+w*stride)) >> shift
	if shift+bits > 32 {
		v |= uint64(word(t, start+(w+1)*stride)) << (32 - shift)
	}
	return int(v & (1<<bits - 1))
}

// ceil is a/b, rounded up.
func ceil(a, b int) int { return (a + b - 1) / b }
