package engine_test

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/quantised"
	"github.com/softbench/softbench/internal/randmodel"
)

// TestInt8Scores: with w8a8 the blocks' products are of int8, whether the weights are quantised as they
// are read or were written so; scores do not depend on the batch or the threads, are not those of
// the weights alone, and say what was computed.
func TestInt8Scores(t *testing.T) {
	dir, written := t.TempDir(), t.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{Hidden: 96, Intermediate: 224, Heads: 4, KVHeads: 2, Layers: 2, Vocab: 300, DType: "bfloat16"}); err != nil {
		t.Fatal(err)
	}
	plain, err := checkpoint.Open(dir, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	config, entries, err := plain.QuantisedEntries(t.Context(), quantise.Scheme{Method: quantise.W8A8, Bits: 8}, quantised.CompressedTensors, nil)
	if err == nil {
		err = checkpoint.Write(written, config, entries...)
	}
	if err != nil {
		t.Fatal(err)
	}
	plain.Close()
	ids, targets := make([]int32, 70), make([]int32, 70)
	for i := range ids {
		ids[i], targets[i] = int32(i*7%200+3), int32(i*5%200+3)
	}
	eachSet(t, func(t *testing.T, set kernel.Set) {
		for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
			t.Run(fmt.Sprint(dt), func(t *testing.T) {
				score := func(ck *checkpoint.Checkpoint, int8 bool, threads int, o RunOptions) []Score {
					if ck.Int8 != int8 || strings.Contains(ck.Computed, "in whole numbers") != int8 {
						t.Errorf("int8 %v: %q", ck.Int8, ck.Computed)
					}
					b, err := NewCPU(t.Context(), ck, CPUOptions{Set: set, Threads: threads, Formats: kernel.FormatsOf(dt)})
					if err != nil {
						t.Fatal(err)
					}
					return scoreAll(t, New(b, ck.Config.Vocab), ids, targets, o)
				}
				fromFile := func() *checkpoint.Checkpoint {
					ck, err := checkpoint.Open(written, checkpoint.Options{})
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { ck.Close() })
					return ck
				}
				want := score(openQuantised(t, dir, "w8a8"), true, 2, RunOptions{})
				for what, got := range map[string][]Score{
					"small batches":         score(openQuantised(t, dir, "w8a8"), true, 2, RunOptions{BatchTokens: 3}),
					"one thread":            score(openQuantised(t, dir, "w8a8"), true, 1, RunOptions{BatchTokens: 17}),
					"as written":            score(fromFile(), true, 2, RunOptions{}),
					"one token, as written": score(fromFile(), true, 2, RunOptions{BatchTokens: 1}),
				} {
					for i := range want {
						if got[i].LogProbs[0] != want[i].LogProbs[0] || got[i].Argmax != want[i].Argmax {
							t.Fatalf("%s: position %d: %v, want %v", what, i, got[i], want[i])
						}
					}
				}
				alone, differ, apart := score(openQuantised(t, dir, "rtn:8:row"), false, 2, RunOptions{}), 0, 0.0
				for i := range want {
					d := float64(alone[i].LogProbs[0] - want[i].LogProbs[0])
					if apart += max(d, -d); d != 0 {
						differ++
					}
				}
				if mean := apart / float64(len(want)); differ < len(want)/2 || mean > 0.1 {
					t.Errorf("%d of %d scores differ from the weights' alone, by %v on average", differ, len(want), mean)
				}
			})
		}
	})
}
