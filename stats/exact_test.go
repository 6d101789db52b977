package stats

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"testing"
)

// The counts stand for the documents: over all n^n resamples of a few documents,
// the net number of discordant ones is distributed as netDistribution says.
func TestCountsAreResamples(t *testing.T) {
	for _, d := range [][]int{{1, 0, -1, 1}, {1, 1, 0, 0, 0}, {-1, 1, 1, 0, 1, -1}, {1, 1, 1}, {-1, 0, 0, 0}} {
		n := len(d)
		onlyA, onlyB := 0, 0
		for _, x := range d {
			if x < 0 {
				onlyA++
			} else if x > 0 {
				onlyB++
			}
		}
		got := netDistribution(n, onlyA, onlyB)
		tally := map[int]int{}
		all := 1
		for range n {
			all *= n
		}
		for code := range all {
			net := 0
			for k, c := 0, code; k < n; k++ {
				net += d[c%n]
				c /= n
			}
			tally[net]++
		}
		for i, w := range got.weights {
			if want := float64(tally[got.first+i]) / float64(all); math.Abs(w-want) > 1e-14 {
				t.Errorf("%v: net %d has probability %v; of all resamples %v", d, got.first+i, w, want)
			}
		}
		if len(got.weights) < 2*n+1 && len(tally) > len(got.weights) {
			t.Errorf("%v: outcomes are missing", d)
		}
	}
}

