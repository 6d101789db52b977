package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/softbench/softbench/engine/attention"
)

func conformWeigh(t *testing.T, s Set) {
	for _, kind := range attention.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			t.Run("ranges", func(t *testing.T) { weighRanges(t, s, kind) })
			t.Run("states", func(t *testing.T) { weighStates(t, s, kind) })
			t.Run("not finite", func(t *testing.T) { weighNotFinite(t, s, kind) })
			t.Run("many rows", func(t *testing.T) { weighManyRows(t, s, kind) })
		})
	}
	t.Run("exp", func(t *testing.T) { expAccuracy(t, s) })
}

// ulp is the distance of float32 numbers around x.
func ulp(x float64) float64 {
	f := float32(math.Abs(x))
	if f < 1.1754944e-38 {
		return math.SmallestNonzeroFloat32
	}
	return float64(math.Nextafter32(f, float32(math.Inf(1)))) - float64(f)
}

// weighOnce checks one call against the formulas. The exponential may err by
// 2 ulp; its argument x-m is rounded to float32 in the definition. A
// difference of two exponentials adds their errors and rounds once. The 64
// terms of the sum round 64 times at most.
func weighOnce(t *testing.T, s Set, kind attention.Kind, scores []float32, lo, hi int, st State) State {
	t.Helper()
	x, check := guarded(t, KeyBlock, lo%4)
	copy(x, scores)
	for i := range x {
		if i < lo || i >= hi {
			x[i] = guard // scores of unseen keys are arbitrary, NaN too
		}
	}
	old := st
	factor, some := s.Weigh(kind, x, lo, hi, &st)
	check()

	m := old.Max
	for _, v := range scores[lo:hi] {
		m = max(m, v)
	}
	if st.Max != m {
		t.Fatalf("[%d,%d): maximum %v, want %v", lo, hi, st.Max, m)
	}
	wantFactor := 1.0
	if m != old.Max {
		wantFactor = math.Exp(float64(old.Max - m))
	}
	if !(math.Abs(float64(factor)-wantFactor) <= 2*ulp(wantFactor)) {
		t.Fatalf("[%d,%d): factor %v, want %v", lo, hi, factor, wantFactor)
	}
	floor := math.Exp(float64(-m))
	var sum, slack float64
	above := false
	for i, w := range x {
		if i < lo || i >= hi {
			if !sameBits(w, 0) {
				t.Fatalf("[%d,%d): weight %d is %v, want 0", lo, hi, i, w)
			}
			continue
		}
		e := math.Exp(float64(scores[i] - m))
		want, den, bound := e, e, 2*ulp(e)
		switch kind.Definition().Rule {
		case attention.Difference, attention.Positive:
			bound += 2*ulp(floor) + ulp(e-floor)
			want = max(e-floor, 0)
			den = want
			if kind.Definition().Rule == attention.Difference {
				den = math.Abs(e - floor)
			}
			if scores[i] <= 0 && w != 0 {
				t.Fatalf("[%d,%d): score %v has weight %v, want exactly 0", lo, hi, scores[i], w)
			}
		case attention.NonNegative:
			if scores[i] < 0 {
				want, den, bound = 0, 0, 0
			}
		}
		if !(math.Abs(float64(w)-want) <= bound) {
			t.Fatalf("[%d,%d): score %v (maximum %v) has weight %v, want %v ± %.2g", lo, hi, scores[i], m, w, want, bound)
		}
		above = above || w > 0
		sum += den
		slack += bound
	}
	if some != above {
		t.Fatalf("[%d,%d): any is %v, but the weights say %v", lo, hi, some, above)
	}
	want := float64(old.Sum)*wantFactor + sum
	if b := slack + 70*u*want + float64(old.Sum)*2*ulp(wantFactor); !(math.Abs(float64(st.Sum)-want) <= b) {
		t.Fatalf("[%d,%d): sum %v, want %v ± %.2g", lo, hi, st.Sum, want, b)
	}
	return st
}

