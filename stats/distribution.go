package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// normalQuantile is the standard normal quantile; exactly odd about 1/2.
func normalQuantile(p float64) float64 {
	if p > 0.5 {
		return -distuv.UnitNormal.Quantile(1 - p)
	}
	return distuv.UnitNormal.Quantile(p)
}

func normalCDF(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// studentQuantile is the quantile of Student's t at df degrees of freedom.
func studentQuantile(p float64, df int) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(df)}.Quantile(p)
}

// binomialWeights is the distribution of Binomial(n, p) on first..first+len-1,
// all but about 1e-17 of it, and sums to 1: by the ratio of neighbours, outward from the mode.
func binomialWeights(n int, p float64) (first int, weights []float64) {
	switch {
	case p <= 0:
		return 0, []float64{1}
	case p >= 1:
		return n, []float64{1}
	}
	mean := float64(n) * p
	reach := 9*math.Sqrt(mean*(1-p)) + 40
	first = max(0, int(mean-reach))
	last := min(n, int(mean+reach)+1)
	mode := min(max(int(float64(n+1)*p), first), last)
	weights = make([]float64, last-first+1)
	weights[mode-first] = 1
	odds := p / (1 - p)
	for k := mode; k < last; k++ {
		weights[k+1-first] = weights[k-first] * (float64(n-k) / float64(k+1)) * odds
	}
	for k := mode; k > first; k-- {
		weights[k-1-first] = weights[k-first] * (float64(k) / float64(n-k+1)) / odds
	}
	total := sum(weights)
	for i := range weights {
		weights[i] /= total
	}
	return first, weights
}

// Normal95 is the quantile of the normal distribution at 0.975: 95% of it lies within so many standard errors.
const Normal95 = 1.959963984540054
