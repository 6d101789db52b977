package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// A Decision is what a gate says of one metric.
type Decision string

const (
	Pass         Decision = "pass"
	Regressed    Decision = "regressed"
	Inconclusive Decision = "inconclusive"
)

// A Rule is what a regression has to show.
type Rule string

const (
	// BeyondAllowed asks that the metric is surely worse by more than allowed: the
	// whole interval is beyond the allowed drop. The default, also "".
	BeyondAllowed Rule = "beyond-allowed"
	// WorseAtAll asks that the metric is surely worse, by however little, and that
	// the drop that was seen is more than allowed. Of drops that are truly within the
	// allowance it calls many a regression: half of those just at it.
	WorseAtAll Rule = "worse-at-all"
)

// Decide judges the difference new - base with its interval [low, high] against an
// allowed drop of at least 0. Where higher is better:
//
//	pass          low > -allowed: not worse by more than allowed
//	regressed     high < -allowed; of the rule WorseAtAll: high < 0 and -diff > allowed
//	inconclusive  else
//
// Where lower is better, all signs turn. An unchanged metric, with difference and
// interval exactly 0, passes with any allowance. Without an interval (NaN) nothing
// is concluded.
func Decide(diff, low, high, allowed float64, lowerIsBetter bool, rule Rule) (Decision, error) {
	if math.IsNaN(diff) {
		return "", fmt.Errorf("stats: the difference to judge is not a number")
	}
	if !(allowed >= 0) || math.IsInf(allowed, 0) {
		return "", fmt.Errorf("stats: allowed drop %v: give a finite one of at least 0", allowed)
	}
	if low > high {
		return "", fmt.Errorf("stats: interval from %v to %v: its ends are the wrong way round", low, high)
	}
	if lowerIsBetter {
		diff, low, high = -diff, -high, -low
	}
	switch {
	case diff == 0 && low == 0 && high == 0, low > -allowed:
		return Pass, nil
	case rule == WorseAtAll && high < 0 && -diff > allowed, rule != WorseAtAll && high < -allowed:
		return Regressed, nil
	}
	return Inconclusive, nil
}

// A GateResult is a decision with what it rests on, drops counted positive
// whatever the metric's direction.
type GateResult struct {
	Decision  Decision
	Allowed   float64
	Drop      float64 // how much worse than the baseline; negative: better
	MostDrop  float64 // the largest drop the interval holds; NaN where there is none
	LeastDrop float64 // the smallest
	// Detectable is the smallest true drop that the rule calls a regression with
	// Power; NaN where it calls none so often.
	Detectable float64
	// NeededN is how many documents let a run that is as good as the baseline pass
	// with Power, NeededClusters in how many clusters (0: documents stand alone).
	// 0 where no number does, as where no drop is allowed, and where none is needed.
	NeededN, NeededClusters int
}

// Gate judges a comparison of base (A) and new (B) by a rule. A drop that rounding
// may make (Comparison.Floor) is always allowed.
func Gate(c *Comparison, allowed float64, rule Rule) (GateResult, error) {
	if !(allowed >= 0) || math.IsInf(allowed, 0) {
		return GateResult{}, fmt.Errorf("stats: allowed drop %v: give a finite one of at least 0", allowed)
	}
	r := GateResult{Decision: Inconclusive, Allowed: allowed, Drop: negate(c.Diff), MostDrop: negate(c.Low), LeastDrop: negate(c.High)}
	if c.LowerIsBetter {
		r.Drop, r.MostDrop, r.LeastDrop = c.Diff, c.High, c.Low
	}
	most := max(allowed, c.Floor)
	if !math.IsNaN(c.Diff) {
		var err error
		if r.Decision, err = Decide(c.Diff, c.Low, c.High, most, c.LowerIsBetter, rule); err != nil {
			return GateResult{}, err
		}
	}
	r.Detectable = c.detectableDrop(most, rule)
	if r.Decision == Inconclusive {
		r.NeededN, r.NeededClusters = c.neededToPass(most)
	}
	return r, nil
}

