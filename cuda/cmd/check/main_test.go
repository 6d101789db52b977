package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/conform"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/cuda/emu"
)

// TestWithoutADevice: one line and exit code 2, as every command of softbench.
func TestWithoutADevice(t *testing.T) {
	t.Setenv("CUDA_VISIBLE_DEVICES", "")
	var out, errs strings.Builder
	if code := run(context.Background(), nil, &out, &errs); code != 2 {
		t.Fatalf("exit code %d, want 2", code)
	}
	if text := errs.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "no CUDA device") || out.Len() > 0 {
		t.Fatalf("printed %q and %q", out.String(), text)
	}
	if code := run(context.Background(), []string{"more"}, &out, &errs); code != 2 {
		t.Fatalf("an unexpected argument: exit code %d, want 2", code)
	}
}

// TestArguments: what cannot be done is said in one line, before any work.
func TestArguments(t *testing.T) {
	var out, errs strings.Builder
	if code := run(context.Background(), []string{"-out", t.TempDir() + "/none"}, &out, &errs); code != 2 || !strings.Contains(errs.String(), "is not a folder; make it first\n") {
		t.Errorf("a folder that is not there: exit code %d, %q", code, errs.String())
	}
	if code := run(context.Background(), []string{"-none"}, &out, &errs); code != 2 {
		t.Errorf("an unknown flag: exit code %d, want 2", code)
	}
	for _, args := range [][]string{{"-only", "("}, {"-on", "tpu"}, {"-hang", "0s"}, {"-quick", "-budget", "1m"}, {"-operands", "/dev/null"}, {"-on", "sim", "-quick", "-only", "no such check"}} {
		errs.Reset()
		if code := run(context.Background(), args, &out, &errs); code != 2 || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%q: exit code %d, %q", args, code, errs.String())
		}
	}
	if code := run(context.Background(), []string{"-h"}, &out, &errs); code != 0 {
		t.Errorf("-h: exit code %d, want 0", code)
	}
}

