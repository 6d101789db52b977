package stats

import (
	"math/rand/v2"
)

// indices draws from 0..n-1, uniformly and without bias: 32 random bits times n,
// the high word the index; low words below 2^32 mod n are drawn anew (Lemire
// 2019). Of each 64 bits the low 32 come first. Every resample starts with fresh bits.
type indices struct {
	pcg    *rand.PCG
	n      uint64
	reject uint32 // 2^32 mod n
}

func (x *indices) over(n int) {
	x.n = uint64(n)
	x.reject = uint32((1 << 32) % x.n)
}

// next draws one index.
func (x *indices) next() int {
	for {
		if m := uint64(uint32(x.pcg.Uint64())) * x.n; uint32(m) >= x.reject {
			return int(m >> 32)
		}
	}
}

// sum adds n values drawn with replacement.
func (x *indices) sum(values []float64) float64 {
	n, reject, pcg := x.n, x.reject, x.pcg
	s := 0.0
	for left := n; left > 0; {
		bits := pcg.Uint64()
		if m := uint64(uint32(bits)) * n; uint32(m) >= reject {
			s += values[m>>32]
			if left--; left == 0 {
				break
			}
		}
		if m := (bits >> 32) * n; uint32(m) >= reject {
			s += values[m>>32]
			left--
		}
	}
	return s
}

// sum2 adds n pairs drawn with replacement; the second sum is not 0.
func (x *indices) sum2(values [][2]float64) (s, w float64) {
	n, reject, pcg := x.n, x.reject, x.pcg
	for w == 0 {
		s = 0
		for left := n; left > 0; {
			bits := pcg.Uint64()
			if m := uint64(uint32(bits)) * n; uint32(m) >= reject {
				v := &values[m>>32]
				s += v[0]
				w += v[1]
				if left--; left == 0 {
					break
				}
			}
			if m := (bits >> 32) * n; uint32(m) >= reject {
				v := &values[m>>32]
				s += v[0]
				w += v[1]
				left--
			}
		}
	}
	return s, w
}

// sum3 adds n triples drawn with replacement; the third sum is not 0.
func (x *indices) sum3(values [][3]float64) (a, b, w float64) {
	n, reject, pcg := x.n, x.reject, x.pcg
	for w == 0 {
		a, b = 0, 0
		for left := n; left > 0; {
			bits := pcg.Uint64()
			if m := uint64(uint32(bits)) * n; uint32(m) >= reject {
				v := &values[m>>32]
				a += v[0]
				b += v[1]
				w += v[2]
				if left--; left == 0 {
					break
				}
			}
			if m := (bits >> 32) * n; uint32(m) >= reject {
				v := &values[m>>32]
				a += v[0]
				b += v[1]
				w += v[2]
				left--
			}
		}
	}
	return a, b, w
}
