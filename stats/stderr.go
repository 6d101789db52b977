package stats

import (
	"fmt"
	"math"
	"slices"
)

// An Estimate is a value with how sure it is.
type Estimate struct {
	Value float64
	SE    float64 // standard error; NaN where there is no telling
	// ClusteredSE is Single's cluster-robust standard error; NaN where documents stand alone.
	ClusteredSE float64
	Low, High   float64
	N           int // documents
	Clusters    int // 0 where documents stand alone
	Warnings    []Warning
}

// Mean is the mean of per-document values with its standard error, the sample
// standard deviation over sqrt(n), and Student's t interval at n-1 degrees of freedom.
//
// With clusters (one label a document; nil for none) the standard error is
// cluster-robust, sqrt(G/(G-1) Σ_g (Σ_i (x_i - mean))²)/n over G clusters, and the
// interval has G-1 degrees of freedom. That of a paired difference is the Mean of
// the differences. Equal to statsmodels' OLS on a constant with cov_type
// "nonrobust" and "cluster", use_t=True.
func Mean(values []float64, clusters []string, level float64) (Estimate, error) {
	if err := checkLevel(level); err != nil {
		return Estimate{}, err
	}
	p := Pairs{A: make([]float64, len(values)), B: values, Clusters: clusters}
	if err := p.check(); err != nil {
		return Estimate{}, err
	}
	u := p.units(Share)
	e := Estimate{Value: sum(values) / float64(len(values)), ClusteredSE: math.NaN(), N: len(values)}
	if clusters != nil {
		e.Clusters = u.n()
	}
	e.SE = math.Sqrt(sumOfSquares(u.influence()))
	e.Low, e.High = math.NaN(), math.NaN()
	if u.n() > 1 {
		half := -studentQuantile(level/2, u.n()-1) * e.SE
		e.Low, e.High = e.Value-half, e.Value+half
	}
	e.Warnings = sizeWarnings(e.N, e.Clusters)
	return e, nil
}

// influence is what each unit contributes to the difference's error, scaled so
// that the sum of squares is the squared standard error: the ratio estimator
// linearised, e_g = slope·(Σ value - r Σ weight)/total, times sqrt(G/(G-1)). For
// plain means it is (d - mean of d) sqrt(1/(n(n-1))); over clusters the error is that
// of statsmodels' OLS on a constant with cov_type "cluster". One unit gives NaN.
func (u *units) influence() []float64 {
	ra, rb := sum(u.a)/u.total, sum(u.b)/u.total
	sa, sb := u.t.slope(ra), u.t.slope(rb)
	g := float64(u.n())
	scale := math.Sqrt(g/(g-1)) / u.total
	if g == 1 {
		scale = math.NaN()
	}
	out := make([]float64, u.n())
	for i := range out {
		a := float64(sa * (u.a[i] - float64(ra*u.w[i])))
		b := float64(sb * (u.b[i] - float64(rb*u.w[i])))
		out[i] = (b - a) * scale
	}
	return out
}

func sumOfSquares(values []float64) float64 {
	s := 0.0
	for _, v := range values {
		s += float64(v * v)
	}
	return s
}

// sizeWarnings tell of few documents or clusters.
func sizeWarnings(n, clusters int) (out []Warning) {
	if n < smallN {
		out = append(out, warn(SmallN, "only %s: read intervals and p-values with care", count(n, "document")))
	}
	if clusters > 0 && clusters < fewClusters {
		out = append(out, warn(FewClusters, "only %s: errors and intervals are rough below %d", count(clusters, "cluster"), fewClusters))
	}
	return out
}

// endWarnings tell of a share next to 0 or 1, where differences have no room.
func endWarnings(who string, share float64) (out []Warning) {
	if who != "" {
		who += " "
	}
	if share > nearCeiling {
		out = append(out, warn(Ceiling, "%sgets %.4g%% right: hardly room to improve", who, 100*share))
	}
	if share < 1-nearCeiling {
		out = append(out, warn(Floor, "%sgets %.4g%% right: hardly room to lose", who, 100*share))
	}
	return out
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Pairs are two runs' values over the same documents, in an order that the
// documents fix (see the package comment).
type Pairs struct {
	A, B []float64 // value of each document: right (1) or wrong (0), a loglikelihood, a diagnostic
	// Weights of the documents in the ratio Σ value / Σ weight, the same for both
	// runs: words, bytes or tokens. Nil: 1 each.
	Weights []float64
	// Clusters label documents that share a source and so are not independent;
	// whole clusters are resampled. Nil: every document stands alone.
	Clusters []string
	// Unchanged says that what the values were made of is equal to the bit in both
	// runs: the same right and wrong answers alone do not show that.
	Unchanged bool
}

func (p *Pairs) check() error {
	n := len(p.A)
	if n == 0 && len(p.B) == 0 {
		return fmt.Errorf("stats: no documents to compare")
	}
	if len(p.B) != n {
		return fmt.Errorf("stats: A has %d documents, B %d: compare the same documents", n, len(p.B))
	}
	if p.Weights != nil && len(p.Weights) != n {
		return fmt.Errorf("stats: %d weights for %d documents", len(p.Weights), n)
	}
	if p.Clusters != nil && len(p.Clusters) != n {
		return fmt.Errorf("stats: %d cluster labels for %d documents", len(p.Clusters), n)
	}
	var magnitude, total float64
	for i := range p.A {
		for _, v := range []struct {
			who   string
			value float64
		}{{"A", p.A[i]}, {"B", p.B[i]}} {
			if math.IsNaN(v.value) || math.IsInf(v.value, 0) {
				return fmt.Errorf("stats: document %d of %s is %v: not a finite number", i, v.who, v.value)
			}
		}
		magnitude += math.Abs(p.A[i]) + math.Abs(p.B[i])
		if p.Weights != nil {
			w := p.Weights[i]
			if !(w >= 0) || math.IsInf(w, 0) {
				return fmt.Errorf("stats: document %d has weight %v: give one that is finite and not negative", i, w)
			}
			total += w
		}
	}
	if math.IsInf(magnitude, 0) || math.IsInf(total, 0) {
		return fmt.Errorf("stats: the values add up to more than a float64 holds")
	}
	if p.Weights != nil && total == 0 {
		return fmt.Errorf("stats: all weights are 0")
	}
	return nil
}

// units gathers the documents into what is resampled; clusters in the order of
// their labels.
func (p *Pairs) units(t Transform) *units {
	weight := func(i int) float64 {
		if p.Weights == nil {
			return 1
		}
		return p.Weights[i]
	}
	u := &units{t: t}
	if p.Clusters == nil {
		u.a, u.b = p.A, p.B
		u.w = make([]float64, len(p.A))
		for i := range u.w {
			u.w[i] = weight(i)
		}
	} else {
		labels := slices.Compact(slices.Sorted(slices.Values(p.Clusters)))
		u.a, u.b, u.w = make([]float64, len(labels)), make([]float64, len(labels)), make([]float64, len(labels))
		for i, label := range p.Clusters {
			g, _ := slices.BinarySearch(labels, label)
			u.a[g] += p.A[i]
			u.b[g] += p.B[i]
			u.w[g] += weight(i)
		}
	}
	u.total = sum(u.w)
	return u
}
