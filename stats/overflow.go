package stats

import "math"

// overflow fills in what is left to say where a metric is beyond what a float64
// holds: the test is over the sums before the transform, and where it finds a
// difference, that difference has no bound.
func (c *Comparison) overflow(o Options) {
	c.SE = math.NaN()
	p, sign := c.P, c.sign
	c.interval = func(level float64) (low, high float64) {
		if p < level && sign != 0 {
			return math.Inf(sign), math.Inf(sign)
		}
		return math.NaN(), math.NaN()
	}
	who := o.Names[0]
	switch {
	case !math.IsInf(c.A, 0) && !math.IsInf(c.B, 0):
		who = "a resample"
	case math.IsInf(c.A, 0) && math.IsInf(c.B, 0):
		who += " and " + o.Names[1]
	case math.IsInf(c.B, 0):
		who = o.Names[1]
	}
	c.Warnings = append(c.Warnings, warn(Overflow, "the metric of %s is more than a float64 holds: tested on the loglikelihoods, without an interval", who))
}
