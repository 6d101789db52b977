package gguf

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/softbench/softbench/engine/safetensors"
)

// blockType is how numbers are stored: blocks of a few, in the order of a row.
type blockType struct {
	name     string
	elements int // of a block
	bytes    int // of a block
	// decode writes a block's numbers; nil for numbers that lie side by side, of the
	// type by the same name in safetensors.
	decode func(dst []float32, block []byte)
	// halves are where the scales and minima of 16 bits lie: all numbers are finite where
	// these are. Of none, that is not known.
	halves []int
}

// types by ggml's numbers.
var types = map[uint32]blockType{
	0:  {"F32", 1, 4, nil, nil},
	1:  {"F16", 1, 2, nil, nil},
	2:  {"Q4_0", 32, 18, decodeQ4_0, []int{0}},
	3:  {"Q4_1", 32, 20, decodeQ4_1, []int{0, 2}},
	6:  {"Q5_0", 32, 22, decodeQ5_0, []int{0}},
	7:  {"Q5_1", 32, 24, decodeQ5_1, []int{0, 2}},
	8:  {"Q8_0", 32, 34, decodeQ8_0, []int{0}},
	10: {"Q2_K", 256, 84, decodeQ2K, []int{80, 82}},
	11: {"Q3_K", 256, 110, decodeQ3K, []int{108}},
	12: {"Q4_K", 256, 144, decodeQ4K, []int{0, 2}},
	13: {"Q5_K", 256, 176, decodeQ5K, []int{0, 2}},
	14: {"Q6_K", 256, 210, decodeQ6K, []int{208}},
	20: {"IQ4_NL", 32, 18, decodeIQ4NL, []int{0}},
	23: {"IQ4_XS", 256, 136, decodeIQ4XS, []int{0}},
	28: {"F64", 1, 8, nil, nil},
	30: {"BF16", 1, 2, nil, nil},
	39: {"MXFP4", 32, 17, decodeMXFP4, nil},
}

// unread names the types that are not read.
var unread = map[uint32]string{
	4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 21: "IQ3_S", 22: "IQ2_S",
	24: "I8", 25: "I16", 26: "I32", 27: "I64", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 40: "NVFP4",
}

// rows decodes a tensor of blocks; a row is made of whole blocks.
type rows struct {
	kind  blockType
	data  []byte
	width int // numbers of a row of the last dimension
	size  int // numbers along all but the first dimension
}

func (r *rows) Row(i int, dst []float32) {
	block := r.data[i*r.size/r.kind.elements*r.kind.bytes:]
	for at := 0; at < r.size; at += r.kind.elements {
		r.kind.decode(dst[at:at+r.kind.elements], block[:r.kind.bytes])
		block = block[r.kind.bytes:]
	}
}

// Finite looks at the scales alone.
func (r *rows) Finite(i int) bool {
	for at := i * r.size; at < (i+1)*r.size; at += r.kind.elements {
		for _, h := range r.kind.halves {
			if r.data[at/r.kind.elements*r.kind.bytes+h+1]&0x7c == 0x7c { // all ones are NaN or infinite
				return false
			}
		}
	}
	return len(r.kind.halves) > 0
}

// Column decodes the one block of each row that holds the number.
func (r *rows) Column(i, from int, dst []float32) {
	perRow := r.width / r.kind.elements * r.kind.bytes
	var block [256]float32
	for j := range dst {
		at := (from+j)*perRow + i/r.kind.elements*r.kind.bytes
		r.kind.decode(block[:r.kind.elements], r.data[at:at+r.kind.bytes])
		dst[j] = block[i%r.kind.elements]
	}
}

// decoded returns a stretch of blocks as a tensor.
func decoded(t *safetensors.Tensor, kind blockType) *safetensors.Tensor {
	if kind.decode == nil {
		return t
	}
	size := 1
	for _, d := range t.Shape[1:] {
		size *= d
	}
	width := t.Shape[len(t.Shape)-1]
	if len(t.Shape) == 1 {
		// A quantised vector is one row; its elements are asked for one by one.
		return safetensors.NewDecoded(t.Name, t.DType, t.Shape, &vector{rows{kind, t.Data, width, width}}, t)
	}
	return safetensors.NewDecoded(t.Name, t.DType, t.Shape, &rows{kind, t.Data, width, size}, t)
}

// vector is rows of one number.
type vector struct{ rows rows }

func (v *vector) Row(i int, dst []float32) { v.rows.Column(i, 0, dst[:1]) }

func (v *vector) Column(_, from int, dst []float32) {
	for j := range dst {
		v.Row(from+j, dst[j:j+1])
	}
}

func half(b []byte) float32 { return safetensors.Half(b) }

// Each of the following is named after the type; d is a block's scale and m its
// minimum. Products are converted before sums, so that no machine fuses the two.

func decodeQ4_0(dst []float32, b []byte) {
	d := half(b)
	for i, q := range b[2:18] {
		dst[i] = d * float32(int(q&15)-8)
		dst[i+16] = d * float32(int(q>>4)-8)
	}
}

func decodeQ4_1(dst []float32, b []byte) {
	d, m := half(b), half(b[2:])
	for i, q := range b[4:20] {
		dst[i] = float32(d*float32(q&15)) + m
		dst[i+16] = float32(d*float32(q>>4)) + m
	}
}

// fifth is bit i of the 32 high bits of Q5_0 and Q5_1.
func fifth(high uint32, i int) int { return int(high>>i&1) << 4 }

func decodeQ5_0(dst []float32, b []byte) {
	d, high := half(b), binary.LittleEndian.Uint32(b[2:])
	for i, q := range b[6:22] {
		dst[i] = d * float32((int(q&15)|fifth(high, i))-16)
		dst[i+16] = d * float32((int(q>>4)|fifth(high, i+16))-16)
	}
}

