package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A gate calls a drop that is truly the allowed one a regression no more often than
// half its level; the rule WorseAtAll in half of all cases, and three quarters of it
// in a fifth: why it is not the default. Added up over all outcomes.
func TestRegressedAtTheBoundary(t *testing.T) {
	simulates(t)
	const n, discordance, allowed = 1000, 0.05, 0.02
	first, ms := binomialWeights(n, discordance)
	share := func(drop float64, rule Rule) (regressed float64) {
		for i, pm := range ms {
			if pm < 1e-7 {
				continue
			}
			m := first + i
			firstK, ks := binomialWeights(m, (discordance-drop)/2/discordance)
			for j, pk := range ks {
				k := firstK + j
				if pk < 1e-6 || m-2*k <= int(allowed*n) {
					continue
				}
				in, err := BinaryInterval(n, m-k, k, 0.05, Auto)
				if err != nil {
					t.Fatal(err)
				}
				if d, _ := Decide(float64(2*k-m)/n, in.Low, in.High, allowed, false, rule); d == Regressed {
					regressed += pm * pk
				}
			}
		}
		return regressed
	}
	at, below, worse, worseBelow := share(allowed, BeyondAllowed), share(0.75*allowed, BeyondAllowed), share(allowed, WorseAtAll), share(0.75*allowed, WorseAtAll)
	t.Logf("at the allowed drop %.4f, at 3/4 of it %.4f; of the rule that asks for less %.3f and %.3f", at, below, worse, worseBelow)
	if at < 0.012 || at > 0.0215 || below > 0.004 || worse < 0.4 || worseBelow < 0.15 {
		t.Errorf("regressed at the allowed drop %.4f, at 3/4 of it %.4f; worse at all %.3f, %.3f", at, below, worse, worseBelow)
	}
	// As large a drop as the gate names is found as often as it says.
	for _, rule := range []Rule{BeyondAllowed, WorseAtAll} {
		drop := DetectableAccuracyDrop(n, discordance, allowed, 0.05, rule)
		first, ms = binomialWeights(n, max(discordance, drop))
		if got := share(drop, rule); math.Abs(got-Power) > 0.04 {
			t.Errorf("%s: a drop of %.4f is called a regression in %.3f", rule, drop, got)
		}
	}
}

// With as many documents as a gate asks for, a run that is as good passes as often.
func TestNeededToPass(t *testing.T) {
	simulates(t)
	const allowed = 0.02
	even := Pairs{A: make([]float64, 300), B: make([]float64, 300)}
	for i := range 9 {
		even.A[i], even.B[i+9] = 1, 1
	}
	first := compare(t, even, Options{})
	g, err := Gate(&first, allowed, BeyondAllowed)
	if err != nil || g.Decision != Inconclusive || g.NeededN < 300 {
		t.Fatalf("%+v, %v", g, err)
	}
	cached := map[[2]int]Interval{}
	d := float64(first.AHigher+first.BHigher) / 300
	passed, _ := rate(1000, func(s int) bool {
		a, b := counts(madeBinary(source(uint64(s)), g.NeededN, d/2, d/2))
		in, ok := cached[[2]int{a, b}]
		if !ok {
			if in, err = BinaryInterval(g.NeededN, a, b, 0.05, Auto); err != nil {
				t.Fatal(err)
			}
			cached[[2]int{a, b}] = in
		}
		return in.Low > -allowed
	})
	t.Logf("with %d documents %.3f pass", g.NeededN, passed)
	if passed < 0.76 || passed > 0.86 {
		t.Errorf("with %d documents %.3f pass", g.NeededN, passed)
	}
	if g, err := Gate(&first, 0, BeyondAllowed); err != nil || g.NeededN != 0 {
		t.Errorf("nothing allowed: %+v, %v", g, err)
	}
}

// The drop that a gate says it finds is found as often, by either rule, of metrics
// other than independent shares; one that is just allowed is called a regression no
// more often than the level says.
func TestGateFindsWhatItSays(t *testing.T) {
	simulates(t)
	sims := long(60, 2000)
	for _, c := range []struct {
		name    string
		allowed float64
		make    func(r *rand.Rand, drop float64) Pairs
		o       Options
	}{
		{"mean of 60 documents", 0.005, func(r *rand.Rand, drop float64) Pairs {
			p := Pairs{A: make([]float64, 60), B: make([]float64, 60)}
			for i := range p.A {
				p.A[i] = r.NormFloat64()
				p.B[i] = p.A[i] - drop + 0.05*r.NormFloat64()
			}
			return p
		}, Options{}},
		{"perplexity of 30 pages", 0.2, func(r *rand.Rand, drop float64) Pairs {
			p := madePages(r, 30, 0)
			value := exp(-sum(p.A) / sum(p.Weights))
			for i := range p.B {
				p.B[i] -= p.Weights[i] * math.Log1p(drop/value)
			}
			return p
		}, Options{Transform: Perplexity, LowerIsBetter: true}},
		{"mean of 12 clusters", 0.02, func(r *rand.Rand, drop float64) Pairs { return madeClusters(r, 12, 6, -drop) }, Options{}},
	} {
		for _, rule := range []Rule{BeyondAllowed, WorseAtAll} {
			found, atAllowed, n := 0, 0, 0
			for s := range sims {
				r := source(uint64(s))
				c.o.Draws, c.o.Seed = 200, uint64(s)
				decide := func(drop float64) GateResult {
					x := compare(t, c.make(r, drop), c.o)
					g, err := Gate(&x, c.allowed, rule)
					if err != nil {
						t.Fatal(err)
					}
					return g
				}
				least := decide(0).Detectable
				if math.IsNaN(least) || least < c.allowed {
					t.Fatalf("%s: finds %v", c.name, least)
				}
				n++
				if decide(least).Decision == Regressed {
					found++
				}
				if decide(c.allowed).Decision == Regressed {
					atAllowed++
				}
			}
			got, at := float64(found)/float64(n), float64(atAllowed)/float64(n)
			t.Logf("%-24s %-15s: %.3f found, %.3f at the allowed drop", c.name, rule, got, at)
			if math.Abs(got-Power) > 4*math.Sqrt(0.16/float64(n)) || rule == BeyondAllowed && at > 0.025+4*math.Sqrt(0.025/float64(n)) {
				t.Errorf("%s, %s: %.3f found, %.3f at the allowed drop", c.name, rule, got, at)
			}
		}
	}
}
