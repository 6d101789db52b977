package quantised

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
)

// maxState bounds a quant_state, in bytes: real ones have some 200.
const maxState = 1 << 16

// state is what bitsandbytes keeps of a weight as JSON in a tensor of bytes.
type state struct {
	Type         string  `json:"quant_type"`
	Block        int     `json:"blocksize"`
	DType        string  `json:"dtype"`
	Shape        []int   `json:"shape"`
	NestedBlock  int     `json:"nested_blocksize,omitempty"`
	NestedOffset float64 `json:"nested_offset,omitempty"`
}

// fourBits is a weight of bitsandbytes' NF4 or FP4: two indexes into a table of 16 a
// byte, the first in the upper half, and the largest magnitude of each block, which
// may be quantised itself.
func (d *decoding) fourBits(module string, q *safetensors.Tensor) (*safetensors.Tensor, error) {
	var s state
	var stored *safetensors.Tensor
	for _, kind := range []string{"nf4", "fp4"} {
		if stored = d.take(q.Name + ".quant_state.bitsandbytes__" + kind); stored != nil {
			break
		}
	}
	if stored == nil {
		return nil, fmt.Errorf("%q, which belongs to it, is missing", q.Name+".quant_state.bitsandbytes__nf4")
	}
	if len(stored.Data) > maxState {
		return nil, fmt.Errorf("its quant_state has %d bytes, more than %d", len(stored.Data), maxState)
	}
	if err := json.Unmarshal(stored.Data, &s); err != nil {
		return nil, fmt.Errorf("its quant_state is not JSON of bitsandbytes': %s", err)
	}
	format := map[string]safetensors.DType{"float16": safetensors.F16, "bfloat16": safetensors.BF16, "float32": safetensors.F32}[s.DType]
	if len(s.Shape) != 2 || s.Shape[0] < 1 || s.Shape[1] < 1 || s.Shape[0] > 1<<28 || s.Shape[1] > 1<<28 || s.Block < 1 || format == "" {
		return nil, errors.New("its quant_state is not one of a matrix in float16, bfloat16 or float32")
	}
	rows, cols := s.Shape[0], s.Shape[1]
	if n := rows * cols; ceil(n, 2) != len(q.Data) {
		return nil, fmt.Errorf("%d bytes do not hold %d by %d numbers of four bits", len(q.Data), rows, cols)
	}
	table, err := d.need(q.Name+".quant_map", 16, safetensors.F32)
	if err != nil {
		return nil, err
	}
	blocks := ceil(rows*cols, s.Block)
	largest, err := d.need(q.Name+".absmax", blocks, safetensors.F32, "U8")
	if err != nil {
		return nil, err
	}
	code := table.F32()
	scale := func(n int) float32 { return largest.ElementF32(n) }
	parts := []*safetensors.Tensor{q, stored, table, largest}
	if largest.DType == "U8" {
		if s.NestedBlock < 1 {
			return nil, errors.New("its quant_state has no nested_blocksize")
		}
		nested, err := d.need(q.Name+".nested_absmax", ceil(blocks, s.NestedBlock), safetensors.F32)
		if err != nil {
			return nil, err
		}
		levels, err := d.need(q.Name+".nested_quant_map", 256, safetensors.F32)
		if err != nil {
			return nil, err
		}
		values, offset := levels.F32(), float32(s.NestedOffset)
		scale = func(n int) float32 {
			return float32(values[largest.Data[n]]*nested.ElementF32(n/s.NestedBlock)) + offset
		}
		parts = append(parts, nested, levels)
	}
	round := rounder(format)
	at := func(i, j int) float32 {
		n := i*cols + j
		b := q.Data[n/2]
		if n%2 == 0 {
			b >>= 4
		}
		return round(code[b&15] * scale(n/s.Block))
	}
	var codes *quantise.Codes
	if cols%s.Block == 0 || s.Block%cols == 0 { // no group crosses rows
		codes = levelCodes(rows, cols, min(s.Block, cols), code, quantise.Rounding(format))
		codes.Row = func(i int, row []uint8, scales, _ []float32) {
			for j := range row {
				n := i*cols + j
				row[j] = q.Data[n/2] >> (4 * (1 - n%2)) & 15
			}
			for g := range scales {
				scales[g] = scale((i*cols + g*s.Block) / s.Block)
			}
		}
	}
	return matrix(module+".weight", s.Type+" of "+s.DType, rows, cols, at, codes, parts...), nil
}

// levelCodes are codes of four bits, of a table of numbers.
func levelCodes(rows, cols, group int, levels []float32, round kernel.Rounding) *quantise.Codes {
	c := kernel.Coding{Bits: 4, Group: group, Form: kernel.Level, Round: round}
	copy(c.Levels[:], levels)
	return &quantise.Codes{Rows: rows, Cols: cols, Coding: c}
}

// e2m1 are the numbers of MXFP4's four bits.
var e2m1 = [16]float32{0, 0.5, 1, 1.5, 2, 3, 4, 6, float32(math.Copysign(0, -1)), -0.5, -1, -1.5, -2, -3, -4, -6}

// mxfp4 is gpt_oss's tensor of all experts, [experts, in, out], stored as blocks of
// 32 inputs, two in a byte, the first in the lower half, and an exponent of each.
func (d *decoding) mxfp4(base string, q *safetensors.Tensor) (*safetensors.Tensor, error) {
	if q.DType != "U8" || len(q.Shape) != 4 || q.Shape[3] != 16 || q.Elements() == 0 {
		return nil, fmt.Errorf("dtype %s and shape %v: want U8 and [experts, outputs, blocks, 16]", q.DType, q.Shape)
	}
	experts, out, groups := q.Shape[0], q.Shape[1], q.Shape[2]
	exponents, err := d.need(base+"_scales", experts*out*groups, "U8")
	if err != nil {
		return nil, err
	}
	in := groups * 32
	round := rounder(safetensors.BF16)
	at := func(r, o int) float32 {
		e, i := r/in, r%in
		block := (e*out+o)*groups + i/32
		b := q.Data[block*16+i%32/2]
		if i%2 == 1 {
			b >>= 4
		}
		return round(float32(math.Ldexp(float64(e2m1[b&15]), int(exponents.Data[block])-127)))
	}
	codes := func(e int) *quantise.Codes {
		c := levelCodes(out, in, 32, e2m1[:], kernel.RoundBFloat16)
		c.Row = func(o int, row []uint8, scales, _ []float32) {
			first := (e*out + o) * groups
			for i := range row {
				row[i] = q.Data[(first+i/32)*16+i%32/2] >> (i % 2 * 4) & 15
			}
			for g := range scales {
				scales[g] = float32(math.Ldexp(1, int(exponents.Data[first+g])-127))
			}
		}
		return c
	}
	return safetensors.NewDecoded(base, "MXFP4", []int{experts, in, out}, threeDims{in, out, at, codes}, q, exponents), nil
}

// threeDims decodes a tensor [n, in, out] by the row of its last dimension.
type threeDims struct {
	in, out int
	at      func(row, column int) float32
	codes   func(n int) *quantise.Codes // of matrix n, turned
}

func (t threeDims) Codes(columns bool, from int) *quantise.Codes {
	if !columns {
		return nil
	}
	return t.codes(from / t.in)
}

func (t threeDims) Row(e int, dst []float32) {
	for i := range t.in {
		for o := range t.out {
			dst[i*t.out+o] = t.at(e*t.in+i, o)
		}
	}
}

func (t threeDims) Column(o, from int, dst []float32) {
	for i := range dst {
		dst[i] = t.at(from+i, o)
	}
}
