package engine_test

import (
	"testing"

	"github.com/softbench/softbench/internal/golden"

	"github.com/softbench/softbench/engine/kernel"
)

// TestGGUF compares every position's log-probability of a small model of each
// architecture that GGUF files are read of, its matrices quantised, with what
// transformers computes with the dequantised weights.
func TestGGUF(t *testing.T) {
	for _, name := range golden.Formats(t, "gguf") {
		t.Run(name, func(t *testing.T) { compareFormat(t, golden.FormatModel(t, "gguf", name, ".gguf")) })
	}
}

// compareFormat is compareFamily on the best kernels alone: which format the
// weights came in changes no product.
func compareFormat(t *testing.T, g golden.Model) {
	t.Helper()
	set, err := kernel.FromEnv()
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range g.Runs {
		compareFamily(t, g, run, set)
	}
}
