package gguf

import (
	"encoding/binary"
	"math"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
)

// coding is how a block type's numbers lie as codes that kernels multiply with: codes of
// five and six bits in eight, and groups of 16 columns of three bits in four.
type coding struct {
	kernel.Coding
	// read writes a block's codes, and the scales and zeros of its groups.
	read func(block []byte, codes []uint8, scales, zeros []float32)
}

func centred(bits, group int, zero float32) kernel.Coding {
	return kernel.Coding{Bits: bits, Group: group, Zero: zero}
}

func offset(bits, group int) kernel.Coding {
	return kernel.Coding{Bits: bits, Group: group, Form: kernel.Offset, Zeros: true}
}

func ofLevels(table [16]float32) kernel.Coding {
	return kernel.Coding{Bits: 4, Group: 32, Form: kernel.Level, Levels: table}
}

// codings by the type's name. Each gives what the type's decode does, to the bit, but for
// the sign of a zero.
var codings = map[string]coding{
	"Q4_0": {centred(4, 32, 8), func(b []byte, codes []uint8, scales, _ []float32) {
		scales[0] = half(b)
		nibbles(codes, b[2:18])
	}},
	"Q4_1": {offset(4, 32), func(b []byte, codes []uint8, scales, zeros []float32) {
		scales[0], zeros[0] = half(b), half(b[2:])
		nibbles(codes, b[4:20])
	}},
	"Q5_0": {centred(8, 32, 16), func(b []byte, codes []uint8, scales, _ []float32) {
		scales[0] = half(b)
		nibbles(codes, b[6:22])
		fifths(codes, binary.LittleEndian.Uint32(b[2:]))
	}},
	"Q5_1": {offset(8, 32), func(b []byte, codes []uint8, scales, zeros []float32) {
		scales[0], zeros[0] = half(b), half(b[2:])
		nibbles(codes, b[8:24])
		fifths(codes, binary.LittleEndian.Uint32(b[4:]))
	}},
	"Q8_0": {centred(8, 32, 128), func(b []byte, codes []uint8, scales, _ []float32) {
		scales[0] = half(b)
		for i := 0; i < 32; i += 8 {
			binary.LittleEndian.PutUint64(codes[i:], binary.LittleEndian.Uint64(b[2+i:])^0x8080808080808080)
		}
	}},
	"Q2_K": {offset(2, 16), func(b []byte, codes []uint8, scales, zeros []float32) {
		qs, d, m := b[16:80], half(b[80:]), half(b[82:])
		for g, s := range b[:16] {
			scales[g], zeros[g] = d*float32(s&15), -float32(m*float32(s>>4))
		}
		for i := range codes {
			codes[i] = qs[i/128*32+i%32] >> (i / 32 % 4 * 2) & 3
		}
	}},
	"Q3_K": {centred(4, 16, 4), func(b []byte, codes []uint8, scales, _ []float32) {
		mask, qs, packed, d := b[:32], b[32:96], b[96:108], half(b[108:])
		for g := range scales {
			low := packed[g%8] >> (g / 8 * 4) & 15
			high := packed[8+g%4] >> (g / 4 * 2) & 3
			scales[g] = d * float32(int(low|high<<4)-32)
		}
		for i := range codes {
			codes[i] = qs[i/128*32+i%32]>>(i/32%4*2)&3 | mask[i%32]>>(i/32)&1<<2
		}
	}},
	"Q4_K": {offset(4, 32), func(b []byte, codes []uint8, scales, zeros []float32) {
		scaleMins(b, scales, zeros)
		for i := range codes {
			codes[i] = b[16+i/64*32+i%32] >> (i / 32 % 2 * 4) & 15
		}
	}},
	"Q5_K": {offset(8, 32), func(b []byte, codes []uint8, scales, zeros []float32) {
		scaleMins(b, scales, zeros)
		high, qs := b[16:48], b[48:176]
		for i := range codes {
			codes[i] = qs[i/64*32+i%32]>>(i/32%2*4)&15 | high[i%32]>>(i/32)&1<<4
		}
	}},
	"Q6_K": {centred(8, 16, 32), func(b []byte, codes []uint8, scales, _ []float32) {
		low, high, d := b[:128], b[128:192], half(b[208:])
		for g, s := range b[192:208] {
			scales[g] = d * float32(int8(s))
		}
		for i := range codes {
			codes[i] = low[i/128*64+i%64]>>(i/64%2*4)&15 | high[i/128*32+i%32]>>(i/32%4*2)&3<<4
		}
	}},
	"IQ4_NL": {ofLevels(levels), func(b []byte, codes []uint8, scales, _ []float32) {
		scales[0] = half(b)
		nibbles(codes, b[2:18])
	}},
	"IQ4_XS": {ofLevels(levels), func(b []byte, codes []uint8, scales, _ []float32) {
		d, high, low := half(b), binary.LittleEndian.Uint16(b[2:]), b[4:8]
		for g := range scales {
			scale := int(low[g/2]>>(g%2*4)&15) | int(high>>(2*g)&3)<<4
			scales[g] = d * float32(scale-32)
			nibbles(codes[g*32:][:32], b[8+g*16:][:16])
		}
	}},
	"MXFP4": {ofLevels(e2m1), func(b []byte, codes []uint8, scales, _ []float32) {
		bits := uint32(0x00200000) << (b[0] & 1)
		if b[0] >= 2 {
			bits = uint32(b[0]-1) << 23
		}
		scales[0] = math.Float32frombits(bits)
		nibbles(codes, b[1:17])
	}},
}

// nibbles are 32 codes of four bits: the lower halves of 16 bytes, then the upper.
func nibbles(codes []uint8, b []byte) {
	const low = 0x0f0f0f0f0f0f0f0f
	for i := 0; i < 16; i += 8 {
		q := binary.LittleEndian.Uint64(b[i:])
		binary.LittleEndian.PutUint64(codes[i:], q&low)
		binary.LittleEndian.PutUint64(codes[i+16:], q>>4&low)
	}
}

// fifths adds the fifth bits of 32 codes.
func fifths(codes []uint8, high uint32) {
	for i := range codes {
		codes[i] |= uint8(high>>i&1) << 4
	}
}

// scaleMins are the eight groups' of Q4_K and Q5_K.
func scaleMins(b []byte, scales, zeros []float32) {
	d, m := half(b), half(b[2:])
	for g := range scales {
		s, low := scaleMin(b[4:16], g)
		scales[g], zeros[g] = d*s, -float32(m*low)
	}
}

func (r *rows) Codes(columns bool, _ int) *quantise.Codes {
	c, ok := codings[r.kind.name]
	if !ok || columns || r.width != r.size || r.width == 0 {
		return nil
	}
	groups := r.kind.elements / c.Group
	perRow := r.width / r.kind.elements * r.kind.bytes
	return &quantise.Codes{Rows: len(r.data) / perRow, Cols: r.width, Coding: c.Coding, Row: func(i int, codes []uint8, scales, zeros []float32) {
		row := r.data[i*perRow:][:perRow]
		for b := range r.width / r.kind.elements {
			var z []float32
			if c.Zeros {
				z = zeros[b*groups:][:groups]
			}
			c.read(row[b*r.kind.bytes:][:r.kind.bytes], codes[b*r.kind.elements:][:r.kind.elements], scales[b*groups:][:groups], z)
		}
	}}
}
