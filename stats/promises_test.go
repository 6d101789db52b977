package stats

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// What must not come back: figures found by simulation or by adding up all cases,
// where a comparison promised more than it held.

// long is more where long tests are asked for.
func long(short, more int) int {
	if os.Getenv(longTests) != "" {
		return more
	}
	return short
}

// Few or no discordant documents are not a certainty. Added up over all outcomes of n
// documents of which a share is discordant, in one direction or in both: the interval
// covers the truth, and a gate that allows just the true drop passes no more often
// than its level. The bootstrap's alone covered .33 (n 20) and .64 (n 50) at a
// discordance of .02, and passed in .82 and .61.
func TestFewDiscordantIsNotCertainty(t *testing.T) {
	simulates(t)
	sizes := []int{20, 50, 200}
	if os.Getenv(longTests) != "" {
		sizes = append(sizes, 1000)
	}
	for _, n := range sizes {
		cached := map[[2]int]Interval{}
		for _, discordance := range []float64{0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3} {
			for _, oneSided := range []float64{1, 0.75, 0.5} {
				drop := discordance * oneSided
				worse, better := (discordance+drop)/2, (discordance-drop)/2
				covered, passed := 0.0, 0.0
				first, ms := binomialWeights(n, discordance)
				for i, pm := range ms {
					if pm < 1e-9 {
						continue
					}
					m := first + i
					firstK, ks := binomialWeights(m, better/(worse+better))
					for j, pk := range ks {
						k := firstK + j
						if pk < 1e-9 {
							continue
						}
						in, ok := cached[[2]int{m - k, k}]
						if !ok {
							var err error
							if in, err = BinaryInterval(n, m-k, k, 0.05, Auto); err != nil {
								t.Fatal(err)
							}
							cached[[2]int{m - k, k}] = in
						}
						if in.Low <= -drop && -drop <= in.High {
							covered += pm * pk
						}
						if d, err := Decide(float64(2*k-m)/float64(n), in.Low, in.High, drop, false, BeyondAllowed); err != nil {
							t.Fatal(err)
						} else if d == Pass {
							passed += pm * pk
						}
					}
				}
				t.Logf("n %4d, discordance %.3f, drop %.4f: covered %.4f, passed %.4f", n, discordance, drop, covered, passed)
				if covered < 0.957 || passed > 0.0234 {
					t.Errorf("n %d, discordance %v, drop %v: covered %.4f, passed %.4f", n, discordance, drop, covered, passed)
				}
			}
		}
	}
}

// Over many documents that costs little width: at 1000, 3 to 5 % where 100 or more
// differ, of which coverage of .957 instead of .95 is 3 %: Tango's interval at the level
// itself cost 1 to 2 %, and covered .954. Where 40 to 50 differ, 6 to 8 % (3 to 6 before).
func TestFewDiscordantCostsLittle(t *testing.T) {
	for _, c := range []struct {
		onlyA, onlyB int
		most         float64
	}{{100, 100, 1.05}, {40, 60, 1.05}, {80, 220, 1.05}, {25, 25, 1.085}, {10, 30, 1.085}} {
		in, err := BinaryInterval(1000, c.onlyA, c.onlyB, 0.05, Auto)
		if err != nil {
			t.Fatal(err)
		}
		d := netDistribution(1000, c.onlyA, c.onlyB)
		low, high := expandedTails(1000, 0.05)
		bare := float64(d.fromAbove(high)-d.fromBelow(low)) / 1000
		t.Logf("%d and %d of 1000: %.1f%% wider than the bootstrap", c.onlyA, c.onlyB, 100*((in.High-in.Low)/bare-1))
		if in.High-in.Low > c.most*bare {
			t.Errorf("%d and %d of 1000: %v wide; the bootstrap %v", c.onlyA, c.onlyB, in.High-in.Low, bare)
		}
	}
}

// madeCells are clusters of documents of which a share, drawn for the cluster with
// correlation rho, gets worse.
func madeCells(seed uint64, clusters, size int, share, rho float64) Pairs {
	r := source(seed)
	var p Pairs
	names := labels(clusters, clusters)
	for g := range clusters {
		all, turned := r.Float64() < rho, r.Float64() < share // the whole cluster together, or each for itself
		for range size {
			worse := r.Float64() < share
			if all {
				worse = turned
			}
			a, b := 1.0, 1.0
			if worse {
				b = 0
			}
			p.A, p.B, p.Clusters = append(p.A, a), append(p.B, b), append(p.Clusters, names[g])
		}
	}
	return p
}

