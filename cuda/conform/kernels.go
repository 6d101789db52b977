package conform

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
)

// maker makes cases with random operands.
type maker struct {
	*rand.Rand
	mode abi.Mode
}

func (r maker) normal(n int, scale float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64() * scale)
	}
	return x
}

func (r maker) below(n, bound int) []int32 {
	x := make([]int32, n)
	for i := range x {
		x[i] = int32(r.IntN(bound))
	}
	return x
}

// rounding is half a unit in the last place of T: what one rounding may add.
func (r maker) rounding() float64 {
	if r.mode == abi.F32 {
		return 1.0 / (1 << 23)
	}
	return 1.0 / 256
}

func one(l *device.Launch) []*device.Launch { return []*device.Launch{l} }

// lazy is a case that is made when it is wanted: its name, and the kernel and mode it
// is of, are known before.
type lazy struct {
	kernel, name string
	mode         abi.Mode
	make         func() *testCase
}

// adder takes a case of the kernel named, at the shape named.
type adder func(kernel, shape string, f func(r maker) *testCase)

// cases lists every kernel at sizes around every tile's edge; those of sm_90a too
// where they are asked for.
func cases(seed uint64, hopper bool) (list []lazy) {
	in := func(mode abi.Mode) adder {
		return func(kernel, shape string, f func(r maker) *testCase) {
			stream := uint64(len(list))
			name := fmt.Sprintf("%s %s, %s", kernel, mode, shape)
			list = append(list, lazy{kernel, name, mode, func() *testCase {
				k := f(maker{rand.New(rand.NewPCG(seed, stream)), mode})
				k.name = name
				return k
			}})
		}
	}
	for _, mode := range []abi.Mode{abi.F32, abi.BF16} {
		add := in(mode)
		for _, hidden := range []int{8, 64, 200, 1024, 2816} {
			for _, rows := range []int{1, 3, 130} {
				shape := fmt.Sprintf("%d rows of %d", rows, hidden)
				add("embed", shape, func(r maker) *testCase { return r.embed(rows, hidden) })
				add("rmsnorm", shape, func(r maker) *testCase { return r.rmsNorm(rows, hidden, false) })
				add("rmsnorm", shape+" by index", func(r maker) *testCase { return r.rmsNorm(rows, hidden, true) })
			}
		}
		gemms(add)
		qkvs(add)
		for _, size := range []int{32, 64, 96, 128, 192, 256} {
			add("rope", fmt.Sprintf("17 rows, 4+2 heads of %d", size), func(r maker) *testCase { return r.rope(17, 4, 2, size, false, false) })
			add("rope", fmt.Sprintf("5 rows, 3+1 heads of %d, norms, scaled", size), func(r maker) *testCase { return r.rope(5, 3, 1, size, true, true) })
		}
		for _, s := range shapes() {
			add("attention", s.String(), func(r maker) *testCase { return r.attention(s) })
		}
		heads(add)
	}
	for i, width := range []int{4, 256, 4096} {
		in(abi.F32)("gather", fmt.Sprintf("%d rows of %d bytes", 1+64*i, width), func(r maker) *testCase { return r.gather(1+64*i, width) })
	}
	for _, m := range []int{1, 7, 9, 70} {
		for _, n := range []int{1, 31, 33, 250} {
			in(abi.F32)("merge", fmt.Sprintf("%d rows of %d partials", m, n), func(r maker) *testCase { return r.merge(m, n) })
		}
	}
	if hopper {
		gemms(in(abi.BF16Hopper))
		qkvs(in(abi.BF16Hopper))
		heads(in(abi.BF16Hopper))
		for _, s := range hopperShapes() {
			in(abi.BF16Hopper)("attention", s.String(), func(r maker) *testCase { return r.attention(s) })
		}
	}
	return list
}

func gemms(add adder) {
	draw := rand.New(rand.NewPCG(1, 6)) // of sums' lengths and biases
	for _, m := range []int{1, 15, 17, 65, abi.GemmM, abi.GemmM + 1} {
		for _, n := range []int{8, 72, abi.GemmN, abi.GemmN + 8} {
			for e := abi.Store; e <= abi.SwiGLU; e++ {
				i := draw.IntN(12)
				k, bias := []int{8, 32, 64, 72, 96, 128}[i/2], i%2 == 0
				add("gemm", product(e, m, n, k, bias), func(r maker) *testCase { return r.gemm(e, m, n, k, bias) })
			}
		}
	}
	add("gemm", product(abi.Store, 130, 136, 1024, true), func(r maker) *testCase { return r.gemm(abi.Store, 130, 136, 1024, true) })
	add("gemm", product(abi.SwiGLU, 20, 264, 2816, false), func(r maker) *testCase { return r.gemm(abi.SwiGLU, 20, 264, 2816, false) })
}

// product names a matrix product.
func product(e abi.Epilogue, m, n, k int, bias bool) string {
	text := fmt.Sprintf("%s of %d x %d x %d", e, m, n, k)
	if bias {
		text += ", bias"
	}
	return text
}

