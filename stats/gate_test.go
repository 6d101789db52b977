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
		{-0.03, -0.05, -0.01, 0.02, Regressed},             // worse, drop beyond the allowance
		{-0.03, -0.05, 0.01, 0.02, Inconclusive},           // drop beyond it, but maybe no drop
		{-0.03, -0.05, 0, 0.02, Inconclusive},              // touches 0
		{-0.02, -0.05, -0.01, 0.02, Inconclusive},          // drop exactly the allowance
		{-0.01, -0.05, -0.001, 0.02, Inconclusive},         // surely worse, unknown by how much
		{-0.1, math.NaN(), math.NaN(), 0.02, Inconclusive}, // no interval
		{0, math.NaN(), math.NaN(), 0.02, Inconclusive},
	} {
		got, err := Decide(c.diff, c.low, c.high, c.allowed, false)
		if err != nil || got != c.want {
			t.Errorf("%+v: %s, %v", c, got, err)
		}
		got, err = Decide(-c.diff, -c.high, -c.low, c.allowed, true)
		if err != nil || got != c.want {
			t.Errorf("lower is better, %+v turned: %s, %v", c, got, err)
		}
	}
	for _, c := range [][4]float64{{math.NaN(), 0, 0, 0}, {0, 0, 0, -1}, {0, 0, 0, math.NaN()}, {0, 1, -1, 0}, {0, 0, 0, math.Inf(1)}} {
		if d, err := Decide(c[0], c[1], c[2], c[3], false); err == nil {
			t.Errorf("%v: %s; want an error", c, d)
		}
	}
}

// With the n it names and the same difference and spread, an inconclusive gate
// decides; with a little less it does not.
func TestGateNeededN(t *testing.T) {
	for _, c := range []struct {
		diff, half, allowed float64
		want                Decision
	}{
		{0.002, 0.02, 0.01, Pass},
		{-0.004, 0.02, 0.01, Pass},
		{-0.03, 0.04, 0.01, Regressed},
		{-0.011, 0.02, 0.01, Regressed},
	} {
		for _, lower := range []bool{false, true} {
			at := func(n int) (GateResult, error) {
				half := c.half * math.Sqrt(500/float64(n))
				x := Comparison{N: n, Diff: c.diff, Low: c.diff - half, High: c.diff + half, SE: half / 1.96, Level: 0.05, LowerIsBetter: lower}
				if lower {
					x.Diff, x.Low, x.High = -x.Diff, -x.High, -x.Low
				}
				return Gate(&x, c.allowed)
			}
			first, err := at(500)
			if err != nil || first.Decision != Inconclusive || first.NeededN <= 500 {
				t.Fatalf("%+v: %+v, %v", c, first, err)
			}
			if math.Abs(first.Drop+c.diff) > 1e-15 || first.LeastDrop > first.Drop || first.MostDrop < first.Drop {
				t.Errorf("drops %+v", first)
			}
			if then, _ := at(first.NeededN); then.Decision != c.want {
				t.Errorf("%+v: with the %d documents asked for: %+v", c, first.NeededN, then)
			}
			if then, _ := at(first.NeededN * 98 / 100); then.Decision != Inconclusive {
				t.Errorf("%+v: fewer than %d would do: %+v", c, first.NeededN, then)
			}
		}
	}
	edge := Comparison{N: 500, Diff: -0.01, Low: -0.03, High: 0.01, SE: 0.01, Level: 0.05}
	if g, err := Gate(&edge, 0.01); err != nil || g.Decision != Inconclusive || g.NeededN != 0 {
		t.Errorf("a drop of exactly the allowance: %+v, %v; no n decides that", g, err)
	}
}
