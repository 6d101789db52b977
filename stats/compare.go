package stats

import (
	"cmp"
	"fmt"
	"math"
)

// DefaultDraws is the number of bootstrap resamples and of random sign patterns.
const DefaultDraws = 10_000

// Options say what the values mean and how sure to be.
type Options struct {
	Transform     Transform
	LowerIsBetter bool    // the direction of the metric, after the transform
	Level         float64 // of tests; intervals have confidence 1 - Level. 0: 0.05
	Draws         int     // of the bootstrap and of random sign patterns. 0: DefaultDraws
	Seed          uint64  // of all draws; every value is a seed, 0 too
	Method        Method
	// Family is how many comparisons Holm's correction will run over (0: 1); the
	// detectable difference is for the level of its first step, Level/Family.
	Family int
	// Names are what warnings call the runs; empty: A and B.
	Names [2]string
}

func (o Options) filled() (Options, error) {
	if o.Level == 0 {
		o.Level = 0.05
	}
	if o.Draws == 0 {
		o.Draws = DefaultDraws
	}
	if o.Family == 0 {
		o.Family = 1
	}
	o.Names = [2]string{cmp.Or(o.Names[0], "A"), cmp.Or(o.Names[1], "B")}
	if err := checkLevel(o.Level); err != nil {
		return o, err
	}
	switch {
	case o.Draws < 100:
		return o, fmt.Errorf("stats: %d bootstrap draws: give at least 100", o.Draws)
	case o.Family < 0:
		return o, fmt.Errorf("stats: a family of %d comparisons", o.Family)
	case o.Level/float64(o.Family) >= Power:
		return o, fmt.Errorf("stats: level %v: give one below %v", o.Level, Power)
	case o.Transform < Share || o.Transform > Bits:
		return o, fmt.Errorf("stats: no transform %d", o.Transform)
	}
	return o, o.Method.check()
}

// A Test names what a p-value comes from.
type Test string

const (
	ExactMcNemar   Test = "exact McNemar"    // 0/1 values, documents independent
	ExactSignFlip  Test = "exact sign-flip"  // up to 20 differing documents or clusters
	RandomSignFlip Test = "random sign-flip" // more than that
)

// A Comparison is the difference of one metric between runs A and B. Every
// difference is B - A in the metric's own unit.
type Comparison struct {
	N             int // documents
	Clusters      int // 0: documents stand alone
	LowerIsBetter bool
	Level         float64

	A, B      float64 // the metric of each run
	Diff      float64 // B - A
	SE        float64 // standard error of Diff; NaN where there is no telling
	Low, High float64 // interval of Diff with confidence 1 - Level, uncorrected; NaN where there is none
	Method    Method  // how the interval came about, after any fallback; Auto where no bootstrap was needed

	Test      Test
	P         float64 // two-sided; 1 for identical runs; NaN where there is no test
	PAdjusted float64 // P until Adjust

	AHigher, BHigher int // documents with the higher value in A, in B: for 0/1 metrics the discordant ones

	// MDE is the smallest true difference that so many documents, as discordant or
	// as spread as these, show with Power at Level/Family; NaN where none.
	MDE float64
	// NeededN is about how many documents would show a true difference as large as
	// the one observed, with Power; 0 where Diff is 0 or that cannot be told.
	NeededN int

	Warnings []Warning
}

