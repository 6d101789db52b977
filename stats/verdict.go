package stats

// A Verdict is what a comparison comes to.
type Verdict string

const (
	Better Verdict = "better" // B is better than A
	Worse  Verdict = "worse"  // B is worse than A
	Noise  Verdict = "noise"  // no difference shown
)

// Significant says whether the adjusted p is below the level, the interval at that
// level leaves out 0, and the difference is more than rounding may make.
func (c *Comparison) Significant() bool {
	return c.PAdjusted < c.Level && c.sign != 0 && c.excludesZero() && !c.withinRounding()
}

// Verdict is Better or Worse for a significant difference, by the metric's direction.
func (c *Comparison) Verdict() Verdict {
	switch {
	case !c.Significant():
		return Noise
	case (c.sign > 0) == c.LowerIsBetter:
		return Worse
	}
	return Better
}
