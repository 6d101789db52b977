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
	Kernel string  `json:"kernel"` // "gemm", or "attention" and its kind; with "by mma.sync" where a backend takes another
	Shape  string  `json:"shape"`
	Median float64 `json:"ms"`
	Best   float64 `json:"best_ms"`
	TFLOPS float64 `json:"tflops"` // at the median
}

// Tell is told each timing, and of the smallest shapes what was read and written:
// bfloat16 a, w and float c of a product; bfloat16 q, keys, values and out.
type Tell func(t Timing, operands [][]byte) error

const (
	rounds = 11
	// timedTokens is the rows of attention in all; a row is timedWidth elements.
	timedTokens = 16384
	timedWidth  = 2048
)

// Timings times the matrix product and attention at the shapes of a 340M model,
// in bfloat16. Results are held against the simulated device by Kernels, which
// must come first.
func Timings(ctx context.Context, open func() (Timer, error), tell Tell) error {
	modes, err := modesOn(open)
	if err != nil {
		return err
	}
	for i, mode := range modes {
		for _, x := range allTimed(mode) {
			if i > 0 { // the other form of the same
				x.Kernel, x.shown = x.Kernel+" by mma.sync", false
			}
			if err := x.run(ctx, open, tell); err != nil {
				return err
			}
		}
	}
	return nil
}

func allTimed(mode abi.Mode) (list []timed) {
	for _, s := range [][3]int{{512, 3072, 1024}, {8192, 1024, 1024}, {8192, 3072, 1024}, {8192, 5632, 1024}, {8192, 1024, 2816}} {
		list = append(list, timeGemm(mode, s[0], s[1], s[2]))
	}
	for _, size := range []int{64, 128} {
		for _, n := range []int{2048, 4096, 8192, 16384} {
			for _, kind := range []attention.Kind{attention.Softmax, attention.Softpick} {
				list = append(list, timeAttention(mode, kind, size, n))
			}
		}
	}
	return list
}

// modesOn lists the forms of bfloat16 that a device has, the one that a backend takes
// first.
func modesOn(open func() (Timer, error)) ([]abi.Mode, error) {
	dev, err := open()
	if err != nil {
		return nil, err
	}
	if dev.Info().Hopper {
		return []abi.Mode{abi.BF16Hopper, abi.BF16}, dev.Close()
	}
	return []abi.Mode{abi.BF16}, dev.Close()
}

// timed is one launch to time, over operands of random numbers and tables.
type timed struct {
	Timing
	flops    float64
	operands []operand
	tables   [][]int32
	shown    bool // whether operands are told
	launch   func(p []device.Ptr) *device.Launch
}

type operand struct {
	bytes int
	scale float64 // of its numbers, which are bfloat16
}

func timeGemm(mode abi.Mode, m, n, k int) timed {
	return timed{
		Timing: Timing{Kernel: "gemm", Shape: fmt.Sprintf("%d x %d x %d", m, n, k)}, flops: 2 * float64(m) * float64(n) * float64(k),
		operands: []operand{{2 * m * k, 1}, {2 * n * k, 1 / math.Sqrt(float64(k))}, {4 * m * n, 1}}, shown: m == 512,
		launch: func(p []device.Ptr) *device.Launch {
			return abi.Gemm(mode, abi.Store, p[0], p[1], 0, p[2], m, n, k)
		},
	}
}

// timeAttention is causal attention in sequences of n: 4·n²·size/2 operations a
// head and sequence.
func timeAttention(mode abi.Mode, kind attention.Kind, size, n int) timed {
	heads, block := timedWidth/size, abi.QueryBlock(mode, size)
	var tiles, runs []int32
	for s := 0; s < timedTokens; s += n {
		runs = append(runs, 0, int32(s))
		for q := n - block; q >= 0; q -= block {
			tiles = append(tiles, int32(s+q), int32(block), int32(q), int32(len(runs)/2-1), 1)
		}
	}
	each := operand{2 * timedTokens * timedWidth, 1}
	return timed{
		Timing: Timing{Kernel: "attention " + kind.String(), Shape: fmt.Sprintf("head size %d, %d tokens", size, n)},
		flops:  2 * float64(n) * float64(n) * timedWidth * float64(timedTokens/n),
		// Rope leaves q divided by the root of its size.
		operands: []operand{{each.bytes, 1 / math.Sqrt(float64(size))}, each, each, each}, tables: [][]int32{tiles, runs}, shown: n == 2048,
		launch: func(p []device.Ptr) *device.Launch {
			return abi.Attention(mode, abi.AttentionArgs{
				Q: p[0], Keys: p[1], Values: p[2], Out: p[3], Tiles: p[4], Runs: p[5], N: len(tiles) / abi.TileInts,
				Kind: kind, Heads: heads, KVHeads: heads, Size: size,
			})
		},
	}
}

// run launches twice to warm up, and then times.
func (t timed) run(ctx context.Context, open func() (Timer, error), tell Tell) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dev, err := open()
	if err != nil {
		return err
	}
	defer dev.Close()
	p, err := t.fill(dev)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", t.Kernel, t.Shape, err)
	}
	l := t.launch(p)
	var ms []float64
	for i := range rounds + 2 {
		took, err := dev.Time(func() error { return dev.Launch(l) })
		if err != nil {
			return fmt.Errorf("%s, %s: %w", t.Kernel, t.Shape, err)
		}
		if i >= 2 {
			ms = append(ms, took)
		}
	}
	slices.Sort(ms)
	t.Median, t.Best, t.TFLOPS = ms[rounds/2], ms[0], t.flops/ms[rounds/2]/1e9
	var seen [][]byte
	for i, o := range t.operands {
		if !t.shown {
			break
		}
		seen = append(seen, make([]byte, o.bytes))
		if err := dev.Download(seen[i], p[i]); err != nil {
			return err
		}
	}
	return tell(t.Timing, seen)
}

// fill takes memory for the operands and the tables. Numbers repeat after a prime
// number of elements, so no two rows are equal.
func (t timed) fill(dev Timer) (p []device.Ptr, err error) {
	r := maker{rand.New(rand.NewPCG(1, 2)), abi.BF16}
	for _, o := range t.operands {
		at, err := dev.Alloc(int64(o.bytes))
		if err != nil {
			return nil, err
		}
		noise := in(halves, r.normal(1<<20-3, o.scale)).data
		for done := 0; done < o.bytes; done += len(noise) {
			if err := dev.Upload(at+device.Ptr(done), noise[:min(len(noise), o.bytes-done)]); err != nil {
				return nil, err
			}
		}
		p = append(p, at)
	}
	for _, table := range t.tables {
		at, err := dev.Alloc(int64(4 * len(table)))
		if err == nil {
			err = dev.Upload(at, ints(table).data)
		}
		if err != nil {
			return nil, err
		}
		p = append(p, at)
	}
	return p, nil
}
