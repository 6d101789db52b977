package safetensors

import (
	"encoding/binary"
	"math"
)

// DType is an element type, spelled as in a header.
type DType string

// The element types that hold weights softbench computes with.
const (
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	F64  DType = "F64"
	E4M3 DType = "F8_E4M3"
	E5M2 DType = "F8_E5M2"
	E8M0 DType = "F8_E8M0"
)

// element is an element type: the bits of one, and for those that weights are read of, how.
// Types narrower than a byte are packed.
type element struct {
	bits   int
	decode func(dst []float32, src []byte) // src holds len(dst) elements; nil: the type is not Readable
	encode func(dst []byte, src []float32) // rounding to nearest; nil: nothing is written in the type
	whole  bool                            // its numbers are whole ones, or true (1) and false (0)
}

// elements are all the types that the reference implementation knows.
var elements = map[DType]element{
	F32:  {bits: 32, decode: decodeF32, encode: encodeF32},
	F16:  {bits: 16, decode: decodeF16, encode: encodeF16},
	BF16: {bits: 16, decode: decodeBF16, encode: encodeBF16},
	F64:  {bits: 64, decode: decodeF64},
	E4M3: {bits: 8, decode: decodeTable(&eightBits[0])},
	E5M2: {bits: 8, decode: decodeTable(&eightBits[1])},
	E8M0: {bits: 8, decode: decodeTable(&eightBits[2])},

	"I64":         wholes(8, func(b []byte) float32 { return float32(int64(binary.LittleEndian.Uint64(b))) }),
	"U64":         wholes(8, func(b []byte) float32 { return float32(binary.LittleEndian.Uint64(b)) }),
	"I32":         wholes(4, func(b []byte) float32 { return float32(int32(binary.LittleEndian.Uint32(b))) }),
	"U32":         wholes(4, func(b []byte) float32 { return float32(binary.LittleEndian.Uint32(b)) }),
	"I16":         wholes(2, func(b []byte) float32 { return float32(int16(binary.LittleEndian.Uint16(b))) }),
	"U16":         wholes(2, func(b []byte) float32 { return float32(binary.LittleEndian.Uint16(b)) }),
	"I8":          wholes(1, func(b []byte) float32 { return float32(int8(b[0])) }),
	"U8":          wholes(1, func(b []byte) float32 { return float32(b[0]) }),
	"BOOL":        wholes(1, func(b []byte) float32 { return float32(min(b[0], 1)) }),
	"F8_E4M3FNUZ": {bits: 8, decode: decodeTable(&eightBits[3])}, "F8_E5M2FNUZ": {bits: 8, decode: decodeTable(&eightBits[4])},
	"C64": {bits: 64}, "F6_E2M3": {bits: 6}, "F6_E3M2": {bits: 6}, "F4": {bits: 4},
}

// wholes is an element type of whole numbers of so many bytes.
func wholes(width int, number func(b []byte) float32) element {
	return element{bits: 8 * width, whole: true, decode: func(dst []float32, src []byte) {
		for i := range dst {
			dst[i] = number(src[i*width:][:width])
		}
	}}
}

// Known reports whether the format defines d.
func (d DType) Known() bool { return elements[d].bits != 0 }

// Bits returns the width of one element, 0 for an unknown type.
func (d DType) Bits() int { return elements[d].bits }

// Readable reports whether Decode reads d: floats of 8 to 64 bits, whole numbers and
// truth values, which are 0 and 1.
func (d DType) Readable() bool { return elements[d].decode != nil }

// Float reports whether d is Readable and not of whole numbers.
func (d DType) Float() bool { return d.Readable() && !d.Whole() }

// Whole reports whether d's numbers are whole ones, or truth values.
func (d DType) Whole() bool { return elements[d].whole }

// Decode converts len(dst) elements of type d from src; what float32 cannot hold is
// rounded to the nearest that it can. It panics where d is not Readable, or src is
// shorter than dst: both are checked at load.
func Decode(d DType, dst []float32, src []byte) { d.decoder()(dst, src) }

