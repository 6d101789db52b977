//go:build !cuda || !linux || (!amd64 && !arm64)

package main

import (
	"github.com/softbench/softbench/cuda"
	"github.com/softbench/softbench/cuda/device"
)

func openGPU(int) (device.Device, error) { return nil, cuda.Available() }
