package conform

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/forward"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
)

// Size chooses among checks for a GPU and for devices that are slow.
type Size int

const (
	Full  Size = iota
	Small      // fewer and smaller models; other shapes to time
)

// The groups that are no kernel's.
const (
	GroupModels  = "models"
	GroupTimings = "timings"
)

// Check is one thing to hold against what it must be, or to time.
type Check struct {
	Name string // of no other check
	// Group has checks that are alike: a kernel's in one mode, models, timings.
	Group string
	// Needs is the group whose first case must hold for a timing to mean something.
	Needs string
	run   func(ctx context.Context, s Site) Outcome
}

// Run tries it.
func (c Check) Run(ctx context.Context, s Site) Outcome { return c.run(ctx, s) }

// Site is where checks are run.
type Site struct {
	// Open makes a device whose memory nothing else uses; it is closed after use.
	Open func() (device.Device, error)
	// Backend puts a model on a device; nil: on one of Open's.
	Backend OpenBackend
	// Memory bounds what a model takes of it, in bytes; 0: nearly all that is free.
	Memory int64
	// Twice has each kernel compute twice, which must give the same bits.
	Twice bool
}

// OpenBackend puts a checkpoint on a device.
type OpenBackend func(ctx context.Context, ck *checkpoint.Checkpoint, dt kernel.Arithmetic) (engine.Backend, error)

func (s Site) backend(ctx context.Context, ck *checkpoint.Checkpoint, dt kernel.Arithmetic) (engine.Backend, error) {
	if s.Backend != nil {
		return s.Backend(ctx, ck, dt)
	}
	dev, err := s.Open()
	if err != nil {
		return nil, err
	}
	return forward.New(ctx, dev, ck, forward.Options{Formats: kernel.FormatsOf(dt), Memory: s.Memory})
}

// Outcome is what a check found.
type Outcome struct {
	// Worst is the largest difference as a part of what is allowed; 0 where all
	// bits are the same.
	Worst  float64
	Timing *Timing
	// Operands are those of a timing that others should repeat: bfloat16 a, w and
	// float c of a product; bfloat16 q, keys, values and out of attention.
	Operands [][]byte
	Err      error // nil where it holds; Mismatches are in its chain where numbers are wrong
}

// All lists every check of a device: kernels, models, timings.
func All(hopper bool, size Size) []Check {
	return append(append(Kernels(hopper), Models(size)...), Timings(hopper, size)...)
}

// Kernels lists the cases of every kernel; those of sm_90a too where they are asked for.
func Kernels(hopper bool) (list []Check) {
	for _, l := range cases(1, hopper) {
		list = append(list, Check{Name: l.name, Group: group(l.kernel, l.mode), run: func(_ context.Context, s Site) Outcome {
			worst, err := l.make().check(s.Open, s.Twice)
			return Outcome{Worst: worst, Err: err}
		}})
	}
	return list
}

func group(kernel string, m abi.Mode) string { return kernel + " " + m.String() }

// Run tries one check after the other and tells each outcome. The error says how many
// do not hold, and the first.
func Run(ctx context.Context, list []Check, s Site, show func(Check, Outcome)) error {
	failed, first := 0, error(nil)
	for _, c := range list {
		o := c.Run(ctx, s)
		if err := ctx.Err(); err != nil {
			return err
		}
		show(c, o)
		if o.Err != nil {
			if failed++; first == nil {
				first = o.Err
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks fail, the first is %w", failed, len(list), first)
	}
	return nil
}

// SameBits runs every kernel's cases on two devices. Results must be equal to the
// bit: where the second uses a freedom that kernels leave, nothing may depend on it.
func SameBits(ctx context.Context, a, b func() (device.Device, error)) error {
	dev, err := a()
	if err != nil {
		return err
	}
	list := cases(1, dev.Info().Hopper)
	if err := dev.Close(); err != nil {
		return err
	}
	for _, l := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		k := l.make()
		var got [2][][]byte
		for i, open := range []func() (device.Device, error){a, b} {
			dev, err := open()
			if err != nil {
				return err
			}
			got[i], err = k.results(dev)
			if err := cmp.Or(err, dev.Close()); err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
		}
		for i := range k.buffers {
			if !bytes.Equal(got[0][i], got[1][i]) {
				return fmt.Errorf("%s: operand %d has other bits", k.name, i)
			}
		}
	}
	return nil
}