func TestHeader(t *testing.T) {
	file := filepath.Join(t.TempDir(), "version")
	if err := os.WriteFile(file, []byte("NVRM version: NVIDIA UNIX  Kernel Module  535.1\nGCC version: 12\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	info := device.Info{Name: "A GPU", Major: 9, SMs: 132, ClockMHz: 1980, MemoryMHz: 2619, Total: 80 << 30, Free: 79 << 30, Driver: 12020, Image: "sm_90a"}
	var w strings.Builder
	header(&w, info, file)
	want := "device  A GPU, sm_90, 132 SMs at up to 1980 MHz, memory 81920 MiB (80896 free) at up to 2619 MHz\ndriver  NVIDIA UNIX Kernel Module 535.1, CUDA 12.2, kernels sm_90a\n\n"
	if w.String() != want {
		t.Errorf("got %q\nwant %q", w.String(), want)
	}
	w.Reset()
	if header(&w, info, file+"none"); !strings.Contains(w.String(), "driver  unknown version, CUDA 12.2") {
		t.Errorf("without the file: %q", w.String())
	}
}

// TestOnTheEmulatedDevice: the program as a whole, with its own processes, over a part of
// its checks: each outcome, the table, what is kept, and nothing done twice.
func TestOnTheEmulatedDevice(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program and the emulation")
	}
	for _, tool := range []string{"go", "g++"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s", tool)
		}
	}
	dir := t.TempDir()
	program, emulation, folder, operands := filepath.Join(dir, "cuda-check"), filepath.Join(dir, "emu"), filepath.Join(dir, "out"), filepath.Join(dir, "operands")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := errors.Join(emu.Build("../../kernels", emulation), os.Mkdir(folder, 0o755), os.Mkdir(operands, 0o755)); err != nil {
		t.Fatal(err)
	}
	check := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(program, append([]string{"-on", "emu:" + emulation, "-only", "^(gather|rmsnorm bfloat16, 3 rows|time of gemm|model, softpick)"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	first := check("-out", folder, "-operands", operands)
	for _, want := range []string{"emulated device", "gather float32, 65 rows of 256 bytes ... ok, 0.00", "model, softpick ... ok", "time of gemm, 17 x 136 x 72 ... ", "\ngemm by mma.sync, 130 x 264 x 64  ", "\nrmsnorm bfloat16  10  0 "} {
		if !strings.Contains(first, want) {
			t.Errorf("%q is not in\n%s", want, first)
		}
	}
	var timings []conform.Timing
	text, err := os.ReadFile(filepath.Join(folder, "timings.json"))
	if err := errors.Join(err, json.Unmarshal(text, &timings)); err != nil || len(timings) != 4 || timings[0].Median <= 0 {
		t.Errorf("timings.json: %v, %v", timings, err)
	}
	if files, err := os.ReadDir(operands); err != nil || len(files) != 3 || files[2].Name() != "gemm_17_x_136_x_72_2" {
		t.Errorf("operands: %v, %v", files, err)
	}
	if again := check("-out", folder); strings.Contains(again, " ... ") || !strings.Contains(again, "\nrmsnorm bfloat16  10  0 ") {
		t.Errorf("a second time\n%s", again)
	}
	for _, args := range [][]string{{"-on", "emu:" + emulation, "-only", "no such check"}, {"-on", "emu:" + dir}} {
		cmd := exec.Command(program, args...)
		if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 2 {
			t.Errorf("%q: %v, want exit code 2\n%s", args, err, out)
		}
	}
	firstRun(t, dir, program, emulation)
}

// firstRunTools is a folder of what cuda/first-run asks of any system, below dir.
func firstRunTools(t *testing.T, dir string) string {
	t.Helper()
	tools := filepath.Join(dir, "tools")
	if err := os.MkdirAll(tools, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"bash", "dirname", "mkdir", "cat", "timeout", "tee", "grep", "touch", "rm", "env", "sleep"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skipf("no %s", tool)
		}
		if err := os.Symlink(path, filepath.Join(tools, tool)); err != nil {
			t.Fatal(err)
		}
	}
	return tools
}

// firstRun is cuda/first-run where nothing but the program is at hand: conformance is done
// in as many commands as it takes, once, and the rest is left out, which is said.
func firstRun(t *testing.T, dir, program, emulation string) {
	script, err := os.ReadFile("../../first-run")
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "carried")
	if err := errors.Join(os.Mkdir(at, 0o755), os.WriteFile(filepath.Join(at, "first-run"), script, 0o755), os.Link(program, filepath.Join(at, "cuda-check"))); err != nil {
		t.Fatal(err)
	}
	tools := firstRunTools(t, dir) // and none of python3, compute-sanitizer, ncu
	run := func(args string, seconds string) (string, int) {
		cmd := exec.Command(filepath.Join(at, "first-run"), filepath.Join(dir, "state"), seconds)
		cmd.Env = []string{"PATH=" + tools, "CHECK_ARGS=" + args, "TMPDIR=" + dir}
		out, err := cmd.CombinedOutput()
		if exit := (&exec.ExitError{}); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	args := "-on emu:" + emulation + " -only ^gather"
	for i, c := range []struct {
		args, seconds string
		code          int
		want          string
	}{
		{args, "10", 75, "needs 40 seconds"},
		{args, "600", 0, "gather float32, 65 rows of 256 bytes ... ok"},
		{args, "600", 0, "== conformance: done before, exit code 0"},
	} {
		out, code := run(c.args, c.seconds)
		if code != c.code || !strings.Contains(out, c.want) || !strings.Contains(out, "== profiles: skipped, no ncu") {
			t.Errorf("command %d: exit code %d, want %d and %q in\n%s", i+1, code, c.code, c.want, out)
		}
	}
}