func decodeQ5_1(dst []float32, b []byte) {
	d, m, high := half(b), half(b[2:]), binary.LittleEndian.Uint32(b[4:])
	for i, q := range b[8:24] {
		dst[i] = float32(d*float32(int(q&15)|fifth(high, i))) + m
		dst[i+16] = float32(d*float32(int(q>>4)|fifth(high, i+16))) + m
	}
}

func decodeQ8_0(dst []float32, b []byte) {
	d := half(b)
	for i, q := range b[2:34] {
		dst[i] = float32(int8(q)) * d
	}
}

// decodeQ2K: 16 groups of 16, each with four bits of scale and of minimum.
func decodeQ2K(dst []float32, b []byte) {
	scales, qs := b[:16], b[16:80]
	d, m := half(b[80:]), half(b[82:])
	for i := range dst[:256] {
		s := scales[i/16]
		q := qs[i/128*32+i%32] >> (i / 32 % 4 * 2) & 3
		dst[i] = float32(float32(d*float32(s&15))*float32(q)) - float32(m*float32(s>>4))
	}
}

// decodeQ3K: 16 groups of 16 with scales of six bits; a high bit of zero takes four
// away.
func decodeQ3K(dst []float32, b []byte) {
	mask, qs, packed := b[:32], b[32:96], b[96:108]
	d := half(b[108:])
	for i := range dst[:256] {
		g := i / 16
		low := packed[g%8] >> (g / 8 * 4) & 15
		high := packed[8+g%4] >> (g / 4 * 2) & 3
		scale := float32(int(low|high<<4) - 32)
		q := int(qs[i/128*32+i%32] >> (i / 32 % 4 * 2) & 3)
		if mask[i%32]>>(i/32)&1 == 0 {
			q -= 4
		}
		dst[i] = float32(d*scale) * float32(q)
	}
}

// scaleMin unpacks scale and minimum g, of six bits each, of Q4_K and Q5_K.
func scaleMin(packed []byte, g int) (scale, minimum float32) {
	if g < 4 {
		return float32(packed[g] & 63), float32(packed[4+g] & 63)
	}
	both := packed[4+g]
	return float32(both&15 | packed[g-4]>>2&0x30), float32(both>>4 | packed[g]>>2&0x30)
}

func decodeQ4K(dst []float32, b []byte) {
	d, m, packed, qs := half(b), half(b[2:]), b[4:16], b[16:144]
	for g := range 8 {
		s, low := scaleMin(packed, g)
		ds, ml := d*s, m*low
		for i := range 32 {
			q := qs[g/2*32+i] >> (g % 2 * 4) & 15
			dst[g*32+i] = float32(ds*float32(q)) - ml
		}
	}
}

func decodeQ5K(dst []float32, b []byte) {
	d, m, packed, high, qs := half(b), half(b[2:]), b[4:16], b[16:48], b[48:176]
	for g := range 8 {
		s, low := scaleMin(packed, g)
		ds, ml := d*s, m*low
		for i := range 32 {
			q := qs[g/2*32+i]>>(g%2*4)&15 | high[i]>>g&1<<4
			dst[g*32+i] = float32(ds*float32(q)) - ml
		}
	}
}

// decodeQ6K: 16 groups of 16 with a scale of eight bits.
func decodeQ6K(dst []float32, b []byte) {
	low, high, scales := b[:128], b[128:192], b[192:208]
	d := half(b[208:])
	for i := range dst[:256] {
		q := low[i/128*64+i%64] >> (i / 64 % 2 * 4) & 15
		h := high[i/128*32+i%32] >> (i / 32 % 4 * 2) & 3
		scale := float32(int8(scales[i/16]))
		dst[i] = float32(d*scale) * float32(int(q|h<<4)-32)
	}
}

// levels are the numbers of IQ4_NL's and IQ4_XS's four bits.
var levels = [16]float32{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

func decodeIQ4NL(dst []float32, b []byte) {
	d := half(b)
	for i, q := range b[2:18] {
		dst[i] = d * levels[q&15]
		dst[i+16] = d * levels[q>>4]
	}
}

func decodeIQ4XS(dst []float32, b []byte) {
	d, high, low, qs := half(b), binary.LittleEndian.Uint16(b[2:]), b[4:8], b[8:136]
	for g := range 8 {
		scale := int(low[g/2]>>(g%2*4)&15) | int(high>>(2*g)&3)<<4
		ds := d * float32(scale-32)
		for i, q := range qs[g*16 : g*16+16] {
			dst[g*32+i] = ds * levels[q&15]
			dst[g*32+16+i] = ds * levels[q>>4]
		}
	}
}

// e2m1 are the doubled numbers of MXFP4's four bits; its scales are halved.
var e2m1 = [16]float32{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

func decodeMXFP4(dst []float32, b []byte) {
	bits := uint32(0x00200000) << (b[0] & 1)
	if b[0] >= 2 {
		bits = uint32(b[0]-1) << 23
	}
	d := math.Float32frombits(bits)
	for i, q := range b[1:17] {
		dst[i] = d * e2m1[q&15]
		dst[i+16] = d * e2m1[q>>4]
	}
}

// typeOf names what a tensor is stored as.
func typeOf(id uint32) (blockType, error) {
	kind, ok := types[id]
	if ok {
		return kind, nil
	}
	if name, known := unread[id]; known {
		return kind, fmt.Errorf("type %s is not read: want F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K to Q6_K, IQ4_NL, IQ4_XS or MXFP4", name)
	}
	return kind, fmt.Errorf("type %d is not known", id)
}
