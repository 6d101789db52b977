package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// rowLengths are every length past two of the widest blocks (four vectors of
// sixteen), and some long ones.
func rowLengths() []int {
	lengths := []int{255, 256, 257, 1000, 1024, 4099}
	for n := 1; n <= 131; n++ {
		lengths = append(lengths, n)
	}
	return lengths
}

func conformRows(t *testing.T, s Set) {
	rng := rand.New(rand.NewPCG(31, 1))
	each := func(name string, body func(t *testing.T, n int)) {
		t.Run(name, func(t *testing.T) {
			for _, n := range rowLengths() {
				body(t, n)
			}
		})
	}
	each("Scale", func(t *testing.T, n int) { scaleOnce(t, s, rng, n) })
	each("RMSNorm", func(t *testing.T, n int) { normOnce(t, s, rng, n) })
	each("Rotate", func(t *testing.T, n int) { rotateOnce(t, s, rng, n) })
	each("SwiGLU", func(t *testing.T, n int) { swigluOnce(t, s, rng, n) })
	each("Exp", func(t *testing.T, n int) { expOnce(t, s.(Gradients), rng, n) })
	each("SwiGLUGrad", func(t *testing.T, n int) { swigluGradOnce(t, s.(Gradients), rng, n) })
	each("WeighGrad", func(t *testing.T, n int) { weighGradOnce(t, s.(Gradients), rng, n) })
	each("MaxSumExp", func(t *testing.T, n int) { sumExpOnce(t, s, rng, n) })
	t.Run("empty", func(t *testing.T) {
		s.Scale(nil, 2)
		s.SwiGLU(nil, nil, nil)
		s.Rotate(nil, nil, nil)
	})
	t.Run("SwiGLU at the ends", func(t *testing.T) { swigluEnds(t, s) })
	t.Run("Transpose", func(t *testing.T) { transposeAll(t, s.(Gradients), rng) })
	t.Run("Columns", func(t *testing.T) { columnsAll(t, s.(Gradients), rng) })
	t.Run("bfloat16 rounding", func(t *testing.T) { roundAll(t, s) })
}

// scaleOnce: one rounding, so the result is exact.
func scaleOnce(t *testing.T, s Set, rng *rand.Rand, n int) {
	x, check := guarded(t, n, n%4)
	before := normals(rng, n, 0)
	copy(x, before)
	s.Scale(x, 0.3)
	check()
	for i, v := range x {
		if !sameBits(v, before[i]*0.3) {
			t.Fatalf("n=%d: x[%d] = %v, want %v", n, i, v, before[i]*0.3)
		}
	}
	x[0] = float32(math.Inf(1))
	x[n-1] = float32(math.NaN())
	s.Scale(x, -1)
	if !isNaN(x[n-1]) || n > 1 && x[0] != float32(math.Inf(-1)) {
		t.Fatalf("n=%d: NaN and Inf became %v and %v", n, x[n-1], x[0])
	}
}

// normOnce: the sum of n squares errs by at most n·u, half of that behind the
// root; mean, eps, root, two products: 4u more.
func normOnce(t *testing.T, s Set, rng *rand.Rand, n int) {
	const eps = 1e-5
	x, weight := normals(rng, n, n%3), normals(rng, n, n%2)
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	r := 1 / math.Sqrt(sum/float64(n)+eps)
	verify := func(y []float32) {
		t.Helper()
		for i, v := range y {
			want := float64(weight[i]) * float64(x[i]) * r
			if !(math.Abs(float64(v)-want) <= (float64(n)/2+4)*u*math.Abs(want)) {
				t.Fatalf("n=%d: y[%d] = %v, want %v", n, i, v, want)
			}
		}
	}
	y, check := guarded(t, n, n%4)
	s.RMSNorm(y, x, weight, eps)
	check()
	verify(y)
	in, check := guarded(t, n, n%4)
	copy(in, x)
	s.RMSNorm(in, in, weight, eps)
	check()
	for i := range y {
		if !sameBits(y[i], in[i]) {
			t.Fatalf("n=%d: in place, y[%d] differs", n, i)
		}
	}
	// Where the row lies must not matter.
	for offset := range 4 {
		moved := make([]float32, n+offset)[offset:]
		s.RMSNorm(moved, append(make([]float32, offset), x...)[offset:], weight, eps)
		for i := range y {
			if !sameBits(y[i], moved[i]) {
				t.Fatalf("n=%d: %d floats off alignment, y[%d] differs", n, offset, i)
			}
		}
	}
	x[n-1] = float32(math.NaN())
	s.RMSNorm(y, x, weight, eps)
	for i, v := range y {
		if !isNaN(v) {
			t.Fatalf("n=%d: NaN in the row, but y[%d] = %v", n, i, v)
		}
	}
}