// Compare compares two runs over the same documents.
//
// The test: exact McNemar for 0/1 values without weights, transform and clusters,
// else the sign-flip permutation test over documents or clusters (on the sums
// before the transform, which has the same sign). Mean accuracies, perplexities and
// any per-document diagnostic go through here; see Transform.
//
// The interval: BinaryInterval, else the Bootstrap's, widened where it is narrower
// than Student's t interval (few documents) and to hold 0 where the test has
// p >= Level: were A and B exchangeable in every document, 0 would be left out no
// more often than Level. Where the differences are strongly skewed, as when single
// documents change much and the others hardly, neither test nor interval keeps its
// level over a few dozen documents.
//
// Runs equal on every document have p = 1 and a difference and interval of exactly 0.
func Compare(p Pairs, o Options) (Comparison, error) {
	o, err := o.filled()
	if err != nil {
		return Comparison{}, err
	}
	if err := p.check(); err != nil {
		return Comparison{}, err
	}
	c := Comparison{N: len(p.A), LowerIsBetter: o.LowerIsBetter, Level: o.Level}
	binary := p.Weights == nil && o.Transform == Share
	for i, a := range p.A {
		b := p.B[i]
		binary = binary && (a == 0 || a == 1) && (b == 0 || b == 1)
		switch {
		case a > b:
			c.AHigher++
		case b > a:
			c.BHigher++
		}
	}
	documents := Pairs{A: p.A, B: p.B, Weights: p.Weights}
	plain := documents.units(o.Transform)
	c.A, c.B = o.Transform.of(sum(p.A)/plain.total), o.Transform.of(sum(p.B)/plain.total)
	c.Diff = plain.difference()
	if math.IsInf(c.A, 0) || math.IsInf(c.B, 0) {
		return Comparison{}, fmt.Errorf("stats: the metric is %v for A and %v for B: loglikelihoods too low for their weights", c.A, c.B)
	}
	u := plain
	if p.Clusters != nil {
		u = p.units(o.Transform)
		c.Clusters = u.n()
	}
	c.Warnings = sizeWarnings(c.N, c.Clusters)
	influence := u.influence()
	c.SE = math.Sqrt(sumOfSquares(influence))
	switch {
	case binary && p.Clusters == nil:
		err = c.binary(o)
	case c.AHigher+c.BHigher == 0:
		c.identical()
		if binary {
			err = c.detectBinary(o)
		}
	default:
		err = c.continuous(u, influence, o)
	}
	if err != nil {
		return Comparison{}, err
	}
	if binary {
		c.Low, c.High = max(c.Low, -1), min(c.High, 1) // no two shares differ by more
		c.Warnings = append(c.Warnings, endWarnings(o.Names[0], c.A)...)
		c.Warnings = append(c.Warnings, endWarnings(o.Names[1], c.B)...)
	}
	if outside := c.Low > 0 || c.High < 0; outside != (c.P < o.Level) && !math.IsNaN(c.Low) {
		c.Warnings = append(c.Warnings, warn(Disagree, "the interval and the test fall on different sides of the level %g: a close call", o.Level))
	}
	if math.IsNaN(c.MDE) {
		c.Warnings = append(c.Warnings, warn(NoMDE, "no telling what difference %s could have shown", count(c.N, "document")))
	}
	c.PAdjusted = c.P
	return c, nil
}

// identical fills in what holds for runs equal on every document.
func (c *Comparison) identical() {
	c.Diff, c.Low, c.High, c.SE = 0, 0, 0, 0
	c.P, c.MDE = 1, math.NaN()
	if c.Test == "" {
		c.Test = ExactSignFlip
	}
	c.Warnings = append(c.Warnings, warn(Identical, "identical on every document"))
}

// binary compares 0/1 values of independent documents.
func (c *Comparison) binary(o Options) (err error) {
	c.Test = ExactMcNemar
	if c.AHigher+c.BHigher == 0 {
		c.identical()
		return c.detectBinary(o)
	}
	// From counts, so that no order matters.
	n, net, discordant := float64(c.N), float64(c.BHigher-c.AHigher), c.AHigher+c.BHigher
	c.Diff = net / n
	c.SE = math.Sqrt((float64(discordant) - float64(net*net)/n) / (n * (n - 1)))
	if c.P, _, err = McNemar(c.AHigher, c.BHigher); err != nil {
		return err
	}
	interval, err := BinaryInterval(c.N, c.AHigher, c.BHigher, o.Level, o.Method)
	if err != nil {
		return err
	}
	c.Low, c.High, c.Method = interval.Low, interval.High, interval.Method
	c.Warnings = append(c.Warnings, interval.Warnings...)
	least := LeastDiscordant(o.Level)
	switch {
	case discordant < least:
		c.Warnings = append(c.Warnings, warn(FewDiscordant, "only %s differ between the runs: no split of fewer than %d reaches p < %g", count(discordant, "document"), least, o.Level))
	case discordant < fewDiscordant:
		c.Warnings = append(c.Warnings, warn(FewDiscordant, "only %s differ between the runs", count(discordant, "document")))
	}
	return c.detectBinary(o)
}