// And drawing resamples of the documents themselves comes out beside it.
func TestCountsBesideDraws(t *testing.T) {
	p := madeBinary(source(21), 400, 0.1, 0.16)
	onlyA, onlyB := counts(p)
	d := netDistribution(400, onlyA, onlyB)
	u := p.units(Share)
	const draws = 40_000
	sorted, err := u.draw(draws, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, tail := range []float64{0.025, 0.1, 0.5} {
		low, high := quantiles(sorted, tail, tail)
		// Either may fall on the neighbouring count.
		if math.Abs(low*400-float64(d.fromBelow(tail))) > 1.01 || math.Abs(high*400-float64(d.fromAbove(tail))) > 1.01 {
			t.Errorf("tail %v: draws [%v, %v], counts [%d, %d]", tail, low*400, high*400, d.fromBelow(tail), d.fromAbove(tail))
		}
	}
}

// The interval of accuracies leaves out 0 only where the exact test does.
func TestIntervalFollowsTest(t *testing.T) {
	for _, n := range []int{40, 200} {
		for onlyA := 0; onlyA <= 20; onlyA++ {
			for onlyB := 0; onlyB <= 20; onlyB++ {
				p, _, err := McNemar(onlyA, onlyB)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range []Method{Percentile, BCa} {
					i, err := BinaryInterval(n, onlyA, onlyB, 0.05, m)
					if err != nil {
						t.Fatal(err)
					}
					diff := float64(onlyB-onlyA) / float64(n)
					if (i.Low > 0 || i.High < 0) && p >= 0.05 {
						t.Errorf("%d to %d of %d: %+v leaves out 0 at p = %v", onlyA, onlyB, n, i, p)
					}
					if i.Low > diff || i.High < diff {
						t.Errorf("%d to %d of %d: %+v leaves out the difference itself", onlyA, onlyB, n, i)
					}
				}
			}
		}
	}
}

// Smallest counts by hand: 6 discordant documents of one side have p = 2/64.
func TestLeastDiscordant(t *testing.T) {
	for level, want := range map[float64]int{0.05: 6, 0.01: 8, 0.005: 9} {
		if got := LeastDiscordant(level); got != want {
			t.Errorf("level %v: %d; want %d", level, got, want)
		}
		over, _, _ := McNemar(0, want-1)
		under, _, _ := McNemar(0, want)
		if over < level || under >= level {
			t.Errorf("level %v: p %v at %d, %v at one fewer", level, under, want, over)
		}
	}
}

// exp is math.Exp but for the last places, ends included.
func TestExp(t *testing.T) {
	r := source(22)
	worst := 0.0
	for range 200_000 {
		x := -740 + 1449*r.Float64()
		want := math.Exp(x)
		if want < 0x1p-1022 { // subnormal
			if math.Abs(exp(x)-want) > 0x1p-1073 {
				t.Fatalf("exp(%v) = %v; math.Exp %v", x, exp(x), want)
			}
			continue
		}
		ulp := math.Nextafter(want, math.Inf(1)) - want
		worst = max(worst, math.Abs(exp(x)-want)/ulp)
	}
	t.Logf("at most %v units in the last place from math.Exp", worst)
	if worst > 2 {
		t.Errorf("%v units in the last place from math.Exp", worst)
	}
	for _, x := range []float64{0, math.Inf(1), math.Inf(-1), 710, -746, 709, 1e300, -1e300} {
		if got, want := exp(x), math.Exp(x); math.Abs(got/want-1) > 1e-15 && got != want {
			t.Errorf("exp(%v) = %v; math.Exp has %v", x, got, want)
		}
	}
	if !math.IsNaN(exp(math.NaN())) {
		t.Error("exp(NaN) is a number")
	}
}

// The draws are these bits on every machine, with any number of threads.
func TestDrawsAreFixed(t *testing.T) {
	p := Pairs{A: make([]float64, 37), B: make([]float64, 37), Weights: make([]float64, 37)}
	for i := range p.A { // plain arithmetic, so that the input is the same everywhere too
		p.Weights[i] = float64(20 + i*i%19)
		p.A[i] = -p.Weights[i] * float64(40+i%7) / 16
		p.B[i] = -p.Weights[i] * float64(40+i%5) / 16
	}
	for _, c := range []struct {
		transform Transform
		want      string
	}{
		{Share, "9f1610cfbfa53c0e"},
		{Perplexity, "985f50a3c693c0fd"},
		{Bits, "84aca01ad6a55ac4"},
	} {
		for _, threads := range []int{1, 4} {
			before := runtime.GOMAXPROCS(threads)
			sorted, err := p.units(c.transform).draw(1000, 99)
			runtime.GOMAXPROCS(before)
			if err != nil {
				t.Fatal(err)
			}
			h := sha256.New()
			for _, d := range sorted {
				binary.Write(h, binary.LittleEndian, math.Float64bits(d))
			}
			if got := fmt.Sprintf("%x", h.Sum(nil))[:16]; got != c.want {
				t.Errorf("transform %d, %d threads: draws hash to %s; want %s", c.transform, threads, got, c.want)
			}
		}
	}
}

// Every sign is tried: the count is that of a loop over all patterns, also where
// many sums are equal, or equal to the limit.
func TestSignFlipTriesAll(t *testing.T) {
	r := source(24)
	for trial := range 300 {
		d := make([]float64, 1+r.IntN(11))
		for i := range d {
			if d[i] = r.NormFloat64(); trial%3 > 0 { // ties, and negative or no sums
				d[i] = float64(r.IntN(7)-3) / 4
			}
			if d[i] == 0 {
				d[i] = 1
			}
		}
		limit := math.Abs(sum(d))
		if trial%5 == 4 {
			limit = math.Abs(d[0])
		}
		hits := 0
		for signs := range 1 << len(d) {
			s := 0.0
			for i, x := range d {
				if signs>>i&1 == 1 {
					x = -x
				}
				s += x
			}
			if math.Abs(s) >= limit-1e-12 {
				hits++
			}
		}
		if got, want := allFlips(d, limit-1e-12), float64(hits)/float64(int(1)<<len(d)); got != want {
			t.Fatalf("%v at least %v from 0: share %v, want %v", d, limit, got, want)
		}
	}
	if got := allFlips([]float64{1, -1}, 0); got != 1 {
		t.Errorf("at least 0 from 0: %v", got)
	}
}

// Sign-flips drawn at random agree with all of them tried.
func TestSignFlipDrawn(t *testing.T) {
	r := source(23)
	for _, shift := range []float64{0, 0.3, 0.7} {
		d := make([]float64, 18)
		for i := range d {
			d[i] = r.NormFloat64() + shift
		}
		exact, err := SignFlip(d, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		limit := math.Abs(sum(d)) - 1e-12
		const draws = 200_000
		if drawn := someFlips(d, limit, draws, 5); math.Abs(drawn-exact.P) > 5*math.Sqrt(exact.P*(1-exact.P)/draws)+2.0/draws {
			t.Errorf("shift %v: %v drawn, %v exact", shift, drawn, exact.P)
		}
	}
}
