//go:build cuda && linux && (amd64 || arm64)

package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/softbench/softbench/cuda"
	"github.com/softbench/softbench/cuda/conform"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/forward"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
)

// check runs everything and prints the table as it goes.
func check(ctx context.Context, out io.Writer, o options) error {
	gpu, err := cuda.OpenGPU(o.ordinal)
	if err != nil {
		return err
	}
	i := gpu.Info()
	if err := gpu.Close(); err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintf(w, "date\t%s\n", time.Now().UTC().Format(time.DateTime))
	header(w, i, "/proc/driver/nvidia/version")
	show := func(worst *float64, n *int) func(conform.Result) {
		return func(r conform.Result) {
			*n++
			switch {
			case r.Err != nil:
				fmt.Fprintf(w, "FAIL\t%s: %v\n", r.Name, r.Err)
			case o.verbose:
				fmt.Fprintf(w, "ok\t%s: %.2f of what is allowed\n", r.Name, r.Worst)
			}
			*worst = max(*worst, r.Worst)
		}
	}
	var worst, n = 0.0, 0
	kernels := conform.Kernels(ctx, func() (device.Device, error) { return cuda.OpenGPU(o.ordinal) }, show(&worst, &n))
	fmt.Fprintf(w, "kernels\t%d cases, at most %.2f of the difference allowed\n", n, worst)
	if o.quick || ctx.Err() != nil {
		return kernels
	}
	worst, n = 0, 0
	models := conform.Models(ctx, func(ctx context.Context, ck *checkpoint.Checkpoint, dt kernel.Arithmetic) (engine.Backend, error) {
		gpu, err := cuda.OpenGPU(o.ordinal)
		if err != nil {
			return nil, err
		}
		return forward.New(ctx, gpu, ck, forward.Options{Formats: kernel.FormatsOf(dt), Memory: 1 << 30})
	}, show(&worst, &n))
	fmt.Fprintf(w, "models\t%d, float32 at most %.1e from the CPU's log-probabilities; the same bits in every batch\n", n, worst*conform.Parity)
	for _, err := range []error{kernels, models} {
		if err != nil {
			return fmt.Errorf("not timed, since %w", err) // a wrong result is not worth timing
		}
	}
	return conform.Timings(ctx, func() (conform.Timer, error) { return cuda.OpenGPU(o.ordinal) }, newTimings(w, o.folder).tell)
}
