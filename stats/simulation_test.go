package stats

import (
	"math"
	"testing"
)

// The promises, tried out: thousands of made comparisons whose truth is known. All
// seeds are fixed, so that these tests say the same every time; the slack is four
// standard errors of the simulation itself.

func simulates(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("simulations take seconds: run without -short")
	}
}

// rate is the share of sims for which hit is true, with four Monte Carlo errors.
func rate(sims int, hit func(sim int) bool) (share, slack float64) {
	n := 0
	for s := range sims {
		if hit(s) {
			n++
		}
	}
	share = float64(n) / float64(sims)
	return share, 4 * math.Sqrt(max(share*(1-share), 0.01)/float64(sims))
}

// Under no difference the tests raise a false alarm at most at their level.
func TestFalseAlarms(t *testing.T) {
	simulates(t)
	const level, sims = 0.05, 4000
	for _, c := range []struct {
		name string
		hit  func(s int) bool
	}{
		{"McNemar, 300 documents, 20% discordant", func(s int) bool {
			a, b := counts(madeBinary(source(uint64(s)), 300, 0.1, 0.1))
			p, _, _ := McNemar(a, b)
			return p < level
		}},
		{"McNemar, 300 documents, 2% discordant", func(s int) bool {
			a, b := counts(madeBinary(source(uint64(s)), 300, 0.01, 0.01))
			p, _, _ := McNemar(a, b)
			return p < level
		}},
		{"interval of accuracies, 300 documents, 2% discordant", func(s int) bool {
			a, b := counts(madeBinary(source(uint64(s)), 300, 0.01, 0.01))
			i, _ := BinaryInterval(300, a, b, level, Percentile)
			return i.Low > 0 || i.High < 0
		}},
		{"sign-flip, 12 pages, exact", flipped(12, 0)},
		{"sign-flip, 62 pages, drawn", flipped(62, 0)},
		{"sign-flip, 12 clusters of 10 documents", func(s int) bool {
			p := madeClusters(source(uint64(s)), 12, 10, 0)
			u := p.units(Share)
			for i := range u.b {
				u.b[i] -= u.a[i]
			}
			r, _ := SignFlip(u.b, 999, 1)
			return r.P < level
		}},
	} {
		got, slack := rate(sims, c.hit)
		t.Logf("%-55s %.4f", c.name, got)
		if got > level+slack {
			t.Errorf("%s: false alarms %.4f, level %v", c.name, got, level)
		}
	}
}

func flipped(n int, shift float64) func(s int) bool {
	return func(s int) bool {
		p := madePages(source(uint64(s)), n, shift)
		for i := range p.B {
			p.B[i] -= p.A[i]
		}
		r, _ := SignFlip(p.B, 999, 1)
		return r.P < 0.05
	}
}

// madeClusters have one shared difference each, with noise of the documents.
func madeClusters(r interface{ NormFloat64() float64 }, clusters, size int, shift float64) Pairs {
	var p Pairs
	names := labels(clusters, clusters)
	for g := range clusters {
		shared := shift + 0.1*r.NormFloat64()
		for range size {
			a := r.NormFloat64()
			p.A = append(p.A, a)
			p.B = append(p.B, a+shared+0.1*r.NormFloat64())
			p.Clusters = append(p.Clusters, names[g])
		}
	}
	return p
}

// Whole comparisons under no difference: neither a verdict nor an interval without
// 0 more often than the level, and a family's Holm-corrected verdicts at most so
// often taken together.
func TestFalseVerdicts(t *testing.T) {
	simulates(t)
	const level, sims = 0.05, 600
	verdicts, intervals, families := 0, 0, 0
	for s := range sims {
		r := source(uint64(1000 + s))
		clustered := madeClusters(r, 8, 6, 0)
		var family []*Comparison
		for _, c := range []struct {
			p Pairs
			o Options
		}{
			{madeBinary(r, 200, 0.06, 0.06), Options{}},
			{madeBinary(r, 200, 0.01, 0.01), Options{}},
			{madePages(r, 25, 0), Options{Transform: Perplexity}},
			{madePages(r, 5, 0), Options{Transform: Perplexity}},
			{clustered, Options{}},
		} {
			c.o.Draws, c.o.Seed = 400, uint64(s)
			x := compare(t, c.p, c.o)
			family = append(family, &x)
			if x.P < level {
				verdicts++
			}
			if x.Low > 0 || x.High < 0 {
				intervals++
			}
		}
		if err := Adjust(family); err != nil {
			t.Fatal(err)
		}
		for _, x := range family {
			if x.Significant() {
				families++
				break
			}
		}
	}
	for _, c := range []struct {
		name string
		hits int
		of   int
	}{{"p < level", verdicts, 5 * sims}, {"interval without 0", intervals, 5 * sims}, {"a family with a verdict", families, sims}} {
		share := float64(c.hits) / float64(c.of)
		t.Logf("%-25s %.4f", c.name, share)
		if share > level+4*math.Sqrt(level*(1-level)/float64(c.of)) {
			t.Errorf("%s: %.4f of comparisons without a difference, level %v", c.name, share, level)
		}
	}
}

