package conform

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine/attention"
)

// Timer is a device that can say how long launches took on it.
type Timer interface {
	device.Device
	// Time returns the milliseconds that the launches of f took.
	Time(f func() error) (float64, error)
}

// Timing is one kernel's speed at one shape.
type Timing struct {
	Kernel string  `json:"kernel"` // "gemm", "qkv", or "attention" and its kind; with "by mma.sync" where a backend takes another
	Shape  string  `json:"shape"`
	Median float64 `json:"ms"`
	Best   float64 `json:"best_ms"`
	TFLOPS float64 `json:"tflops"` // at the median
}

// pace is how often a launch is timed.
type pace struct {
	warm   float64 // milliseconds of launches before any is timed
	rounds int     // their median counts
	launch int     // in a round, between two events
	beyond int     // bytes that the launches of a round go through before one comes again: more than the L2 holds
}

var paces = [...]pace{Full: {50, 11, 20, 192 << 20}, Small: {0, 3, 2, 0}}

// timedRows are the rows of attention in all, and timedWidth the elements of one.
var timedRows, timedWidth = [...]int{Full: 16384, Small: 192}, [...]int{Full: 2048, Small: 128}

// Timings lists the matrix product, that which rotates and stores, and attention at the shapes of a 340M model, in
// bfloat16; where there are kernels of sm_90a, in both forms. Some of the results are
// held against float64 before a launch is timed.
func Timings(hopper bool, size Size) (list []Check) {
	modes := []abi.Mode{abi.BF16}
	if hopper {
		modes = []abi.Mode{abi.BF16Hopper, abi.BF16} // the one that a backend takes first
	}
	for i, mode := range modes {
		for _, x := range allTimed(mode, size) {
			if i > 0 { // the other form of the same
				x.Kernel, x.shown = x.Kernel+" by mma.sync", false
			}
			list = append(list, Check{Name: "time of " + x.Kernel + ", " + x.Shape, Group: GroupTimings, Needs: group(x.of, mode), run: x.run})
		}
	}
	return list
}

func allTimed(mode abi.Mode, size Size) (list []timed) {
	gemms := [][3]int{{512, 3072, 1024}, {8192, 1024, 1024}, {8192, 3072, 1024}, {8192, 5632, 1024}, {8192, 1024, 2816}}
	qkv := qkvShape{rows: 8192, heads: 16, kv: 16, size: 64, k: 1024} // 8192 x 3072 x 1024, rotated and stored
	heads, lengths := []int{64, 128}, []int{2048, 4096, 8192, 16384}
	if size == Small {
		gemms, lengths = [][3]int{{17, 136, 72}, {130, 264, 64}}, []int{64, 192}
		qkv = qkvShape{rows: 70, heads: 2, kv: 1, size: 64, k: 72}
	}
	for i, s := range gemms {
		x := timeGemm(mode, s[0], s[1], s[2])
		x.pace, x.shown = paces[size], i == 0
		list = append(list, x)
	}
	x := timeQKV(mode, qkv)
	x.pace = paces[size]
	list = append(list, x)
	for _, head := range heads {
		for i, n := range lengths {
			for _, kind := range []attention.Kind{attention.Softmax, attention.Softpick} {
				x := timeAttention(mode, kind, head, n, timedRows[size], timedWidth[size])
				x.pace, x.shown = paces[size], i == 0
				list = append(list, x)
			}
		}
	}
	return list
}

// timed is one launch to time, over operands of random numbers and tables.
type timed struct {
	Timing
	of       string // kernel
	pace     pace
	flops    float64
	operands []operand
	result   int // operand
	tables   [][]int32
	shown    bool // whether operands are told
	launch   func(p []device.Ptr) *device.Launch
	// some of the result's elements by float64, from the operands' numbers.
	some func(read func(operand, element int) float64) []expected
}

type operand struct {
	element  element
	elements int
	scale    float64 // of its numbers
}

func (o operand) bytes() int { return o.elements * o.element.bytes() }

// expected is what an element of a result must be.
type expected struct {
	at            int
	want, allowed float64
}

func timeGemm(mode abi.Mode, m, n, k int) timed {
	return timed{
		Timing: Timing{Kernel: "gemm", Shape: fmt.Sprintf("%d x %d x %d", m, n, k)}, of: "gemm", flops: 2 * float64(m) * float64(n) * float64(k),
		operands: []operand{{halves, m * k, 1}, {halves, n * k, 1 / math.Sqrt(float64(k))}, {floats, m * n, 0}}, result: 2,
		launch: func(p []device.Ptr) *device.Launch {
			return abi.Gemm(mode, abi.Store, p[0], p[1], 0, p[2], m, n, k)
		},
		some: func(read func(operand, element int) float64) (list []expected) {
			draw := rand.New(rand.NewPCG(3, 4))
			for range 256 {
				r, c, sum := draw.IntN(m), draw.IntN(n), 0.0
				for i := range k {
					sum += read(0, r*k+i) * read(1, c*k+i)
				}
				list = append(list, expected{r*n + c, sum, 1e-4 * max(1, math.Abs(sum))})
			}
			return list
		},
	}
}