func (d DType) decoder() func(dst []float32, src []byte) {
	decode := elements[d].decode
	if decode == nil {
		panic("safetensors: Decode of " + string(d))
	}
	return decode
}

// Encode converts src to elements of type d in dst, rounding to nearest, ties
// to even. NaN stays NaN; what F16 cannot hold becomes an infinity. It panics
// where d is not F32, F16 or BF16, or dst is too short.
func Encode(d DType, dst []byte, src []float32) {
	encode := elements[d].encode
	if encode == nil {
		panic("safetensors: Encode to " + string(d))
	}
	encode(dst, src)
}

func decodeF32(dst []float32, src []byte) {
	src = src[:4*len(dst)]
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func decodeBF16(dst []float32, src []byte) {
	src = src[:2*len(dst)]
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

// Half is the number of two bytes of F16.
func Half(src []byte) float32 { return halfToFloat(binary.LittleEndian.Uint16(src)) }

func decodeF16(dst []float32, src []byte) {
	src = src[:2*len(dst)]
	for i := range dst {
		dst[i] = halfToFloat(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

func decodeF64(dst []float32, src []byte) {
	src = src[:8*len(dst)]
	for i := range dst {
		dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

// decodeTable reads bytes that table has the numbers of.
func decodeTable(table *[256]float32) func(dst []float32, src []byte) {
	return func(dst []float32, src []byte) {
		for i, b := range src[:len(dst)] {
			dst[i] = table[b]
		}
	}
}

func encodeF32(dst []byte, src []float32) {
	dst = dst[:4*len(src)]
	for i, x := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(x))
	}
}

func encodeBF16(dst []byte, src []float32) {
	dst = dst[:2*len(src)]
	for i, x := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], floatToBrain(x))
	}
}

func encodeF16(dst []byte, src []float32) {
	dst = dst[:2*len(src)]
	for i, x := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], floatToHalf(x))
	}
}

func floatToBrain(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return uint16(b>>16) | 0x40 // keep it a NaN whatever the low half held
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func halfToFloat(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp := uint32(h >> 10 & 0x1f)
	frac := uint32(h & 0x3ff)
	switch exp {
	case 0: // zero, or a subnormal: frac · 2^-24
		v := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

func floatToHalf(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00
	case b >= 0x477ff000: // 65520 and above round to infinity
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14: a subnormal, in units of 2^-24
		// Adding 0.5 puts the unit 2^-24 at the last place, so the sum rounds
		// to nearest even there.
		v := math.Float32frombits(b) + 0.5
		return sign | uint16(math.Float32bits(v)-0x3f000000)
	}
	b += 0xfff + b>>13&1
	return sign | uint16((b-112<<23)>>13)
}

// eightBits holds the numbers of each byte of F8_E4M3, F8_E5M2, F8_E8M0, and of the
// first two in the form without an infinity and a zero below zero (FNUZ), whose
// exponents are one less.
var eightBits = func() (t [5][256]float32) {
	for b := range 256 {
		t[0][b] = smallFloat(byte(b), 4, 3)
		t[3][b], t[4][b] = t[0][b]/2, smallFloat(byte(b), 5, 2)/2
		if b&0x7f == 0x7f { // this type has no infinity, and one NaN of each sign
			t[0][b] = float32(math.NaN())
		}
		// Five exponent bits and two of fraction are the upper half of an F16.
		t[1][b] = halfToFloat(uint16(b) << 8)
		t[2][b] = float32(math.Ldexp(1, b-127))
	}
	t[2][255], t[3][0x80], t[4][0x80] = float32(math.NaN()), float32(math.NaN()), float32(math.NaN())
	return t
}()

// smallFloat is the number of a sign, exp exponent bits and frac fraction bits.
func smallFloat(b byte, exp, frac int) float32 {
	bias := 1<<(exp-1) - 1
	e, f := int(b)>>frac&(1<<exp-1), float64(int(b)&(1<<frac-1))
	v := math.Ldexp(f, 1-bias-frac) // a subnormal
	if e > 0 {
		v = math.Ldexp(f+float64(int(1)<<frac), e-bias-frac)
	}
	if b&0x80 != 0 {
		v = -v
	}
	return float32(v)
}
