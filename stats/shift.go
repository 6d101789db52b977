package stats

import (
	"math"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"
)

// What a true difference would show, and how many documents would show it, for
// anything that the sign-flip test decides: documents' differences are centred,
// resampled, shifted by the true difference, and put to that test.

//
// The spread of few units is itself known only roughly: each resample is widened or
// narrowed as one of a normal distribution's is likely to be, by sqrt(df/χ²).

const (
	shiftResamples = 400
	exactShifts    = 12 // the most units of which a resample tries every sign
)

// shifts are resamples of the centred differences of units. The difference of a
// unit under a true difference s of the ratio Σ value / Σ weight is e + s·w.
type shifts struct {
	n       int // units in a resample
	samples []shifted
}

// shifted is one resample: its units where every sign is tried, else the sums that
// the test's approximation needs for any s.
type shifted struct {
	e, w []float64
	// Sums over the units: of w, w², of e, e², e·w, and of e⁴, e³w, e²w², e w³, w⁴.
	sw, sww, se, see, sew  float64
	e4, e3w, e2w2, ew3, w4 float64
}

// centred are the units' differences less their mean rate, widened by sqrt(G/(G-1)):
// a resample of G units is by so much less spread than they are.
func (u *units) centred() []float64 {
	g := float64(u.n())
	rate := (sum(u.b) - sum(u.a)) / u.total
	e := make([]float64, u.n())
	for i := range e {
		e[i] = ((u.b[i] - u.a[i]) - float64(rate*u.w[i])) * math.Sqrt(g/(g-1))
	}
	return e
}

// newShifts draws resamples of n units each.
func (u *units) newShifts(n int, seed uint64) *shifts {
	e := u.centred()
	s := &shifts{n: n, samples: make([]shifted, shiftResamples)}
	scales := spreads(u.n() - 1)
	rng := indices{pcg: stream(seed, forShifts, uint64(n))}
	rng.over(u.n())
	for k := range s.samples {
		x := &s.samples[k]
		scale := scales[k]
		for range n {
			i := rng.next()
			x.add(scale*e[i], u.w[i])
			if n <= exactShifts {
				x.e, x.w = append(x.e, scale*e[i]), append(x.w, u.w[i])
			}
		}
	}
	return s
}

// spreads are the factors of the resamples of df+1 units: quantiles of sqrt(df/χ²).
func spreads(df int) *[shiftResamples]float64 {
	const many = 200 // from here on they are near 1
	df = min(df, many)
	if known, ok := knownSpreads.Load(df); ok {
		return known.(*[shiftResamples]float64)
	}
	var out [shiftResamples]float64
	for k := range out {
		out[k] = 1
		if df < many {
			out[k] = math.Sqrt(float64(df) / distuv.ChiSquared{K: float64(df)}.Quantile((float64(k)+0.5)/shiftResamples))
		}
	}
	knownSpreads.Store(df, &out)
	return &out
}

var knownSpreads sync.Map // of *[shiftResamples]float64, by df

func (x *shifted) add(e, w float64) {
	ee, ew, ww := e*e, e*w, w*w
	x.sw += w
	x.sww += ww
	x.se += e
	x.see += ee
	x.sew += ew
	x.e4 += ee * ee
	x.e3w += ee * ew
	x.e2w2 += ee * ww
	x.ew3 += ew * ww
	x.w4 += ww * ww
}

// p is the sign-flip test's p under a true difference s: exact for few units, else
// by the normal tail of Σ ±d with its fourth cumulant (Edgeworth's first term).
func (x *shifted) p(s float64) float64 {
	if x.e != nil {
		d := make([]float64, len(x.e))
		total, magnitude := 0.0, 0.0
		for i := range d {
			d[i] = x.e[i] + float64(s*x.w[i])
			total += d[i]
			magnitude += math.Abs(d[i])
		}
		return allFlips(d, math.Abs(total)-1e-12*magnitude)
	}
	square := x.see + 2*s*x.sew + s*s*x.sww
	if !(square > 0) {
		return 1
	}
	fourth := x.e4 + 4*s*x.e3w + 6*s*s*x.e2w2 + 4*s*s*s*x.ew3 + s*s*s*s*x.w4
	z := math.Abs(x.se+s*x.sw) / math.Sqrt(square)
	excess := -2 * fourth / (square * square)
	density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	return snap(min(1, max(0, 2*(normalCDF(-z)+density*excess/24*(z*z*z-3*z)))))
}

