package stats

import (
	"math"
	"slices"
)

// skewed says whether the errors of units are so skewed that the tests do not keep
// their level: the sample skewness is beyond 3 of its standard errors under a normal
// distribution, and beyond 1; the mean is beside the median on the same side, as it
// is not where single errors are large on either side; and there are not so many
// units that it evens out. Of normal errors it says so in about 1 % of cases, of
// log-normal ones (spread of 1) in a quarter over 10 units, 2 of 3 over 20 and 9 of
// 10 over 40; see TestSkewedDiscriminates.
func skewed(errors []float64) (skewness float64, ok bool) {
	n := float64(len(errors))
	if n < 8 {
		return 0, false
	}
	mean := sum(errors) / n
	var second, third float64
	for _, e := range errors {
		d := e - mean
		second += float64(d * d)
		third += float64(d * d * d)
	}
	sd := math.Sqrt(second / n)
	skewness = third / n / (sd * sd * sd)
	if !(sd > 0) || math.IsNaN(skewness) || math.IsInf(skewness, 0) {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(errors))
	beside := (mean - (sorted[(len(sorted)-1)/2]+sorted[len(sorted)/2])/2) / sd
	if skewness < 0 {
		beside = -beside
	}
	error := math.Sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
	size := math.Abs(skewness)
	return skewness, size > max(1, 3*error) && beside > max(0.1, 0.7/math.Sqrt(n)) && size > 0.2*math.Sqrt(n)
}

// warnOfShape tells of differences whose shape keeps tests from their level.
func (c *Comparison) warnOfShape() {
	errors := c.u.influence()
	what := c.u.noun(c.Clusters)
	if skewness, ok := skewed(errors); ok {
		c.Warnings = append(c.Warnings, warn(Skewed, "the differences are strongly skewed (skewness %.1f over %s): false alarms come up to three times as often as in %g of cases", skewness, count(len(errors), what), c.Level))
		return
	}
	largest := 0.0
	for _, e := range errors {
		largest = max(largest, e*e)
	}
	if total := sumOfSquares(errors); largest > dominance*total && len(errors) >= 8 {
		c.Warnings = append(c.Warnings, warn(Dominated, "a single %s carries %.0f%% of the variance", what, 100*largest/total))
	}
}
