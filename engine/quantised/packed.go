package quantised

import (
	"errors"
	"fmt"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
)

// scales are a weight's, for blocks of rows and columns.
type scales struct {
	t          *safetensors.Tensor
	rows, cols int // of a block
	across     int // scales of a row of blocks
	group      *safetensors.Tensor
}

// index is the number of the scale of (i, j).
func (s *scales) index(i, j int) int {
	g := j / s.cols
	if s.group != nil {
		g = int(int32(word(s.group, j)))
	}
	return i/s.rows*s.across + g
}

// scaling works out which scale is whose from its shape: one of all, one of each
// row, of each group of a row's columns, or of each block.
func (d *decoding) scaling(name string, rows, cols int) (*scales, error) {
	t, err := d.need(name, 0, floats...)
	if err != nil {
		return nil, err
	}
	s := &scales{t: t, rows: 1, cols: cols, across: 1}
	n := t.Elements()
	block := d.config.blocks()
	switch {
	case n == 0:
		return nil, fmt.Errorf("%q has shape %v: want a scale", name, t.Shape)
	case n == 1:
		s.rows = rows
	case block != nil && n == ceil(rows, block[0])*ceil(cols, block[1]):
		s.rows, s.cols, s.across = block[0], block[1], ceil(cols, block[1])
	case n == rows:
	case len(t.Shape) == 2 && t.Shape[0] == rows && cols%t.Shape[1] == 0:
		s.cols, s.across = cols/t.Shape[1], t.Shape[1]
	default:
		return nil, fmt.Errorf("%q has shape %v, which does not fit a weight of %d by %d", name, t.Shape, rows, cols)
	}
	return s, nil
}

// order is the tensor that gives each of so many columns its group; nil where there is
// none.
func (d *decoding) order(name string, columns, groups int) (*safetensors.Tensor, error) {
	t := d.take(name)
	if t == nil {
		return nil, nil
	}
	if t.DType != "I32" || t.Elements() != columns {
		return nil, fmt.Errorf("%q has dtype %s and shape %v: want I32 and %d elements", name, t.DType, t.Shape, columns)
	}
	for j := range columns {
		if g := int(int32(word(t, j))); g < 0 || g >= groups {
			return nil, fmt.Errorf("%q gives column %d to group %d of %d", name, j, g, groups)
		}
	}
	return t, nil
}

// ones has a one in each field of so many bits of a word, where fields fill it.
var ones = map[int]uint32{2: 0x55555555, 4: 0x11111111, 8: 0x01010101}

