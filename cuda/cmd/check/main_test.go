package main

import (
	"context"
	"strings"
	"testing"
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
