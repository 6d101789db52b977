package html

import (
	"math"

	"gonum.org/v1/plot"
)

// span is the range of all rows and the reference.
func span(rows []estimate, reference float64) (lo, hi float64) {
	lo, hi = reference, reference
	for _, r := range rows {
		lo, hi = min(lo, r.value), max(hi, r.value)
		if r.hasInterval {
			lo, hi = min(lo, r.lo), max(hi, r.hi)
		}
	}
	if lo == hi {
		lo, hi = lo-0.01, hi+0.01
	}
	return lo, hi
}

// round widens an axis to round numbers, so that its ends are labelled, about n
// steps apart.
func round(axis *plot.Axis, n int, format func(float64) string) {
	step := fineStep((axis.Max - axis.Min) / float64(n))
	for range 20 { // until no two labels are the same
		first, last := math.Floor(axis.Min/step+1e-9), math.Ceil(axis.Max/step-1e-9)
		var ticks plot.ConstantTicks
		distinct := true
		for k := first; k <= last && len(ticks) < 50; k++ {
			t := plot.Tick{Value: k * step, Label: format(k * step)}
			distinct = distinct && (len(ticks) == 0 || ticks[len(ticks)-1].Label != t.Label)
			ticks = append(ticks, t)
		}
		if distinct {
			axis.Min, axis.Max, axis.Tick.Marker = min(axis.Min, first*step), max(axis.Max, last*step), ticks
			return
		}
		step = fineStep(1.01 * step)
	}
}

// roundLog is round for a logarithmic axis: its ends are 1, 2 or 5 times a power
// of ten, and where those are many, powers of ten alone are labelled. Over less
// than a factor of four it is round, unless that would begin at 0.
func roundLog(axis *plot.Axis, format func(float64) string) {
	if axis.Max > axis.Min && axis.Max < 4*axis.Min && axis.Min >= fineStep((axis.Max-axis.Min)/4) {
		round(axis, 4, format)
		return
	}
	var all, powers plot.ConstantTicks
	for e := math.Floor(math.Log10(axis.Min)); e <= math.Ceil(math.Log10(axis.Max)) && len(all) < 200; e++ {
		for _, k := range []float64{1, 2, 5} {
			v := k * math.Pow(10, e)
			t := plot.Tick{Value: v, Label: format(v)}
			all = append(all, t)
			if k == 1 {
				powers = append(powers, t)
			}
		}
	}
	first, last := 0, len(all)-1
	for first < last && all[first+1].Value <= axis.Min*(1+1e-9) {
		first++
	}
	for last > first+1 && all[last-1].Value >= axis.Max*(1-1e-9) {
		last--
	}
	axis.Min, axis.Max, axis.Tick.Marker = all[first].Value, all[last].Value, all[first:last+1]
	if last-first > 8 {
		axis.Tick.Marker = powers
	}
}

// fineStep is 1, 2, 2.5 or 5 times a power of ten, at least x.
func fineStep(x float64) float64 { return stepOf(x, 1, 2, 2.5, 5) }

// roundStep is 1, 2 or 5 times a power of ten, at least x.
func roundStep(x float64) float64 { return stepOf(x, 1, 2, 5) }

func stepOf(x float64, kinds ...float64) float64 {
	if !(x > 0) || math.IsInf(x, 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, k := range kinds {
		if k*power >= x {
			return k * power
		}
	}
	return 10 * power
}
