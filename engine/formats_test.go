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

// compareFormat is compareFamily on every kernel set.
func compareFormat(t *testing.T, g golden.Model) {
	t.Helper()
	eachSet(t, func(t *testing.T, set kernel.Set) {
		for _, run := range g.Runs {
			compareFamily(t, g, run, set)
		}
	})
}

// TestConsolidated does so with Mistral's own layout, which transformers' converters
// make checkpoints of.
func TestConsolidated(t *testing.T) {
	for _, name := range golden.Formats(t, "consolidated") {
		t.Run(name, func(t *testing.T) { compareFormat(t, golden.FormatModel(t, "consolidated", name, "")) })
	}
}
