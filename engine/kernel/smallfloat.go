package kernel

import "math"

// smallFloats are the numbers of the bytes of E4M3: a sign, four bits of exponent and
// three of fraction, without infinities; the last of each sign is not a number.
var smallFloats = func() (t [256]float32) {
	for b := range t {
		exponent, fraction := b>>3&15, float64(b&7)
		x := math.Ldexp(8+fraction, exponent-10)
		if exponent == 0 {
			x = math.Ldexp(fraction, -9)
		}
		if b&0x7f == 0x7f {
			x = math.NaN()
		}
		if b&0x80 != 0 {
			x = -x
		}
		t[b] = float32(x)
	}
	return t
}()

// roundFloat16 rounds to the nearest float16, ties to even; what that cannot hold
// becomes an infinity.
func roundFloat16(x float32) float32 {
	b := math.Float32bits(x)
	sign, a := b&0x80000000, b&0x7fffffff
	switch {
	case a > 0x7f800000:
		return x
	case a >= 0x477ff000: // 65520
		return math.Float32frombits(sign | 0x7f800000)
	case a < 0x38800000: // below 2^-14 the last place is 2^-24, as that of numbers from 1/2 on
		v := math.Float32frombits(a) + 0.5
		return math.Float32frombits(sign | math.Float32bits(v-0.5))
	}
	a += 0xfff + a>>13&1
	return math.Float32frombits(sign | a&^0x1fff)
}