// weighRanges takes every range of a block.
func weighRanges(t *testing.T, s Set, kind attention.Kind) {
	rng := rand.New(rand.NewPCG(21, uint64(kind)))
	scores := normals(rng, KeyBlock, 0)
	for lo := range KeyBlock {
		for hi := lo + 1; hi <= KeyBlock; hi++ {
			weighOnce(t, s, kind, scores, lo, hi, NewState(kind, 0.5))
		}
	}
	st := State{Max: 3, Sum: 5}
	x := append([]float32(nil), scores...)
	factor, some := s.Weigh(kind, x, 7, 7, &st)
	if factor != 1 || some || st != (State{3, 5}) {
		t.Fatalf("an empty range gives factor %v, any %v, state %v", factor, some, st)
	}
	for i, w := range x {
		if w != 0 {
			t.Fatalf("an empty range leaves weight %d at %v", i, w)
		}
	}
}

// weighStates takes rows of several blocks, whose state goes on: ordinary, all
// negative, all zero, huge, and with -Inf among them.
func weighStates(t *testing.T, s Set, kind attention.Kind) {
	rng := rand.New(rand.NewPCG(22, uint64(kind)))
	draws := map[string]func() float32{
		"ordinary":     func() float32 { return float32(rng.NormFloat64() * 3) },
		"all negative": func() float32 { return float32(-rng.ExpFloat64() * 5) },
		"far negative": func() float32 { return float32(-200 - rng.ExpFloat64()) },
		"zero":         func() float32 { return 0 },
		"huge":         func() float32 { return float32(rng.Float64()*2e4 - 1e4) },
		"tiny":         func() float32 { return float32(rng.NormFloat64() * 1e-6) },
		"some -Inf": func() float32 {
			if rng.IntN(3) == 0 {
				return float32(math.Inf(-1))
			}
			return float32(rng.NormFloat64())
		},
	}
	for name, draw := range draws {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				st := NewState(kind, 0.5)
				for block := range 4 {
					scores := make([]float32, KeyBlock)
					for i := range scores {
						scores[i] = draw()
					}
					scores[5] = max(scores[5], -300) // not all -Inf
					if block == 3 {
						weighOnce(t, s, kind, scores, 2, 6+rng.IntN(58), st)
						continue
					}
					st = weighOnce(t, s, kind, scores, 0, KeyBlock, st)
				}
			}
		})
	}
}

// weighNotFinite compares with the portable form where a score is NaN or +Inf:
// what is NaN there must be NaN here, so that no damaged weight goes unseen.
func weighNotFinite(t *testing.T, s Set, kind attention.Kind) {
	rng := rand.New(rand.NewPCG(23, uint64(kind)))
	inf := float32(math.Inf(1))
	for _, bad := range []float32{float32(math.NaN()), inf, -inf} {
		for at := range KeyBlock {
			for _, everywhere := range []bool{false, true} {
				x := normals(rng, KeyBlock, 0)
				x[at] = bad
				if everywhere {
					for i := range x {
						x[i] = bad
					}
				}
				y := append([]float32(nil), x...)
				st, want := NewState(kind, 0.5), NewState(kind, 0.5)
				f, some := s.Weigh(kind, x, 1, 62, &st)
				g, wantSome := WeighGeneric(kind, y, 1, 62, &want)
				if isNaN(f) != isNaN(g) || isNaN(st.Sum) != isNaN(want.Sum) || st.Max != want.Max || some != wantSome {
					t.Fatalf("%v at %d: factor %v state %v any %v, want %v %v %v", bad, at, f, st, some, g, want, wantSome)
				}
				for i := range x {
					if isNaN(x[i]) != isNaN(y[i]) {
						t.Fatalf("%v at %d: weight %d is %v, want %v", bad, at, i, x[i], y[i])
					}
				}
			}
		}
	}
}