// detectBinary fills in what 0/1 values could have shown.
func (c *Comparison) detectBinary(o Options) (err error) {
	level := o.Level / float64(o.Family)
	discordance := float64(c.AHigher+c.BHigher) / float64(c.N)
	if c.MDE, err = McNemarMDE(c.N, discordance, level, Power); err != nil {
		return err
	}
	if c.Diff != 0 {
		c.NeededN, err = McNemarN(discordance, c.Diff, level, Power)
	}
	return err
}

// Bootstrap is the bootstrap interval of the difference alone, percentile or BCa
// (Auto is BCa), over documents or clusters, with tails expanded for small n. Over the same draws it is
// that of scipy.stats.bootstrap at the expanded level.
func Bootstrap(p Pairs, o Options) (Interval, error) {
	o, err := o.filled()
	if err != nil {
		return Interval{}, err
	}
	if err := p.check(); err != nil {
		return Interval{}, err
	}
	return p.units(o.Transform).interval(o)
}

// continuous compares any other values.
func (c *Comparison) continuous(u *units, influence []float64, o Options) error {
	differences := make([]float64, u.n())
	for i := range differences {
		differences[i] = u.b[i] - u.a[i]
	}
	test, err := SignFlip(differences, o.Draws, o.Seed)
	if err != nil {
		return err
	}
	c.P, c.Test = test.P, RandomSignFlip
	if test.Exact {
		c.Test = ExactSignFlip
	}
	interval, err := u.interval(o)
	if err != nil {
		return err
	}
	c.Low, c.High, c.Method = interval.Low, interval.High, interval.Method
	c.Warnings = append(c.Warnings, interval.Warnings...)
	c.MDE = math.NaN()
	if u.n() < 2 {
		return nil
	}
	half := -studentQuantile(o.Level/2, u.n()-1) * c.SE
	c.Low, c.High = min(c.Low, c.Diff-half), max(c.High, c.Diff+half)
	if c.P >= o.Level {
		c.Low, c.High = min(c.Low, 0), max(c.High, 0)
	}
	if largest, total := maxSquare(influence), sumOfSquares(influence); total > 0 && largest > dominance*total && u.n() >= 5 {
		what := "document"
		if c.Clusters > 0 {
			what = "cluster"
		}
		c.Warnings = append(c.Warnings, warn(Dominated, "a single %s carries %.0f%% of the variance", what, 100*largest/total))
	}
	// Rounding leaves a trace of a spread where there is none.
	if c.SE <= 1e-12*(math.Abs(c.A)+math.Abs(c.B)) {
		c.Warnings = append(c.Warnings, warn(NoSpread, "every document differs by the same amount: no spread to judge by"))
		return nil
	}
	level := o.Level / float64(o.Family)
	if c.MDE, err = MeanMDE(c.SE, u.n()-1, level, Power); err != nil {
		return err
	}
	c.NeededN = ScaledN(c.N, c.MDE, math.Abs(c.Diff))
	return nil
}

func maxSquare(values []float64) float64 {
	m := 0.0
	for _, v := range values {
		m = max(m, v*v)
	}
	return m
}

// Adjust sets PAdjusted of a family of comparisons by Holm's correction of their P.
func Adjust(family []*Comparison) error {
	ps := make([]float64, len(family))
	for i, c := range family {
		ps[i] = c.P
	}
	adjusted, err := Holm(ps)
	if err != nil {
		return err
	}
	for i, c := range family {
		c.PAdjusted = adjusted[i]
	}
	return nil
}