// At the detectable difference, and at others, the power is as predicted within
// three points.
func TestPowerAsPredicted(t *testing.T) {
	simulates(t)
	const level, sims = 0.05, 4000
	check := func(name string, predicted float64, hit func(s int) bool) {
		got, _ := rate(sims, hit)
		t.Logf("%-50s predicted %.3f, found %.3f", name, predicted, got)
		if math.Abs(got-predicted) > 0.03 {
			t.Errorf("%s: power %.3f; predicted %.3f", name, got, predicted)
		}
	}
	for _, c := range []struct {
		n           int
		discordance float64
	}{{200, 0.1}, {500, 0.15}, {1000, 0.05}} {
		mde, err := mcNemarMDE(c.n, c.discordance, level, Power)
		if err != nil {
			t.Fatal(err)
		}
		for _, share := range []float64{1, 0.6} {
			d := mde * share
			want := mcNemarPower(c.n, c.discordance, d, criticalCounts(c.n, level))
			check("McNemar", want, func(s int) bool {
				a, b := counts(madeBinary(source(uint64(s)), c.n, (c.discordance-d)/2, (c.discordance+d)/2))
				p, _, _ := McNemar(a, b)
				return p < level
			})
		}
	}
	for _, n := range []int{6, 12, 40} {
		power, printed := 0.0, 0
		const runs = 400
		for s := range runs {
			r := source(uint64(s))
			d := Pairs{A: make([]float64, n), B: make([]float64, n)}
			for i := range d.B {
				d.B[i] = r.NormFloat64()
			}
			mde := compare(t, d, Options{Draws: 200, Seed: uint64(s)}).MDE
			if math.IsNaN(mde) {
				continue
			}
			printed++
			for i := range d.B {
				d.B[i] = mde + r.NormFloat64()
			}
			if p, _ := SignFlip(d.B, 999, 1); p.P < level {
				power++
			}
		}
		power /= float64(printed)
		t.Logf("sign-flip of %2d normal differences                  detectable in %d of %d runs, found in %.3f of those", n, printed, runs, power)
		if power < 0.74 || power > 0.88 || printed < runs*9/10 {
			t.Errorf("sign-flip of %d differences: printed %d times in %d, found in %.3f", n, printed, runs, power)
		}
	}
}

// Intervals hold the truth about as often as they say: at most two points below
// and four above 95% at moderate n.
func TestCoverage(t *testing.T) {
	simulates(t)
	const sims = 1000
	for _, c := range []struct {
		name  string
		truth float64
		make  func(s int) Pairs
		o     Options
	}{
		{"accuracy, 400 documents, 16% discordant", 0.04, func(s int) Pairs { return madeBinary(source(uint64(s)), 400, 0.06, 0.10) }, Options{}},
		{"accuracy, 400 documents, BCa", 0.04, func(s int) Pairs { return madeBinary(source(uint64(s)), 400, 0.06, 0.10) }, Options{Method: BCa}},
		{"accuracy, 100 documents, 40% discordant", -0.2, func(s int) Pairs { return madeBinary(source(uint64(s)), 100, 0.3, 0.1) }, Options{}},
		{"perplexity, 62 pages", 0, func(s int) Pairs { return madePages(source(uint64(s)), 62, 0) }, Options{Transform: Perplexity}},
		{"perplexity, 62 pages, percentile", 0, func(s int) Pairs { return madePages(source(uint64(s)), 62, 0) }, Options{Transform: Perplexity, Method: Percentile}},
		{"perplexity, 6 pages", 0, func(s int) Pairs { return madePages(source(uint64(s)), 6, 0) }, Options{Transform: Perplexity}},
		{"bits, 62 pages, different", -0.02 / math.Ln2, func(s int) Pairs { return madePages(source(uint64(s)), 62, 0.02) }, Options{Transform: Bits}},
		{"mean, 15 clusters of 8", 0.05, func(s int) Pairs { return madeClusters(source(uint64(s)), 15, 8, 0.05) }, Options{}},
	} {
		c.o.Draws = 600
		got, _ := rate(sims, func(s int) bool {
			c.o.Seed = uint64(s)
			p := c.make(s)
			x := compare(t, p, c.o)
			return x.Low <= c.truth && c.truth <= x.High
		})
		t.Logf("%-45s %.4f", c.name, got)
		if got < 0.93 || got > 0.99 {
			t.Errorf("%s: the interval holds the truth in %.4f of cases", c.name, got)
		}
	}
}

// Clustered documents taken for independent ones raise false alarms several times
// the level: what the clusters are for.
func TestClustersMatter(t *testing.T) {
	simulates(t)
	const sims = 300
	alarms := func(clusters bool) float64 {
		share, _ := rate(sims, func(s int) bool {
			p := madeClusters(source(uint64(s)), 12, 10, 0)
			if !clusters {
				p.Clusters = nil
			}
			c := compare(t, p, Options{Draws: 300, Seed: uint64(s)})
			return c.Low > 0 || c.High < 0
		})
		return share
	}
	with, without := alarms(true), alarms(false)
	t.Logf("false alarms: %.3f with clusters, %.3f without", with, without)
	if with > 0.09 || without < 0.25 {
		t.Errorf("false alarms: %.3f with clusters, %.3f without", with, without)
	}
}

func BenchmarkCompare(b *testing.B) {
	r := source(1)
	accuracy, pages := madeBinary(r, 10_000, 0.05, 0.06), madePages(r, 10_000, 0.001)
	plain := pages
	plain.Weights = nil
	for _, c := range []struct {
		name string
		p    Pairs
		o    Options
	}{
		{"accuracy", accuracy, Options{}},
		{"mean", plain, Options{}},
		{"perplexity", pages, Options{Transform: Perplexity}},
	} {
		b.Run(c.name+"/10000", func(b *testing.B) {
			for b.Loop() {
				if _, err := Compare(c.p, c.o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
