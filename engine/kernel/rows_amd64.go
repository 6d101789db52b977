//go:build !noasm

package kernel

import "math"

// Each row holds a constant in every lane of the widest vector.
type constantTable [16]float32

func everyLane(x float32) (c constantTable) {
	for i := range c {
		c[i] = x
	}
	return c
}

// expTable holds the constants of the vectorised exponential, in the order that
// the generator names them.
//
//lint:ignore U1000 the assembly reads it
var expTable = [...]constantTable{
	everyLane(expLowest), everyLane(expHighest), everyLane(math.Log2E),
	everyLane(expLn2Hi), everyLane(expLn2Lo),
	everyLane(expC6), everyLane(expC5), everyLane(expC4), everyLane(expC3), everyLane(expC2),
	everyLane(1),
	everyLane(math.Float32frombits(127)),        // bias of the exponent
	everyLane(math.Float32frombits(0x7fffffff)), // all but the sign
}

// roundTable holds the constants of rounding to bfloat16.
//
//lint:ignore U1000 the assembly reads it
var roundTable = [...]constantTable{
	everyLane(math.Float32frombits(0x7fff)),
	everyLane(math.Float32frombits(1)),
	everyLane(math.Float32frombits(0x400000)), // makes a NaN quiet
}

func (s *simd) Scale(x []float32, a float32) {
	if s.isa == isaAVX2 {
		scaleAVX2(first(x), len(x), a)
	} else {
		scaleAVX512(first(x), len(x), a)
	}
}

func (s *simd) RMSNorm(dst, x, weight []float32, eps float32) {
	n := len(x)
	dst, weight = dst[:n], weight[:n]
	var sum float32
	if s.isa == isaAVX2 {
		sum = sumSquaresAVX2(first(x), n)
	} else {
		sum = sumSquaresAVX512(first(x), n)
	}
	r := float32(1 / math.Sqrt(float64(sum/float32(n)+eps)))
	if s.isa == isaAVX2 {
		normAVX2(first(dst), first(x), first(weight), n, r)
	} else {
		normAVX512(first(dst), first(x), first(weight), n, r)
	}
}

func (s *simd) Rotate(x, cos, sin []float32) {
	h := len(cos)
	a, b := x[:h], x[h:2*h]
	sin = sin[:h]
	if s.isa == isaAVX2 {
		rotateAVX2(first(a), first(b), first(cos), first(sin), h)
	} else {
		rotateAVX512(first(a), first(b), first(cos), first(sin), h)
	}
}

func (s *simd) SwiGLU(dst, gate, up []float32) {
	n := len(gate)
	dst, up = dst[:n], up[:n]
	if s.isa == isaAVX2 {
		swigluAVX2(first(dst), first(gate), first(up), n)
	} else {
		swigluAVX512(first(dst), first(gate), first(up), n)
	}
}

func (s *simd) MaxSumExp(x []float32) (max float32, arg int, sum float32) {
	n := len(x)
	if s.isa == isaAVX2 {
		max = maximumAVX2(first(x), n)
		arg = indexOfAVX2(first(x), n, max)
		sum = sumExpAVX2(first(x), n, max)
	} else {
		max = maximumAVX512(first(x), n)
		arg = indexOfAVX512(first(x), n, max)
		sum = sumExpAVX512(first(x), n, max)
	}
	if arg < 0 { // all NaN
		arg = 0
	}
	return max, arg, sum
}

// first is the address of x[0], or nil.
func first[T any](x []T) *T {
	if len(x) == 0 {
		return nil
	}
	return &x[0]
}

//go:noescape
func scaleAVX512(x *float32, n int, a float32)

//go:noescape
func sumSquaresAVX512(x *float32, n int) (sum float32)

//go:noescape
func normAVX512(dst, x, weight *float32, n int, r float32)

//go:noescape
func rotateAVX512(a, b, cos, sin *float32, n int)

//go:noescape
func swigluAVX512(dst, gate, up *float32, n int)

//go:noescape
func maximumAVX512(x *float32, n int) (m float32)

//go:noescape
func indexOfAVX512(x *float32, n int, a float32) (i int)

//go:noescape
func sumExpAVX512(x *float32, n int, m float32) (sum float32)

//go:noescape
func widenAVX512(dst *float32, src *uint16, n int)

//go:noescape
func roundAVX512(dst *uint16, src *float32, n int)

//go:noescape
func pairAVX512(dst, a, b *float32, n int)

//go:noescape
func pairAVX2(dst, a, b *float32, n int)

//go:noescape
func scaleAVX2(x *float32, n int, a float32)

//go:noescape
func sumSquaresAVX2(x *float32, n int) (sum float32)

//go:noescape
func normAVX2(dst, x, weight *float32, n int, r float32)

//go:noescape
func rotateAVX2(a, b, cos, sin *float32, n int)

//go:noescape
func swigluAVX2(dst, gate, up *float32, n int)

//go:noescape
func maximumAVX2(x *float32, n int) (m float32)

//go:noescape
func indexOfAVX2(x *float32, n int, a float32) (i int)

//go:noescape
func sumExpAVX2(x *float32, n int, m float32) (sum float32)

//go:noescape
func widenAVX2(dst *float32, src *uint16, n int)

//go:noescape
func roundAVX2(dst *uint16, src *float32, n int)
