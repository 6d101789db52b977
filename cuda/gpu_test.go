//go:build cuda && linux && (amd64 || arm64)

package cuda

import (
	"testing"

	"github.com/softbench/softbench/cuda/conform"
	"github.com/softbench/softbench/cuda/device"
)

// TestGPU holds this machine's GPU against the simulated device and the CPU.
func TestGPU(t *testing.T) {
	if err := Available(); err != nil {
		t.Skip(err)
	}
	gpu, err := OpenGPU(0)
	if err != nil {
		t.Fatal(err)
	}
	hopper := gpu.Info().Hopper
	if err := gpu.Close(); err != nil {
		t.Fatal(err)
	}
	for _, group := range [][]conform.Check{conform.Kernels(hopper), conform.Models(conform.Full)} {
		site := conform.Site{Open: func() (device.Device, error) { return OpenGPU(0) }, Memory: 1 << 30}
		if err := conform.Run(t.Context(), group, site, func(c conform.Check, o conform.Outcome) {
			if o.Err != nil {
				t.Errorf("%s: %v", c.Name, o.Err)
			}
		}); err != nil {
			t.Error(err)
		}
	}
}
