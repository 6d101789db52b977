package eval

import (
	"context"
	"fmt"

	"github.com/softbench/softbench/cuda"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
)

// checkDevice refuses what --device cannot be, before anything is loaded.
func checkDevice(device string) error {
	switch device {
	case "", "auto", "cpu":
		return nil
	case "cuda":
		if err := cuda.Available(); err != nil {
			return fmt.Errorf("--device cuda: %w; use --device cpu", err)
		}
		return nil
	}
	return fmt.Errorf("--device %q: want auto, cpu or cuda", device)
}

// OpenBackend puts a checkpoint on a device: "cpu", "cuda", or "auto" (also
// ""), which takes a GPU where there is one that holds the model. The note says
// which GPU auto took, or why it came to the CPU in a build that could have used one.
func OpenBackend(ctx context.Context, ck *checkpoint.Checkpoint, device string, o engine.CPUOptions) (b engine.Backend, note string, err error) {
	if err := checkDevice(device); err != nil {
		return nil, "", err
	}
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	if device != "cpu" {
		b, err := cuda.Open(ctx, ck, cuda.Options{Formats: o.Formats})
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, "", ctx.Err() // whatever the device said of being stopped
		case err == nil && device == "cuda":
			return b, "", nil
		case err == nil:
			d := b.Describe()
			return b, fmt.Sprintf("--device auto computes on %s (%s)", d.Name, d.ISA), nil
		case device == "cuda":
			return nil, "", fmt.Errorf("--device cuda: %w", err)
		case cuda.Built:
			note = fmt.Sprintf("--device auto computes on the CPU: %v", err)
		}
	}
	b, err = engine.NewCPU(ctx, ck, o)
	return b, note, err
}

// DeviceText says for people what --device comes to on this machine.
func DeviceText(device string) (string, error) {
	if err := checkDevice(device); err != nil {
		return "", err
	}
	if device == "cpu" {
		return "cpu", nil
	}
	name, err := cuda.DeviceName()
	if err != nil {
		return fmt.Sprintf("cpu (%v)", err), nil
	}
	return "cuda (" + name + ")", nil
}

// OpenGPU returns what puts a checkpoint on the GPU that --device asks for; nil
// where it comes to the CPU.
func OpenGPU(device string) (func(context.Context, *checkpoint.Checkpoint, kernel.Arithmetic) (engine.Backend, error), error) {
	if err := checkDevice(device); err != nil || device == "cpu" {
		return nil, err
	}
	if cuda.Available() != nil {
		return nil, nil
	}
	return func(ctx context.Context, ck *checkpoint.Checkpoint, dt kernel.Arithmetic) (engine.Backend, error) {
		return cuda.Open(ctx, ck, cuda.Options{Formats: kernel.FormatsOf(dt)})
	}, nil
}