// timeQKV is the product of which queries go to their rows, keys and values to their slots.
func timeQKV(mode abi.Mode, s qkvShape) timed {
	n := (s.heads + 2*s.kv) * s.size
	slots, pairs := make([]int32, s.rows), s.size/2
	for i := range slots {
		slots[i] = int32(s.rows - 1 - i)
	}
	stored := operand{halves, s.rows * s.kv * s.size, 0}
	return timed{
		Timing: Timing{Kernel: "qkv", Shape: s.String()}, of: "qkv", flops: 2 * float64(s.rows) * float64(n) * float64(s.k),
		operands: []operand{
			{halves, s.rows * s.k, 1}, {halves, n * s.k, 1 / math.Sqrt(float64(s.k))}, {halves, s.rows * s.heads * s.size, 0}, stored, stored,
			{floats, s.rows * pairs, 1}, {floats, s.rows * pairs, 1}, // of no angle; the sums are the same
		}, result: 2, tables: [][]int32{slots},
		launch: func(p []device.Ptr) *device.Launch {
			return abi.QKV(mode, p[0], p[1], 0, s.k, abi.RopeArgs{Q: p[2], Keys: p[3], Values: p[4], Cos: p[5], Sin: p[6], Slot: p[7], Rows: s.rows, Heads: s.heads, KVHeads: s.kv, Size: s.size})
		},
		some: func(read func(operand, element int) float64) (list []expected) {
			draw := rand.New(rand.NewPCG(7, 8))
			sum := func(row, column int) (x float64) {
				for i := range s.k {
					x += read(0, row*s.k+i) * read(1, column*s.k+i)
				}
				return x
			}
			for range 256 {
				row, head, i := draw.IntN(s.rows), draw.IntN(s.heads), draw.IntN(pairs)
				x, y := sum(row, head*s.size+i), sum(row, head*s.size+i+pairs)
				q := (x*read(5, row*pairs+i) - y*read(6, row*pairs+i)) / math.Sqrt(float64(s.size))
				list = append(list, expected{(row*s.heads+head)*s.size + i, q, math.Abs(q)/128 + 1e-4})
			}
			return list
		},
	}
}

// timeAttention is causal attention in sequences of n: 4·n²·size/2 operations a
// head and sequence.
func timeAttention(mode abi.Mode, kind attention.Kind, size, n, rows, width int) timed {
	heads, block := width/size, abi.QueryBlock(mode, size)
	var tiles, runs []int32
	for s := 0; s < rows; s += n {
		runs = append(runs, 0, int32(s))
		for q := (n - 1) / block * block; q >= 0; q -= block {
			tiles = append(tiles, int32(s+q), int32(min(block, n-q)), int32(q), int32(len(runs)/2-1), 1)
		}
	}
	each := operand{halves, rows * width, 1}
	return timed{
		Timing: Timing{Kernel: "attention " + kind.String(), Shape: fmt.Sprintf("head size %d, %d tokens", size, n)}, of: "attention",
		flops: 2 * float64(n) * float64(n) * float64(width) * float64(rows/n),
		// Rope leaves q divided by the root of its size.
		operands: []operand{{halves, rows * width, 1 / math.Sqrt(float64(size))}, each, each, {halves, rows * width, 0}}, result: 3, tables: [][]int32{tiles, runs},
		launch: func(p []device.Ptr) *device.Launch {
			return abi.Attention(mode, abi.AttentionArgs{
				Q: p[0], Keys: p[1], Values: p[2], Out: p[3], Tiles: p[4], Runs: p[5], N: len(tiles) / abi.TileInts,
				Kind: kind, Heads: heads, KVHeads: heads, Size: size,
			})
		},
		some: func(read func(operand, element int) float64) (list []expected) {
			draw := rand.New(rand.NewPCG(5, 6))
			for i := range 8 {
				sequence, head, at := draw.IntN(rows/n)*n, draw.IntN(heads), draw.IntN(n)
				if i == 0 {
					at = n - 1
				}
				list = append(list, attendOne(read, kind, sequence, at, head, heads, size)...)
			}
			return list
		},
	}
}

// attendOne is one row of one head, by attention's definition.
func attendOne(read func(operand, element int) float64, kind attention.Kind, sequence, at, head, heads, size int) (list []expected) {
	element := func(position, i int) int { return ((sequence+position)*heads+head)*size + i }
	weights := make([]float64, at+1)
	for j := range weights {
		for i := range size {
			weights[j] += read(0, element(at, i)) * read(1, element(j, i))
		}
	}
	attention.Weights(kind, weights, weights, 0)
	for i := range size {
		sum, squares := 0.0, 0.0
		for j, w := range weights {
			v := w * read(2, element(j, i))
			sum, squares = sum+v, squares+v*v
		}
		// The weights that meet values, and the sum, are rounded to bfloat16.
		list = append(list, expected{element(at, i), sum, math.Abs(sum)/128 + math.Sqrt(squares)/32 + 1e-6})
	}
	return list
}