// The same in clusters, that covered .76 with 5 of them. Where 40 change as wholes and
// rarely, .89 before two more were taken to, which might. A drop of just the allowed one
// passes in .05 of such cases, not .025: it passes whenever none of the few that would
// change happens to.
func TestFewDiscordantClusters(t *testing.T) {
	simulates(t)
	sims := long(80, 2000)
	for _, clusters := range []int{5, 10, 20, 40} {
		for _, share := range []float64{0.02, 0.1} {
			for _, rho := range []float64{0, 0.3, 1} {
				covered, passed := 0, 0
				for s := range sims {
					c := compare(t, madeCells(uint64(s), clusters, 10, share, rho), Options{Draws: 200, Seed: uint64(s)})
					if c.Low <= -share && -share <= c.High {
						covered++
					}
					if c.Low > -share {
						passed++
					}
				}
				got := float64(covered) / float64(sims)
				t.Logf("%2d clusters of 10, share %.2f, correlation %.1f: covered %.3f, false pass %.3f", clusters, share, rho, got, float64(passed)/float64(sims))
				slack := 4 * math.Sqrt(0.95*0.05/float64(sims))
				if falsely := float64(passed) / float64(sims); got < 0.95-slack || falsely > 0.05+slack {
					t.Errorf("%d clusters, share %v, correlation %v: covered %.3f, false pass %.3f", clusters, share, rho, got, falsely)
				}
			}
		}
	}
}

// Skewed differences are warned of, others hardly: of log-normal ones 9 in 10 at 40
// documents, of normal ones 1 in 50 at most. And pages of log-normal lengths, whose log
// ratios are even, are not taken for skewed.
func TestSkewedDiscriminates(t *testing.T) {
	simulates(t)
	const sims = 400
	fires := func(n int, next func(r interface{ NormFloat64() float64 }) float64) float64 {
		share, _ := rate(sims, func(s int) bool {
			r := source(uint64(s))
			p := Pairs{A: make([]float64, n), B: make([]float64, n)}
			for i := range p.B {
				p.B[i] = next(r)
			}
			_, ok := skewed(p.units(Share).influence())
			return ok
		})
		return share
	}
	for _, n := range []int{10, 20, 40, 100} {
		normal := fires(n, func(r interface{ NormFloat64() float64 }) float64 { return r.NormFloat64() })
		skew := fires(n, func(r interface{ NormFloat64() float64 }) float64 { return math.Exp(r.NormFloat64()) })
		pages, _ := rate(sims, func(s int) bool {
			p := madePages(source(uint64(s)), n, 0)
			_, ok := skewed(p.units(Perplexity).influence())
			return ok
		})
		t.Logf("%3d documents: normal %.3f, log-normal %.3f, pages %.3f", n, normal, skew, pages)
		if least := map[int]float64{10: 0.2, 20: 0.55, 40: 0.85, 100: 0.85}[n]; normal > 0.03 || pages > 0.12 || skew < least {
			t.Errorf("%d documents: warned of %.3f normal, %.3f log-normal, %.3f pages", n, normal, skew, pages)
		}
	}
}

