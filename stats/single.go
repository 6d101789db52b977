package stats

import (
	"fmt"
	"math"
)

// A List is one run's values over its documents; see Pairs.
type List struct {
	Values   []float64
	Weights  []float64 // nil: 1 each
	Clusters []string  // "" for a document that stands alone; nil: all do
}

// Single estimates a metric from one run alone.
//
// SE is that of independent documents, as lm-evaluation-harness gives it: of a mean
// the sample standard deviation over sqrt(n), of a perplexity the standard deviation
// of bootstrap resamples. Where documents share clusters, ClusteredSE is the
// cluster-robust one (see Mean), by the delta method for a perplexity.
//
// The interval is of the units, documents or clusters: Wilson's for a share of
// independent documents, that of clusteredShare for one of clusters. All else is a
// ratio Σ value / Σ weight whose standard error is the jackknife's, with Student's t
// at one degree of freedom less than there are units; it is taken before the
// transform, so that a perplexity has its interval on the log scale: within
// (0, ∞), and the same statement as that of the bits behind it. Fewer than two
// units have none: NaN.
func Single(l List, o Options) (Estimate, error) {
	o, err := o.filled()
	if err != nil {
		return Estimate{}, err
	}
	p := Pairs{A: make([]float64, len(l.Values)), B: l.Values, Weights: l.Weights, Clusters: Shared(l.Clusters)}
	if err := p.check(); err != nil {
		return Estimate{}, err
	}
	independent := Pairs{A: p.A, B: p.B, Weights: p.Weights}
	plain := independent.units(o.Transform)
	e := Estimate{
		Value: o.Transform.of(sum(p.B) / plain.total), N: len(p.B),
		SE: math.NaN(), ClusteredSE: math.NaN(), Low: math.NaN(), High: math.NaN(),
	}
	u := plain
	if p.Clusters != nil {
		u = p.units(o.Transform)
		e.Clusters = u.n()
		e.ClusteredSE = math.Sqrt(sumOfSquares(u.influence()))
	}
	switch {
	case e.N < 2:
	case o.Transform == Share && p.Weights == nil:
		e.SE = StdErr(p.B)
	default:
		if draws, err := plain.draw(o.Draws, o.Seed); err == nil { // else a resample's perplexity is not finite: nor is its spread
			e.SE = stdDev(draws)
		}
	}
	e.Warnings = sizeWarnings(e.N, e.Clusters)
	right, binary := p.right()
	if binary = binary && o.Transform == Share; binary {
		e.Warnings = append(e.Warnings, endWarnings("", e.Value)...)
	}
	switch {
	case binary && e.Clusters == 0:
		e.Low, e.High = wilson(right, e.N, o.Level)
	case u.n() < 2:
		e.Warnings = append(e.Warnings, warn(NoInterval, "a single document or cluster: no interval"))
	case binary:
		e.Low, e.High = u.clusteredShare(o.Level)
	default:
		r := sum(u.b) / u.total
		half := -studentQuantile(o.Level/2, u.n()-1) * u.jackknife()
		e.Low, e.High = o.Transform.of(r-half), o.Transform.of(r+half)
		if e.Low > e.High { // a perplexity falls as its loglikelihood grows
			e.Low, e.High = e.High, e.Low
		}
	}
	return e, nil
}

// right counts the documents that B has right; binary is whether all are 0 or 1,
// without weights.
func (p *Pairs) right() (right int, binary bool) {
	for _, v := range p.B {
		if v != 0 && v != 1 {
			return 0, false
		}
		right += int(v)
	}
	return right, p.Weights == nil
}

// StdErr is the standard error of a mean: the sample standard deviation (divisor
// n-1) over sqrt(n); NaN below two values. lm-evaluation-harness: mean_stderr.
func StdErr(values []float64) float64 {
	return stdDev(values) / math.Sqrt(float64(len(values)))
}

// stdDev is the sample standard deviation; NaN below two values.
func stdDev(values []float64) float64 {
	if len(values) < 2 {
		return math.NaN()
	}
	mean := sum(values) / float64(len(values))
	squares := 0.0
	for _, v := range values {
		squares += float64((v - mean) * (v - mean))
	}
	return math.Sqrt(squares / float64(len(values)-1))
}

// jackknife is the standard error of B's ratio Σ b / Σ w, from the ratios with each
// unit left out in turn: sqrt((G-1)/G Σ (r_g - r)²). It is that of influence where
// all units weigh the same, and larger where they do not: a unit that carries much
// of the weight pulls the ratio towards itself, which the linear error leaves out.
func (u *units) jackknife() float64 {
	b := sum(u.b)
	r := b / u.total
	squares := 0.0
	for i := range u.b {
		rest := u.total - u.w[i]
		if rest <= 0 { // one unit has all the weight
			return math.NaN()
		}
		d := (b-u.b[i])/rest - r
		squares += float64(d * d)
	}
	g := float64(u.n())
	return math.Sqrt((g - 1) / g * squares)
}

// clusteredShare is Wilson's interval for the effective number of documents of
// Korn and Graubard (Survey Methodology 24, 1998), as Franco, Little, Louis and Slud
// (J. Survey Statistics and Methodology 7, 2019) advise: n times the variance of
// independent documents over that of the clusters, at most n, and times the square
// of the normal over Student's quantile at G-1 degrees of freedom. Where all
// documents are right, or none, each cluster counts once.
func (u *units) clusteredShare(level float64) (low, high float64) {
	n, g := u.total, u.n()
	share := sum(u.b) / n
	independent := share * (1 - share) / (n - 1)
	effective := float64(g)
	if se := u.jackknife(); independent > 0 && se > 0 {
		effective = n * min(1, independent/float64(se*se))
	} else if independent > 0 { // every cluster has the same share
		effective = n
	}
	z, t := normalQuantile(1-level/2), -studentQuantile(level/2, g-1)
	effective *= float64(z/t) * float64(z/t)
	return wilsonShare(share, effective, z)
}

// wilsonShare is Wilson's interval for a share among n, which need not be whole.
func wilsonShare(share, n, z float64) (low, high float64) {
	lower := func(p float64) float64 {
		if p == 0 {
			return 0
		}
		z2 := z * z
		centre := p + z2/(2*n)
		half := z * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
		return max(0, (centre-half)/(1+z2/n))
	}
	return lower(share), 1 - lower(1-share)
}

// Shared are cluster labels as Pairs takes them: a document without a label stands
// alone in a cluster of its own. Nil where no two documents share a cluster, so
// that they are independent.
func Shared(labels []string) []string {
	seen := make(map[string]bool, len(labels))
	shared := false
	for _, l := range labels {
		if l != "" {
			shared = shared || seen[l]
			seen[l] = true
		}
	}
	if !shared {
		return nil
	}
	out := make([]string, len(labels))
	for i, l := range labels {
		if out[i] = l; l == "" {
			out[i] = fmt.Sprintf("\x00document %d", i)
		}
	}
	return out
}
