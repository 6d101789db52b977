package abi

import (
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine/safetensors"
)

// Mode is the element type T of weights, matrix inputs, queries, keys and
// values. Sums, norms and the residual stream are float in both.
type Mode uint8

// The modes, with their kernels' suffixes _f32, _bf16 and _wgmma.
const (
	F32  Mode = iota // true float32: no TF32
	BF16             // bfloat16
	// BF16Hopper is bfloat16 by what only sm_90a has: wgmma, and copies of boxes. A
	// kernel that has no such form is BF16's.
	BF16Hopper
)

// Bytes is the size of T.
func (m Mode) Bytes() int {
	if m == F32 {
		return 4
	}
	return 2
}

// DType is the mode's name as users write it.
func (m Mode) DType() string {
	if m == F32 {
		return "float32"
	}
	return "bfloat16"
}

// String names the mode and its instructions.
func (m Mode) String() string {
	if m == BF16Hopper {
		return "bfloat16 by wgmma"
	}
	return m.DType()
}

// Stored is how T lies in memory.
func (m Mode) Stored() safetensors.DType {
	if m == F32 {
		return safetensors.F32
	}
	return safetensors.BF16
}

func (m Mode) suffix() string {
	if m == F32 {
		return "_f32"
	}
	return "_bf16"
}

// Offset is n rows of stride bytes.
func Offset(n, stride int) device.Ptr { return device.Ptr(int64(n) * int64(stride)) }
