//go:build cuda && linux && (amd64 || arm64)

package cuda

import (
	"context"
	"testing"

	"github.com/softbench/softbench/cuda/conform"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/forward"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
)

// TestGPU holds this machine's GPU against the simulated device and the CPU.
func TestGPU(t *testing.T) {
	if err := Available(); err != nil {
		t.Skip(err)
	}
	report := func(r conform.Result) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	}
	if err := conform.Kernels(t.Context(), func() (device.Device, error) { return OpenGPU(0) }, report); err != nil {
		t.Error(err)
	}
	open := func(ctx context.Context, ck *checkpoint.Checkpoint, dt kernel.Arithmetic) (engine.Backend, error) {
		gpu, err := OpenGPU(0)
		if err != nil {
			return nil, err
		}
		return forward.New(ctx, gpu, ck, forward.Options{Formats: kernel.FormatsOf(dt), Memory: 1 << 30})
	}
	if err := conform.Models(t.Context(), open, report); err != nil {
		t.Error(err)
	}
}
