package stats

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/softbench/softbench/internal/rescue"
)

// A Transform makes a metric of r = Σ value / Σ weight.
type Transform int

const (
	// Share is r itself: accuracies, and means of any per-document value.
	Share Transform = iota
	// Perplexity is exp(-r), values being loglikelihoods (natural logarithm) and
	// weights tokens, words or bytes, or none for a mean over documents.
	Perplexity
	// Bits is -r / ln 2: bits per byte where the weights are bytes.
	Bits
)

func (t Transform) of(r float64) float64 {
	if t == Perplexity {
		return exp(-r)
	}
	return t.linear(r)
}

// linear is the transform of a ratio, and of a difference of two; not for Perplexity.
func (t Transform) linear(r float64) float64 {
	if t == Bits {
		return negate(r) / math.Ln2
	}
	return r
}

// slope is the derivative at r.
func (t Transform) slope(r float64) float64 {
	switch t {
	case Perplexity:
		return -exp(-r)
	case Bits:
		return -1 / math.Ln2
	}
	return 1
}

// Draws of one stream of random numbers; streams run side by side.
const blockDraws = 128

// units are what is resampled, documents or clusters: per unit the sums of A's
// values, of B's, and of the weights.
type units struct {
	a, b, w []float64
	total   float64 // of the weights
	t       Transform
}

func (u *units) n() int { return len(u.a) }

// difference is B - A.
func (u *units) difference() float64 {
	if u.t != Perplexity {
		s := 0.0
		for i := range u.a {
			s += u.b[i] - u.a[i]
		}
		return u.t.linear(s / u.total)
	}
	return exp(-sum(u.b)/u.total) - exp(-sum(u.a)/u.total)
}

// size is how large a difference of the metric a difference r of the ratio makes:
// of a perplexity, around the geometric mean of both runs'.
func (t Transform) size(r, a, b float64) float64 {
	switch t {
	case Perplexity:
		return math.Sqrt(a) * math.Sqrt(b) * (exp(r/2) - exp(-r/2))
	case Bits:
		return r / math.Ln2
	}
	return r
}

// rounding is size for a difference that is there in every document.
func (t Transform) rounding(r, a, b float64) float64 {
	if r == 0 || math.IsInf(a, 0) || math.IsInf(b, 0) {
		return 0
	}
	return t.size(r, a, b)
}

// effect is the difference of the ratio that a named one is: of a share as it is, of
// anything else as a part of the value.
func (t Transform) effect(e float64, u *units) float64 {
	switch t {
	case Perplexity:
		return math.Log1p(e)
	case Bits:
		return e * math.Abs(sum(u.a)+sum(u.b)) / (2 * u.total)
	}
	return e
}

// draw is the sorted differences of resamples of all units with replacement, nil
// where one is not finite. Resamples without any weight are drawn anew.
func (u *units) draw(draws int, seed uint64) ([]float64, error) {
	n := u.n()
	if n > math.MaxInt32 {
		return nil, fmt.Errorf("stats: %d documents are more than a bootstrap can draw from", n)
	}
	fill := u.filler()
	out := make([]float64, draws)
	blocks := (draws + blockDraws - 1) / blockDraws
	var next atomic.Int64
	var group rescue.Group
	for range min(blocks, runtime.GOMAXPROCS(0)) {
		group.Go(func() {
			for {
				k := int(next.Add(1)) - 1
				if k >= blocks {
					return
				}
				fill(seed, uint64(k), out[k*blockDraws:min(draws, (k+1)*blockDraws)])
			}
		})
	}
	group.Wait()
	for _, d := range out {
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return nil, nil
		}
	}
	slices.Sort(out)
	return out, nil
}

