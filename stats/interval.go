package stats

import (
	"fmt"
	"math"
)

// A Method is how an interval is read off a bootstrap.
type Method string

const (
	// Auto is Percentile for 0/1 metrics without clusters, BCa for all else.
	Auto Method = ""
	// Percentile takes the quantiles of the resampled differences.
	Percentile Method = "percentile"
	// BCa takes quantiles corrected for bias and for a spread that changes with
	// the value (Efron 1987): for skewed statistics such as perplexities.
	BCa Method = "BCa"
)

func (m Method) check() error {
	switch m {
	case Auto, Percentile, BCa:
		return nil
	}
	return fmt.Errorf("stats: no interval method %q: give %q or %q", string(m), Percentile, BCa)
}

// An Interval holds the true difference with the stated confidence.
type Interval struct {
	Low, High float64
	Method    Method
	Warnings  []Warning
}

// expandedTails are the tail probabilities to cut off below and above: level/2
// each, made smaller for few units n, as percentiles of a bootstrap are too
// narrow there: Φ(-sqrt(n/(n-1)) t), t the Student quantile at n-1 degrees of
// freedom (Hesterberg 2015, "expanded percentile"). n is at least 2.
func expandedTails(n int, level float64) (low, high float64) {
	t := studentQuantile(level/2, n-1)
	p := snap(normalCDF(math.Sqrt(float64(n)/float64(n-1)) * t))
	return p, p
}

// bcaTails are the BCa tail probabilities, below and above, for a tail of p each
// without correction; ok is false where the correction has no solution.
func bcaTails(z0, acceleration, p float64) (low, high float64, ok bool) {
	if math.IsInf(z0, 0) || math.IsNaN(z0) || math.IsNaN(acceleration) {
		return 0, 0, false
	}
	if p == 0 { // two or three units: the outermost draws, whatever the correction
		return 0, 0, true
	}
	tail := func(z0, a float64) (float64, bool) {
		z := z0 + normalQuantile(p)
		d := 1 - float64(a*z)
		return snap(normalCDF(z0 + z/d)), d > 0
	}
	low, okLow := tail(z0, acceleration)
	high, okHigh := tail(-z0, -acceleration)
	return low, high, okLow && okHigh
}

// quantiles are the values that cut off the given tails of sorted draws,
// interpolated linearly as numpy.percentile does; the upper is the mirror of the lower.
func quantiles(sorted []float64, below, above float64) (low, high float64) {
	last := len(sorted) - 1
	at := func(p float64, i func(k int) float64) float64 {
		h := float64(p * float64(last))
		k := int(h)
		if k >= last {
			return i(last)
		}
		x, y := i(k), i(k+1)
		return x + float64((y-x)*(h-float64(k)))
	}
	low = at(below, func(k int) float64 { return sorted[k] })
	high = at(above, func(k int) float64 { return sorted[last-k] })
	return low, high
}

// student is the interval of t standard errors to either side of the difference: of a
// perplexity on the scale of the logarithm, where a large error of one run's does not
// reach over 0.
func (u *units) student(t, diff float64) (low, high float64) {
	half := t * math.Sqrt(sumOfSquares(u.influence()))
	if u.t != Perplexity {
		return diff - half, diff + half
	}
	ra, rb := sum(u.a)/u.total, sum(u.b)/u.total
	a, b, ratio := exp(-ra), exp(-rb), ra-rb
	half = t * math.Sqrt(sumOfSquares(u.centred())) / u.total
	return u.t.size(ratio-half, a, b), u.t.size(ratio+half, a, b)
}
