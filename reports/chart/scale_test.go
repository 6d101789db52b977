package chart

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/text"
)

// An axis holds its data, its ends are labelled, and no two labels are the same.
func TestAxesEndInRoundNumbers(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		n      int
		log    bool
		format func(float64) string
		want   string
	}{
		{0.02, 0.26, 5, false, text.PercentTick, "0% 5% 10% 15% 20% 25% 30%"},
		{0.12, 1, 5, false, text.Tick, "0 0.2 0.4 0.6 0.8 1"},
		{-0.97, 0.067, 8, false, text.PointsTick, "−100 −80 −60 −40 −20 0 +20"},
		{0, 0.0089, 5, false, text.SignedTick, "0 +0.002 +0.004 +0.006 +0.008 +0.01"},
		{-0.01, 0.01, 8, false, text.PointsTick, "−1 −0.75 −0.5 −0.25 0 +0.25 +0.5 +0.75 +1"}, // and not −0.8, −0.5, −0.2
		{-3.2e-7, 7.4e-7, 5, false, text.SignedTick, "−5e−07 −2.5e−07 0 +2.5e−07 +5e−07 +7.5e−07"},
		{0.3, 0.9, 3, false, text.PercentTick, "25% 50% 75% 100%"},
		{12.34011, 12.34012, 5, false, text.Tick, "12.34011 12.34012"}, // seven figures tell no more apart
		{1234.1, 1234.3, 5, false, text.Tick, "1234.1 1234.15 1234.2 1234.25 1234.3"},
		{9.4, 250, 5, true, text.Tick, "5 10 20 50 100 200 500"},
		{1, 100, 5, true, text.Tick, "1 2 5 10 20 50 100"},
		{3, 3, 5, true, text.Tick, "2 5"},
		{0.78, 1, 5, true, text.Tick, "0.7 0.8 0.9 1"},
		{2, 7.9, 5, true, text.Tick, "2 4 6 8"},
		{1.9, 7.5, 5, true, text.Tick, "1 2 5 10"},
		{0.002, 4e5, 5, true, text.Tick, "0.001 0.01 0.1 1 10 100 1\u202f000 10\u202f000 100\u202f000 1e+06"},
	} {
		s := scale{min: c.lo, max: c.hi, log: c.log}
		if c.log {
			s.roundLog(c.format)
		} else {
			s.round(c.n, c.format)
		}
		var labels []string
		for _, at := range s.ticks {
			labels = append(labels, at.Label)
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("%v to %v: labels %q; want %q", c.lo, c.hi, got, c.want)
		}
		if s.min > c.lo || s.max < c.hi || math.IsNaN(s.min+s.max) {
			t.Errorf("%v to %v: the axis goes from %v to %v", c.lo, c.hi, s.min, s.max)
		}
		if len(slices.Compact(labels)) != len(s.ticks) {
			t.Errorf("%v to %v: a label twice in %q", c.lo, c.hi, labels)
		}
	}
}

// A logarithmic axis never begins at 0, whatever its data.
func TestLogAxesStayAboveZero(t *testing.T) {
	for lo := 1e-6; lo < 1e6; lo *= 1.07 {
		for f := 1.0; f < 1e7; f *= 1.13 {
			s := scale{min: lo, max: f * lo, log: true}
			s.roundLog(text.Tick)
			if !(s.min > 0) || s.min > lo || s.max < f*lo || s.max <= s.min || len(s.ticks) < 2 {
				t.Fatalf("%v to %v: the axis goes from %v to %v", lo, f*lo, s.min, s.max)
			}
		}
	}
}

// Names of rows end at one place, whatever the reader's typeface.
func TestRowNamesEndTogether(t *testing.T) {
	d := Draw(Forest{Rows: []Estimate{{Label: "a", Value: 0.1, Ink: "better"}, {Label: "a longer name", Value: -0.1, Ink: "worse"}}, Axis: Axis{Name: "points", Format: text.PointsTick}})
	for _, svg := range []string{string(d.Wide), string(d.Narrow)} {
		ends := regexp.MustCompile(`<text text-anchor="end" x="([-0-9.]+)"[^>]*>(a|a longer name)</text>`).FindAllStringSubmatch(svg, -1)
		if len(ends) != 2 || ends[0][1] != ends[1][1] {
			t.Errorf("row names end at %q", ends)
		}
		if !regexp.MustCompile(`<text text-anchor="middle"[^>]*>0</text>`).MatchString(svg) {
			t.Error("the label of 0 is not over its place")
		}
	}
}
