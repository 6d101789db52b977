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
	each("LayerNorm", func(t *testing.T, n int) { layerNormOnce(t, s, rng, n) })
	each("Rotate", func(t *testing.T, n int) { rotateOnce(t, s, rng, n) })
	each("SwiGLU", func(t *testing.T, n int) { swigluOnce(t, s, rng, n) })
	each("SelfGate", func(t *testing.T, n int) { selfGateOnce(t, s, rng, n) })
	each("GELU", func(t *testing.T, n int) { geluOnce(t, s, rng, n) })
	each("Exp", func(t *testing.T, n int) { expOnce(t, s.(Gradients), rng, n) })
	each("SwiGLUGrad", func(t *testing.T, n int) { swigluGradOnce(t, s.(Gradients), rng, n) })
	each("WeighGrad", func(t *testing.T, n int) { weighGradOnce(t, s.(Gradients), rng, n) })
	each("MaxSumExp", func(t *testing.T, n int) { sumExpOnce(t, s, rng, n) })
	t.Run("empty", func(t *testing.T) {
		s.Scale(nil, 2)
		s.SwiGLU(nil, nil, nil)
		s.Rotate(nil, nil, nil)
		s.SelfGate(nil, 1, 0)
		s.GELU(nil)
	})
	t.Run("SwiGLU at the ends", func(t *testing.T) { swigluEnds(t, s) })
	t.Run("activations at the ends", func(t *testing.T) { activationEnds(t, s) })
	t.Run("GELU everywhere", func(t *testing.T) { geluEverywhere(t, s) })
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

// inPlace runs an activation on x with guards, and holds every element to what it gives alone.
func inPlace(t *testing.T, x []float32, run func(x []float32)) []float32 {
	t.Helper()
	y, check := guarded(t, len(x), len(x)%4)
	copy(y, x)
	run(y)
	check()
	for i, v := range x {
		alone := [1]float32{v}
		run(alone[:])
		if !sameBits(y[i], alone[0]) {
			t.Fatalf("n=%d: element %d alone differs", len(x), i)
		}
	}
	return y
}

// selfGateOnce: three roundings of the exponent 2u each of it, 2 ulp (4u) of the exponential, a sum
// and a quotient.
func selfGateOnce(t *testing.T, s Set, rng *rand.Rand, n int) {
	x := normals(rng, n, n%3)
	for i := range x {
		x[i] *= 3
	}
	for _, c := range [][2]float32{{1, 0}, {QuickGELU, 0}, {GELUTanhA, GELUTanhB}} {
		for i, v := range inPlace(t, x, func(x []float32) { s.SelfGate(x, c[0], c[1]) }) {
			w := float64(x[i])
			exponent := (float64(c[0]) + float64(c[1])*w*w) * w
			want := w / (1 + math.Exp(-exponent))
			if e := math.Abs(float64(v) - want); !(e <= (6+4*math.Abs(exponent))*u*math.Abs(want) || e < 0x1p-121) {
				t.Fatalf("n=%d, %v: %v becomes %v, want %v", n, c, x[i], v, want)
			}
		}
	}
}

// geluBound is what rounding may do to GELU, relative: a polynomial of degree 9 in t below 1, whose
// sums are at most twice its value, an exponential of 4u, and some ten roundings.
const geluBound = 16 * u

func geluOnce(t *testing.T, s Set, rng *rand.Rand, n int) {
	x := normals(rng, n, n%3)
	for i := range x {
		x[i] *= 3
	}
	for i, v := range inPlace(t, x, s.GELU) {
		want := float64(x[i]) / 2 * math.Erfc(-float64(x[i])/math.Sqrt2)
		if !(math.Abs(float64(v)-want) <= geluBound*math.Abs(want)) {
			t.Fatalf("n=%d: gelu(%v) = %v, want %v", n, x[i], v, want)
		}
	}
}

