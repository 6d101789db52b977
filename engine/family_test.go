package engine_test

import (
	"math"
	"slices"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
)

// TestFamilies compares every position's log-probability of a small model of
// each family with transformers' in float32, on every kernel set, what it decodes
// greedily with what transformers' generate does, and each score
// of small batches with that of large ones, to the bit. In bfloat16 a token's
// mean difference stays small.
func TestFamilies(t *testing.T) {
	for _, name := range golden.Families(t) {
		t.Run(name, func(t *testing.T) {
			g := golden.Family(t, name)
			eachSet(t, func(t *testing.T, set kernel.Set) {
				for _, run := range g.Runs {
					compareFamily(t, g, run, set)
					sameGreedy(t, g, set)
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

// sameGreedy compares greedy decoding, up to where the reference's lead is no more than
// what the two may differ by.
func sameGreedy(t *testing.T, g golden.Model, set kernel.Set) {
	t.Helper()
	m, _ := open(t, g.Dir, "", CPUOptions{Set: set, Threads: 2})
	of := g.Sequences[g.Greedy.Sequence].IDs
	want := g.Greedy.IDs
	if len(want) < 20 {
		t.Fatalf("the golden decodes %d tokens", len(want))
	}
	for i, gap := range g.Greedy.Gap {
		if gap <= 2*parity {
			want = want[:i]
			break
		}
	}
	if len(want) < 3 {
		t.Fatalf("the golden's first %d tokens are decided", len(want))
	}
	f := &Forest{Nodes: []Node{{Parent: -1, Tokens: of, Generate: len(want)}}}
	var got []int32
	if _, err := m.Run(t.Context(), f, RunOptions{Generated: func(_ int, tokens []int32) error { got = slices.Clone(tokens); return nil }}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("decoded %v, transformers %v", got, want)
	}
}
