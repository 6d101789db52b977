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
	// Effect is a difference named beforehand, for NeededN: of a share as it is, of
	// anything else as a part of the value. 0: none.
	Effect float64
	// Rounding is by how much a document's value may be off by arithmetic alone: a
	// difference that so much in every document makes is none. 0: not known.
	Rounding float64
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
		return o, fmt.Errorf("stats: transform %d is not one", o.Transform)
	case !(o.Effect >= 0) || math.IsInf(o.Effect, 0):
		return o, fmt.Errorf("stats: a difference of %v to find: give a finite one above 0", o.Effect)
	case !(o.Rounding >= 0) || math.IsInf(o.Rounding, 0):
		return o, fmt.Errorf("stats: values off by %v: give a finite number of at least 0", o.Rounding)
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
	// LowAdjusted and HighAdjusted are the interval at the level that Holm's step
	// gives this comparison: it leaves out 0 only where PAdjusted < Level. Low and
	// High until Adjust.
	LowAdjusted, HighAdjusted float64

	AHigher, BHigher int // documents with the higher value in A, in B: for 0/1 metrics the discordant ones

	// MDE is the smallest true difference that so many documents, as discordant or
	// as spread as these, show with Power at Level/Family; NaN where none.
	MDE float64
	// NeededN is how many documents show a true difference of Options.Effect with
	// Power at Level/Family, NeededClusters in how many clusters (0: documents stand
	// alone); 0 where none was named or that cannot be told.
	NeededN, NeededClusters int
	// Floor is the difference that Options.Rounding may make, in the metric's unit.
	Floor float64

	Warnings []Warning

	sign     int                                     // of the difference on the linear scale, which does not overflow
	u        *units                                  // what the difference is over
	interval func(level float64) (low, high float64) // at any level
}

// Compare compares two runs over the same documents.
//
// The test: exact McNemar for 0/1 values without weights, transform and clusters,
// else the sign-flip permutation test over documents or clusters (on the sums
// before the transform, which has the same sign). Mean accuracies, perplexities and
// any per-document diagnostic go through here; see Transform.
//
// The interval: BinaryInterval, else the bootstrap's, widened where it is narrower
// than Student's t interval (few documents; of perplexities on the log scale) and to hold 0 where the test has
// p >= Level: were A and B exchangeable in every document, 0 would be left out no
// more often than Level. That of shares in clusters is at least Tango's too, and
// on the side away from 0 the wider one of clusteredTango. Where the differences are strongly skewed, neither test nor
// interval keeps its level over a few dozen documents: a warning says so.
//
// Runs whose answers are equal to the bit (Pairs.Unchanged, or the same values that
// are not just right and wrong) have p = 1 and a difference and interval of exactly 0.
func Compare(p Pairs, o Options) (Comparison, error) {
	o, err := o.filled()
	if err != nil {
		return Comparison{}, err
	}
	if err := p.check(); err != nil {
		return Comparison{}, err
	}
	c := Comparison{N: len(p.A), LowerIsBetter: o.LowerIsBetter, Level: o.Level, MDE: math.NaN()}
	binary, bounded := p.Weights == nil && o.Transform == Share, p.Weights == nil && o.Transform == Share
	for i, a := range p.A {
		b := p.B[i]
		binary = binary && (a == 0 || a == 1) && (b == 0 || b == 1)
		bounded = bounded && a >= 0 && a <= 1 && b >= 0 && b <= 1
		switch {
		case a > b:
			c.AHigher++
		case b > a:
			c.BHigher++
		}
	}
	plain := (&Pairs{A: p.A, B: p.B, Weights: p.Weights}).units(o.Transform)
	c.A, c.B = o.Transform.of(sum(p.A)/plain.total), o.Transform.of(sum(p.B)/plain.total)
	c.Diff = plain.difference()
	c.Floor = o.Transform.rounding(o.Rounding*float64(c.N)/plain.total, c.A, c.B)
	c.u = plain
	if p.Clusters != nil {
		c.u = p.units(o.Transform)
		c.Clusters = c.u.n()
	}
	c.Warnings = sizeWarnings(c.N, c.Clusters)
	c.SE = math.Sqrt(sumOfSquares(c.u.influence()))
	same := c.AHigher+c.BHigher == 0
	switch {
	case same && (p.Unchanged || !bounded):
		c.identical()
		c.Warnings = append(c.Warnings, warn(Identical, "identical on every document"))
	case same:
		c.Warnings = append(c.Warnings, warn(SameOutcomes, "the same right and wrong answers, from outputs that are not the same: other documents may differ"))
	}
	switch {
	case same && c.interval != nil:
		if binary {
			c.Test = ExactMcNemar
		}
	case binary && p.Clusters == nil:
		err = c.binary(o)
	default:
		err = c.continuous(&p, binary, bounded, o)
	}
	if err != nil {
		return Comparison{}, err
	}
	if err := c.power(binary, o); err != nil {
		return Comparison{}, err
	}
	if binary {
		c.Warnings = append(c.Warnings, endWarnings(o.Names[0], c.A)...)
		c.Warnings = append(c.Warnings, endWarnings(o.Names[1], c.B)...)
	}
	c.Low, c.High = c.interval(o.Level)
	c.PAdjusted, c.LowAdjusted, c.HighAdjusted = c.P, c.Low, c.High
	if c.withinRounding() {
		c.Warnings = append(c.Warnings, warn(Arithmetic, "the same within arithmetic: rounding alone may make a difference of %.2g", c.Floor))
	}
	return c, nil
}