// gptq is a weight of GPTQ: numbers packed along the inputs, a scale and a zero of
// each group of inputs and each output. The first version stores zeros less one, taken
// off whole words, so that a zero of 0 borrows from its neighbour, but for three bits
// (GPTQModel's convert_gptq_v1_to_v2_format_module).
func (d *decoding) gptq(module string, q *safetensors.Tensor) (*safetensors.Tensor, error) {
	scale, err := d.need(module+".scales", 0, floats...)
	if err != nil {
		return nil, err
	}
	zeros, err := d.need(module+".qzeros", 0, "I32")
	if err != nil {
		return nil, err
	}
	if q.DType != "I32" || len(q.Shape) != 2 || len(scale.Shape) != 2 || len(zeros.Shape) != 2 || q.Elements() == 0 || scale.Elements() == 0 {
		return nil, errors.New("not GPTQ's: want matrices of I32 with scales and qzeros")
	}
	out, groups := q.Shape[1], scale.Shape[0]
	bits := d.config.Bits
	if bits < 1 || ceil(out*bits, 32) != zeros.Shape[1] { // a layer may have its own
		bits = zeros.Shape[1] * 32 / out
	}
	if bits != 2 && bits != 3 && bits != 4 && bits != 8 || zeros.Shape[0] != groups || scale.Shape[1] != out || q.Shape[0]*32%bits != 0 {
		return nil, fmt.Errorf("shapes %v, of scales %v and of qzeros %v do not belong together", q.Shape, scale.Shape, zeros.Shape)
	}
	in := q.Shape[0] * 32 / bits
	each := ceil(in, groups)
	order, err := d.order(module+".g_idx", in, groups)
	if err != nil {
		return nil, err
	}
	less := 1
	if d.config.CheckpointFormat == "gptq_v2" {
		less = 0
	}
	zeroOf := func(start, i int) int { return (field(zeros, start, 1, i, bits) + less) & (1<<bits - 1) }
	if one := ones[bits] * uint32(less); bits != 3 {
		zeroOf = func(start, i int) int {
			return int((word(zeros, start+i*bits/32)+one)>>(i*bits%32)) & (1<<bits - 1)
		}
	}
	round := rounder(scale.DType)
	how := fmt.Sprintf("GPTQ %d bits zeros+%d", bits, less)
	at := func(i, j int) float32 {
		g := j / each
		if order != nil {
			g = int(int32(word(order, j)))
		}
		zero := zeroOf(g*zeros.Shape[1], i)
		return round(scale.ElementF32(g*out+i) * float32(field(q, i, out, j, bits)-zero))
	}
	var codes *quantise.Codes
	if order == nil || inOrder(order, each) {
		codes = &quantise.Codes{Rows: out, Cols: in, Coding: kernel.Coding{Bits: bits, Group: each, Zeros: true, Round: quantise.Rounding(scale.DType)},
			Row: func(i int, row []uint8, scales, zero []float32) {
				for j := range row {
					row[j] = uint8(field(q, i, out, j, bits))
				}
				for g := range scales {
					scales[g] = scale.ElementF32(g*out + i)
					zero[g] = float32(zeroOf(g*zeros.Shape[1], i))
				}
			}}
	}
	return matrix(module+".weight", how, out, in, at, codes, q, zeros, scale, order), nil
}

// inOrder reports whether groups of so many columns lie one behind the other.
func inOrder(order *safetensors.Tensor, each int) bool {
	for j := range order.Elements() {
		if int(int32(word(order, j))) != j/each {
			return false
		}
	}
	return true
}

// awqOrder is where in a word the eight outputs lie.
var awqOrder = [8]int{0, 4, 1, 5, 2, 6, 3, 7}

// awq is a weight of AWQ's gemm version: four bits, packed along the outputs.
func (d *decoding) awq(module string, q *safetensors.Tensor) (*safetensors.Tensor, error) {
	scale, err := d.need(module+".scales", 0, floats...)
	if err != nil {
		return nil, err
	}
	if bits := max(d.config.Bits, d.config.BitsOfWeights); bits != 4 && bits != 0 {
		return nil, fmt.Errorf("AWQ of %d bits is not read: want 4", bits)
	}
	if q.DType != "I32" || len(q.Shape) != 2 || len(scale.Shape) != 2 || scale.Elements() == 0 || q.Shape[1]*8 != scale.Shape[1] {
		return nil, errors.New("not AWQ's: want a matrix of I32 and scales of as many outputs")
	}
	in, out, groups := q.Shape[0], scale.Shape[1], scale.Shape[0]
	zeros, err := d.need(module+".qzeros", groups*q.Shape[1], "I32")
	if err != nil {
		return nil, err
	}
	if in%groups != 0 {
		return nil, fmt.Errorf("%d inputs are not %d equal groups", in, groups)
	}
	each, words := in/groups, q.Shape[1]
	round := rounder(scale.DType)
	at := func(i, j int) float32 {
		shift, g := awqOrder[i%8]*4, j/each
		w := int(word(q, j*words+i/8) >> shift & 15)
		z := int(word(zeros, g*words+i/8) >> shift & 15)
		return round(float32(w-z) * scale.ElementF32(g*out+i))
	}
	codes := &quantise.Codes{Rows: out, Cols: in, Coding: kernel.Coding{Bits: 4, Group: each, Zeros: true, Round: quantise.Rounding(scale.DType)},
		Row: func(i int, row []uint8, scales, zero []float32) {
			shift := awqOrder[i%8] * 4
			for j := range row {
				row[j] = uint8(word(q, j*words+i/8) >> shift & 15)
			}
			for g := range scales {
				scales[g] = scale.ElementF32(g*out + i)
				zero[g] = float32(word(zeros, g*words+i/8) >> shift & 15)
			}
		}}
	return matrix(module+".weight", "AWQ 4 bits", out, in, at, codes, q, zeros, scale), nil
}