// detectableDrop is GateResult's.
func (c *Comparison) detectableDrop(allowed float64, rule Rule) float64 {
	if c.Test == ExactMcNemar && c.Clusters == 0 {
		return DetectableAccuracyDrop(c.N, float64(c.AHigher+c.BHigher)/float64(c.N), allowed, c.Level, rule)
	}
	if c.u != nil && (c.Test == ExactMcNemar || Has(c.Warnings, SameOutcomes)) { // clusters without a difference: taken as wholes
		return DetectableAccuracyDrop(c.u.n(), 0, allowed, c.Level, rule)
	}
	if c.u == nil || c.u.n() < LeastDiscordant(c.Level) || !(c.SE > 0) || Has(c.Warnings, NoSpread) {
		return math.NaN()
	}
	way, beyond, ok := c.downhill(allowed)
	if !ok {
		return math.NaN()
	}
	s := c.u.newShifts(c.u.n(), 0)
	t := -studentQuantile(c.Level/2, c.u.n()-1)
	start, most := c.u.searchRange()
	hit := func(x *shifted, d float64) bool {
		rate, se := x.rate(d, s.n)
		drop, least := way*rate, beyond
		if rule == WorseAtAll {
			least = 0
		}
		return drop > beyond && drop-t*se > least && x.p(d) < c.Level
	}
	found := s.least(way, max(start, beyond), max(most, 4*beyond), Power, hit)
	drop := c.u.t.size(found, c.A, c.A)
	if c.u.t == Perplexity { // from the baseline's value on
		drop = math.Abs(c.A * math.Expm1(-way*found))
	}
	if c.u.t == Share && drop > 1 && c.A >= 0 && c.A <= 1 && c.B >= 0 && c.B <= 1 {
		return math.NaN()
	}
	return drop
}

// downhill is the sign of the ratio's difference where the metric gets worse, and the
// ratio's difference that an allowed drop is; not ok where no drop is as large.
func (c *Comparison) downhill(allowed float64) (way, beyond float64, ok bool) {
	way = -1
	if c.LowerIsBetter {
		way = 1
	}
	if c.u.t.slope(0) < 0 {
		way = -way
	}
	switch c.u.t {
	case Perplexity:
		beyond = math.Abs(math.Log1p(-way * allowed / c.A))
	case Bits:
		beyond = allowed * math.Ln2
	default:
		beyond = allowed
	}
	return way, beyond, !math.IsNaN(beyond) && !math.IsInf(beyond, 0)
}

// neededToPass is how many documents, and clusters, let a run without a true
// difference pass with Power: where the interval, t or z standard errors to a side,
// is short enough beside the allowed drop. A share needs as many that Tango's
// interval without discordant documents is within it, too.
func (c *Comparison) neededToPass(allowed float64) (documents, clusters int) {
	if !(allowed > 0) || c.u == nil {
		return 0, 0
	}
	n := float64(c.u.n())
	y, z := normalQuantile(Power), tangoQuantile(c.Level)
	if c.Test == ExactMcNemar && c.Clusters == 0 {
		discordance := (float64(c.AHigher+c.BHigher) + 0.5) / (n + 1)
		need := max((y+z)*(y+z)*discordance/(allowed*allowed), z*z*(1-allowed)/allowed)
		return max(0, whole(need+1)), 0
	}
	_, beyond, ok := c.downhill(allowed)
	switch {
	case !ok || n < 2:
		return 0, 0
	case Has(c.Warnings, SameOutcomes): // clusters, or documents, without a difference
		need := z * z * (1 - allowed) / allowed
		if c.Clusters == 0 {
			return max(0, whole(need+1)), 0
		}
		return whole((need + 1) * float64(c.N) / n), max(0, whole(need+1))
	case !(c.SE > 0):
		return 0, 0
	}
	sd := math.Sqrt(sumOfSquares(c.u.centred())*n) / c.u.total
	need := n
	for range 20 { // t's quantile depends a little on the number itself
		df := int(min(1e6, max(1, math.Ceil(need)-1)))
		w := (y - studentQuantile(c.Level/2, df)) * sd / beyond
		need = max(2, w*w)
	}
	if c.Clusters == 0 {
		return whole(need), 0
	}
	return whole(math.Ceil(need) * float64(c.N) / n), whole(need)
}

// whole is a number of documents; 0 for more than there can be.
func whole(n float64) int {
	if !(n < math.MaxInt32) {
		return 0
	}
	return int(math.Ceil(n))
}

