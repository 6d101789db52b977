package stats

import "math"

// expTerms are 1/k! for k = 13 down to 0.
var expTerms = func() (c [14]float64) {
	f := 1.0
	for k := range c {
		if k > 1 {
			f *= float64(k)
		}
		c[len(c)-1-k] = 1 / f
	}
	return c
}()

// exp is e^x within 2 units in the last place, and the same bits on every
// machine, which math.Exp (assembly on some) is not: x = k ln 2 + r with
// |r| <= ln(2)/2, and the Taylor series of e^r to its 13th power.
func exp(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x > 709.8:
		return math.Inf(1)
	case x < -745.2:
		return 0
	}
	// ln 2 in two parts; k times the first is exact.
	const high, low = 0x1.62e42feep-01, 0x1.a39ef35793c76p-33
	k := math.RoundToEven(x / math.Ln2)
	r := x - float64(k*high)
	r -= float64(k * low)
	s := expTerms[0]
	for _, c := range expTerms[1:] {
		s = float64(s*r) + c
	}
	return math.Ldexp(s, int(k))
}

// sum adds from first to last.
func sum(values []float64) float64 {
	s := 0.0
	for _, v := range values {
		s += v
	}
	return s
}

// snap rounds a tail probability to a multiple of 2^-40, so that a last bit that
// differs between machines does not reach what the probability selects.
func snap(p float64) float64 { return math.Ldexp(math.Round(math.Ldexp(p, 40)), -40) }