// rate is the ratio's difference under a true difference s, and its standard error.
func (x *shifted) rate(s float64, n int) (rate, se float64) {
	rate = (x.se + s*x.sw) / x.sw
	dd := x.see + 2*s*x.sew + s*s*x.sww
	dw := x.sew + s*x.sww
	g := float64(n)
	return rate, math.Sqrt(max(0, g/(g-1)*(dd-2*rate*dw+rate*rate*x.sww))) / x.sw
}

// least is the smallest size of a true difference, of that sign, at which the share
// of resamples that hit is at least power; NaN where none is below most.
func (s *shifts) least(sign, start, most, power float64, hit func(x *shifted, s float64) bool) float64 {
	open := make([]*shifted, len(s.samples)) // those that hit at high and not at low
	for i := range open {
		open[i] = &s.samples[i]
	}
	want := int(math.Ceil(power * float64(len(open))))
	split := func(at float64) (hits, misses []*shifted) {
		for _, x := range open {
			if hit(x, sign*at) {
				hits = append(hits, x)
			} else {
				misses = append(misses, x)
			}
		}
		return hits, misses
	}
	low, high := 0.0, start
	if !(start > 0 && start <= most) || math.IsInf(most, 0) {
		return math.NaN()
	}
	for {
		hits, misses := split(high)
		if len(hits) >= want {
			open = hits
			break
		}
		want -= len(hits)
		open, low = misses, high
		if high *= 2; high > most {
			return math.NaN()
		}
	}
	for range 24 {
		middle := (low + high) / 2
		hits, misses := split(middle)
		if len(hits) >= want {
			high, open = middle, hits
		} else {
			low, open, want = middle, misses, want-len(hits)
		}
	}
	return high
}

// power is the share of resamples in which the test finds a true difference s.
func (s *shifts) power(d, level float64) float64 {
	hits := 0
	for i := range s.samples {
		if s.samples[i].p(d) < level {
			hits++
		}
	}
	return float64(hits) / float64(len(s.samples))
}

// detectable is the smallest true difference of the ratio, whatever its sign, that
// the sign-flip test over these units finds at that level and power; NaN where it
// finds none, as where too few units reach the level.
func (u *units) detectable(level, power float64, seed uint64) float64 {
	if u.n() < LeastDiscordant(level) {
		return math.NaN()
	}
	s := u.newShifts(u.n(), seed)
	start, most := u.searchRange()
	hit := func(x *shifted, d float64) bool { return x.p(d) < level }
	return max(s.least(1, start, most, power, hit), s.least(-1, start, most, power, hit))
}

// searchRange is where to look for a detectable difference: from two standard
// errors of the rate to a million.
func (u *units) searchRange() (start, most float64) {
	e := u.centred()
	se := math.Sqrt(sumOfSquares(e)) / u.total
	return 2 * se, 1e6 * se
}

// unitsFor is how many units like these the sign-flip test needs to find a true
// difference of the ratio at that level and power: by resampling up to 500 units,
// beyond by the normal approximation. 0 where it cannot be told.
func (u *units) unitsFor(difference, level, power float64, seed uint64) int {
	g := float64(u.n())
	mean := u.total / g
	sd := math.Sqrt(sumOfSquares(u.centred())/g) / mean
	z := (normalQuantile(power) - normalQuantile(level/2)) * sd / difference
	n := math.Ceil(z * z)
	least := LeastDiscordant(level)
	if !(difference > 0) || math.IsNaN(n) {
		return 0
	}
	if n > 500 {
		return int(min(math.MaxInt32, n))
	}
	enough := func(n int) bool {
		s := u.newShifts(n, seed)
		return min(s.power(difference, level), s.power(-difference, level)) >= power
	}
	low, high := least-1, max(least, int(n))
	for !enough(high) {
		if low, high = high, high+high/2+1; high > 2000 {
			return int(n)
		}
	}
	for high-low > 1 {
		if middle := (low + high) / 2; enough(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
