package engine_test

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/hashmodel"
	"github.com/softbench/softbench/internal/randforest"
)

// The candidates of a row are the largest of all log-probabilities, to the bit what they are as
// targets; those of a decoded token begin with the token. Batches change none.
func TestBestAreTheLargest(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernel.Set) {
		g := golden.ReadModel(t, "llama-gqa-linear")
		m, ck := open(t, g.Dir, "softpick", CPUOptions{Set: set, Threads: 2})
		r := rand.New(rand.NewPCG(3, 8))
		f := randforest.New(r, 30, ck.Config.Vocab, randforest.Two)
		all := make([]int32, ck.Config.Vocab)
		for i := range all {
			all[i] = int32(i)
		}
		for i := range f.Nodes {
			f.Nodes[i].Top = r.IntN(4)
			for k := range f.Nodes[i].Scored {
				f.Nodes[i].Scored[k].Targets, f.Nodes[i].Scored[k].Top = all, r.IntN(MaxTop+1)
			}
		}
		rows, decoded := 0, map[int][]int32{}
		for _, batch := range []int{7, 512} {
			clear(decoded)
			_, err := m.Run(context.Background(), f, RunOptions{
				BatchTokens: batch,
				Score: func(node, k int, s Score) error {
					want := make([]Candidate, len(all))
					for i := range all {
						want[i] = Candidate{all[i], s.LogProbs[i]}
					}
					slices.SortStableFunc(want, func(a, b Candidate) int { return cmp.Compare(b.LogProb, a.LogProb) })
					if top := f.Nodes[node].Scored[k].Top; !slices.Equal(s.Best, want[:top]) {
						t.Fatalf("node %d row %d: the %d most probable are %v, want %v", node, k, top, s.Best, want[:top])
					}
					rows++
					return nil
				},
				Decoded: func(node int, best []Candidate) {
					if len(best) != f.Nodes[node].Top {
						t.Fatalf("node %d: %d candidates, want %d", node, len(best), f.Nodes[node].Top)
					}
					decoded[node] = append(decoded[node], best[0].Token)
				},
				Generated: func(node int, tokens []int32) error {
					if f.Nodes[node].Top > 0 && !slices.Equal(tokens, decoded[node]) {
						t.Fatalf("node %d decoded %v, the most probable were %v", node, tokens, decoded[node])
					}
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if rows < 20 || len(decoded) == 0 {
			t.Fatalf("%d rows and %d decodings were looked at", rows, len(decoded))
		}
	})
}

// A device that does not give as many candidates says so before and within a run.
func TestTopIsRefused(t *testing.T) {
	for name, f := range map[string]*Forest{
		"scored":    {Nodes: []Node{{Parent: -1, Tokens: []int32{1}, Scored: []Scored{{Row: 0, Top: MaxTop + 1}}}}},
		"decoded":   {Nodes: []Node{{Parent: -1, Tokens: []int32{1}, Generate: 1, Top: -1}}},
		"asked for": {Nodes: []Node{{Parent: -1, Tokens: []int32{1}}}, Ask: func(int) []Scored { return []Scored{{Row: 0, Top: MaxTop + 1}} }},
	} {
		_, err := New(&hashmodel.Backend{}, hashmodel.Vocab).Run(context.Background(), f, RunOptions{})
		if err == nil || !strings.Contains(err.Error(), "most probable tokens are asked for: this device gives 20") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
