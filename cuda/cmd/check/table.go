package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/softbench/softbench/cuda/device"
)

// header writes what a table of timings must say of the machine. NVIDIA's driver
// is named by the first line of the file given, where there is one.
func header(w io.Writer, i device.Info, driverFile string) {
	fmt.Fprintf(w, "device  %s, %s, %d SMs at up to %d MHz, memory %d MiB (%d free) at up to %d MHz\n", i.Name, i.Capability(), i.SMs, i.ClockMHz, i.Total>>20, i.Free>>20, i.MemoryMHz)
	driver := "unknown version"
	if text, err := os.ReadFile(driverFile); err == nil {
		line, _, _ := strings.Cut(string(text), "\n")
		driver = strings.Join(strings.Fields(strings.TrimPrefix(line, "NVRM version:")), " ")
	}
	fmt.Fprintf(w, "driver  %s, CUDA %d.%d, kernels %s\n\n", driver, i.Driver/1000, i.Driver%1000/10, i.Image)
}
