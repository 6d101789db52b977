//go:build (amd64 || arm64) && !noasm

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

// activationTable holds the constants of activations, in the order that the generator names them.
//
// GELU: with y = |x| and t = 1/(1+0.3·y/√2), Φ(-y) = e^(-y²/2)·P(t), P of degree 9 and without a constant:
// a fit of erfc(z)·e^(z²)/2, z = y/√2, by least squares reweighted to the least largest relative
// error on z up to 10, 2.0e-8. Past y = 20 Φ(-y) is 0 in float32.
//
//lint:ignore U1000 the assembly reads it
var activationTable = [...]constantTable{
	everyLane(20), everyLane(0.3 / math.Sqrt2), everyLane(-0.5),
	everyLane(-0.1295227238120369 / 2), everyLane(0.48556233889427197 / 2), everyLane(-0.5122763063061763 / 2),
	everyLane(0.5477180109206927 / 2), everyLane(-0.09464934726193484 / 2), everyLane(0.21492547801838774 / 2),
	everyLane(0.1483393169230823 / 2), everyLane(0.17071520664268236 / 2), everyLane(0.1691880063976673 / 2),
	everyLane(-1e6), everyLane(1e6), // selfGate's
}

func (s *simd) Scale(x []float32, a float32) {
	s.scale(first(x), len(x), a)
}

func (s *simd) RMSNorm(dst, x, weight []float32, eps float32) {
	n := len(x)
	dst, weight = dst[:n], weight[:n]
	sum := s.sumSquares(first(x), n)
	r := float32(1 / math.Sqrt(float64(sum/float32(n)+eps)))
	s.norm(first(dst), first(x), first(weight), n, r)
}

// LayerNorm implements Set, sums in lanes of float32: the distances from the mean are rounded before
// they are squared, as the reference of most models, PyTorch, does.
func (s *simd) LayerNorm(dst, x, weight, bias []float32, eps float32) {
	n := len(x)
	dst = dst[:n]
	s.shift(first(dst), first(x), n, s.sum(first(x), n)/float32(n))
	r := float32(1 / math.Sqrt(float64(s.sumSquares(first(dst), n)/float32(n)+eps)))
	if weight != nil {
		s.norm(first(dst), first(dst), first(weight[:n]), n, r)
	} else {
		s.scale(first(dst), n, r)
	}
	if bias != nil {
		Add(dst, bias[:n], 1)
	}
}

func (s *simd) Rotate(x, cos, sin []float32) {
	h := len(cos)
	a, b := x[:h], x[h:2*h]
	sin = sin[:h]
	s.rotate(first(a), first(b), first(cos), first(sin), h)
}

func (s *simd) SwiGLU(dst, gate, up []float32) {
	n := len(gate)
	dst, up = dst[:n], up[:n]
	s.swiglu(first(dst), first(gate), first(up), n)
}

func (s *simd) SelfGate(x []float32, a, b float32) {
	s.selfGate(first(x), len(x), -a, -b)
}

func (s *simd) GELU(x []float32) {
	s.gelu(first(x), len(x))
}

func (s *simd) MaxSumExp(x []float32) (max float32, arg int, sum float32) {
	n := len(x)
	max = s.maximum(first(x), n)
	arg = s.indexOf(first(x), n, max)
	sum = s.sumExp(first(x), n, max)
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
