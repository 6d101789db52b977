package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/softbench/softbench/engine/attention"
)

func conformTally(t *testing.T, s Set) {
	for _, kind := range attention.Kinds() {
		t.Run(kind.String(), func(t *testing.T) { tallyRows(t, s, kind) })
	}
	t.Run("moments", func(t *testing.T) { momentsRows(t, s) })
}

// tallyRows holds Tally to the formulas in float64, for every number of queries past two calls
// and ranges of every sort, and to Weigh: a weight is exactly 0 where the one that the values
// were multiplied with is. Counts and sums are those of the weights it leaves.
func tallyRows(t *testing.T, s Set, kind attention.Kind) {
	const small = 1e-3
	rule := kind.Definition().Rule
	rng := rand.New(rand.NewPCG(26, uint64(kind)))
	for m := 0; m <= 131; m++ {
		scores := normals(rng, m*KeyBlock, 0)
		for i := range scores {
			scores[i] *= 4
			if rng.IntN(9) == 0 {
				scores[i] = -float32(100 * rng.ExpFloat64())
			}
		}
		lo, hi, states, norms := make([]int, m), make([]int, m), make([]State, m), make([]float32, m)
		unseen, check := guarded(t, m*KeyBlock, m%4)
		weighed := make([]float32, m*KeyBlock)
		for i := range m {
			lo[i], hi[i] = rng.IntN(KeyBlock+1), rng.IntN(KeyBlock+1)
			switch rng.IntN(4) {
			case 0, 1:
				lo[i], hi[i] = 0, KeyBlock
			case 2:
				lo[i], hi[i] = 3, -4
			}
			for j := range KeyBlock {
				if at := i*KeyBlock + j; j >= lo[i] && j < hi[i] {
					unseen[at], weighed[at] = scores[at], scores[at]
				} else {
					unseen[at] = guard // scores of unseen keys are arbitrary, NaN too
				}
			}
			states[i] = NewState(kind, 0.5)
		}
		factors := make([]float32, m)
		s.WeighRows(kind, weighed, m, lo, hi, states, factors)
		got := make([]Tally, m)
		for i := range m {
			norms[i] = states[i].Norm(kind)
			got[i] = Tally{Sum: 8, Zeros: 5, Small: 7} // it adds
		}
		s.Tally(kind, unseen, m, lo, hi, states, norms, small, got)
		check()
		for i := range m {
			want := Tally{Zeros: 5, Small: 7}
			sum := 0.0
			for j := range KeyBlock {
				at := i*KeyBlock + j
				w := unseen[at]
				if j < lo[i] || j >= hi[i] {
					if !sameBits(w, 0) {
						t.Fatalf("m=%d: query %d over [%d,%d) has weight %v for key %d, want 0", m, i, lo[i], hi[i], w, j)
					}
					continue
				}
				e, floor := math.Exp(float64(scores[at]-states[i].Max)), math.Exp(float64(-states[i].Max))
				bound := 2 * ulp(e)
				switch rule {
				case attention.Difference, attention.Positive:
					bound += 2*ulp(floor) + ulp(e-floor)
					e = max(e-floor, 0)
				case attention.NonNegative:
					if scores[at] < 0 {
						e, bound = 0, 0
					}
				}
				x := e * float64(norms[i])
				if bound = bound*float64(norms[i]) + ulp(x); !(math.Abs(float64(w)-x) <= bound) {
					t.Fatalf("m=%d: query %d: score %v has weight %v, want %v ± %.2g", m, i, scores[at], w, x, bound)
				}
				if (w == 0) != (weighed[at]*norms[i] == 0) {
					t.Fatalf("m=%d: query %d: score %v has weight %v, and the values were multiplied with %v", m, i, scores[at], w, weighed[at])
				}
				sum += float64(w)
				if w == 0 {
					want.Zeros++
				}
				if w <= small {
					want.Small++
				}
			}
			if got[i].Zeros != want.Zeros || got[i].Small != want.Small || !(math.Abs(got[i].Sum-8-sum) <= 1e-14) {
				t.Fatalf("m=%d: query %d over [%d,%d) gives %+v, want %+v and a sum of 8+%v", m, i, lo[i], hi[i], got[i], want, sum)
			}
			alone := []Tally{{Sum: 8, Zeros: 5, Small: 7}}
			row := append([]float32(nil), scores[i*KeyBlock:][:KeyBlock]...)
			s.Tally(kind, row, 1, lo[i:], hi[i:], states[i:i+1], norms[i:], small, alone)
			if alone[0] != got[i] {
				t.Fatalf("m=%d: query %d gives %+v, alone %+v", m, i, got[i], alone[0])
			}
		}
	}
}

// momentsRows holds Moments to sums in float64: their terms are rounded once each, and added in
// another order.
func momentsRows(t *testing.T, s Set) {
	rng := rand.New(rand.NewPCG(27, 1))
	for _, n := range rowLengths() {
		x := normals(rng, n, n%5)
		for i := range x {
			x[i] = x[i]*3 + 100
		}
		x[rng.IntN(n)] = -1000
		got := s.Moments(x)
		want := Generic{}.Moments(x)
		bound := func(x float64) float64 { return 1e-12 * (1 + math.Abs(x)) }
		if got.N != float64(n) || got.Min != want.Min || got.Max != want.Max || math.Abs(got.Mean-want.Mean) > bound(want.Mean) ||
			math.Abs(got.M2-want.M2) > bound(want.M2) || math.Abs(got.M3-want.M3) > bound(want.M4/100) || math.Abs(got.M4-want.M4) > bound(want.M4) {
			t.Fatalf("n=%d: %+v, want %+v", n, got, want)
		}
		for i := range x {
			x[i] = 0.1
		}
		if got := s.Moments(x); got.M2 != 0 || got.M4 != 0 || got.Mean != float64(float32(0.1)) {
			t.Fatalf("n=%d: equal numbers give %+v", n, got)
		}
		x[n/2] = float32(math.NaN())
		if got := s.Moments(x); !math.IsNaN(got.Mean) || !math.IsNaN(got.M4) {
			t.Fatalf("n=%d: a NaN gives %+v", n, got)
		}
	}
}

// TestMergedMoments: the moments of two halves are those of the whole, by the definition.
func TestMergedMoments(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	x := make([]float32, 5001)
	var mean, m2, m3, m4 float64
	for i := range x {
		x[i] = float32(rng.NormFloat64()*3 + 100 + float64(i%7))
		mean += float64(x[i]) / float64(len(x))
	}
	for _, v := range x {
		d := float64(v) - mean
		m2, m3, m4 = m2+d*d, m3+d*d*d, m4+d*d*d*d
	}
	var got Moments
	for i := 0; i < len(x); i += 577 {
		got.Merge(Generic{}.Moments(x[i:min(len(x), i+577)]))
	}
	near := func(what string, got, want float64) {
		if math.Abs(got/want-1) > 1e-10 {
			t.Errorf("%s %v, want %v", what, got, want)
		}
	}
	near("mean", got.Mean, mean)
	near("m2", got.M2, m2)
	near("m3", got.M3, m3)
	near("m4", got.M4, m4)
	near("kurtosis", got.Kurtosis(), float64(len(x))*m4/(m2*m2))
}
