package conform

import (
	"context"
	"fmt"
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

// Timing is one kernel's speed at one size.
type Timing struct {
	Name   string
	Median float64 // milliseconds
	Best   float64
	TFLOPS float64 // at the median
}

const rounds = 11

// Timings times the matrix product and attention at the shapes of a 340M model,
// in bfloat16. Results are held against the simulated device by Kernels, which
// must come first.
func Timings(ctx context.Context, open func() (Timer, error), show func(Timing)) error {
	for _, s := range [][3]int{{8192, 3072, 1024}, {8192, 1024, 1024}, {8192, 5632, 1024}, {8192, 1024, 2816}, {512, 3072, 1024}} {
		if err := timed(ctx, open, show, fmt.Sprintf("gemm %d x %d x %d", s[0], s[1], s[2]), 2*float64(s[0])*float64(s[1])*float64(s[2]),
			[]int{2 * s[0] * s[2], 2 * s[1] * s[2], 4 * s[0] * s[1]},
			func(p []device.Ptr) *device.Launch {
				return abi.Gemm(abi.BF16, abi.Store, p[0], p[1], 0, p[2], s[0], s[1], s[2])
			}); err != nil {
			return err
		}
	}
	for _, kind := range []attention.Kind{attention.Softpick, attention.Softmax} {
		for _, size := range []int{64, 128} {
			for _, n := range []int{2048, 4096, 8192, 16384} {
				if err := timeAttention(ctx, open, show, kind, size, n); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// timeAttention times causal attention of 16384 tokens in sequences of n, with
// 2048 / size heads: 4·n²·size/2 operations a head and sequence.
func timeAttention(ctx context.Context, open func() (Timer, error), show func(Timing), kind attention.Kind, size, n int) error {
	const total = 16384
	heads := 2048 / size
	var tiles, runs []int32
	for s := 0; s < total; s += n {
		runs = append(runs, 0, int32(s))
		for q := n - abi.QueryBlock; q >= 0; q -= abi.QueryBlock {
			tiles = append(tiles, int32(s+q), abi.QueryBlock, int32(q), int32(len(runs)/2-1), 1)
		}
	}
	a := abi.AttentionArgs{N: len(tiles) / abi.TileInts, Kind: kind, Heads: heads, KVHeads: heads, Size: size}
	each := 2 * total * heads * size
	flops := 2 * float64(n) * float64(n) * float64(size) * float64(heads) * float64(total/n)
	return timed(ctx, open, show, fmt.Sprintf("attention %v, head size %d, %d tokens", kind, size, n), flops,
		[]int{each, each, each, each, 4 * len(tiles), 4 * len(runs)},
		func(p []device.Ptr) *device.Launch {
			a.Q, a.Keys, a.Values, a.Out, a.Tiles, a.Runs = p[0], p[1], p[2], p[3], p[4], p[5]
			return abi.Attention(abi.BF16, a)
		}, func(p []device.Ptr, dev Timer) error {
			return firstOf(dev.Upload(p[4], ints(tiles).data), dev.Upload(p[5], ints(runs).data))
		})
}

// timed fills memory of the sizes given with random bfloat16 numbers, runs a
// launch twice to warm up, and times it.
func timed(ctx context.Context, open func() (Timer, error), show func(Timing), name string, flops float64, sizes []int, launch func(p []device.Ptr) *device.Launch, fill ...func(p []device.Ptr, dev Timer) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dev, err := open()
	if err != nil {
		return err
	}
	defer dev.Close()
	r := maker{rand.New(rand.NewPCG(1, 2)), abi.BF16}
	noise := in(halves, r.normal(1<<16, 1)).data
	p := make([]device.Ptr, len(sizes))
	for i, n := range sizes {
		if p[i], err = dev.Alloc(int64(n)); err != nil {
			return err
		}
		for at := 0; at < n; at += len(noise) {
			if err := dev.Upload(p[i]+device.Ptr(at), noise[:min(len(noise), n-at)]); err != nil {
				return err
			}
		}
	}
	for _, f := range fill {
		if err := f(p, dev); err != nil {
			return err
		}
	}
	l := launch(p)
	var ms []float64
	for i := range rounds + 2 {
		t, err := dev.Time(func() error { return dev.Launch(l) })
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if i >= 2 {
			ms = append(ms, t)
		}
	}
	slices.Sort(ms)
	show(Timing{name, ms[rounds/2], ms[0], flops / ms[rounds/2] / 1e9})
	return nil
}
