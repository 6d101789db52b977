// Package stats holds the few statistics that a task's own metrics need: standard errors of means,
// Wilson intervals of shares, and a seeded bootstrap. It knows nothing of tasks, documents or models.
package stats

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Z95 is the standard normal quantile of a two-sided 95% interval.
const Z95 = 1.959963984540054

// StdErr is the standard error of a mean: the sample standard deviation (divisor n-1) over sqrt(n).
// It is NaN below two values. lm-evaluation-harness: mean_stderr.
func StdErr(values []float64) float64 {
	if len(values) < 2 {
		return math.NaN()
	}
	return stat.StdDev(values, nil) / math.Sqrt(float64(len(values)))
}

// Wilson is the 95% score interval of a share of k successes among n trials (Wilson 1927): unlike
// the normal interval it stays within [0, 1] and has width at k = 0 and k = n. n = 0 gives [0, 1].
func Wilson(k, n int) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	nf, z2 := float64(n), Z95*Z95
	p := float64(k) / nf
	centre := (p + z2/(2*nf)) / (1 + z2/nf)
	half := Z95 / (1 + z2/nf) * math.Sqrt(p*(1-p)/nf+z2/(4*nf*nf))
	low, high = centre-half, centre+half
	// At the ends the bound is exactly the end; rounding must not put it outside.
	if k == 0 {
		low = 0
	}
	if k == n {
		high = 1
	}
	return max(low, 0), min(high, 1)
}

// Bootstrap resamples n items with replacement, times times, and returns the sorted values of a
// statistic of the form f(sum of a / sum of b) over the drawn items. a and b have n values each; b
// may be nil for all ones. The same seed gives the same values everywhere (PCG, math/rand/v2).
func Bootstrap(a, b []float64, times int, seed uint64, f func(ratio float64) float64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 0x736f667462656e63))
	n := len(a)
	out := make([]float64, times)
	for t := range out {
		var sa, sb float64
		for range n {
			i := rng.IntN(n)
			sa += a[i]
			if b == nil {
				sb++
			} else {
				sb += b[i]
			}
		}
		out[t] = f(sa / sb)
	}
	slices.Sort(out)
	return out
}

// StdDev is the sample standard deviation of bootstrap values: the bootstrap's standard error.
func StdDev(values []float64) float64 { return stat.StdDev(values, nil) }

// Percentiles returns the 2.5% and 97.5% quantiles of sorted values: a 95% percentile interval.
func Percentiles(sorted []float64) (low, high float64) {
	return stat.Quantile(0.025, stat.Empirical, sorted, nil), stat.Quantile(0.975, stat.Empirical, sorted, nil)
}