// expAccuracy measures the exponential through softmax with a maximum of 0:
// its weights are then e^x.
func expAccuracy(t *testing.T, s Set) {
	worst, at := 0.0, float32(0)
	x := make([]float32, KeyBlock)
	arg := make([]float32, KeyBlock)
	rng := rand.New(rand.NewPCG(24, 1))
	for range 20000 {
		for i := range x {
			x[i] = float32(-rng.Float64() * 106)
			if i%4 == 0 { // small ones, of every size
				x[i] = -math.Float32frombits(rng.Uint32N(0x42d40000))
			}
		}
		copy(arg, x)
		st := State{}
		s.Weigh(attention.Softmax, x, 0, KeyBlock, &st)
		for i := range x {
			want := math.Exp(float64(arg[i]))
			if e := math.Abs(float64(x[i])-want) / ulp(want); !(e <= worst) {
				worst, at = e, arg[i]
			}
		}
	}
	if !(worst <= 2) {
		t.Fatalf("e^%v is off by %.2f ulp, at most 2 are allowed", at, worst)
	}
	t.Logf("largest error %.3f ulp, at %v", worst, at)
	ends := map[float32]float32{0: 1, float32(math.Copysign(0, -1)): 1, float32(math.Inf(-1)): 0, -1e30: 0, -104: 0, -150: 0, -151: 0}
	for a, want := range ends {
		clear(x)
		x[9] = a
		st := State{}
		s.Weigh(attention.Softmax, x, 0, KeyBlock, &st)
		if !sameBits(x[9], want) {
			t.Fatalf("e^%v = %v, want %v", a, x[9], want)
		}
	}
}

// weighManyRows compares WeighRows with Weigh, bit for bit, for every number of
// queries past two calls of the widest kind; ranges are of every sort, empty
// ones among them.
func weighManyRows(t *testing.T, s Set, kind attention.Kind) {
	rng := rand.New(rand.NewPCG(25, uint64(kind)))
	for m := 0; m <= 131; m++ {
		x, check := guarded(t, m*KeyBlock, m%4)
		want := normals(rng, m*KeyBlock, 0)
		copy(x, want)
		lo, hi := make([]int, m), make([]int, m)
		got, states := make([]State, m), make([]State, m)
		factors, checkFactors := guarded(t, m, 1)
		for i := range m {
			states[i] = NewState(kind, 0.5)
			if rng.IntN(2) == 0 {
				states[i] = State{Max: float32(rng.ExpFloat64()), Sum: float32(rng.ExpFloat64())}
			}
			lo[i], hi[i] = rng.IntN(KeyBlock+1), rng.IntN(KeyBlock+1)
			switch rng.IntN(4) {
			case 0, 1:
				lo[i], hi[i] = 0, KeyBlock
			case 2: // a window that lies before or behind the block
				lo[i], hi[i] = 3, -4
				if rng.IntN(2) == 0 {
					lo[i], hi[i] = KeyBlock+9, KeyBlock
				}
			}
		}
		copy(got, states)
		some := s.WeighRows(kind, x, m, lo, hi, got, factors)
		check()
		checkFactors()
		wantSome := false
		for i := range m {
			row := want[i*KeyBlock:][:KeyBlock]
			from, until := lo[i], hi[i]
			if from >= until {
				from, until = 0, 0
			}
			f, above := s.Weigh(kind, row, from, until, &states[i])
			wantSome = wantSome || above
			if !sameBits(f, factors[i]) || !sameBits(states[i].Max, got[i].Max) || !sameBits(states[i].Sum, got[i].Sum) {
				t.Fatalf("m=%d: query %d over [%d,%d) has factor %v, state %v, alone %v, %v", m, i, lo[i], hi[i], factors[i], got[i], f, states[i])
			}
			for j, w := range row {
				if !sameBits(w, x[i*KeyBlock+j]) {
					t.Fatalf("m=%d: query %d over [%d,%d) has weight %v for key %d, alone %v", m, i, lo[i], hi[i], x[i*KeyBlock+j], j, w)
				}
			}
		}
		if some != wantSome {
			t.Fatalf("m=%d: any is %v, the queries alone say %v", m, some, wantSome)
		}
	}
}
