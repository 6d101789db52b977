package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/cuda/conform"
	"github.com/softbench/softbench/cuda/device"
)

// header writes what a table of timings must say of the machine. NVIDIA's driver
// is named by the first line of the file given, where there is one.
func header(w io.Writer, i device.Info, driverFile string) {
	fmt.Fprintf(w, "device\t%s, %s, %d SMs at up to %d MHz, memory %d MiB (%d free) at up to %d MHz\n", i.Name, i.Capability(), i.SMs, i.ClockMHz, i.Total>>20, i.Free>>20, i.MemoryMHz)
	driver := "unknown version"
	if text, err := os.ReadFile(driverFile); err == nil {
		line, _, _ := strings.Cut(string(text), "\n")
		driver = strings.Join(strings.Fields(strings.TrimPrefix(line, "NVRM version:")), " ")
	}
	fmt.Fprintf(w, "driver\t%s, CUDA %d.%d, kernels %s\n", driver, i.Driver/1000, i.Driver%1000/10, i.Image)
}

// timings writes rows as they come, and leaves what they say in a folder, where
// one is given, for cuda/peers.py.
type timings struct {
	w       io.Writer
	folder  string
	softmax map[string]float64 // milliseconds at a shape
	list    []conform.Timing
}

const softmax, softpick = "attention softmax", "attention softpick"

func newTimings(w io.Writer, folder string) *timings {
	fmt.Fprintf(w, "\nbfloat16\tms\tbest\tTFLOP/s\tspeed of softmax = 1\n")
	return &timings{w, folder, map[string]float64{}, nil}
}

// tell is a conform.Tell.
func (t *timings) tell(x conform.Timing, operands [][]byte) error {
	ratio := ""
	switch x.Kernel {
	case softmax:
		t.softmax[x.Shape] = x.Median
	case softpick:
		if ms, ok := t.softmax[x.Shape]; ok {
			ratio = fmt.Sprintf("%.2f", ms/x.Median)
		}
	}
	fmt.Fprintf(t.w, "%s, %s\t%.3f\t%.3f\t%.1f\t%s\n", x.Kernel, x.Shape, x.Median, x.Best, x.TFLOPS, ratio)
	t.list = append(t.list, x)
	if t.folder == "" {
		return nil
	}
	text, err := json.MarshalIndent(t.list, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(t.folder, "timings.json"), text, 0o644); err != nil {
		return err
	}
	for i, data := range operands {
		name := strings.NewReplacer(" ", "_", ",", "").Replace(fmt.Sprintf("%s %s %d", x.Kernel, x.Shape, i))
		if err := os.WriteFile(filepath.Join(t.folder, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
