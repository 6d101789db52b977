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

func conformAttentionBF16(t *testing.T, s Set, sizes []int) {
	t.Run("Round", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(14, 1))
		for n := range 100 {
			x := normals(rng, n, n%3)
			if n > 3 {
				x[n/2], x[n/3], x[n-1] = float32(math.NaN()), float32(math.Inf(1)), 3e38
			}
			dst := make([]uint16, PairedK(n)+1)
			for i := range dst {
				dst[i] = 0x1234
			}
			s.Round(dst[:PairedK(n)], x)
			for i, h := range dst[:PairedK(n)] {
				if want := uint16(0); i < n && h != ToBF16(x[i]) || i >= n && h != want {
					t.Fatalf("n=%d: element %d is %#x", n, i, h)
				}
			}
			if dst[PairedK(n)] != 0x1234 {
				t.Fatalf("n=%d: wrote behind the row", n)
			}
		}
	})
	t.Run("ScoresBF16", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(15, 1))
		for _, w := range sizes {
			for groups := range KeyBlock/KeyGroup + 2 {
				scoresBF16Once(t, s, rng, 1+(w/32*7+groups)%(2*amxRowsTested+1), w, groups)
			}
		}
		for m := range 2*amxRowsTested + 2 {
			scoresBF16Once(t, s, rng, m, 32, 1+m%4)
		}
	})
	t.Run("AccumulateBF16", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(16, 1))
		for _, w := range sizes {
			accumulateBF16Once(t, s, rng, 1+w/32*11%(2*amxRowsTested+1), w)
		}
		for m := range 2*amxRowsTested + 2 {
			accumulateBF16Once(t, s, rng, m, 32)
		}
	})
}

// amxRowsTested is the rows of the highest block of any path's tiles.
const amxRowsTested = 32

// halves returns n normal variates in bfloat16, offset elements off alignment.
func halves(rng *rand.Rand, n, offset int) []uint16 {
	x := make([]uint16, n+offset)[offset:]
	for i := range x {
		x[i] = ToBF16(float32(rng.NormFloat64()))
	}
	return x[:n:n]
}

// scoresBF16Once checks one call against float64, and that each query with each
// group alone gives the same bits. Products of two bfloat16 are exact in float32:
// the error of w sums, in whatever order, is at most w·u·Σ|q·k|.
func scoresBF16Once(t *testing.T, s Set, rng *rand.Rand, m, w, groups int) {
	t.Helper()
	q, kt := halves(rng, m*w, m%3), halves(rng, groups*w*KeyGroup, w%5)
	lds := groups*KeyGroup + m%4
	out, check := guarded(t, max(0, (m-1)*lds+groups*KeyGroup), m%4)
	s.ScoresBF16(out, lds, q, m, w, kt, groups)
	check()
	alone := make([]float32, KeyGroup)
	for i := range out {
		r, c := i/lds, i%lds
		if c >= groups*KeyGroup {
			if !sameBits(out[i], guard) {
				t.Fatalf("m=%d w=%d groups=%d: wrote behind the row's end", m, w, groups)
			}
			continue
		}
		g, l := c/KeyGroup, c%KeyGroup
		var want, abs float64
		for d := range w {
			p := float64(FromBF16(q[r*w+d])) * float64(FromBF16(kt[((g*w+d)/2*KeyGroup+l)*2+d%2]))
			want += p
			abs += math.Abs(p)
		}
		if e := math.Abs(float64(out[i]) - want); !(e <= float64(w)*u*abs) {
			t.Fatalf("m=%d w=%d groups=%d: s[%d,%d] = %v, want %v", m, w, groups, r, c, out[i], want)
		}
		if l == 0 {
			s.ScoresBF16(alone, KeyGroup, q[r*w:], 1, w, kt[g*w*KeyGroup:], 1)
		}
		if !sameBits(alone[l], out[i]) {
			t.Fatalf("m=%d w=%d groups=%d: query %d with group %d alone differs", m, w, groups, r, g)
		}
	}
}

// accumulateBF16Once checks two blocks in a row against float64, that each query
// alone gives the same bits, and that zeros in the place of what has no weight
// change none. The error of 128 sums and an addend is at most 129·u·(|o| + Σ|p·v|).
func accumulateBF16Once(t *testing.T, s Set, rng *rand.Rand, m, w int) {
	t.Helper()
	p, v := halves(rng, m*KeyBlock, m%3), halves(rng, KeyBlock*w, w%5)
	before := normals(rng, m*w, 0)
	// From a key on nothing has weight, as behind a sequence's end.
	end := rng.IntN(KeyBlock + 1)
	for r := range m {
		clear(p[r*KeyBlock+end : (r+1)*KeyBlock])
	}
	o, check := guarded(t, m*w, m%4)
	copy(o, before)
	s.AccumulateBF16(o, p, m, v, w)
	s.AccumulateBF16(o, p, m, v, w)
	check()
	for i := range o {
		r, d := i/w, i%w
		want, abs := float64(before[i]), math.Abs(float64(before[i]))
		for j := range KeyBlock {
			x := 2 * float64(FromBF16(p[r*KeyBlock+j])) * float64(FromBF16(v[(j/2*w+d)*2+j%2]))
			want += x
			abs += math.Abs(x)
		}
		if e := math.Abs(float64(o[i]) - want); !(e <= (2*KeyBlock+1)*u*abs) {
			t.Fatalf("m=%d w=%d: o[%d,%d] = %v, want %v", m, w, r, d, o[i], want)
		}
	}
	for j := end; j < KeyBlock; j++ {
		for d := range w {
			v[(j/2*w+d)*2+j%2] = 0
		}
	}
	for r := range m {
		alone := append([]float32(nil), before[r*w:][:w]...)
		s.AccumulateBF16(alone, p[r*KeyBlock:], 1, v, w)
		s.AccumulateBF16(alone, p[r*KeyBlock:], 1, v, w)
		for d := range alone {
			if !sameBits(alone[d], o[r*w+d]) {
				t.Fatalf("m=%d w=%d end=%d: query %d alone, with zeros for unseen values, differs at component %d", m, w, end, r, d)
			}
		}
	}
}