// DetectableAccuracyDrop is the smallest drop of an accuracy that a gate over n
// documents calls a regression with Power where a share discordance of the documents
// differs; drops beyond that come with as many discordant documents. NaN where none.
//
// The chance is summed over the binomial number of discordant documents and how many
// of them got better. The interval is taken to be the wider one of Tango's and the
// exact conditional one: without the bootstrap, whose steps of a document may make
// the chance .03 less.
func DetectableAccuracyDrop(n int, discordance, allowed, level float64, rule Rule) float64 {
	if n < 1 || !(discordance >= 0 && discordance <= 1) || !(allowed >= 0 && allowed <= 1) || checkLevel(level) != nil {
		return math.NaN()
	}
	g := &accuracyGate{n: n, allowed: allowed, level: level, rule: rule, most: map[int]int{}}
	at := func(d float64) float64 { return g.power(max(d, discordance), d) }
	if at(1) < Power {
		return math.NaN()
	}
	low, high := 0.0, 1.0
	for range 24 {
		if middle := (low + high) / 2; at(middle) < Power {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// MostDocuments bounds what DocumentsForDrop looks through.
const MostDocuments = 1 << 18

// DocumentsForDrop is about how many documents a gate needs to call a true drop of an accuracy a
// regression with Power, where a share discordance of the documents differs: the fewest of a
// bisection, as the chance grows with n but for steps of a document. 0 where MostDocuments do not
// find it, as where the drop is no more than allowed.
func DocumentsForDrop(drop, discordance, allowed, level float64, rule Rule) int {
	finds := func(n int) bool { return DetectableAccuracyDrop(n, discordance, allowed, level, rule) <= drop }
	if !(drop > allowed) {
		return 0
	}
	low, high := 0, 16 // does not find, may find
	for !finds(high) {
		if high == MostDocuments {
			return 0
		}
		low, high = high, 2*high
	}
	for high-low > max(1, low/200) {
		if middle := (low + high) / 2; finds(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

// accuracyGate is a gate over n documents by counts of discordant ones.
type accuracyGate struct {
	n              int
	allowed, level float64
	rule           Rule
	most           map[int]int // see mostBetter
}

// regressed says whether the rule calls it a regression that of m discordant
// documents k got better.
func (g *accuracyGate) regressed(m, k int) bool {
	n := float64(g.n)
	drop := float64(m-2*k) / n
	if !(drop > g.allowed) {
		return false
	}
	least := g.allowed
	if g.rule == WorseAtAll {
		least = 0
	}
	// Both intervals end below -least: by their tests of a drop of just that.
	if tangoScore(n, float64(m-k), float64(k), -least) > -tangoQuantile(g.level) {
		return false
	}
	share := (1 + least*n/float64(m)) / 2 // of discordant documents that got worse
	return share < 1 && mathext.RegIncBeta(float64(m-k), float64(k+1), share) < g.level/2
}

// mostBetter is how many of m discordant documents may have got better for a
// regression; -1 where there is none. It grows with m by at most 1 at a time.
func (g *accuracyGate) mostBetter(m int) int {
	if k, ok := g.most[m]; ok {
		return k
	}
	k, known := g.most[m-1]
	if !known {
		low, high := -1, m/2+1 // regressed at low, not at high
		for high-low > 1 {
			if middle := (low + high) / 2; g.regressed(m, middle) {
				low = middle
			} else {
				high = middle
			}
		}
		k = low
	} else {
		for g.regressed(m, k+1) {
			k++
		}
		for k >= 0 && !g.regressed(m, k) {
			k--
		}
	}
	g.most[m] = k
	return k
}

// power is the chance of a regression where accuracy truly drops by drop.
func (g *accuracyGate) power(discordance, drop float64) float64 {
	if discordance == 0 {
		return 0
	}
	first, weights := binomialWeights(g.n, discordance)
	better := (1 - min(1, drop/discordance)) / 2 // share of discordant documents that got better
	total := 0.0
	for i, w := range weights {
		if w < 1e-12 {
			continue
		}
		m := first + i
		k := g.mostBetter(m)
		switch {
		case k < 0:
		case better == 0:
			total += w
		default:
			total += w * mathext.RegIncBeta(float64(m-k), float64(k+1), 1-better)
		}
	}
	return min(1, total)
}
