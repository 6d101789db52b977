//go:build !noasm

package kernel_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randmodel"
)

// TestAMXModelEmulated runs whole models in AMX tiles, on an emulator where the
// processor has none: what DESIGN §8.2 promises must hold there too, where a sum
// is cut into blocks of 32.
func TestAMXModelEmulated(t *testing.T) {
	if set, err := kernel.ByName(kernel.AMX.Name()); err == nil {
		modelsInTiles(t, set)
		return
	}
	n := kernel.EmulateAMX(t, "TestAMXModelUnderEmulator")
	if n["tdpbf16ps"] < 10000 {
		t.Fatalf("only %d products were emulated: the models did not use the tiles", n["tdpbf16ps"])
	}
	t.Log(n)
}

func TestAMXModelUnderEmulator(t *testing.T) {
	kernel.UnderEmulator(t)
	modelsInTiles(t, kernel.AMX)
}

func modelsInTiles(t *testing.T, set kernel.Set) {
	for _, o := range []randmodel.Options{
		{Seed: 1, Attention: "softpick", ScoreGain: 3},
		{Seed: 2, Heads: 4, KVHeads: 2, HeadDim: 40},
	} {
		dir := t.TempDir()
		if err := randmodel.Write(dir, o); err != nil {
			t.Fatal(err)
		}
		ck, err := checkpoint.Open(dir, checkpoint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer ck.Close()
		open := func(set kernel.Set) *engine.Model {
			b, err := engine.NewCPU(context.Background(), ck, engine.CPUOptions{Set: set, Formats: kernel.FormatsOf(kernel.BFloat16), Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			return engine.New(b, ck.Config.Vocab)
		}
		tiles, portable := open(set), open(kernel.Generic{})
		// A document, as a tree whose nodes begin inside key blocks, pairs and
		// steps of 32, and as one node.
		rng := rand.New(rand.NewPCG(o.Seed, 3))
		ids := make([]int32, 201)
		for i := range ids {
			ids[i] = int32(rng.IntN(ck.Config.Vocab))
		}
		whole := forestOf(ids, nil)
		cut := forestOf(ids, []int{33, 70, 71, 96, 131})
		want := logProbs(t, tiles, whole, engine.RunOptions{})
		for _, f := range []*engine.Forest{whole, cut} {
			for _, batch := range []int{19, 64, 8192} {
				if got := logProbs(t, tiles, f, engine.RunOptions{BatchTokens: batch}); !slices.Equal(got, want) {
					t.Fatalf("model %d: %d nodes in batches of %d give other bits than one node", o.Seed, len(f.Nodes), batch)
				}
			}
		}
		var sum float64
		for i, p := range logProbs(t, portable, whole, engine.RunOptions{}) {
			sum += math.Abs(float64(p - want[i]))
		}
		// Both round to bfloat16; they add in other orders.
		if mean := sum / float64(len(want)); !(mean <= 0.01) {
			t.Errorf("model %d: %.4f a token from the portable path", o.Seed, mean)
		} else {
			t.Logf("model %d: %.4f a token from the portable path", o.Seed, mean)
		}
	}
}

// forestOf is a document as a chain of nodes that begin at the cuts, every
// next token scored.
func forestOf(ids []int32, cuts []int) *engine.Forest {
	f := &engine.Forest{}
	for i, from := range append([]int{0}, cuts...) {
		to := len(ids) - 1
		if i < len(cuts) {
			to = cuts[i]
		}
		n := engine.Node{Parent: i - 1, Tokens: ids[from:to]}
		for r := range n.Tokens {
			n.Scored = append(n.Scored, engine.Scored{Row: r, Targets: ids[from+r+1 : from+r+2]})
		}
		f.Nodes = append(f.Nodes, n)
	}
	return f
}

func logProbs(t *testing.T, m *engine.Model, f *engine.Forest, o engine.RunOptions) []float32 {
	t.Helper()
	first := make([]int, len(f.Nodes)) // scored row of each node's first
	n := 0
	for i := range f.Nodes {
		first[i] = n
		n += len(f.Nodes[i].Scored)
	}
	all := make([]float32, n)
	o.Score = func(node, k int, s engine.Score) error { all[first[node]+k] = s.LogProbs[0]; return nil }
	if _, err := m.Run(context.Background(), f, o); err != nil {
		t.Fatal(err)
	}
	return all
}
