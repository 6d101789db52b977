package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// headSizes are every length past two of the widest panels, and what models
// have.
func headSizes() []int {
	sizes := []int{80, 96, 112, 128, 160, 192, 256}
	for hd := 1; hd <= 2*widestPanel+1; hd++ {
		sizes = append(sizes, hd)
	}
	return sizes
}

func conformAttention(t *testing.T, s Set) {
	t.Run("Scores", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(11, 1))
		for i, hd := range headSizes() {
			scoresOnce(t, s, rng, 1+i%(2*widestRows+1), hd, 1+i%5)
		}
		for m := 1; m <= 2*widestRows+1; m++ {
			scoresOnce(t, s, rng, m, 64, 4)
			scoresOnce(t, s, rng, m, 5, 1)
		}
		for groups := range 10 {
			scoresOnce(t, s, rng, 7, 16, groups)
		}
		scoresOnce(t, s, rng, 0, 16, 2)
	})
	t.Run("Accumulate", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(12, 1))
		for i, hd := range headSizes() {
			accumulateOnce(t, s, rng, 1+i%(2*widestRows+1), 1+i%70, hd)
		}
		for m := 1; m <= 2*widestRows+1; m++ {
			accumulateOnce(t, s, rng, m, 64, 64)
			accumulateOnce(t, s, rng, m, 3, 21)
		}
		for keys := range 2*KeyBlock + 2 {
			accumulateOnce(t, s, rng, 5, keys, 24)
			accumulateOnce(t, s, rng, 3, keys, 17)
		}
		accumulateOnce(t, s, rng, 0, 3, 16)
	})
	t.Run("NaN stays in its query and its component", func(t *testing.T) { accumulateNaN(t, s) })
}

// scoresOnce checks one call, and that each query and each group alone give
// the same bits. The error of a chain of hd products and sums is at most
// 2hd·u·Σ|q·k|.
func scoresOnce(t *testing.T, s Set, rng *rand.Rand, m, hd, groups int) {
	t.Helper()
	q, kt := normals(rng, m*hd, m%3), normals(rng, groups*hd*KeyGroup, hd%3)
	lds := groups*KeyGroup + m%4
	size := max(0, (m-1)*lds+groups*KeyGroup)
	out, check := guarded(t, size, hd%4)
	s.Scores(out, lds, q, m, hd, kt, groups)
	check()
	for i := range out {
		r, c := i/lds, i%lds
		if c >= groups*KeyGroup {
			if !sameBits(out[i], guard) {
				t.Fatalf("m=%d hd=%d groups=%d: wrote behind the row's end", m, hd, groups)
			}
			continue
		}
		var want, abs float64
		for d := range hd {
			p := float64(q[r*hd+d]) * float64(kt[(c/KeyGroup*hd+d)*KeyGroup+c%KeyGroup])
			want += p
			abs += math.Abs(p)
		}
		if e := math.Abs(float64(out[i]) - want); !(e <= 2*float64(hd)*u*abs) {
			t.Fatalf("m=%d hd=%d groups=%d: s[%d,%d] = %v, want %v", m, hd, groups, r, c, out[i], want)
		}
	}
	alone := make([]float32, KeyGroup)
	for r := range m {
		for g := range groups {
			s.Scores(alone, KeyGroup, q[r*hd:], 1, hd, kt[g*hd*KeyGroup:], 1)
			for l, v := range alone {
				if !sameBits(v, out[r*lds+g*KeyGroup+l]) {
					t.Fatalf("m=%d hd=%d groups=%d: query %d with group %d alone differs", m, hd, groups, r, g)
				}
			}
		}
	}
}

// accumulateOnce checks one call, that each query alone gives the same bits,
// and that the keys may come in two calls. The chain starts from o: its error
// is at most 2(keys+1)·u·(|o| + Σ|p·v|).
func accumulateOnce(t *testing.T, s Set, rng *rand.Rand, m, keys, hd int) {
	t.Helper()
	ldp := keys + m%5
	p, v := normals(rng, m*ldp, keys%3), normals(rng, keys*hd, hd%3)
	v = v[:len(v):len(v)]
	before := normals(rng, m*hd, 0)
	o, check := guarded(t, m*hd, keys%4)
	copy(o, before)
	s.Accumulate(o, p, ldp, m, v, keys, hd)
	check()
	for i := range o {
		r, d := i/hd, i%hd
		want, abs := float64(before[i]), math.Abs(float64(before[i]))
		for j := range keys {
			x := float64(p[r*ldp+j]) * float64(v[j*hd+d])
			want += x
			abs += math.Abs(x)
		}
		if e := math.Abs(float64(o[i]) - want); !(e <= 2*float64(keys+1)*u*abs) {
			t.Fatalf("m=%d keys=%d hd=%d: o[%d,%d] = %v, want %v", m, keys, hd, r, d, o[i], want)
		}
	}
	part := append([]float32(nil), before...)
	half := keys / 2
	for r := range m {
		out := part[r*hd:][:hd]
		s.Accumulate(out, p[r*ldp:], ldp, 1, v, half, hd)
		s.Accumulate(out, p[r*ldp+half:], ldp, 1, v[half*hd:], keys-half, hd)
	}
	for i := range part {
		if !sameBits(part[i], o[i]) {
			t.Fatalf("m=%d keys=%d hd=%d: query %d alone, in two calls, differs at component %d", m, keys, hd, i/hd, i%hd)
		}
	}
}

func accumulateNaN(t *testing.T, s Set) {
	rng := rand.New(rand.NewPCG(13, 1))
	for _, hd := range []int{1, 8, 17, 33, 64, 80} {
		m, keys := 15, 9
		p, v := normals(rng, m*keys, 0), normals(rng, keys*hd, 0)
		want, got := make([]float32, m*hd), make([]float32, m*hd)
		s.Accumulate(want, p, keys, m, v, keys, hd)
		row, component := rng.IntN(m), rng.IntN(hd)
		p[row*keys+4] = float32(math.NaN())
		v[5*hd+component] = float32(math.Inf(-1))
		s.Accumulate(got, p, keys, m, v, keys, hd)
		for i, x := range got {
			switch r, d := i/hd, i%hd; {
			case r == row:
				if !isNaN(x) {
					t.Fatalf("hd=%d: o[%d,%d] = %v, want NaN", hd, r, d, x)
				}
			case d == component:
				if isFinite(x) {
					t.Fatalf("hd=%d: o[%d,%d] = %v, want Inf or NaN", hd, r, d, x)
				}
			case !sameBits(x, want[i]):
				t.Fatalf("hd=%d: NaN or Inf elsewhere changed o[%d,%d]", hd, r, d)
			}
		}
	}
}