// What shares in clusters could have shown is found as often as it says: of 15
// clusters a t test's figure was found in .39 to .65 of cases, of 40 in .63 to .72,
// and of 5, which no test can tell, in none.
func TestDetectableOfClusters(t *testing.T) {
	simulates(t)
	sims := long(120, 2000)
	for _, c := range []struct {
		clusters int
		share    float64 // discordant, in either direction as often
	}{{5, 0.2}, {15, 0.1}, {15, 0.3}, {40, 0.1}} {
		found, printed := 0, 0
		draw := func(r *rand.Rand, d float64) Pairs {
			var p Pairs
			names := labels(c.clusters, c.clusters)
			for g := range c.clusters {
				lean := 0.05 * r.NormFloat64() // what the cluster's documents share
				for range 10 {
					a, b := 0.0, 0.0
					switch x := r.Float64(); {
					case x < (max(c.share, d)+d)/2+lean:
						b = 1
					case x < max(c.share, d)+lean:
						a = 1
					}
					p.A, p.B, p.Clusters = append(p.A, a), append(p.B, b), append(p.Clusters, names[g])
				}
			}
			return p
		}
		for s := range sims {
			r := source(uint64(s))
			mde := compare(t, draw(r, 0), Options{Draws: 100, Seed: uint64(s)}).MDE
			if math.IsNaN(mde) {
				continue
			}
			if printed++; mde > 1 {
				t.Fatalf("a detectable difference of shares of %v", mde)
			}
			u := draw(r, mde)
			x := u.units(Share)
			for i := range x.b {
				x.b[i] -= x.a[i]
			}
			if p, _ := SignFlip(x.b, 999, 1); p.P < 0.05 {
				found++
			}
		}
		if c.clusters == 5 {
			if printed > 0 {
				t.Errorf("5 clusters cannot reach the level, but %d of %d runs have a detectable difference", printed, sims)
			}
			continue
		}
		got := float64(found) / float64(printed)
		t.Logf("%d clusters, %.1f discordant: in %d of %d runs, found in %.3f of those", c.clusters, c.share, printed, sims, got)
		if got < 0.72 || printed < sims*9/10 {
			t.Errorf("%d clusters, %v discordant: detectable differences in %d of %d runs, found in %.3f", c.clusters, c.share, printed, sims, got)
		}
	}
}

// The interval that decides: of comparisons without a difference none has a verdict
// beside an interval with 0, or an interval without 0 beside none. The uncorrected
// interval left out 0 beside a ~ in 16 to 20 % of runs.
func TestShownIntervalDecides(t *testing.T) {
	simulates(t)
	sims, bare, verdicts := long(80, 1000), 0, 0
	for s := range sims {
		r := source(uint64(7000 + s))
		shift := 0.05 * float64(s%3) // a third of the families do not differ
		var family []*Comparison
		for _, c := range []struct {
			p Pairs
			o Options
		}{
			{madeBinary(r, 200, 0.06, 0.06+shift), Options{}},
			{madeBinary(r, 200, 0.01, 0.01+shift), Options{}},
			{madePages(r, 25, shift), Options{Transform: Perplexity, LowerIsBetter: true}},
			{madePages(r, 9, shift), Options{Transform: Bits, LowerIsBetter: true}},
			{madeClusters(r, 8, 6, shift), Options{}},
			{madeCells(uint64(s), 12, 5, 0.05+shift, 0), Options{}},
		} {
			c.o.Draws, c.o.Seed, c.o.Family = 400, uint64(s), 6
			x := compare(t, c.p, c.o)
			family = append(family, &x)
		}
		if err := Adjust(family); err != nil {
			t.Fatal(err)
		}
		for k, x := range family {
			outside := x.LowAdjusted > 0 || x.HighAdjusted < 0
			if outside != (x.Verdict() != Noise) {
				t.Errorf("family %d, %d: %s beside [%v, %v], p %v", s, k, x.Verdict(), x.LowAdjusted, x.HighAdjusted, x.PAdjusted)
			}
			if x.LowAdjusted > x.Low || x.HighAdjusted < x.High {
				t.Errorf("family %d, %d: [%v, %v] is narrower than [%v, %v]", s, k, x.LowAdjusted, x.HighAdjusted, x.Low, x.High)
			}
			if (x.Low > 0 || x.High < 0) && !outside {
				bare++
			}
			if outside {
				verdicts++
			}
		}
	}
	t.Logf("%d verdicts; %d uncorrected intervals without 0 beside none", verdicts, bare)
	if bare == 0 || verdicts < sims/2 {
		t.Errorf("%d verdicts, %d intervals that the correction widened over 0: this test shows little", verdicts, bare)
	}
}

