package engine_test

import (
	"math"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
)

// TestFamilies compares every position's log-probability of a small model of
// each family with transformers' in float32, on every kernel set, and each score
// of small batches with that of large ones, to the bit. In bfloat16 a token's
// mean difference stays small.
func TestFamilies(t *testing.T) {
	for _, name := range golden.Families(t) {
		t.Run(name, func(t *testing.T) {
			g := golden.Family(t, name)
			eachSet(t, func(t *testing.T, set kernel.Set) {
				for _, run := range g.Runs {
					compareFamily(t, g, run, set)
				}
			})
		})
	}
}

func compareFamily(t *testing.T, g golden.Model, run golden.Run, set kernel.Set) {
	kind := run.Attention
	if run.Source == "transformers" {
		kind = "" // what the config says
	}
	m, _ := open(t, g.Dir, kind, CPUOptions{Set: set, Threads: 2})
	half, _ := open(t, g.Dir, kind, CPUOptions{Set: set, Threads: 2, Formats: kernel.FormatsOf(kernel.BFloat16)})
	worst, rounding, positions := 0.0, 0.0, 0
	for i, seq := range g.Sequences {
		want := run.Sequences[i]
		large := scoreAll(t, m, seq.IDs, seq.Targets, RunOptions{BatchTokens: 512})
		small := scoreAll(t, m, seq.IDs, seq.Targets, RunOptions{BatchTokens: 7})
		rounded := scoreAll(t, half, seq.IDs, seq.Targets, RunOptions{})
		for p, got := range large {
			if small[p].LogProbs[0] != got.LogProbs[0] || small[p].Argmax != got.Argmax {
				t.Fatalf("sequence %d position %d: %v in batches of 7, %v in one", i, p, small[p], got)
			}
			d := math.Abs(float64(got.LogProbs[0]) - want.LogProb[p])
			worst = max(worst, d)
			if !(d <= parity) {
				t.Fatalf("sequence %d position %d: logprob %v, want %v", i, p, got.LogProbs[0], want.LogProb[p])
			}
			if want.Gap[p] > parity && got.Argmax != want.ArgMax[p] {
				t.Fatalf("sequence %d position %d: argmax %d, want %d by %v", i, p, got.Argmax, want.ArgMax[p], want.Gap[p])
			}
			rounding += math.Abs(float64(rounded[p].LogProbs[0]) - want.LogProb[p])
			positions++
		}
	}
	t.Logf("max |Δ logprob| %.1e in float32; mean |Δ| %.1e in bfloat16", worst, rounding/float64(positions))
	if mean := rounding / float64(positions); !(mean <= 0.1) {
		t.Errorf("bfloat16 is %v a token away on average", mean)
	}
}
