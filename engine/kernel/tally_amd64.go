//go:build !noasm

package kernel

import "github.com/softbench/softbench/engine/attention"

// Tally implements Set.
func (s *simd) Tally(kind attention.Kind, x []float32, m int, lo, hi []int, st []State, norm []float32, small float32, t []Tally) {
	w := weighings.Get().(*weighing)
	w.rule, w.small = int(kind.Definition().Rule), small
	for r := 0; r < m; r += weighRows {
		n := min(weighRows, m-r)
		w.s, w.rows = first(x[r*KeyBlock:][:n*KeyBlock]), n
		for i, q := range st[r:][:n] {
			w.old[i], w.max[i], w.norm[i] = q.Max, q.Max, norm[r+i]
			w.ranges[i] = rangeOf(lo[r+i], hi[r+i])
		}
		if s.isa == isaAVX2 {
			tallyAVX2(w)
		} else {
			tallyAVX512(w)
		}
		for i := range t[r:][:n] {
			to := &t[r+i]
			to.Sum += w.total[i]
			to.Zeros += int(w.zeros[i])
			to.Small += int(w.little[i])
		}
	}
	w.s = nil
	weighings.Put(w)
}

// Moments implements Set. What is left of whole vectors comes last.
func (s *simd) Moments(x []float32) Moments {
	n := len(x) / s.lanes * s.lanes
	if n == 0 {
		return s.Generic.Moments(x)
	}
	var sums [3]float64
	if s.isa == isaAVX2 {
		sumRangeAVX2(&x[0], n, &sums)
	} else {
		sumRangeAVX512(&x[0], n, &sums)
	}
	m := Moments{N: float64(len(x)), Min: float32(sums[1]), Max: float32(sums[2])}
	for _, v := range x[n:] {
		sums[0] += float64(v)
		m.Min, m.Max = min(m.Min, v), max(m.Max, v)
	}
	m.Mean = sums[0] / m.N
	if s.isa == isaAVX2 {
		powersAVX2(&x[0], n, m.Mean, &sums)
	} else {
		powersAVX512(&x[0], n, m.Mean, &sums)
	}
	m.M2, m.M3, m.M4 = sums[0], sums[1], sums[2]
	m.addPowers(x[n:])
	return m
}

//go:noescape
func tallyAVX512(t *weighing)

//go:noescape
func tallyAVX2(t *weighing)

//go:noescape
func sumRangeAVX512(x *float32, n int, out *[3]float64)

//go:noescape
func sumRangeAVX2(x *float32, n int, out *[3]float64)

//go:noescape
func powersAVX512(x *float32, n int, mean float64, out *[3]float64)

//go:noescape
func powersAVX2(x *float32, n int, mean float64, out *[3]float64)
