package conform

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	"github.com/softbench/softbench/cuda/device"
)

// Result is one case's outcome.
type Result struct {
	Name string
	// Worst is the largest difference as a part of what is allowed; 0 where all
	// bits are the same.
	Worst float64
	Err   error // nil where it holds
}

// Kernels holds every kernel of a device against the simulated one. Open makes
// a fresh device; show is told each result.
func Kernels(ctx context.Context, open func() (device.Device, error), show func(Result)) error {
	failed, first := 0, error(nil)
	list, err := casesOn(open)
	if err != nil {
		return err
	}
	for _, l := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		k := l.make()
		worst, err := k.check(open)
		show(Result{k.name, worst, err})
		if err != nil {
			if failed++; first == nil {
				first = err
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d kernel cases fail, the first is %w", failed, len(list), first)
	}
	return nil
}

// casesOn lists the cases of the kernels that a device has.
func casesOn(open func() (device.Device, error)) ([]lazy, error) {
	dev, err := open()
	if err != nil {
		return nil, err
	}
	return cases(1, dev.Info().Hopper), dev.Close()
}

// SameBits runs every kernel's cases on two devices. Results must be equal to the
// bit: where the second uses a freedom that kernels leave, nothing may depend on it.
func SameBits(ctx context.Context, a, b func() (device.Device, error)) error {
	list, err := casesOn(a)
	if err != nil {
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
