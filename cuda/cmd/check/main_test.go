package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/cuda/conform"
	"github.com/softbench/softbench/cuda/device"
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
	want := "device\tA GPU, sm_90, 132 SMs at up to 1980 MHz, memory 81920 MiB (80896 free) at up to 2619 MHz\ndriver\tNVIDIA UNIX Kernel Module 535.1, CUDA 12.2, kernels sm_90a\n"
	if w.String() != want {
		t.Errorf("got %q\nwant %q", w.String(), want)
	}
	w.Reset()
	if header(&w, info, file+"none"); !strings.Contains(w.String(), "driver\tunknown version, CUDA 12.2") {
		t.Errorf("without the file: %q", w.String())
	}
}

// TestRatio: softpick's speed is told as a part of softmax's at the same shape.
func TestRatio(t *testing.T) {
	dir := t.TempDir()
	var w strings.Builder
	rows := newTimings(&w, dir)
	for _, x := range []conform.Timing{
		{Kernel: "gemm", Shape: "a", Median: 2, Best: 1, TFLOPS: 3},
		{Kernel: softmax, Shape: "a", Median: 3, Best: 3, TFLOPS: 200},
		{Kernel: softmax, Shape: "b", Median: 5, Best: 5, TFLOPS: 100},
		{Kernel: softpick, Shape: "a", Median: 2, Best: 2, TFLOPS: 300},
		{Kernel: softpick, Shape: "c", Median: 2, Best: 2, TFLOPS: 300},
	} {
		if err := rows.tell(x, [][]byte{[]byte(x.Shape)}); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(w.String()), "\n")
	for i, want := range []string{"bfloat16\tms\tbest\tTFLOP/s\tspeed of softmax = 1", "gemm, a\t2.000\t1.000\t3.0\t", "attention softmax, a\t3.000\t3.000\t200.0\t",
		"attention softmax, b\t5.000\t5.000\t100.0\t", "attention softpick, a\t2.000\t2.000\t300.0\t1.50", "attention softpick, c\t2.000\t2.000\t300.0"} {
		if strings.TrimRight(lines[i], "\t") != strings.TrimRight(want, "\t") {
			t.Errorf("line %d is %q, want %q", i, lines[i], want)
		}
	}
	var list []conform.Timing
	text, err := os.ReadFile(filepath.Join(dir, "timings.json"))
	if err := errors.Join(err, json.Unmarshal(text, &list)); err != nil || len(list) != 5 || list[3].Median != 2 {
		t.Errorf("timings.json: %v, %v", list, err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "attention_softmax_b_0")); err != nil || string(data) != "b" {
		t.Errorf("operand: %q, %v", data, err)
	}
}
