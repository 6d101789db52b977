package engine_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randforest"
)

// bits is every number a run gives, by node and scored row.
type bits map[[3]int]uint32

func runBits(t *testing.T, m *Model, f *Forest, o RunOptions) (bits, map[int][]int32) {
	t.Helper()
	all, decoded := bits{}, map[int][]int32{}
	o.Score = func(node, k int, s Score) error {
		all[[3]int{node, k, -1}] = uint32(s.Argmax)
		for i, lp := range s.LogProbs {
			all[[3]int{node, k, i}] = math.Float32bits(lp)
		}
		return nil
	}
	o.Generated = func(node int, tokens []int32) error { decoded[node] = append([]int32(nil), tokens...); return nil }
	if _, err := m.Run(context.Background(), f, o); err != nil {
		t.Fatal(err)
	}
	return all, decoded
}

// chain is one node's path as a forest of its own, without any sharing.
func chain(f *Forest, node int) (*Forest, int) {
	var path []int
	for n := node; n >= 0; n = f.Nodes[n].Parent {
		path = append([]int{n}, path...)
	}
	one := Node{Parent: -1}
	for _, n := range path {
		base := len(one.Tokens)
		one.Tokens = append(one.Tokens, f.Nodes[n].Tokens...)
		if n == node {
			for _, s := range f.Nodes[n].Scored {
				one.Scored = append(one.Scored, Scored{Row: base + s.Row, Targets: s.Targets})
			}
		}
	}
	one.Generate = f.Nodes[node].Generate
	return &Forest{Nodes: []Node{one}}, node
}

// TestScoresDoNotDependOnTheBatch is the promise of DESIGN §8.2: batch size,
// threads, order, sharing, the memory bound and an observer change no
// bit, for every kernel set, dtype and attention kind.
func TestScoresDoNotDependOnTheBatch(t *testing.T) {
	cases := []struct {
		model, kind string
	}{
		{"llama-gqa-linear", "softmax"}, {"llama-gqa-linear", "softpick"}, {"llama-mha", "rectified"},
		{"qwen3", "masked-softmax"}, {"mistral-sliding", "softmax"}, {"mistral-sliding", "softpick"}, {"fla-scaled", "scaled-softmax-plus-one"},
		{"llama-bias", "softmax"},
	}
	eachSet(t, func(t *testing.T, set kernel.Set) {
		for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
			for i, c := range cases {
				g := golden.ReadModel(t, c.model)
				one, ck := open(t, g.Dir, c.kind, CPUOptions{Set: set, Formats: kernel.FormatsOf(dt), Threads: 1})
				two, _ := open(t, g.Dir, c.kind, CPUOptions{Set: set, Formats: kernel.FormatsOf(dt), Threads: 3})
				r := rand.New(rand.NewPCG(uint64(i), 7))
				f := randforest.New(r, 24, ck.Config.Vocab, randforest.Two)
				want, wantDecoded := runBits(t, one, f, RunOptions{BatchTokens: 512})
				check := func(what string, got bits, decoded map[int][]int32) {
					t.Helper()
					for at, b := range got {
						if want[at] != b {
							t.Fatalf("%s %s %s, %s: node %d scored %d target %d: %08x, alone %08x", c.model, c.kind, dt, what, at[0], at[1], at[2], b, want[at])
						}
					}
					for n, tokens := range decoded {
						for k := range tokens {
							if wantDecoded[n][k] != tokens[k] {
								t.Fatalf("%s %s %s, %s: node %d decoded %v, want %v", c.model, c.kind, dt, what, n, tokens, wantDecoded[n])
							}
						}
					}
				}
				for _, size := range []int{1, 7, 33, 100, 8192} {
					got, decoded := runBits(t, two, f, RunOptions{BatchTokens: size})
					if len(got) != len(want) || len(decoded) != len(wantDecoded) {
						t.Fatalf("%s: %d scores and %d decodings, want %d and %d", c.model, len(got), len(decoded), len(want), len(wantDecoded))
					}
					check("batch size", got, decoded)
				}
				stats, err := one.Run(context.Background(), f, RunOptions{BatchTokens: 1})
				if err != nil {
					t.Fatal(err)
				}
				got, decoded := runBits(t, two, f, RunOptions{BatchTokens: 64, Memory: stats.PeakKV})
				check("memory bound", got, decoded)
				seen := &observed{weights: map[[4]int]float32{}, residual: map[[2]int][]float32{}, rows: map[[2]int]int{}}
				got, decoded = runBits(t, two, f, RunOptions{BatchTokens: 40, Observer: seen})
				check("observed", got, decoded)
				for n := range f.Nodes {
					alone, node := chain(f, n)
					got, decoded := runBits(t, one, alone, RunOptions{BatchTokens: 50})
					moved, movedDecoded := bits{}, map[int][]int32{}
					for at, b := range got {
						moved[[3]int{node, at[1], at[2]}] = b
					}
					for _, tokens := range decoded {
						movedDecoded[node] = tokens
					}
					check("without sharing", moved, movedDecoded)
				}
			}
		}
	})
}

// TestCancelInsideBatch: cancellation is seen within a batch, not only between.
func TestCancelInsideBatch(t *testing.T) {
	g := golden.ReadModel(t, "llama-mha")
	m, _ := open(t, g.Dir, "", CPUOptions{Threads: 2})
	node := Node{Parent: -1, Tokens: make([]int32, 32768)}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	begun := make(chan struct{})
	result := make(chan error, 1)
	go func() {
		close(begun)
		_, err := m.Run(ctx, &Forest{Nodes: []Node{node}}, RunOptions{BatchTokens: 32768})
		result <- err
	}()
	<-begun
	time.Sleep(50 * time.Millisecond)
	cancel()
	select {
	case err := <-result:
		if err != context.Canceled && err.Error() != "forward pass: context canceled" {
			t.Fatalf("got %v", err)
		}
	case <-time.After(time.Second):
		t.Fatal("still running a second after cancellation")
	}
}
