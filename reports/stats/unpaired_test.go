package stats

import (
	"math"
	"strings"
	"testing"
)

// A difference of 1.96 standard errors has p = 0.05 and an interval that starts at
// 0; without a standard error there is a difference and nothing more.
func TestUnpairedMeans(t *testing.T) {
	z := -normalQuantile(0.025)
	c, err := UnpairedMeans(20, 0.3, 800, 20+0.5*z, 0.4, 900, Options{LowerIsBetter: true})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "p", c.P, 0.05, 1e-12)
	near(t, "low", c.Low, 0, 1e-9)
	near(t, "standard error", c.SE, 0.5, 1e-12)
	if c.N != 800 || !Has(c.Warnings, NotPaired) || !strings.HasPrefix(c.Warnings[0].Text, "NOT PAIRED") {
		t.Errorf("%+v", c)
	}
	c, err = UnpairedMeans(20, math.NaN(), 800, 25, 0.4, 900, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(c.P) || !math.IsNaN(c.Low) || c.Diff != 5 || c.Verdict() != Noise || !Has(c.Warnings, NoInterval) {
		t.Errorf("%+v", c)
	}
	if c, err = UnpairedMeans(20, 0, 800, 20, 0, 900, Options{}); err != nil || c.P != 1 {
		t.Errorf("equal values without spread: %+v, %v", c, err)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		if _, err := UnpairedMeans(v, 1, 10, 1, 1, 10, Options{}); err == nil {
			t.Errorf("a metric of %v was accepted", v)
		}
	}
	if _, err := UnpairedProportions(11, 10, 5, 10, Options{}); err == nil {
		t.Error("11 right of 10 was accepted")
	}
}

// Mirror and "~" for equal totals.
func TestUnpairedMirror(t *testing.T) {
	ab, err := UnpairedProportions(612, 1000, 655, 990, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ba, err := UnpairedProportions(655, 990, 612, 1000, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if ab.Diff != -ba.Diff || ab.Low != -ba.High || ab.High != -ba.Low || math.Abs(ab.P-ba.P) > 1e-12 {
		t.Errorf("%+v\n%+v", ab, ba)
	}
	same, err := UnpairedProportions(612, 1000, 612, 1000, Options{})
	if err != nil || same.P != 1 || same.Mark() != "~" || same.Diff != 0 {
		t.Errorf("%+v, %v", same, err)
	}
}

// Without allowance and difference a gate's alarms are one side of McNemar's.
func TestGatePowerIsOneSide(t *testing.T) {
	for _, n := range []int{50, 400, 3000} {
		both, err := McNemarPower(n, 0.12, 0, 0.05)
		if err != nil {
			t.Fatal(err)
		}
		one, err := AccuracyGatePower(n, 0.12, 0, 0, 0.05)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "one side", one, both/2, 1e-9)
	}
}
