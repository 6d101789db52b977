package cuda

import (
	"errors"

	"github.com/softbench/softbench/engine/kernel"
)

// Options choose how the CUDA backend computes.
type Options struct {
	// Formats are those of kernel.Float32 (true float32, for parity) or of kernel.BFloat16; others are
	// refused.
	Formats kernel.Formats
	// Ordinal is the device's number among those CUDA_VISIBLE_DEVICES leaves.
	Ordinal int
	// Memory bounds the bytes of GPU memory taken; 0: nearly all that is free.
	Memory int64
}

// ErrNoDevice is in the chain of errors that say that there is nothing to run on.
var ErrNoDevice = errors.New("no CUDA device")
