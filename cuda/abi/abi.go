package abi

import (
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine/safetensors"
)

// Mode is the element type T of weights, matrix inputs, queries, keys and
// values. Sums, norms and the residual stream are float in both.
type Mode uint8

// The modes, with their kernels' suffixes _f32 and _bf16.
const (
	F32  Mode = iota // true float32: no TF32
	BF16             // bfloat16
)

// Bytes is the size of T.
func (m Mode) Bytes() int {
	if m == BF16 {
		return 2
	}
	return 4
}

// DType is the mode's name as users write it.
func (m Mode) DType() string {
	if m == BF16 {
		return "bfloat16"
	}
	return "float32"
}

// Stored is how T lies in memory.
func (m Mode) Stored() safetensors.DType {
	if m == BF16 {
		return safetensors.BF16
	}
	return safetensors.F32
}

func (m Mode) suffix() string {
	if m == BF16 {
		return "_bf16"
	}
	return "_f32"
}

// Offset is n rows of stride bytes.
func Offset(n, stride int) device.Ptr { return device.Ptr(int64(n) * int64(stride)) }
