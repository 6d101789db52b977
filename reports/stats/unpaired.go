package stats

import (
	"fmt"
	"math"
)

// UnpairedProportions compares two accuracies of which only the totals are known:
// right of n in each run. The test is Fisher's exact one (SciPy's fisher_exact), the
// interval Newcombe's hybrid score one (1998, method 10; statsmodels'
// confint_proportions_2indep(method="newcomb")). It always warns: over the same
// documents a paired comparison sees differences that this one cannot.
func UnpairedProportions(rightA, nA, rightB, nB int, o Options) (Comparison, error) {
	o, err := o.filled()
	if err != nil {
		return Comparison{}, err
	}
	if err := checkShare(rightA, nA, o.Level); err != nil {
		return Comparison{}, err
	}
	if err := checkShare(rightB, nB, o.Level); err != nil {
		return Comparison{}, err
	}
	a, b := float64(rightA)/float64(nA), float64(rightB)/float64(nB)
	c := Comparison{N: min(nA, nB), LowerIsBetter: o.LowerIsBetter, Level: o.Level, A: a, B: b, Diff: b - a, Test: FisherExact}
	c.P = fisher(rightA, nA, rightB, nB)
	lowA, highA := wilson(rightA, nA, o.Level)
	lowB, highB := wilson(rightB, nB, o.Level)
	c.Low = c.Diff - math.Hypot(b-lowB, highA-a)
	c.High = c.Diff + math.Hypot(highB-b, a-lowA)
	c.SE = math.Sqrt(a*(1-a)/float64(nA) + b*(1-b)/float64(nB))
	c.unpaired(o)
	c.Warnings = append(c.Warnings, endWarnings("A", a)...)
	c.Warnings = append(c.Warnings, endWarnings("B", b)...)
	return c, nil
}

// UnpairedMeans compares two metrics of which only the values and standard errors
// are known, by a normal test of the difference. A standard error of NaN leaves no
// test and no interval. It always warns, as UnpairedProportions does.
func UnpairedMeans(a, seA float64, nA int, b, seB float64, nB int, o Options) (Comparison, error) {
	o, err := o.filled()
	if err != nil {
		return Comparison{}, err
	}
	for _, v := range []float64{a, b} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Comparison{}, fmt.Errorf("stats: a metric is %v: not a finite number", v)
		}
	}
	if seA < 0 || seB < 0 || math.IsInf(seA, 0) || math.IsInf(seB, 0) || nA < 1 || nB < 1 {
		return Comparison{}, fmt.Errorf("stats: standard errors %v and %v over %d and %d documents: give finite ones, and at least one document", seA, seB, nA, nB)
	}
	c := Comparison{N: min(nA, nB), LowerIsBetter: o.LowerIsBetter, Level: o.Level, A: a, B: b, Diff: b - a, Test: ZTest}
	c.SE = math.Hypot(seA, seB)
	half := -normalQuantile(o.Level/2) * c.SE
	c.Low, c.High = c.Diff-half, c.Diff+half
	switch {
	case math.IsNaN(c.SE):
		c.P = math.NaN()
		c.Warnings = append(c.Warnings, warn(NoInterval, "a standard error is missing: no interval, no test"))
	case c.Diff == 0:
		c.P = 1
	default:
		c.P = math.Erfc(math.Abs(c.Diff) / c.SE / math.Sqrt2)
	}
	c.unpaired(o)
	return c, nil
}

func (c *Comparison) unpaired(o Options) {
	c.PAdjusted, c.MDE = c.P, math.NaN()
	if c.SE > 0 {
		c.MDE = (normalQuantile(Power) - normalQuantile(o.Level/float64(o.Family)/2)) * c.SE
		c.NeededN = ScaledN(c.N, c.MDE, math.Abs(c.Diff))
	}
	c.Warnings = append(c.Warnings, warn(NotPaired, "NOT PAIRED: only totals are known; with per-document results the same difference may well be significant"))
	c.Warnings = append(c.Warnings, sizeWarnings(c.N, 0)...)
}

// fisher is the two-sided p of Fisher's exact test: given all margins, the
// probability of the tables no more probable than the one observed (1e-7
// relative counts as equal).
func fisher(rightA, nA, rightB, nB int) float64 {
	right, n := rightA+rightB, nA+nB
	logChoose := func(n, k int) float64 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(n - k + 1))
		return a - b - c
	}
	all := logChoose(n, right)
	at := func(k int) float64 { return math.Exp(logChoose(nA, k) + logChoose(nB, right-k) - all) }
	observed, p, whole := at(rightA), 0.0, true
	for k := max(0, right-nB); k <= min(nA, right); k++ {
		if q := at(k); q <= observed*(1+1e-7) {
			p += q
		} else {
			whole = false
		}
	}
	if whole { // every table counts: no rounding of their sum
		return 1
	}
	return min(1, p)
}