// withinRounding says whether a difference, other than none, is below the floor.
func (c *Comparison) withinRounding() bool {
	return c.sign != 0 && math.Abs(c.Diff) <= c.Floor
}

// identical fills in what holds for runs whose answers are equal.
func (c *Comparison) identical() {
	c.Diff, c.SE, c.P, c.Test = 0, 0, 1, ExactSignFlip
	c.interval = func(float64) (low, high float64) { return 0, 0 }
}

// binary compares 0/1 values of independent documents.
func (c *Comparison) binary(o Options) (err error) {
	c.Test = ExactMcNemar
	// From counts, so that no order matters.
	n, net, discordant := float64(c.N), float64(c.BHigher-c.AHigher), c.AHigher+c.BHigher
	c.sign = sign(net)
	c.Diff = net / n
	c.SE = 0
	if discordant > 0 {
		c.SE = math.Sqrt((float64(discordant) - float64(net*net)/n) / (n * (n - 1)))
	}
	if c.P, _, err = McNemar(c.AHigher, c.BHigher); err != nil {
		return err
	}
	interval, err := BinaryInterval(c.N, c.AHigher, c.BHigher, o.Level, o.Method)
	if err != nil {
		return err
	}
	c.Method = interval.Method
	c.Warnings = append(c.Warnings, interval.Warnings...)
	a, b, count01 := c.AHigher, c.BHigher, c.N
	c.interval = func(level float64) (low, high float64) {
		i := interval
		if level != o.Level { // the counts and the method were found in order
			i, _ = BinaryInterval(count01, a, b, level, o.Method)
		}
		return max(i.Low, -1), min(i.High, 1) // no two shares differ by more
	}
	least := LeastDiscordant(o.Level)
	switch {
	case discordant == 0: // said already
	case discordant < least:
		c.Warnings = append(c.Warnings, warn(FewDiscordant, "only %s differ between the runs: no split of fewer than %d reaches p < %g", count(discordant, "document"), least, o.Level))
	case discordant < fewDiscordant:
		c.Warnings = append(c.Warnings, warn(FewDiscordant, "only %s differ between the runs", count(discordant, "document")))
	}
	return nil
}

func sign(x float64) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// continuous compares any other values.
func (c *Comparison) continuous(p *Pairs, binary, bounded bool, o Options) error {
	differences := make([]float64, c.u.n())
	for i := range differences {
		differences[i] = c.u.b[i] - c.u.a[i]
	}
	test, err := SignFlip(differences, o.Draws, o.Seed)
	if err != nil {
		return err
	}
	c.P, c.Test = test.P, RandomSignFlip
	if test.Exact {
		c.Test = ExactSignFlip
	}
	c.sign = sign(sum(differences) * o.Transform.slope(0))
	if math.IsInf(c.A, 0) || math.IsInf(c.B, 0) {
		c.overflow(o)
		return nil
	}
	boot, err := c.u.interval(o)
	switch {
	case err != nil:
		return err
	case boot == nil:
		c.overflow(o)
		return nil
	}
	c.Method = boot.method
	c.Warnings = append(c.Warnings, boot.warnings...)
	if c.u.n() < 2 {
		c.interval = func(float64) (low, high float64) { return math.NaN(), math.NaN() }
		return nil
	}
	guard := func(float64) (low, high float64) { return c.Diff, c.Diff }
	unseen := guard
	if binary || bounded && c.AHigher+c.BHigher < fewDiscordant {
		guard, unseen = c.u.clusteredTango(p)
	}
	df, pValue := c.u.n()-1, c.P
	c.interval = func(level float64) (low, high float64) {
		low, high = boot.at(level)
		studentLow, studentHigh := c.u.student(-studentQuantile(level/2, df), c.Diff)
		guardLow, guardHigh := guard(level)
		low, high = min(low, studentLow, guardLow), max(high, studentHigh, guardHigh)
		if pValue >= level {
			low, high = min(low, 0), max(high, 0)
		}
		// Clusters that were not seen to change may make a change larger. Whether there
		// is one the test says.
		farLow, farHigh := unseen(level)
		if low <= 0 {
			low = min(low, farLow)
		}
		if high >= 0 {
			high = max(high, farHigh)
		}
		if bounded {
			low, high = max(low, -1), min(high, 1)
		}
		return low, high
	}
	if !binary {
		c.warnOfShape()
	}
	return nil
}

func (u *units) noun(clusters int) string {
	if clusters > 0 {
		return "cluster"
	}
	return "document"
}

// Adjust sets PAdjusted of a family of comparisons by Holm's correction of their P,
// and the interval that goes with it, at the level Level·P/PAdjusted.
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
		if c.interval == nil {
			continue
		}
		if c.PAdjusted > c.P {
			c.LowAdjusted, c.HighAdjusted = c.interval(c.Level * c.P / c.PAdjusted)
		}
		if c.PAdjusted < c.Level && !c.excludesZero() {
			c.Warnings = append(c.Warnings, warn(Disagree, "the test finds a difference, but the interval holds 0: a close call, taken for none"))
		}
	}
	return nil
}

// excludesZero says whether the interval that decides leaves out 0. Where there is
// none, the test alone decides.
func (c *Comparison) excludesZero() bool {
	return !(c.LowAdjusted <= 0 && c.HighAdjusted >= 0)
}
