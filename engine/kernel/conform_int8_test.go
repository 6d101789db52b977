package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// conformInt8: sums are exact, so that every Set has the bits of the definition in whole numbers,
// whatever the sizes, whole or in parts, and writes nothing else.
func conformInt8(t *testing.T, s Set) {
	rng := rand.New(rand.NewPCG(8, 8))
	for k := 1; k <= 70; k++ {
		int8Once(t, s, rng, 1+k%17, 1+rng.IntN(2*s.PanelWidth()), k)
	}
	for _, m := range []int{1, 6, 7, 14, 15, 60} {
		int8Once(t, s, rng, m, 3*s.PanelWidth()-1, 300)
	}
	int8Once(t, s, rng, 500, s.PanelWidth(), 1000)
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
	q.Quantise(&in, 0, m)
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

// TestQuantiseInt8 holds what compressed-tensors does a token at a time: the scale takes the largest
// magnitude to 127.5, what is half-way goes to the even code, and -128 is a code.
func TestQuantiseInt8(t *testing.T) {
	for _, c := range []struct {
		x     []float32
		scale float32
		want  []int16
	}{
		{[]float32{127.5, -127.5, 0.5, 1.5, -0.5, -1.5, 0.51}, 1, []int16{127, -128, 0, 2, 0, -2, 1}},
		{[]float32{0, 0}, 0x1p-23, []int16{0, 0}},
		{[]float32{1, -0.25}, 1 / 127.5, []int16{127, -32}},
	} {
		for _, a := range []Arithmetic{Float32, BFloat16} {
			if a == BFloat16 && c.x[len(c.x)-1] == 0.51 {
				continue
			}
			var in Input
			in.Reset(a, 1, len(c.x))
			Generic{}.Prepare(&in, c.x, len(c.x), 0, 1)
			var q Int8Input
			q.Reset(1, len(c.x))
			if q.Quantise(&in, 0, 1); q.scales[0] != c.scale {
				t.Errorf("%v: scale %v, want %v", c.x, q.scales[0], c.scale)
			}
			for k, want := range c.want {
				if q.codes[k] != want {
					t.Errorf("%v: code %d is %d, want %d", c.x, k, q.codes[k], want)
				}
			}
		}
	}
	inf := float32(math.Inf(1))
	for _, x := range [][]float32{{1, inf}, {-inf, 0}, {float32(math.NaN()), 1}} {
		if scale := quantiseRow(make([]int16, 2), x); !isNaN(scale) {
			t.Errorf("%v: scale %v", x, scale)
		}
	}
}
