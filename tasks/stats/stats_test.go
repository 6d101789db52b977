package stats

import (
	"math"
	"slices"
	"testing"
)

// Reference values: statsmodels 0.15.0, proportion_confint(k, n, method="wilson").
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{
		{0, 10, 0, 0.27753279986288926},
		{10, 10, 0.7224672001371106, 1},
		{5, 10, 0.23659309051256394, 0.7634069094874361},
		{1, 3, 0.06149194472039626, 0.7923403991979523},
		{337, 600, 0.5216967541964279, 0.6008519693452157},
		{1, 1, 0.2065493143772374, 1},
		{0, 1, 0, 0.7934506856227627},
		{0, 0, 0, 1},
	} {
		low, high := Wilson(c.k, c.n)
		if math.Abs(low-c.low) > 1e-14 || math.Abs(high-c.high) > 1e-14 {
			t.Errorf("%d of %d: [%v, %v]; want [%v, %v]", c.k, c.n, low, high, c.low, c.high)
		}
	}
}

// Reference value: lm-evaluation-harness 0.4.13, mean_stderr.
func TestStdErr(t *testing.T) {
	if got := StdErr([]float64{1, 0, 0, 1, 1, 0, 1}); math.Abs(got-0.20203050891044214) > 1e-15 {
		t.Errorf("standard error %v", got)
	}
	if got := StdErr([]float64{1}); !math.IsNaN(got) {
		t.Errorf("the standard error of one value is %v, not NaN", got)
	}
}

// The bootstrap of a perplexity must agree with lm-evaluation-harness' own (bootstrap_stderr with
// 100,000 draws: 2.66716 for these values) within what 10,000 draws leave open, and must not move
// between runs.
func TestBootstrap(t *testing.T) {
	lls := make([]float64, 40)
	for i := range lls {
		lls[i] = -float64(i*i%17)/4 - 0.5
	}
	f := func(r float64) float64 { return math.Exp(-r) }
	draws := Bootstrap(lls, nil, 10_000, 1, f)
	if got := StdDev(draws); math.Abs(got/2.6671594109666446-1) > 0.03 {
		t.Errorf("bootstrap standard error %v; the harness has 2.667", got)
	}
	low, high := Percentiles(draws)
	if !(low < 11.444393964331121 && 11.444393964331121 < high) || low < 6 || high > 19 {
		t.Errorf("interval [%v, %v] around 11.44", low, high)
	}
	if !slices.Equal(draws, Bootstrap(lls, nil, 10_000, 1, f)) {
		t.Error("the same seed gives other draws")
	}
	if slices.Equal(draws, Bootstrap(lls, nil, 10_000, 2, f)) {
		t.Error("another seed gives the same draws")
	}
	// Weights: doubling all of them halves every ratio.
	two := slices.Repeat([]float64{2}, len(lls))
	id := func(r float64) float64 { return r }
	one, half := Bootstrap(lls, nil, 100, 3, id), Bootstrap(lls, two, 100, 3, id)
	for i := range one {
		if math.Abs(one[i]-2*half[i]) > 1e-12 {
			t.Fatalf("draw %d: %v unweighted, %v with weights of two", i, one[i], half[i])
		}
	}
}