// rotateOnce: two products and a sum, each rounded: 2u of what is added.
func rotateOnce(t *testing.T, s Set, rng *rand.Rand, h int) {
	x, check := guarded(t, 2*h, h%4)
	before := normals(rng, 2*h, 0)
	copy(x, before)
	cos, sin := normals(rng, h, h%3), normals(rng, h, 1)
	s.Rotate(x, cos, sin)
	check()
	for i := range h {
		a, b, c, d := float64(before[i]), float64(before[h+i]), float64(cos[i]), float64(sin[i])
		if e := math.Abs(float64(x[i]) - (a*c - b*d)); !(e <= 2*u*(math.Abs(a*c)+math.Abs(b*d))) {
			t.Fatalf("h=%d: x[%d] = %v, want %v", h, i, x[i], a*c-b*d)
		}
		if e := math.Abs(float64(x[h+i]) - (b*c + a*d)); !(e <= 2*u*(math.Abs(b*c)+math.Abs(a*d))) {
			t.Fatalf("h=%d: x[%d] = %v, want %v", h, h+i, x[h+i], b*c+a*d)
		}
	}
}

// swigluOnce: 2 ulp (4u) of the exponential, at most, and four roundings.
func swigluOnce(t *testing.T, s Set, rng *rand.Rand, n int) {
	gate, up := normals(rng, n, n%3), normals(rng, n, n%2)
	for i := range gate {
		gate[i] *= 8
	}
	y, check := guarded(t, n, n%4)
	s.SwiGLU(y, gate, up)
	check()
	for i, v := range y {
		g := float64(gate[i])
		want := g / (1 + math.Exp(-g)) * float64(up[i])
		if !(math.Abs(float64(v)-want) <= 8*u*math.Abs(want)) {
			t.Fatalf("n=%d: silu(%v)·%v = %v, want %v", n, gate[i], up[i], v, want)
		}
	}
	in, check := guarded(t, n, n%4)
	copy(in, gate)
	s.SwiGLU(in, in, up)
	check()
	for i := range y {
		if !sameBits(y[i], in[i]) {
			t.Fatalf("n=%d: in place, y[%d] differs", n, i)
		}
		var alone [1]float32
		s.SwiGLU(alone[:], gate[i:i+1], up[i:i+1])
		if !sameBits(y[i], alone[0]) {
			t.Fatalf("n=%d: element %d alone differs", n, i)
		}
	}
}

// swigluEnds: large gates pass, very negative ones give zero (e^-g overflows to
// +Inf, the quotient is -0), NaN stays.
func swigluEnds(t *testing.T, s Set) {
	gate := []float32{0, 1e4, -1e4, 3e38, -3e38, float32(math.Inf(1)), float32(math.NaN()), 1}
	up := []float32{1, 2, 2, 1, 1, 1, 1, float32(math.NaN())}
	want := []float32{0, 2e4, 0, 3e38, 0, float32(math.Inf(1)), float32(math.NaN()), float32(math.NaN())}
	y := make([]float32, len(gate))
	s.SwiGLU(y, gate, up)
	for i := range y {
		if y[i] != want[i] && !(isNaN(y[i]) && isNaN(want[i])) {
			t.Errorf("silu(%v)·%v = %v, want %v", gate[i], up[i], y[i], want[i])
		}
	}
}