// filler picks the loop that fits the statistic.
func (u *units) filler() func(seed, block uint64, out []float64) {
	n := u.n()
	d := make([]float64, n)
	equal := true
	for i := range d {
		d[i] = u.b[i] - u.a[i]
		equal = equal && u.w[i] == u.w[0]
	}
	if u.t != Perplexity && equal {
		return func(seed, block uint64, out []float64) {
			rng := indices{pcg: stream(seed, forBootstrap, block)}
			rng.over(n)
			for k := range out {
				out[k] = u.t.linear(rng.sum(d) / u.total)
			}
		}
	}
	if u.t != Perplexity {
		pairs := make([][2]float64, n)
		for i := range pairs {
			pairs[i] = [2]float64{d[i], u.w[i]}
		}
		return func(seed, block uint64, out []float64) {
			rng := indices{pcg: stream(seed, forBootstrap, block)}
			rng.over(n)
			for k := range out {
				s, w := rng.sum2(pairs)
				out[k] = u.t.linear(s / w)
			}
		}
	}
	triples := make([][3]float64, n)
	for i := range triples {
		triples[i] = [3]float64{u.a[i], u.b[i], u.w[i]}
	}
	return func(seed, block uint64, out []float64) {
		rng := indices{pcg: stream(seed, forBootstrap, block)}
		rng.over(n)
		for k := range out {
			a, b, w := rng.sum3(triples)
			out[k] = exp(-b/w) - exp(-a/w)
		}
	}
}

// bootstrapped are the draws of a difference, of which intervals of any level are read.
type bootstrapped struct {
	method   Method
	warnings []Warning

	n                int
	sorted           []float64
	z0, acceleration float64
}

// interval is the bootstrap of the difference; nil where a resample is not finite.
// Fewer than two units have no interval: its ends are NaN.
func (u *units) interval(o Options) (*bootstrapped, error) {
	out := &bootstrapped{n: u.n(), method: o.Method}
	if out.method == Auto {
		out.method = BCa
	}
	if out.n < 2 {
		out.warnings = []Warning{warn(NoInterval, "a single document or cluster: no interval")}
		return out, nil
	}
	var err error
	if out.sorted, err = u.draw(o.Draws, o.Seed); err != nil || out.sorted == nil {
		return nil, err
	}
	if out.method == BCa {
		out.z0, out.acceleration = u.bias(out.sorted), u.acceleration()
		tail, _ := expandedTails(out.n, o.Level)
		if _, _, ok := bcaTails(out.z0, out.acceleration, tail); !ok {
			out.method = Percentile
			out.warnings = append(out.warnings, warn(NoBCa, "BCa is undefined for these documents: percentile interval"))
		}
	}
	return out, nil
}

// at is the interval with confidence 1 - level, with tails expanded for few units.
// Over the same draws it is that of scipy.stats.bootstrap at the expanded level.
func (b *bootstrapped) at(level float64) (low, high float64) {
	if b.n < 2 {
		return math.NaN(), math.NaN()
	}
	below, above := expandedTails(b.n, level)
	if b.method == BCa {
		if l, h, ok := bcaTails(b.z0, b.acceleration, below); ok {
			below, above = l, h
		}
	}
	return quantiles(b.sorted, below, above)
}

// bias is BCa's z0, draws equal to the observed difference, but for rounding,
// counted by half.
func (u *units) bias(sorted []float64) float64 {
	observed, slack := u.difference(), u.slack()
	below, _ := slices.BinarySearch(sorted, observed-slack)
	end := below
	for end < len(sorted) && sorted[end] <= observed+slack {
		end++
	}
	above, same := len(sorted)-end, end-below
	n := float64(2 * len(sorted))
	if below < above {
		return normalQuantile(float64(2*below+same) / n)
	}
	return -normalQuantile(float64(2*above+same) / n)
}

// slack is how far apart two differences may be by rounding alone.
func (u *units) slack() float64 {
	if u.t == Perplexity {
		return 1e-12 * (exp(-sum(u.a)/u.total) + exp(-sum(u.b)/u.total))
	}
	magnitude := 0.0
	for i := range u.a {
		magnitude += math.Abs(u.a[i]) + math.Abs(u.b[i])
	}
	return 1e-12 * magnitude / u.total
}

// acceleration is BCa's, from the differences with each unit left out in turn.
func (u *units) acceleration() float64 {
	n := u.n()
	left := make([]float64, n)
	sumA, sumB := sum(u.a), sum(u.b)
	for i := range left {
		w := u.total - u.w[i]
		if u.t == Perplexity {
			left[i] = exp(-(sumB-u.b[i])/w) - exp(-(sumA-u.a[i])/w)
		} else {
			left[i] = u.t.linear(((sumB - u.b[i]) - (sumA - u.a[i])) / w)
		}
	}
	mean := sum(left) / float64(n)
	var second, third float64
	for _, l := range left {
		d := mean - l
		second += float64(d * d)
		third += float64(d * d * d)
	}
	if second == 0 {
		return 0
	}
	return third / (6 * second * math.Sqrt(second))
}
