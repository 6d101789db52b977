package stats

import (
	"math"
	"testing"
)

// The rule, case by case, in both directions.
func TestDecide(t *testing.T) {
	for _, c := range []struct {
		diff, low, high, allowed float64
		want                     Decision
	}{
		{0, 0, 0, 0, Pass},                                 // unchanged, nothing allowed
		{0, 0, 0, 0.01, Pass},                              // unchanged
		{0.02, 0.01, 0.03, 0, Pass},                        // better
		{0, -0.005, 0.005, 0.01, Pass},                     // noise within the allowance
		{-0.005, -0.009, -0.001, 0.01, Pass},               // surely worse, but allowed
		{0, -0.02, 0.02, 0.01, Inconclusive},               // may be worse by more than allowed
		{0.01, 0, 0.02, 0, Inconclusive},                   // touches 0
		{0, -0.01, 0.02, 0.01, Inconclusive},               // touches the allowance
		{-0.05, -0.07, -0.03, 0.02, Regressed},             // surely worse by more than allowed
		{-0.03, -0.05, -0.01, 0.02, Inconclusive},          // surely worse, maybe within the allowance
		{-0.05, -0.07, -0.02, 0.02, Inconclusive},          // touches the allowance
		{-0.05, -0.07, -0.001, 0, Regressed},               // nothing allowed
		{-0.03, -0.05, 0.01, 0.02, Inconclusive},           // drop beyond it, but maybe no drop
		{-0.03, -0.05, 0, 0.02, Inconclusive},              // touches 0
		{-0.02, -0.05, -0.01, 0.02, Inconclusive},          // drop exactly the allowance
		{-0.01, -0.05, -0.001, 0.02, Inconclusive},         // surely worse, unknown by how much
		{-0.1, math.NaN(), math.NaN(), 0.02, Inconclusive}, // no interval
		{0, math.NaN(), math.NaN(), 0.02, Inconclusive},
	} {
		got, err := Decide(c.diff, c.low, c.high, c.allowed, false, BeyondAllowed)
		if err != nil || got != c.want {
			t.Errorf("%+v: %s, %v", c, got, err)
		}
		got, err = Decide(-c.diff, -c.high, -c.low, c.allowed, true, "")
		if err != nil || got != c.want {
			t.Errorf("lower is better, %+v turned: %s, %v", c, got, err)
		}
	}
	for _, c := range [][4]float64{{math.NaN(), 0, 0, 0}, {0, 0, 0, -1}, {0, 0, 0, math.NaN()}, {0, 1, -1, 0}, {0, 0, 0, math.Inf(1)}} {
		if d, err := Decide(c[0], c[1], c[2], c[3], false, BeyondAllowed); err == nil {
			t.Errorf("%v: %s; want an error", c, d)
		}
	}
}

// The other rule asks for less, and says no more than that the metric is worse.
func TestDecideWorseAtAll(t *testing.T) {
	for _, c := range []struct {
		diff, low, high, allowed float64
		want                     Decision
	}{
		{-0.03, -0.05, -0.01, 0.02, Regressed},    // worse, and the drop that was seen is beyond the allowance
		{-0.03, -0.05, 0.01, 0.02, Inconclusive},  // maybe no drop
		{-0.03, -0.05, 0, 0.02, Inconclusive},     // touches 0
		{-0.02, -0.05, -0.01, 0.02, Inconclusive}, // a drop of exactly the allowance
		{-0.005, -0.009, -0.001, 0.01, Pass},      // surely worse, but allowed
	} {
		for _, lower := range []bool{false, true} {
			diff, low, high := c.diff, c.low, c.high
			if lower {
				diff, low, high = -diff, -high, -low
			}
			if got, err := Decide(diff, low, high, c.allowed, lower, WorseAtAll); err != nil || got != c.want {
				t.Errorf("%+v, lower %v: %s, %v", c, lower, got, err)
			}
		}
	}
}

// A drop that rounding may make passes, whatever is allowed.
func TestGateAllowsRounding(t *testing.T) {
	p := madePages(source(31), 40, 0)
	for i := range p.B {
		p.B[i] = p.A[i] - 1e-5*(1+float64(i%3))
	}
	c := compare(t, p, Options{Transform: Perplexity, LowerIsBetter: true, Rounding: 1e-4})
	if g, err := Gate(&c, 0, BeyondAllowed); err != nil || g.Decision != Pass || !(c.P < 0.001) {
		t.Errorf("%+v, %v of %+v", g, err, c)
	}
	c = compare(t, p, Options{Transform: Perplexity, LowerIsBetter: true})
	if g, err := Gate(&c, 0, BeyondAllowed); err != nil || g.Decision != Regressed {
		t.Errorf("without a floor: %+v, %v", g, err)
	}
}
