package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// conformInt8: sums are exact, so that every Set has the bits of the definition in whole numbers,
// whatever the sizes, whole or in parts, and writes nothing else.
func conformInt8(t *testing.T, s Set) {
	conformQuantiseInt8(t, s)
	rng := rand.New(rand.NewPCG(8, 8))
	for k := 1; k <= 70; k++ {
		int8Once(t, s, rng, 1+k%17, 1+rng.IntN(2*s.PanelWidth()), k)
	}
	for _, m := range []int{1, 6, 7, 14, 15, 60} {
		int8Once(t, s, rng, m, 3*s.PanelWidth()-1, 300)
	}
	int8Once(t, s, rng, 500, s.PanelWidth(), 1000)
	int8Once(t, s, rng, 300, 2*s.PanelWidth()-3, 130)
	int8Once(t, s, rng, 2, 3, MaxInt8K)
}

func int8Once(t *testing.T, s Set, rng *rand.Rand, m, n, k int) {
	t.Helper()
	codes, scales := make([]int8, n*k), normals(rng, n, 0)
	for i := range codes {
		codes[i] = int8(rng.IntN(256) - 128)
		if k == MaxInt8K {
			codes[i] = -128
		}
	}
	w := s.NewInt8(n, k)
	w.PackInt8(0, n, func(j int, dst []int8) float32 {
		copy(dst, codes[j*k:])
		return scales[j]
	})
	var in Input
	in.Reset(Float32, m, k)
	x := normals(rng, m*k, 0)
	if k == MaxInt8K {
		for i := range x {
			x[i] = -1
		}
	}
	s.Prepare(&in, x, k, 0, m)
	var q Int8Input
	q.Reset(m, k)
	s.QuantiseInt8(&q, &in, 0, m)
	base := normals(rng, m*n, 0)
	got, check := guarded(t, m*n, k%4)
	for _, add := range []bool{false, true} {
		copy(got, base)
		at, row := rng.IntN((n+s.PanelWidth()-1)/s.PanelWidth())*s.PanelWidth(), rng.IntN(m)
		s.MatMulInt8(got[at:], n, &q, 0, m, w, at, n, add)
		s.MatMulInt8(got, n, &q, 0, row, w, 0, at, add)
		s.MatMulInt8(got[row*n:], n, &q, row, m, w, 0, at, add)
		check()
		for i := range m {
			scale := q.scales[i]
			for j := range n {
				sum := int64(0)
				for l := range k {
					a := math.RoundToEven(float64(x[i*k+l] / scale))
					sum += int64(min(a, 127)) * int64(codes[j*k+l])
				}
				want := float32(float32(sum)*scale) * scales[j]
				if add {
					want = base[i*n+j] + want
				}
				if !sameBits(got[i*n+j], want) {
					t.Fatalf("%dx%dx%d add=%v: y[%d,%d] is %v, want %v", m, n, k, add, i, j, got[i*n+j], want)
				}
			}
		}
	}
}

// code is activation k of row i.
func (in *Int8Input) code(s Set, i, k int) int {
	if s.NewInt8(1, 1).Int8.each == 4 {
		return int(in.fours()[i*int8Stride(in.K)+k]) - 128
	}
	return int(in.codes[i*InputStride(in.K)+k])
}

// conformQuantiseInt8 holds what compressed-tensors does a token at a time: the scale takes the largest
// magnitude to 127.5, what is half-way goes to the even code, and -128 is a code.
func conformQuantiseInt8(t *testing.T, s Set) {
	for _, c := range []struct {
		x     []float32
		scale float32
		want  []int
	}{
		{[]float32{127.5, -127.5, 0.5, 1.5, -0.5, -1.5, 0.51}, 1, []int{127, -128, 0, 2, 0, -2, 1}},
		{[]float32{0, 0}, 0x1p-23, []int{0, 0}},
		{[]float32{1, -0.25}, 1 / 127.5, []int{127, -32}},
		{[]float32{0x1p-149, -0x1p-149}, 0x1p-23, []int{0, 0}}, // whose quotient by 127.5 is zero
	} {
		for _, a := range []Arithmetic{Float32, BFloat16} {
			if a == BFloat16 && c.x[len(c.x)-1] == 0.51 {
				continue
			}
			var in Input
			in.Reset(a, 2, len(c.x))
			s.Prepare(&in, c.x, 0, 0, 2)
			var q Int8Input
			q.Reset(2, len(c.x))
			if s.QuantiseInt8(&q, &in, 0, 2); q.scales[1] != c.scale {
				t.Errorf("%v: scale %v, want %v", c.x, q.scales[1], c.scale)
			}
			for k, want := range c.want {
				if got := q.code(s, 1, k); got != want {
					t.Errorf("%v: code %d is %d, want %d", c.x, k, got, want)
				}
			}
		}
	}
	inf := float32(math.Inf(1))
	for _, x := range [][]float32{{1, inf}, {-inf, 0}, {float32(math.NaN()), 1}, {1, -float32(math.NaN())}} {
		var in Input
		in.Reset(Float32, 1, 2)
		s.Prepare(&in, x, 2, 0, 1)
		var q Int8Input
		q.Reset(1, 2)
		if s.QuantiseInt8(&q, &in, 0, 1); !isNaN(q.scales[0]) {
			t.Errorf("%v: scale %v", x, q.scales[0])
		}
	}
}