// Numbers of documents are for a difference that was named, and right for it.
func TestNeededForNamedDifference(t *testing.T) {
	simulates(t)
	const n = 30
	r := source(51)
	p := Pairs{A: make([]float64, n), B: make([]float64, n)}
	for i := range p.B {
		p.B[i] = r.NormFloat64()
	}
	if c := compare(t, p, Options{}); c.NeededN != 0 {
		t.Errorf("%d documents for no difference that was named", c.NeededN)
	}
	for _, effect := range []float64{0.2, 0.4, 0.9} {
		c := compare(t, p, Options{Effect: effect})
		e := p.units(Share).centred()
		got, _ := rate(400, func(s int) bool {
			r := source(uint64(s))
			d := make([]float64, c.NeededN)
			for i := range d {
				d[i] = effect + e[r.IntN(n)]
			}
			f, _ := SignFlip(d, 999, 1)
			return f.P < 0.05
		})
		t.Logf("a difference of %v: %d documents, found in %.3f", effect, c.NeededN, got)
		if math.Abs(got-Power) > 0.06 {
			t.Errorf("a difference of %v: with %d documents found in %.3f", effect, c.NeededN, got)
		}
		p.Clusters = labels(n, n) // each its own: as many clusters as documents
		if x := compare(t, p, Options{Effect: effect}); x.NeededClusters != c.NeededN || x.NeededN != c.NeededN {
			t.Errorf("%d documents in %d clusters; %d alone", x.NeededN, x.NeededClusters, c.NeededN)
		}
		p.Clusters = nil
	}
	// Of shares, exactly: with so many documents the test has the power.
	b := compare(t, madeBinary(source(52), 400, 0.05, 0.05), Options{Effect: 0.03})
	discordance := float64(b.AHigher+b.BHigher) / 400
	if power := mcNemarPower(b.NeededN, discordance, 0.03, criticalCounts(b.NeededN, 0.05)); power < Power || power > Power+0.01 {
		t.Errorf("%d documents have a power of %v", b.NeededN, power)
	}
	if b.NeededClusters != 0 {
		t.Errorf("clusters of documents that stand alone: %d", b.NeededClusters)
	}
}

// A metric beyond a float64 is one metric's matter: the test stands, over the
// loglikelihoods, and a gate fails what it finds worse.
func TestOverflowIsNotAnError(t *testing.T) {
	p := madePages(source(54), 30, 0)
	p.Weights = nil
	for i := range p.A {
		p.A[i], p.B[i] = p.A[i]/100, p.A[i]/100-800
	}
	o := Options{Transform: Perplexity, LowerIsBetter: true}
	c := compare(t, p, o)
	if err := Adjust([]*Comparison{&c}); err != nil {
		t.Fatal(err)
	}
	if c.Verdict() != Worse || !Has(c.Warnings, Overflow) || !math.IsInf(c.B, 1) {
		t.Errorf("%+v", c)
	}
	if g, err := Gate(&c, 0.1, BeyondAllowed); err != nil || g.Decision != Regressed {
		t.Errorf("%+v, %v", g, err)
	}
	if x := compare(t, mirrored(p), o); x.Verdict() != Better {
		t.Errorf("mirror: %+v", x)
	}
	// A single page that no word of is likely is not a proof.
	p.B = slices.Clone(p.A)
	p.B[3] -= 1e6
	c = compare(t, p, o)
	if c.Verdict() != Noise || !Has(c.Warnings, Overflow) || !math.IsNaN(c.Low) {
		t.Errorf("%+v", c)
	}
	if g, err := Gate(&c, 0.1, BeyondAllowed); err != nil || g.Decision != Inconclusive {
		t.Errorf("%+v, %v", g, err)
	}
}

// A difference that rounding may make in every document is none, however sure.
func TestRoundingIsNotADifference(t *testing.T) {
	for _, o := range []Options{{Transform: Perplexity}, {Transform: Bits}} {
		o.LowerIsBetter, o.Rounding = true, 1e-4
		for _, c := range []struct {
			by   float64 // of a page's loglikelihood
			want Verdict
		}{{5e-5, Noise}, {-5e-5, Noise}, {1e-3, Better}, {-1e-3, Worse}} {
			p := madePages(source(55), 60, 0)
			for i := range p.B {
				p.B[i] = p.A[i] + c.by*(1+float64(i%5)/10)
			}
			x := compare(t, p, o)
			if !(x.P < 0.001) || x.Verdict() != c.want || Has(x.Warnings, Arithmetic) != (c.want == Noise) {
				t.Errorf("loglikelihoods %v apart: %s, %+v", c.by, x.Verdict(), x)
			}
		}
	}
}
