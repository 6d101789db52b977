package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// Reference values: statsmodels 0.15.0, proportion_confint(k, n, method="wilson").
func TestWilsonOfSmallCounts(t *testing.T) {
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
	} {
		values := make([]float64, c.n)
		for i := range c.k {
			values[i] = 1
		}
		e := single(t, List{Values: values}, Options{})
		if math.Abs(e.Low-c.low) > 1e-14 || math.Abs(e.High-c.high) > 1e-14 {
			t.Errorf("%d of %d: [%v, %v]; want [%v, %v]", c.k, c.n, e.Low, e.High, c.low, c.high)
		}
		low, high := wilsonShare(float64(c.k)/float64(c.n), float64(c.n), normalQuantile(0.975))
		if math.Abs(low-c.low) > 1e-14 || math.Abs(high-c.high) > 1e-14 {
			t.Errorf("%d of %d, by the share: [%v, %v]; want [%v, %v]", c.k, c.n, low, high, c.low, c.high)
		}
	}
}

func single(t *testing.T, l List, o Options) Estimate {
	t.Helper()
	e, err := Single(l, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Reference value: lm-evaluation-harness 0.4.13, mean_stderr. Clusters leave it as it is.
func TestStdErr(t *testing.T) {
	values := []float64{1, 0, 0, 1, 1, 0, 1}
	const want = 0.20203050891044214
	for _, clusters := range [][]string{nil, {"a", "a", "b", "b", "c", "c", "c"}} {
		if e := single(t, List{Values: values, Clusters: clusters}, Options{}); math.Abs(e.SE-want) > 1e-15 {
			t.Errorf("standard error %v, want %v", e.SE, want)
		}
	}
	if got := StdErr([]float64{1}); !math.IsNaN(got) {
		t.Errorf("the standard error of one value is %v, not NaN", got)
	}
}

// The bootstrap error of a perplexity agrees with lm-evaluation-harness' own
// (bootstrap_stderr with 100,000 draws: 2.66716 for these values) within what
// 10,000 draws leave open, and does not move between runs.
func TestBootstrapError(t *testing.T) {
	l := List{Values: make([]float64, 40)}
	for i := range l.Values {
		l.Values[i] = -float64(i*i%17)/4 - 0.5
	}
	o := Options{Transform: Perplexity, Seed: 1}
	e := single(t, l, o)
	if math.Abs(e.SE/2.6671594109666446-1) > 0.03 {
		t.Errorf("bootstrap standard error %v; the harness has 2.667", e.SE)
	}
	if math.Abs(e.Value-11.444393964331121) > 1e-12 || !(e.Low < e.Value && e.Value < e.High) || e.Low < 6 || e.High > 19 {
		t.Errorf("%v in [%v, %v], want 11.44", e.Value, e.Low, e.High)
	}
	if again := single(t, l, o); again.SE != e.SE {
		t.Error("the same seed gives other draws")
	}
	o.Seed = 2
	if other := single(t, l, o); other.SE == e.SE || other.Low != e.Low {
		t.Error("another seed gives the same draws, or another interval")
	}
}

// One statement in three units: the interval of a perplexity is that of its bits.
func TestIntervalOnTheLogScale(t *testing.T) {
	p := madePages(source(3), 7, 0)
	l := List{Values: p.B, Weights: p.Weights}
	bits, ppl := single(t, l, Options{Transform: Bits}), single(t, l, Options{Transform: Perplexity})
	for _, x := range [][2]float64{{bits.Low, ppl.Low}, {bits.Value, ppl.Value}, {bits.High, ppl.High}} {
		if math.Abs(math.Exp2(x[0])/x[1]-1) > 1e-12 {
			t.Errorf("2^%v is not the perplexity %v", x[0], x[1])
		}
	}
	if !(ppl.Low > 0 && ppl.Low < ppl.Value && ppl.Value < ppl.High) {
		t.Errorf("%+v", ppl)
	}
	two := single(t, List{Values: p.B[:2], Weights: p.Weights[:2]}, Options{Transform: Perplexity})
	if !(two.Low > 0 && two.High > two.Value) {
		t.Errorf("two pages: %+v", two)
	}
	one := single(t, List{Values: p.B[:1], Weights: p.Weights[:1]}, Options{Transform: Perplexity})
	if !math.IsNaN(one.Low) || !math.IsNaN(one.High) || !math.IsNaN(one.SE) || !Has(one.Warnings, NoInterval) {
		t.Errorf("one page: %+v", one)
	}
}

// Clusters: the error of statsmodels (see the golden of Mean), an interval that is
// wider than that of independent documents and stays a share's, also where all
// documents are right; clusters of one document each are none.
func TestClusteredShares(t *testing.T) {
	r := source(5)
	var l List
	for g := range 12 {
		right := float64(r.IntN(2))
		for range 5 {
			l.Values, l.Clusters = append(l.Values, right), append(l.Clusters, labels(12, 12)[g])
		}
	}
	alone := single(t, List{Values: l.Values}, Options{})
	e := single(t, l, Options{})
	mean := compare(t, Pairs{A: make([]float64, 60), B: l.Values, Clusters: l.Clusters}, Options{})
	if e.Clusters != 12 || math.Abs(e.ClusteredSE-mean.SE) > 1e-15 || e.SE != alone.SE || !(e.ClusteredSE > 1.5*e.SE) {
		t.Errorf("%+v, want the clustered error %v", e, mean.SE)
	}
	if !(e.Low < alone.Low && e.High > alone.High && e.Low >= 0 && e.High <= 1) {
		t.Errorf("[%v, %v] with clusters, [%v, %v] without", e.Low, e.High, alone.Low, alone.High)
	}
	all := List{Values: slices.Repeat([]float64{1}, 60), Clusters: l.Clusters}
	if e := single(t, all, Options{}); e.High != 1 || !(e.Low > 0.5 && e.Low < single(t, List{Values: all.Values}, Options{}).Low) {
		t.Errorf("all right: [%v, %v]", e.Low, e.High)
	}
	l.Clusters = labels(60, 60)
	if e := single(t, l, Options{}); e.Clusters != 0 || e.Low != alone.Low || !math.IsNaN(e.ClusteredSE) {
		t.Errorf("clusters of one: %+v", e)
	}
	l.Clusters = slices.Repeat([]string{"one"}, 60)
	if e := single(t, l, Options{}); e.Clusters != 1 || !math.IsNaN(e.Low) || !Has(e.Warnings, NoInterval) {
		t.Errorf("a single cluster: %+v", e)
	}
}

func TestShared(t *testing.T) {
	if got := Shared([]string{"", "a", "b", ""}); got != nil {
		t.Errorf("no two share a label, but %q", got)
	}
	got := Shared([]string{"", "a", "", "a"})
	if len(got) != 4 || got[1] != "a" || got[3] != "a" || got[0] == got[2] || got[0] == "" {
		t.Errorf("%q", got)
	}
}

// longTests is the environment variable that asks for tests too long for every day.
const longTests = "SOFTBENCH_LONG"

// simulations is how many of them to make.
func simulations(usual, long int) int {
	if os.Getenv(longTests) != "" {
		return long
	}
	return usual
}

// Intervals of single runs hold the truth. Before, Wilson's for clustered documents
// did in 0.37 to 0.87 of cases, and a perplexity's percentile interval in 0.50 (two
// pages), 0.82 to 0.86 (five) and 0.90 to 0.92 (twelve).
func TestSingleCoverage(t *testing.T) {
	simulates(t)
	sims := simulations(1500, 20_000)
	covered := func(name string, least, truth float64, o Options, made func(r *rand.Rand) List) {
		o.Draws = 100 // of the standard error, which is not looked at
		share, _ := rate(sims, func(s int) bool {
			e := single(t, made(source(uint64(s))), o)
			return e.Low <= truth && truth <= e.High
		})
		t.Logf("%-55s %.4f", name, share)
		if slack := 4 * math.Sqrt(0.05*0.95/float64(sims)); share < least-slack {
			t.Errorf("%s: the interval holds the truth in %.4f of cases, want %.3f", name, share, least)
		}
	}
	// The clusters' own shares vary by the intraclass correlation; equal in size, or
	// one to about thirty documents.
	for _, c := range []struct {
		clusters           int
		share, correlation float64
		unequal            bool
		least              float64
	}{
		{5, 0.5, 0.1, false, 0.95}, {5, 0.5, 0.9, false, 0.95}, {5, 0.2, 0.5, true, 0.94},
		{15, 0.5, 0.5, false, 0.95}, {15, 0.2, 0.1, true, 0.94}, {15, 0.5, 0.9, true, 0.94},
		{40, 0.5, 0.5, false, 0.95}, {40, 0.2, 0.5, true, 0.92}, {40, 0.05, 0.1, false, 0.94},
	} {
		name := fmt.Sprintf("%g right in %d clusters, correlation %g, unequal %v", c.share, c.clusters, c.correlation, c.unequal)
		covered(name, c.least, c.share, Options{}, func(r *rand.Rand) List {
			return madeShares(r, c.clusters, c.share, c.correlation, c.unequal)
		})
	}
	for _, n := range []int{2, 5, 12} {
		covered(fmt.Sprintf("perplexity of %d pages", n), 0.93, math.Exp(3), Options{Transform: Perplexity}, func(r *rand.Rand) List {
			p := madePages(r, n, 0)
			for i, w := range p.Weights { // one draw of noise a page, as its rate
				p.B[i] = w * (-3 + 0.3*r.NormFloat64())
			}
			return List{Values: p.B, Weights: p.Weights}
		})
	}
}

// madeShares are clusters of eight documents on average, of which a cluster's own
// share is right: with the given correlation within it, all or none of them, else
// each by itself.
func madeShares(r *rand.Rand, clusters int, share, correlation float64, unequal bool) (l List) {
	names := labels(clusters, clusters)
	for g := range clusters {
		size := 8
		if unequal {
			size = 1 + int(7.5*r.ExpFloat64())
		}
		// A document follows its cluster with probability sqrt(correlation).
		all := r.Float64() < share
		for range size {
			right := r.Float64() < share
			if r.Float64() < math.Sqrt(correlation) {
				right = all
			}
			v := 0.0
			if right {
				v = 1
			}
			l.Values, l.Clusters = append(l.Values, v), append(l.Clusters, names[g])
		}
	}
	return l
}