// geluEverywhere takes a number of each exponent and some 500 of each binade, down to where float32
// has no numbers left but subnormal ones, which may become zero.
func geluEverywhere(t *testing.T, s Set) {
	for bits := uint32(0); bits < 0x42000000; bits += 1<<14 + 1 { // up to 32
		for _, sign := range []uint32{0, 1 << 31} {
			x := math.Float32frombits(bits | sign)
			y := []float32{x}
			s.GELU(y)
			want := float64(x) / 2 * math.Erfc(-float64(x)/math.Sqrt2)
			if e := math.Abs(float64(y[0]) - want); !(e <= geluBound*math.Abs(want) || e < 0x1p-121) {
				t.Fatalf("gelu(%v) = %v, want %v", x, y[0], want)
			}
		}
	}
}

// activationEnds: what is large passes, what is far below zero becomes zero, NaN stays, and -Inf
// gives no number, as -Inf times 0.
func activationEnds(t *testing.T, s Set) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	in := []float32{0, 1e4, -1e4, 3e38, -3e38, inf, -inf, nan}
	want := []float32{0, 1e4, 0, 3e38, 0, inf, nan, nan}
	for name, run := range map[string]func(x []float32){
		"gelu": s.GELU, "silu": func(x []float32) { s.SelfGate(x, 1, 0) },
		"gelu with a tanh": func(x []float32) { s.SelfGate(x, GELUTanhA, GELUTanhB) },
	} {
		y := append([]float32(nil), in...)
		run(y)
		for i := range y {
			if y[i] != want[i] && !(isNaN(y[i]) && isNaN(want[i])) {
				t.Errorf("%s(%v) = %v, want %v", name, in[i], y[i], want[i])
			}
		}
	}
}

// layerNormOnce: the mean errs by n·u of the mean distance from zero, which moves every output and
// the variance; the root and the products as RMSNorm's.
func layerNormOnce(t *testing.T, s Set, rng *rand.Rand, n int) {
	const eps = 1e-5
	x, weight, bias := normals(rng, n, n%3), normals(rng, n, n%2), normals(rng, n, 1)
	for i := range x {
		x[i] += 0.5
	}
	for _, c := range []struct {
		weight, bias []float32
	}{{weight, bias}, {weight, nil}, {nil, nil}, {nil, bias}} {
		reference := make([]float32, n)
		Generic{}.LayerNorm(reference, x, c.weight, c.bias, eps)
		y, check := guarded(t, n, n%4)
		s.LayerNorm(y, x, c.weight, c.bias, eps)
		check()
		bare := make([]float32, n)
		Generic{}.LayerNorm(bare, x, nil, nil, eps)
		for i := range y {
			w, b := 1.0, 0.0
			if c.weight != nil {
				w = math.Abs(float64(c.weight[i]))
			}
			if c.bias != nil {
				b = math.Abs(float64(c.bias[i]))
			}
			// In units of the deviation: x of about 1.5 has a mean that errs by n·u of it.
			bound := (float64(n)+8)*u*(2+math.Abs(float64(bare[i])))*w + 4*u*b
			if n < 4 { // the deviation may be far below the numbers
				bound = 1e-3
			}
			if !(math.Abs(float64(y[i])-float64(reference[i])) <= bound) {
				t.Fatalf("n=%d: y[%d] = %v, want %v", n, i, y[i], reference[i])
			}
		}
		in := append([]float32(nil), x...)
		s.LayerNorm(in, in, c.weight, c.bias, eps)
		for i := range y {
			if !sameBits(y[i], in[i]) {
				t.Fatalf("n=%d: in place, y[%d] differs", n, i)
			}
		}
	}
	x[n-1] = float32(math.NaN())
	y := make([]float32, n)
	s.LayerNorm(y, x, weight, bias, eps)
	for i, v := range y {
		if !isNaN(v) {
			t.Fatalf("n=%d: NaN in the row, but y[%d] = %v", n, i, v)
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
