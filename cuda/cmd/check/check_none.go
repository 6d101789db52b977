//go:build !cuda || !linux || (!amd64 && !arm64)

package main

import (
	"context"
	"io"

	"github.com/softbench/softbench/cuda"
)

func check(_ context.Context, _ io.Writer, _ options) error { return cuda.Available() }
