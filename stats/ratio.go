package stats

import (
	"math"
	"slices"
)

// Ratio estimates Σ value / Σ weight over documents, such as a mean over the tokens of all of
// them. SE is the jackknife's over the units, documents or clusters, and the interval Student's
// at one degree of freedom less than there are units, as Single's is; fewer than two units have
// none: NaN.
func Ratio(l List, level float64) (Estimate, error) {
	if err := checkLevel(level); err != nil {
		return Estimate{}, err
	}
	p := Pairs{A: make([]float64, len(l.Values)), B: l.Values, Weights: l.Weights, Clusters: Shared(l.Clusters)}
	if err := p.check(); err != nil {
		return Estimate{}, err
	}
	u := p.units(Share)
	e := Estimate{Value: sum(u.b) / u.total, N: len(l.Values), SE: math.NaN(), ClusteredSE: math.NaN(), Low: math.NaN(), High: math.NaN()}
	if p.Clusters != nil {
		e.Clusters = u.n()
	}
	e.Warnings = sizeWarnings(e.N, e.Clusters)
	if u.n() < 2 {
		return e, nil
	}
	e.SE = u.jackknife()
	half := -studentQuantile(level/2, u.n()-1) * e.SE
	e.Low, e.High = e.Value-half, e.Value+half
	return e, nil
}

// Quantile is the q-quantile of sorted values, between two by their distance: numpy's and
// torch's default. NaN of none.
func Quantile(sorted []float64, q float64) float64 {
	n := len(sorted)
	if n == 0 || !slices.IsSorted(sorted) {
		return math.NaN()
	}
	at := q * float64(n-1)
	k := min(int(at), n-1)
	if k == n-1 {
		return sorted[k]
	}
	return sorted[k] + (at-float64(k))*(sorted[k+1]-sorted[k])
}
