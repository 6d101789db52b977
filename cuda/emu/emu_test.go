package emu

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/conform"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/forward"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
)

var program string // the emulation, once built

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "softbench-emu-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if _, err := exec.LookPath("g++"); err == nil && runtime.GOOS == "linux" {
		program = filepath.Join(dir, "emu")
		if err := Build("../kernels", program); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

const free = 1 << 30

// need skips a test where there is no compiler, unless SOFTBENCH_EMULATE=all.
func need(t *testing.T) {
	t.Helper()
	switch {
	case program == "" && all():
		t.Fatal("SOFTBENCH_EMULATE=all, and there is no g++ on Linux")
	case program == "":
		t.Skip("no g++ on Linux to compile the kernels for the processor")
	case testing.Short():
		t.Skip("runs kernels on a processor")
	}
}

func all() bool { return os.Getenv("SOFTBENCH_EMULATE") == "all" }

// long is need, of a test that takes half a minute or more.
func long(t *testing.T) {
	t.Helper()
	if !all() {
		t.Skip("long: runs with SOFTBENCH_EMULATE=all, as in .ci/cuda")
	}
	need(t)
	t.Parallel()
}

func in(m Manner) func() (device.Device, error) {
	return func() (device.Device, error) { return Open(program, m, free) }
}

// TestKernels: the kernels' own source computes, at sizes around every tile's edge,
// what the simulated device does.
func TestKernels(t *testing.T) {
	need(t)
	n, worst := 0, 0.0
	err := conform.Run(context.Background(), conform.Kernels(true), conform.Site{Open: in(0)}, func(_ conform.Check, o conform.Outcome) {
		n++
		worst = max(worst, o.Worst)
		if o.Err != nil {
			t.Error(o.Err)
		}
	})
	t.Logf("%d cases, at most %.2f of the difference allowed", n, worst)
	if err != nil || n < 300 {
		t.Errorf("%d cases, %v", n, err)
	}
}

// TestFreedomsDoNotMatter: the order of threads, and when asynchronous copies
// happen, change no bit: no barrier and no wait is missing.
func TestFreedomsDoNotMatter(t *testing.T) {
	long(t)
	for _, m := range []Manner{Uneven, Uneven | Backwards | Eager, Mixed} {
		if err := conform.SameBits(context.Background(), in(0), in(m)); err != nil {
			t.Errorf("%d: %v", m, err)
		}
	}
}

// TestFusedIsApart: the product that rotates and stores gives the bits of a product, and
// of a rotation after it.
func TestFusedIsApart(t *testing.T) {
	need(t)
	if err := conform.FusedIsApart(in(0)); err != nil {
		t.Error(err)
	}
}

// TestMissingBarriersAreFound: without its barriers, or its waits for copies, the
// emulation finds what TestKernels and TestFreedomsDoNotMatter look for.
func TestMissingBarriersAreFound(t *testing.T) {
	long(t)
	for _, fault := range []Manner{NoBarriers, NoWaits} {
		failed := 0
		_ = conform.Run(context.Background(), conform.Kernels(true), conform.Site{Open: in(fault)}, func(_ conform.Check, o conform.Outcome) {
			if o.Err != nil {
				failed++
			}
		})
		if failed < 100 {
			t.Errorf("fault %d: only %d cases fail", fault, failed)
		}
	}
}

// TestModels: whole models on the emulated device give the CPU's float32
// log-probabilities, and in every batch the same bits; every other model without the
// kernels of sm_90a.
func TestModels(t *testing.T) {
	long(t)
	rounded := 0 // of each model one backend is bfloat16
	open := func(ctx context.Context, ck *checkpoint.Checkpoint, dt kernel.Arithmetic) (engine.Backend, error) {
		dev, err := Open(program, Mixed, 512<<20+40<<20)
		if err != nil {
			return nil, err
		}
		if dt == kernel.BFloat16 {
			if rounded++; rounded%2 == 0 {
				dev.Plain()
			}
		}
		return forward.New(ctx, dev, ck, forward.Options{Formats: kernel.FormatsOf(dt), Rows: 600})
	}
	err := conform.Run(context.Background(), conform.Models(conform.Small), conform.Site{Backend: open}, func(c conform.Check, o conform.Outcome) {
		t.Logf("%s: %.1e from the CPU, %v", c.Name, o.Worst*conform.Parity, o.Err)
	})
	if err != nil {
		t.Error(err)
	}
}

// TestFaultsOfTheProcess: what a kernel does wrong is an error, not a crash of ours.
func TestFaultsOfTheProcess(t *testing.T) {
	need(t)
	for name, c := range map[string]struct {
		launch *device.Launch
		want   string
	}{
		"no kernel":         {&device.Launch{Kernel: "sb_none", Block: device.Dim{X: 32}}, "no such kernel"},
		"arguments":         {&device.Launch{Kernel: "sb_gather", Block: device.Dim{X: 32}}, "takes 5 arguments, was given 0"},
		"types":             {&device.Launch{Kernel: "sb_head_merge", Block: device.Dim{X: 32}, Args: []device.Arg{device.I(1), device.P(0), device.P(0), device.I(1), device.I(1)}}, "of another type"},
		"a pointer to none": {abi.Embed(abi.F32, 64, 64, 64, 1, 8), "outside memory"},
	} {
		dev, err := Open(program, 0, free)
		if err != nil {
			t.Fatal(err)
		}
		err = dev.Launch(c.launch)
		if err == nil {
			err = dev.Sync()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if err := dev.Close(); err != nil {
			t.Errorf("%s: closing: %v", name, err)
		}
	}
}
