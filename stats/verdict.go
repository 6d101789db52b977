package stats

// A Verdict is what a comparison comes to.
type Verdict string

const (
	Better Verdict = "better" // B is better than A
	Worse  Verdict = "worse"  // B is worse than A
	Noise  Verdict = "noise"  // no difference shown
)

// Significant says whether the adjusted p is below the level.
func (c *Comparison) Significant() bool { return c.PAdjusted < c.Level && c.Diff != 0 }

// Verdict is Better or Worse for a significant difference, by the metric's direction.
func (c *Comparison) Verdict() Verdict {
	switch {
	case !c.Significant():
		return Noise
	case (c.Diff > 0) == c.LowerIsBetter:
		return Worse
	}
	return Better
}

// Mark is the verdict for a narrow column: "~" for noise, "+" better, "-" worse.
func (c *Comparison) Mark() string {
	switch c.Verdict() {
	case Better:
		return "+"
	case Worse:
		return "-"
	}
	return "~"
}

// Words is the verdict as a reader would say it.
func (c *Comparison) Words() string {
	switch {
	case Has(c.Warnings, Identical):
		return "identical"
	case c.Verdict() == Better:
		return "B is better"
	case c.Verdict() == Worse:
		return "B is worse"
	}
	return "no difference shown"
}
