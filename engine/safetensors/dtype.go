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

// widths is the bits of one element of every type the reference implementation
// knows. Types narrower than a byte are packed.
var widths = map[DType]uint64{
	"F64": 64, "I64": 64, "U64": 64, "C64": 64,
	F32: 32, "I32": 32, "U32": 32,
	F16: 16, BF16: 16, "I16": 16, "U16": 16,
	"I8": 8, "U8": 8, "BOOL": 8,
	"F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}

// Known reports whether the format defines d.
func (d DType) Known() bool { return widths[d] != 0 }

// Bits returns the width of one element, 0 for an unknown type.
func (d DType) Bits() int { return int(widths[d]) }

// Float reports whether Decode reads d: F64, F32, F16, BF16 and the 8-bit floats.
func (d DType) Float() bool {
	switch d {
	case F64, F32, F16, BF16, E4M3, E5M2, E8M0:
		return true
	}
	return false
}

// Decode converts len(dst) elements of type d from src; F64 is rounded to the
// nearest float32. It panics where d is not a Float, or src is shorter than dst:
// both are checked at load.
func Decode(d DType, dst []float32, src []byte) {
	switch d {
	case F32:
		src = src[:4*len(dst)]
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case BF16:
		src = src[:2*len(dst)]
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	case F16:
		src = src[:2*len(dst)]
		for i := range dst {
			dst[i] = halfToFloat(binary.LittleEndian.Uint16(src[2*i:]))
		}
	case F64:
		src = src[:8*len(dst)]
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	case E4M3, E5M2, E8M0:
		table := &eightBits[d[4]-'4']
		for i, b := range src[:len(dst)] {
			dst[i] = table[b]
		}
	default:
		panic("safetensors: Decode of " + string(d))
	}
}

// Encode converts src to elements of type d in dst, rounding to nearest, ties
// to even. NaN stays NaN; what F16 cannot hold becomes an infinity. It panics
// where d is not F32, F16 or BF16, or dst is too short.
func Encode(d DType, dst []byte, src []float32) {
	switch d {
	case F32:
		dst = dst[:4*len(src)]
		for i, x := range src {
			binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(x))
		}
	case BF16:
		dst = dst[:2*len(src)]
		for i, x := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], floatToBrain(x))
		}
	case F16:
		dst = dst[:2*len(src)]
		for i, x := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], floatToHalf(x))
		}
	default:
		panic("safetensors: Encode to " + string(d))
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

// eightBits holds the numbers of each byte of F8_E4M3, F8_E5M2 and F8_E8M0, by the
// digit in their names less 4.
var eightBits = func() (t [5][256]float32) {
	for b := range 256 {
		t[0][b] = smallFloat(byte(b), 4, 3)
		if b&0x7f == 0x7f { // this type has no infinity, and one NaN of each sign
			t[0][b] = float32(math.NaN())
		}
		// Five exponent bits and two of fraction are the upper half of an F16.
		t[1][b] = halfToFloat(uint16(b) << 8)
		t[4][b] = float32(math.Ldexp(1, b-127))
	}
	t[4][255] = float32(math.NaN())
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
