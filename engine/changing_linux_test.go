package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randmodel"
)

// TestCutShortWhilePacked: a file that shrinks under the packing is an error that
// names it, not the end of the process.
func TestCutShortWhilePacked(t *testing.T) {
	for _, size := range []int64{4096, 1 << 20} {
		for _, dtype := range []string{"float32", "bfloat16"} {
			dir := t.TempDir()
			if err := randmodel.Write(dir, randmodel.Options{DType: dtype, Vocab: 20000}); err != nil {
				t.Fatal(err)
			}
			ck, err := checkpoint.Open(dir, checkpoint.Options{SkipFinite: true})
			if err != nil {
				t.Fatal(err)
			}
			defer ck.Close()
			path := filepath.Join(dir, "model.safetensors")
			if err := os.Truncate(path, size); err != nil {
				t.Fatal(err)
			}
			_, err = NewCPU(context.Background(), ck, CPUOptions{Formats: kernel.FormatsOf(kernel.BFloat16), Threads: 2})
			if err == nil || !strings.HasPrefix(err.Error(), path+": the file was cut short") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s cut to %d: error %v", dtype, size, err)
			}
			if err := ck.Settled(); err == nil {
				t.Error("a file cut short counts as settled")
			}
		}
	}
}

// Packing ends with the context.
func TestPackingIsCancelled(t *testing.T) {
	dir := t.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{}); err != nil {
		t.Fatal(err)
	}
	ck, err := checkpoint.Open(dir, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ck.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := NewCPU(ctx, ck, CPUOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := checkpoint.OpenContext(ctx, dir, checkpoint.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: error %v", err)
	}
	if _, err := ck.SHA256(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("SHA256: error %v", err)
	}
	if _, err := ck.SHA256(context.Background()); err != nil {
		t.Errorf("SHA256 after a cancelled one: %v", err)
	}
}