// packed is a weight of compressed-tensors' pack-quantized: a row's numbers are a
// dense string of bits, each more by half the range than the number.
func (d *decoding) packed(module string, q *safetensors.Tensor) (*safetensors.Tensor, error) {
	shape, err := d.need(module+".weight_shape", 2, "I64", "I32")
	if err != nil {
		return nil, err
	}
	width := shape.DType.Bits() / 8
	rows, cols := int(int32(word(shape, 0))), int(int32(word(shape, width/4)))
	if q.DType != "I32" || len(q.Shape) != 2 || q.Shape[0] != rows || rows < 1 || cols < 1 {
		return nil, fmt.Errorf("weight_shape says %d by %d: shape %v and dtype %s are not that weight's", rows, cols, q.Shape, q.DType)
	}
	bits := q.Shape[1] * 32 / cols
	if bits < 1 || bits > 8 || ceil(cols*bits, 32) != q.Shape[1] {
		return nil, fmt.Errorf("%d words a row do not hold %d numbers of 1 to 8 bits", q.Shape[1], cols)
	}
	s, err := d.scaling(module+".weight_scale", rows, cols)
	if err != nil {
		return nil, err
	}
	group := d.byName[module+".weight_g_idx"]
	if group != nil && group.DType == "I32" && group.Elements() > 0 && int32(word(group, 0)) == -1 {
		d.used[group] = true // as it was made and never filled: columns lie in order
	} else if s.group, err = d.order(module+".weight_g_idx", cols, s.across); err != nil {
		return nil, err
	}
	zeros := d.take(module + ".weight_zero_point")
	if zeros != nil && (zeros.DType != "I32" || zeros.Elements() != ceil(rows*bits, 32)*s.across) {
		return nil, fmt.Errorf("weight_zero_point has dtype %s and shape %v: want I32 and %d by %d", zeros.DType, zeros.Shape, ceil(rows*bits, 32), s.across)
	}
	half, words := 1<<(bits-1), q.Shape[1]
	round := rounder(s.t.DType)
	at := func(i, j int) float32 {
		n := s.index(i, j)
		v := float32(field(q, i*words, 1, j, bits) - half)
		if zeros != nil {
			v = round(v - float32(field(zeros, n%s.across, s.across, i, bits)-half))
		}
		return round(v * s.t.ElementF32(n))
	}
	var zero func(n int) float32
	if zeros != nil {
		zero = func(n int) float32 { return float32(field(zeros, n%s.across, s.across, n/s.across, bits)) }
	}
	codes := coded(kernel.Coding{Bits: bits, Zero: float32(half), Round: quantise.Rounding(s.t.DType)}, rows, cols, s,
		func(i, j int) uint8 { return uint8(field(q, i*words, 1, j, bits)) }, zero)
	if s.rows != 1 && zeros != nil {
		codes = nil
	}
	return matrix(module+".weight", fmt.Sprintf("packed %d bits", bits), rows, cols, at, codes, q, s.t, zeros, s.group), nil
}

