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

// Decide judges the difference new - base with its interval [low, high] against an
// allowed drop of at least 0. Where higher is better:
//
//	pass          low > -allowed: not worse by more than allowed
//	regressed     high < 0 and -diff > allowed: worse, and by too much
//	inconclusive  else
//
// Where lower is better, all signs turn. An unchanged metric, with difference and
// interval exactly 0, passes with any allowance. Without an interval (NaN) nothing
// is concluded.
func Decide(diff, low, high, allowed float64, lowerIsBetter bool) (Decision, error) {
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
	case high < 0 && -diff > allowed:
		return Regressed, nil
	}
	return Inconclusive, nil
}

// A GateResult is a decision with what it rests on, drops counted positive
// whatever the metric's direction.
type GateResult struct {
	Decision   Decision
	Allowed    float64
	Drop       float64 // how much worse than the baseline; negative: better
	MostDrop   float64 // the largest drop the interval holds; NaN where there is none
	LeastDrop  float64 // the smallest
	NeededN    int     // inconclusive: documents that would decide it; 0 where no number would
	Detectable float64 // smallest true drop called a regression with Power; NaN where unknown
}

// Gate judges a comparison of base (A) and new (B).
//
// NeededN takes the observed drop for the true one and the interval to narrow with
// sqrt(n): until it ends within the allowance where the drop does, else until it
// leaves out 0. A drop of exactly the allowance, no n decides.
//
// Detectable is by AccuracyGatePower for exact McNemar comparisons, else by GatePower.
func Gate(c *Comparison, allowed float64) (GateResult, error) {
	d, err := Decide(c.Diff, c.Low, c.High, allowed, c.LowerIsBetter)
	if err != nil {
		return GateResult{}, err
	}
	r := GateResult{Decision: d, Allowed: allowed, Drop: negate(c.Diff), MostDrop: negate(c.Low), LeastDrop: negate(c.High), Detectable: math.NaN()}
	if c.LowerIsBetter {
		r.Drop, r.MostDrop, r.LeastDrop = c.Diff, c.High, c.Low
	}
	switch {
	case allowed > 1 && c.Test == ExactMcNemar: // no accuracy drops by so much
	case c.Test == ExactMcNemar:
		r.Detectable = detectableAccuracyDrop(c.N, float64(c.AHigher+c.BHigher)/float64(c.N), allowed, c.Level, Power)
	case c.SE > 0 && !Has(c.Warnings, NoSpread):
		df := c.N - 1
		if c.Clusters > 0 {
			df = c.Clusters - 1
		}
		if r.Detectable, err = DetectableDrop(c.SE, df, allowed, c.Level, Power); err != nil {
			return GateResult{}, err
		}
	}
	if d == Inconclusive {
		if r.Drop > allowed {
			r.NeededN = ScaledN(c.N, r.Drop-r.LeastDrop, r.Drop)
		} else {
			r.NeededN = ScaledN(c.N, r.MostDrop-r.Drop, allowed-r.Drop)
		}
		// At the edge the interval still touches: one more.
		if r.NeededN > 0 {
			r.NeededN = max(r.NeededN, c.N) + 1
		}
	}
	return r, nil
}

// GatePower is the chance that a gate calls a regression where the true drop is
// drop, given the difference's standard error and degrees of freedom (documents or
// clusters, less one): that the observed drop is beyond the allowance and beyond t
// estimated standard errors.
func GatePower(drop, se float64, df int, allowed, level float64) (float64, error) {
	if err := checkGatePower(drop, se, df, allowed, level); err != nil {
		return 0, err
	}
	return newTPower(df, level).gate(drop, se, allowed), nil
}

func (p tPower) gate(drop, se, allowed float64) float64 {
	power := 0.0
	for i, s := range p.at {
		power += p.weights[i] * normalCDF((drop-max(allowed, p.t*s*se))/se)
	}
	return power
}

// DetectableDrop is the smallest true drop that a gate calls a regression with
// that power; see GatePower.
func DetectableDrop(se float64, df int, allowed, level, power float64) (float64, error) {
	if err := checkGatePower(0, se, df, allowed, level); err != nil {
		return 0, err
	}
	if err := checkPower(power, level); err != nil {
		return 0, err
	}
	p := newTPower(df, level)
	low, high := 0.0, max(allowed, se)
	for p.gate(high, se, allowed) < power {
		low, high = high, 2*high
	}
	for range 50 {
		if middle := (low + high) / 2; p.gate(middle, se, allowed) < power {
			low = middle
		} else {
			high = middle
		}
	}
	return high, nil
}

func checkGatePower(drop, se float64, df int, allowed, level float64) error {
	if math.IsNaN(drop) || !(se > 0) || math.IsInf(se, 0) || df < 1 || !(allowed >= 0) || math.IsInf(allowed, 0) {
		return fmt.Errorf("stats: power of a gate for a drop of %v, %v allowed, at a standard error of %v and %d degrees of freedom: give finite ones, and at least 1 degree", drop, allowed, se, df)
	}
	return checkLevel(level)
}

// AccuracyGatePower is the chance that a gate over n documents calls a regression
// where accuracy truly drops by drop and a share discordance of the documents
// differs: that McNemar's exact p < level and the observed drop is beyond the
// allowance, summed over the binomial number of discordant documents.
func AccuracyGatePower(n int, discordance, drop, allowed, level float64) (float64, error) {
	if err := checkBinaryPower(n, discordance, level); err != nil {
		return 0, err
	}
	if !(drop >= 0 && drop <= discordance) || !(allowed >= 0) {
		return 0, fmt.Errorf("stats: a drop of %v with %v allowed where a share of %v of the documents differs: give a drop from 0 to that share", drop, allowed, discordance)
	}
	return accuracyGatePower(n, discordance, drop, allowed, criticalCounts(n, level)), nil
}

func accuracyGatePower(n int, discordance, drop, allowed float64, critical []int) float64 {
	if discordance == 0 {
		return 0
	}
	first, weights := binomialWeights(n, discordance)
	better := (1 - min(1, drop/discordance)) / 2 // share of discordant documents that got better
	total := 0.0
	for i, w := range weights {
		m := first + i
		// Of m discordant documents k got better: (m - 2k)/n > allowed.
		k := min(critical[m], int(math.Ceil((float64(m)-allowed*float64(n))/2))-1)
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

// detectableAccuracyDrop is the smallest drop with that AccuracyGatePower; drops
// beyond the discordance come with as many discordant documents. NaN where none.
func detectableAccuracyDrop(n int, discordance, allowed, level, power float64) float64 {
	critical := criticalCounts(n, level)
	at := func(d float64) float64 { return accuracyGatePower(n, max(d, discordance), d, allowed, critical) }
	if at(1) < power {
		return math.NaN()
	}
	low, high := 0.0, 1.0
	for range 30 {
		if middle := (low + high) / 2; at(middle) < power {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