func heads(add adder) {
	for _, m := range []int{1, 5, abi.HeadRows - 1, abi.HeadRows + 1} {
		for _, vocab := range []int{300, abi.HeadColumns, 3*abi.HeadColumns + 1} {
			add("head", fmt.Sprintf("%d rows, %d of 40", m, vocab), func(r maker) *testCase { return r.head(m, vocab, 40) })
		}
	}
}

func (r maker) embed(rows, hidden int) *testCase {
	const vocab = 50
	return &testCase{buffers: []*buffer{ints(r.below(rows, vocab)), in(of(r.mode), r.normal(vocab*hidden, 1)), out(floats, rows*hidden, 0, 0).of(hidden)},
		launch: func(p []device.Ptr) []*device.Launch { return one(abi.Embed(r.mode, p[0], p[1], p[2], rows, hidden)) }}
}

func (r maker) rmsNorm(rows, hidden int, index bool) *testCase {
	const all = 140
	return &testCase{buffers: []*buffer{in(floats, r.normal(all*hidden, 3)), in(floats, r.normal(hidden, 1)), ints(r.below(rows, all)), out(of(r.mode), rows*hidden, 4*r.rounding(), 1e-6).of(hidden)},
		launch: func(p []device.Ptr) []*device.Launch {
			at := p[2]
			if !index {
				at = 0
			}
			return one(abi.RMSNormAt(r.mode, p[0], p[1], at, p[3], rows, hidden, 1e-6))
		}}
}

func (r maker) gemm(e abi.Epilogue, m, n, k int, bias bool) *testCase {
	scale := 1 / math.Sqrt(float64(k))
	c := out(floats, m*n, 1e-5, 1).of(n)
	switch e {
	case abi.Add:
		c.data = in(floats, r.normal(m*n, 1)).data
	case abi.SwiGLU:
		size := 0.1
		if r.mode == abi.F32 {
			size = 1 // of the two sums whose product it is; in bfloat16 the last rounding is all
		}
		c = out(of(r.mode), m*n/2, max(1e-5, 4*r.rounding()), size).of(n / 2)
	}
	return &testCase{buffers: []*buffer{in(of(r.mode), r.normal(m*k, 1)), in(of(r.mode), r.normal(n*k, scale)), in(floats, r.normal(n, 1)), c},
		launch: func(p []device.Ptr) []*device.Launch {
			b := p[2]
			if !bias {
				b = 0
			}
			return one(abi.Gemm(r.mode, e, p[0], p[1], b, p[3], m, n, k))
		}}
}

func (r maker) gather(rows, width int) *testCase {
	const all = 50
	return &testCase{buffers: []*buffer{ints(r.below(all*width/4, math.MaxInt32)), ints(r.below(rows, all)), out(words, rows*width/4, 0, 0).of(width / 4)},
		launch: func(p []device.Ptr) []*device.Launch { return one(abi.Gather(p[0], p[1], p[2], rows, width)) }}
}

// head runs the head and the merge. Of the partials only what the merge makes
// of them is promised to be near: which of two equal logits' blocks holds more.
func (r maker) head(m, vocab, hidden int) *testCase {
	start, ids := []int32{0}, []int32(nil)
	for range m {
		ids = append(ids, r.below(r.IntN(4), vocab)...)
		start = append(start, int32(len(ids)))
	}
	ids = append(ids, 0) // an operand of no bytes is not an operand
	scale := 2 / math.Sqrt(float64(hidden))
	blocks := abi.HeadBlocks(vocab)
	partials := out(words, m*blocks*abi.HeadFloats, 0, 0)
	partials.any = func(int) bool { return true }
	return &testCase{buffers: []*buffer{
		in(of(r.mode), r.normal(m*hidden, 1)), in(of(r.mode), r.normal(vocab*hidden, scale)), ints(start), ints(ids),
		out(floats, len(ids), 1e-5, 1), partials, out(doubles, m, 1e-6, 1), out(words, m, 0, 0),
	},
		launch: func(p []device.Ptr) []*device.Launch {
			return []*device.Launch{
				abi.Head(r.mode, p[0], p[1], p[2], p[3], p[4], p[5], m, vocab, hidden),
				abi.HeadMerge(p[5], p[6], p[7], m, blocks),
			}
		}}
}

// merge joins partials, many of whose maxima are equal: the lowest token is wanted.
func (r maker) merge(m, n int) *testCase {
	var partials []float32
	for range m {
		for c := range n {
			token := uint32(c*abi.HeadColumns + r.IntN(abi.HeadColumns))
			partials = append(partials, float32(r.IntN(4)-5), 1+127*r.Float32(), math.Float32frombits(token))
		}
	}
	return &testCase{buffers: []*buffer{in(floats, partials), out(doubles, m, 1e-12, 1), out(words, m, 0, 0)},
		launch: func(p []device.Ptr) []*device.Launch { return one(abi.HeadMerge(p[0], p[1], p[2], m, n)) }}
}