// scaled is a weight of 8-bit numbers, whole or floating, and their scales: FP8's
// and compressed-tensors' int-quantized and float-quantized.
func (d *decoding) scaled(module string, q *safetensors.Tensor) (*safetensors.Tensor, error) {
	name := module + ".weight_scale"
	if d.byName[name] == nil && d.byName[name+"_inv"] != nil {
		name += "_inv"
	}
	if d.byName[name] == nil && q.DType != "I8" {
		return nil, nil // numbers of eight bits as they are
	}
	if len(q.Shape) != 2 || q.Elements() == 0 {
		return nil, fmt.Errorf("shape %v: want a matrix", q.Shape)
	}
	rows, cols := q.Shape[0], q.Shape[1]
	s, err := d.scaling(name, rows, cols)
	if err != nil {
		return nil, err
	}
	zeros := d.take(module + ".weight_zero_point")
	if zeros != nil && (zeros.DType != "I8" && !zeros.DType.Float() || zeros.Elements() != s.t.Elements()) {
		return nil, fmt.Errorf("weight_zero_point has dtype %s and shape %v: want one for each scale", zeros.DType, zeros.Shape)
	}
	round := rounder(s.t.DType)
	at := func(i, j int) float32 {
		n := s.index(i, j)
		v := round(number(q, i*cols+j))
		if zeros != nil {
			v = round(v - number(zeros, n))
		}
		return round(v * s.t.ElementF32(n))
	}
	codes := d.eightBits(q, s, zeros)
	if d.config.Int8() && (codes == nil || !codes.Int8) {
		return nil, fmt.Errorf("its activations are to be int8: that takes weights of dtype I8 with at most %d columns and one scale for each row, or for all, without zero points", kernel.MaxInt8K)
	}
	return matrix(module+".weight", string(q.DType)+" scaled", rows, cols, at, codes, q, s.t, zeros), nil
}

// eightBits are the codes of scaled: whole numbers, more by half the range, and E4M3.
func (d *decoding) eightBits(q *safetensors.Tensor, s *scales, zeros *safetensors.Tensor) *quantise.Codes {
	rows, cols := q.Shape[0], q.Shape[1]
	c := kernel.Coding{Bits: 8, Round: quantise.Rounding(s.t.DType)}
	switch {
	case q.DType == safetensors.E4M3 && zeros == nil:
		c.Form = kernel.E4M3
		return coded(c, rows, cols, s, func(i, j int) uint8 { return q.Data[i*cols+j] }, nil)
	case q.DType != "I8" || zeros != nil && (zeros.DType != "I8" || s.rows != 1):
		return nil
	}
	c.Zero = 128
	var zero func(n int) float32
	if zeros != nil {
		zero = func(n int) float32 { return 128 + number(zeros, n) }
	}
	codes := coded(c, rows, cols, s, func(i, j int) uint8 { return q.Data[i*cols+j] ^ 0x80 }, zero)
	if codes != nil {
		codes.Int8 = zero == nil && s.cols >= cols && cols <= kernel.MaxInt8K && d.config.Int8()
	}
	return codes
}

// number is element i of a tensor of floats or of I8.
func number(t *safetensors.Tensor, i int) float32 {
	if t.DType == "I8" {
		return float32(int8(t.Data[i]))
	}
	return t.ElementF32(i)
}

// int8 is a weight of bitsandbytes' LLM.int8: each row times its largest magnitude,
// over 127.
func (d *decoding) int8(module string, q *safetensors.Tensor) (*safetensors.Tensor, error) {
	if len(q.Shape) != 2 || q.Elements() == 0 {
		return nil, fmt.Errorf("shape %v: want a matrix", q.Shape)
	}
	rows, cols := q.Shape[0], q.Shape[1]
	scale, err := d.need(module+".SCB", rows, safetensors.F32)
	if err != nil {
		return nil, err
	}
	format := d.take(module + ".weight_format")
	if format != nil && (format.DType != "U8" || format.Elements() != 1 || format.Data[0] != 0) {
		return nil, errors.New("weight_format is not 0: want rows one after the other")
	}
	at := func(i, j int) float32 {
		return float32(float32(int8(q.Data[i*cols+j]))*scale.ElementF32(i)) * 7.874015718698502e-3
	}
	return matrix(module+".weight", "LLM.int8", rows, cols, at, nil, q, scale), nil
}