// sumExpOnce: n sums round n times, an exponential errs by 2 ulp (4u).
func sumExpOnce(t *testing.T, s Set, rng *rand.Rand, n int) {
	x := append(make([]float32, n%4), normals(rng, n, 0)...)[n%4:]
	for i := range x {
		x[i] = float32(math.Round(float64(x[i])*8) / 2) // ties
	}
	verify := func() float32 {
		t.Helper()
		m, arg, sum := s.MaxSumExp(x)
		wantMax, wantArg := x[0], 0
		for i, v := range x {
			if v > wantMax {
				wantMax, wantArg = v, i
			}
		}
		var want float64
		for _, v := range x {
			want += math.Exp(float64(v) - float64(wantMax))
		}
		if m != wantMax || arg != wantArg {
			t.Fatalf("n=%d: maximum %v at %d, want %v at %d", n, m, arg, wantMax, wantArg)
		}
		if !(math.Abs(float64(sum)-want) <= (float64(n)+4)*u*want) {
			t.Fatalf("n=%d: sum %v, want %v", n, sum, want)
		}
		return sum
	}
	sum := verify()
	if n > 2 {
		x[n/2] = float32(math.Inf(-1))
		verify()
	}
	for i := range x {
		x[i] = -300 - float32(i%3) // every one far below zero
	}
	verify()
	x[n-1] = float32(math.NaN())
	if _, _, got := s.MaxSumExp(x); !isNaN(got) {
		t.Fatalf("n=%d: NaN in the row, but the sum is %v (%v before)", n, got, sum)
	}
	for i := range x {
		x[i] = float32(math.NaN())
	}
	if _, arg, got := s.MaxSumExp(x); !isNaN(got) || arg != 0 {
		t.Fatalf("n=%d: all NaN, but the sum is %v at %d", n, got, arg)
	}
}

// roundAll compares Prepare's rounding with ToBF16 over every upper half of a
// float32 with the lower halves that decide the rounding, NaNs and subnormals
// among them.
func roundAll(t *testing.T, s Set) {
	var x []float32
	for _, low := range []uint32{0, 1, 0x7fff, 0x8000, 0x8001, 0xffff} {
		for high := range uint32(1 << 16) {
			x = append(x, math.Float32frombits(high<<16|low))
		}
	}
	for _, k := range []int{67, 96, 1000} {
		var in Input
		m := len(x) / k
		in.Reset(BFloat16, m, k)
		s.Prepare(&in, x, k, 0, m)
		for i := range m * k {
			got, want := in.BF16[i/k*InputStride(k)+i%k], ToBF16(x[i])
			if got != want {
				t.Fatalf("%v (%#x) becomes %#x, want %#x", x[i], math.Float32bits(x[i]), got, want)
			}
		}
	}
}

// TestWidenBF16 takes every bfloat16, every length past two blocks, and odd
// addresses.
func TestWidenBF16(t *testing.T) {
	bytes := make([]byte, 1+2<<16)
	for offset := range 2 {
		src := bytes[offset:][:2<<16]
		for h := range 1 << 16 {
			src[2*h], src[2*h+1] = byte(h), byte(h>>8)
		}
		lengths := []int{1 << 16}
		for n := range 3*32 + 1 {
			lengths = append(lengths, n)
		}
		for _, n := range lengths {
			dst, check := guarded(t, n, n%4)
			WidenBF16(dst, src)
			check()
			for h, x := range dst {
				if math.Float32bits(x) != uint32(h)<<16 {
					t.Fatalf("n=%d: bfloat16 %#x becomes %#x", n, h, math.Float32bits(x))
				}
			}
		}
	}
}
