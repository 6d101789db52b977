package chart

import (
	"math"

	"github.com/softbench/softbench/reports/text"
)

// scale maps values to places, and has the labels.
type scale struct {
	min, max float64
	log      bool
	ticks    []Tick
}

func emptyScale(log bool) scale { return scale{min: math.Inf(1), max: math.Inf(-1), log: log} }

// has says whether a value has a place on the scale.
func (s *scale) has(x float64) bool { return text.Finite(x) && (!s.log || x > 0) }

// include widens the scale to hold values; those without a place are left out.
func (s *scale) include(values ...float64) {
	for _, x := range values {
		if s.has(x) {
			s.min, s.max = min(s.min, x), max(s.max, x)
		}
	}
}

// at is the place of a value from 0 to 1.
func (s *scale) at(x float64) float64 {
	if s.log {
		return math.Log(x/s.min) / math.Log(s.max/s.min)
	}
	return (x/2 - s.min/2) / (s.max/2 - s.min/2) // the whole range may be too large a number
}

// round widens a scale to round numbers, so that its ends are labelled, about n
// steps apart.
func (s *scale) round(n int, format func(float64) string) {
	step := fineStep((s.max - s.min) / float64(n))
	for tries := 0; tries < 20 && text.Finite(step); tries++ { // until no two labels are the same
		first, last := math.Floor(s.min/step+1e-9), math.Ceil(s.max/step-1e-9)
		var ticks []Tick
		distinct := true
		for k := first; k <= last && len(ticks) < 50; k++ {
			t := Tick{k * step, format(k * step)}
			distinct = distinct && (len(ticks) == 0 || ticks[len(ticks)-1].Label != t.Label)
			ticks = append(ticks, t)
		}
		if distinct {
			s.min, s.max, s.ticks = min(s.min, first*step), max(s.max, last*step), ticks
			return
		}
		step = fineStep(1.01 * step)
	}
	s.ticks = []Tick{{s.min, format(s.min)}, {s.max, format(s.max)}} // too far apart, or too close, for steps
}

// roundLog is round for a logarithmic scale: its ends are 1, 2 or 5 times a power
// of ten, and where those are many, powers of ten alone. Over less
// than a factor of four it is round, unless that would begin at 0.
func (s *scale) roundLog(format func(float64) string) {
	if s.max > s.min && s.max < 4*s.min && s.min >= fineStep((s.max-s.min)/4) {
		s.round(4, format)
		return
	}
	var all, powers []Tick
	for e := math.Floor(math.Log10(s.min)); e <= math.Ceil(math.Log10(s.max)) && len(all) < 200; e++ {
		for _, k := range []float64{1, 2, 5} {
			v := k * math.Pow(10, e)
			t := Tick{v, format(v)}
			all = append(all, t)
			if k == 1 {
				powers = append(powers, t)
			}
		}
	}
	first, last := 0, len(all)-1
	for first < last && all[first+1].Value <= s.min*(1+1e-9) {
		first++
	}
	for last > first+1 && all[last-1].Value >= s.max*(1-1e-9) {
		last--
	}
	s.min, s.max, s.ticks = all[first].Value, all[last].Value, all[first:last+1]
	if last-first > 8 {
		s.ticks = powers
		s.min, s.max = powers[0].Value, powers[len(powers)-1].Value
	}
}

// fineStep is 1, 2, 2.5 or 5 times a power of ten, at least x.
func fineStep(x float64) float64 { return stepOf(x, 1, 2, 2.5, 5) }

// RoundStep is 1, 2 or 5 times a power of ten, at least x.
func RoundStep(x float64) float64 { return stepOf(x, 1, 2, 5) }

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
