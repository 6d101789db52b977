//go:build cuda && linux && (amd64 || arm64)

package driver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/device"
)

// withFake runs a test of this binary again, in a process that finds
// testdata/fakecuda.c as its libcuda.so.1.
func withFake(t *testing.T, test string, env ...string) {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc to build the fake driver with")
	}
	dir := t.TempDir()
	args := []string{"-shared", "-fPIC", "-I../include", "-o", filepath.Join(dir, "libcuda.so.1"), "testdata/fakecuda.c"}
	if slices.Contains(env, "FAKECUDA=old") {
		args = append(args, "-DOLD")
	}
	build := exec.Command(gcc, args...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("fake driver: %v\n%s", err, out)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(append(os.Environ(), "LD_LIBRARY_PATH="+dir, "FAKECUDA=1"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+test)) {
		t.Fatalf("with the fake driver: %v\n%s", err, out)
	}
}

var images = []Image{{Name: "for others", Min: 100, Data: []byte("x")}, {Name: "fake", Min: 80, Max: 90, Data: []byte("fake image")}}

// TestWithFakeDriver drives every call that a forward pass makes through cu, the
// trampolines and our own C code.
func TestWithFakeDriver(t *testing.T) {
	if os.Getenv("FAKECUDA") == "" {
		withFake(t, "TestWithFakeDriver")
		return
	}
	g, err := Open(0, images)
	if err != nil {
		t.Fatal(err)
	}
	want := device.Info{Name: "Fake GPU", Major: 9, SMs: 132, ClockMHz: 1980, MemoryMHz: 2619, Total: 256 << 20, Free: 256 << 20, Shared: 227 << 10, Driver: 12040, Image: "fake"}
	if g.Info() != want {
		t.Fatalf("device %+v, want %+v", g.Info(), want)
	}
	const n = 10_000_001 // floats: three pieces of staging
	p, err := g.Alloc(4*n + 4)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 4*n)
	for i := range n {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(float32(i)))
	}
	if err := g.Upload(p, data); err != nil {
		t.Fatal(err)
	}
	fill := func(at, count, shared int, value float32) error {
		return g.Launch(&device.Launch{Kernel: "fill", Grid: device.Dim{X: 1}, Block: device.Dim{X: 32}, Shared: shared,
			Args: []device.Arg{device.P(p + device.Ptr(4*at)), device.I(count), device.F(value)}})
	}
	if err := fill(7, 3, 100<<10, -2.5); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4*n)
	if err := g.Download(got, p); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		w := float32(i)
		if i >= 7 && i < 10 {
			w = -2.5
		}
		if x := math.Float32frombits(binary.LittleEndian.Uint32(got[4*i:])); x != w {
			t.Fatalf("float %d is %v, want %v", i, x, w)
		}
	}
	// Two matrices, the second within the first's memory, as a tensor map each.
	describe := func(a, b device.Matrix) error {
		return g.Launch(&device.Launch{Kernel: "describe", Grid: device.Dim{X: 1}, Block: device.Dim{X: 32},
			Args: []device.Arg{device.P(p), device.M(a), device.M(b)}})
	}
	matrix := device.Matrix{Base: p, Rows: 300, Columns: 72, BoxRows: 128, BoxColumns: 64}
	part := device.Matrix{Base: p + 4096, Rows: 1, Columns: 8, BoxRows: 256, BoxColumns: 64}
	if err := describe(matrix, part); err != nil {
		t.Fatal(err)
	}
	if err := g.Download(got, p); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{72, 300, 144, 64, 128, 8, 1, 16, 64, 256} {
		if x := math.Float32frombits(binary.LittleEndian.Uint32(got[4*i:])); x != want {
			t.Errorf("number %d of two tensor maps is %v, want %v", i, x, want)
		}
	}
	odd, outside := matrix, matrix
	odd.Columns, outside.Base = 71, p+4*n&^15
	if ms, err := g.Time(func() error { return fill(0, 1, 0, 1) }); err != nil || ms != 1.5 {
		t.Fatalf("timed %v ms, error %v; want 1.5", ms, err)
	}
	for what, err := range map[string]error{
		"memory outside the device": fill(n, 3, 0, 1),
		"shared memory":             fill(0, 1, 228<<10, 1),
		"an odd matrix":             describe(odd, part),
		"a matrix outside":          describe(part, outside),
		"an unknown kernel":         g.Launch(&device.Launch{Kernel: "other", Grid: device.Dim{X: 1}, Block: device.Dim{X: 1}}),
		"upload outside":            g.Upload(p+4*n, make([]byte, 8)),
		"download outside":          g.Download(make([]byte, 8), p+4*n),
	} {
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line", what, err)
		}
	}
	if _, err := g.Alloc(1 << 30); err == nil || !strings.Contains(err.Error(), "1024 MiB") || !strings.Contains(err.Error(), "OutOfMemory") {
		t.Errorf("a GiB of 256 MiB: error %v", err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(3, images); !errors.Is(err, ErrNoDevice) {
		t.Errorf("device 3 of 1: error %v, want ErrNoDevice", err)
	}
	_, err = Open(0, []Image{{Name: "bad", Min: 80, Data: []byte("garbage")}})
	if err == nil || !strings.Contains(err.Error(), "this is not an image") || strings.Contains(err.Error(), "second line") {
		t.Errorf("an image that does not load: error %v, want the first line of the compiler's log", err)
	}
}

// TestHopperImage: an image whose kernels take tensor maps is taken where the
// driver can make them, and passed over where it cannot.
func TestHopperImage(t *testing.T) {
	list := slices.Clone(images)
	list[0] = Image{Name: "hopper", Min: 90, Max: 90, Hopper: true, Data: []byte("fake image")}
	want := "hopper"
	switch os.Getenv("FAKECUDA") {
	case "":
		withFake(t, "TestHopperImage")
		withFake(t, "TestHopperImage", "FAKECUDA=old")
		return
	case "old":
		want = "fake"
		if _, err := Open(0, list[:1]); err == nil || !strings.Contains(err.Error(), "cuTensorMapEncodeTiled") || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v", err)
		}
	}
	g, err := Open(0, list)
	if err != nil {
		t.Fatal(err)
	}
	if i := g.Info(); i.Image != want || i.Hopper != (want == "hopper") {
		t.Errorf("took image %q, with kernels for Hopper: %v", i.Image, i.Hopper)
	}
	if want == "hopper" {
		want += " by mma.sync"
	}
	if g.WithoutHopper(); g.Info().Hopper || g.Info().Image != want {
		t.Errorf("without Hopper's kernels it is %+v", g.Info())
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// TestOldDevice: a GPU that no image is for is named, with what it would take.
func TestOldDevice(t *testing.T) {
	if os.Getenv("FAKECUDA") == "" {
		withFake(t, "TestOldDevice", "FAKECUDA_MAJOR=7")
		return
	}
	if _, err := Open(0, images); err == nil || !strings.Contains(err.Error(), "compute capability 7.0") || !strings.Contains(err.Error(), "--device cpu") {
		t.Fatalf("error %v", err)
	}
}

// TestDriverWithoutDevices: a driver that fails to start, or has no device, is
// no device, and no reason to end.
func TestDriverWithoutDevices(t *testing.T) {
	if os.Getenv("FAKECUDA") == "" {
		withFake(t, "TestDriverWithoutDevices", "FAKECUDA_INIT=100")
		withFake(t, "TestDriverWithoutDevices", "FAKECUDA_DEVICES=0")
		return
	}
	n, err := Count()
	if n != 0 || !errors.Is(err, ErrNoDevice) {
		t.Fatalf("%d devices, error %v", n, err)
	}
}