// run holds results against float64, and then times.
func (t timed) run(ctx context.Context, s Site) Outcome {
	out, err := t.on(ctx, s)
	if err != nil {
		return Outcome{Err: fmt.Errorf("%s, %s: %w", t.Kernel, t.Shape, err)}
	}
	return out
}

func (t timed) on(ctx context.Context, s Site) (out Outcome, err error) {
	opened, err := s.Open()
	if err != nil {
		return out, err
	}
	defer opened.Close()
	dev, ok := opened.(Timer)
	if !ok {
		return out, fmt.Errorf("%s cannot time launches", opened.Info().Name)
	}
	sets, err := t.fill(dev)
	if err != nil {
		return out, err
	}
	if err := dev.Launch(t.launch(sets[0])); err != nil {
		return out, err
	}
	result := make([]byte, t.operands[t.result].bytes())
	if err := dev.Download(result, sets[0][t.result]); err != nil {
		return out, err
	}
	if out.Worst, err = t.hold(result); err != nil {
		return out, err
	}
	next := 0
	round := func(n int) (float64, error) {
		return dev.Time(func() error {
			for range n {
				if err := dev.Launch(t.launch(sets[next%len(sets)])); err != nil {
					return err
				}
				next++
			}
			return nil
		})
	}
	for warm := 0.0; warm < t.pace.warm; {
		took, err := round(1)
		if err != nil {
			return out, err
		}
		warm += max(took, 1e-3)
	}
	var ms []float64
	for range t.pace.rounds {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		took, err := round(t.pace.launch)
		if err != nil {
			return out, err
		}
		ms = append(ms, took/float64(t.pace.launch))
	}
	slices.Sort(ms)
	x := t.Timing
	x.Median, x.Best = ms[len(ms)/2], ms[0]
	x.TFLOPS = t.flops / x.Median / 1e9
	out.Timing = &x
	for i, o := range t.operands {
		if !t.shown {
			break
		}
		out.Operands = append(out.Operands, make([]byte, o.bytes()))
		if err := dev.Download(out.Operands[i], sets[0][i]); err != nil {
			return out, err
		}
	}
	return out, nil
}

// hold compares some elements of a result, and says how far off the farthest is as a
// part of what is allowed.
func (t timed) hold(result []byte) (worst float64, err error) {
	noise := make([][]byte, len(t.operands))
	read := func(i, element int) float64 {
		if noise[i] == nil {
			noise[i] = t.numbers(i)
		}
		return t.operands[i].element.value(noise[i][element*t.operands[i].element.bytes()%len(noise[i]):])
	}
	kind := t.operands[t.result].element
	for _, e := range t.some(read) {
		got := kind.value(result[e.at*kind.bytes():])
		d := math.Abs(got - e.want)
		if !(d <= e.allowed) {
			return 0, fmt.Errorf("element %d is %v, want %v within %.1e: not timed", e.at, got, e.want, e.allowed)
		}
		worst = max(worst, d/e.allowed)
	}
	return worst, nil
}

// numbers are an operand's, which repeat after a number of elements that no row
// divides, so that no two rows are equal.
func (t timed) numbers(i int) []byte {
	o := t.operands[i]
	return in(o.element, maker{rand.New(rand.NewPCG(1, uint64(i))), abi.BF16}.normal(min(1<<20-3, o.elements), o.scale)).data
}

// fill takes memory for as many sets of operands as the L2 cannot hold, all of the same
// numbers, and for the tables, which they share.
func (t timed) fill(dev Timer) (sets [][]device.Ptr, err error) {
	var tables []device.Ptr
	for _, table := range t.tables {
		at, err := dev.Alloc(int64(4 * len(table)))
		if err == nil {
			err = dev.Upload(at, ints(table).data)
		}
		if err != nil {
			return nil, err
		}
		tables = append(tables, at)
	}
	for total := 0; len(sets) == 0 || total < t.pace.beyond; {
		var p []device.Ptr
		for i, o := range t.operands {
			at, err := dev.Alloc(int64(o.bytes()))
			if err != nil {
				return nil, err
			}
			noise := t.numbers(i)
			for done := 0; done < o.bytes(); done += len(noise) {
				if err := dev.Upload(at+device.Ptr(done), noise[:min(len(noise), o.bytes()-done)]); err != nil {
					return nil, err
				}
			}
			p = append(p, at)
			total += o.bytes()
		}
		sets = append(sets, append(p, tables...))
	}
	return sets, nil
}
