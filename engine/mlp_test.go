package engine_test

import (
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randmodel"
)

// TestGatesInTasks: an MLP whose tasks join gates and ups themselves, as batches of many rows do,
// gives the bits of one that joins them afterwards, as those of few rows do; the last task has fewer
// columns than the others.
func TestGatesInTasks(t *testing.T) {
	dir := t.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{Hidden: 32, Intermediate: 17 * 32, Layers: 2, Heads: 1, Vocab: 64}); err != nil {
		t.Fatal(err)
	}
	ids := make([]int32, 301)
	for i := range ids {
		ids[i] = int32(i * 7 % 61)
	}
	eachSet(t, func(t *testing.T, set kernel.Set) {
		for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
			for _, threads := range []int{1, 3} {
				m, _ := open(t, dir, "", CPUOptions{Set: set, Formats: kernel.FormatsOf(dt), Threads: threads})
				few := scoreAll(t, m, ids, ids, RunOptions{BatchTokens: 100})
				for i, s := range scoreAll(t, m, ids, ids, RunOptions{BatchTokens: 512}) {
					if s.LogProbs[0] != few[i].LogProbs[0] {
						t.Fatalf("%s, %d threads, row %d: %v in a batch of 301, %v in one of 100", dt, threads, i, s.LogProbs[0], few[i].LogProbs[0])
					}
				}
			}
		}
	})
}
