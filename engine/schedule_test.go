package engine_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/internal/hashmodel"
)

// randomForest makes trees with every kind of node: scored rows anywhere,
// decoding inner nodes and leaves.
func randomForest(r *rand.Rand, nodes int) *Forest {
	f := &Forest{}
	for i := range nodes {
		n := Node{Parent: r.IntN(i+2) - 1}
		if n.Parent == i {
			n.Parent = -1
		}
		for range 1 + r.IntN(20) {
			n.Tokens = append(n.Tokens, int32(r.IntN(hashmodel.Vocab)))
		}
		for row := range n.Tokens {
			if r.IntN(3) == 0 {
				n.Scored = append(n.Scored, Scored{Row: row, Targets: []int32{int32(r.IntN(hashmodel.Vocab)), int32(r.IntN(hashmodel.Vocab))}})
			}
		}
		if r.IntN(4) == 0 {
			n.Generate = 1 + r.IntN(5)
		}
		f.Nodes = append(f.Nodes, n)
	}
	return f
}

func prefix(f *Forest, node int) []int32 {
	if node < 0 {
		return nil
	}
	return append(prefix(f, f.Nodes[node].Parent), f.Nodes[node].Tokens...)
}

func TestScheduleComputesEachPrefixTokenOnce(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := randomForest(r, 1+r.IntN(60))
		b := &hashmodel.Backend{}
		batch := 1 + r.IntN(40)
		scored, generated := 0, map[int][]int32{}
		stats, err := New(b, hashmodel.Vocab).Run(context.Background(), f, RunOptions{
			BatchTokens: batch,
			Score: func(node, k int, s Score) error {
				scored++
				q := f.Nodes[node].Scored[k]
				tokens := append(prefix(f, f.Nodes[node].Parent), f.Nodes[node].Tokens[:q.Row+1]...)
				h := hashmodel.Next(tokens)
				if s.Argmax != h {
					t.Fatalf("seed %d: node %d row %d saw other tokens than its path", seed, node, q.Row)
				}
				for j, target := range q.Targets {
					if want := hashmodel.LogProb(tokens, target); s.LogProbs[j] != want {
						t.Fatalf("seed %d: target %d got %v, want %v", seed, target, s.LogProbs[j], want)
					}
				}
				return nil
			},
			Generated: func(node int, tokens []int32) error {
				generated[node] = slices.Clone(tokens)
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		want, wantScored := int(f.Tokens()), 0
		for i, n := range f.Nodes {
			wantScored += len(n.Scored)
			want += max(0, n.Generate-1)
			tokens := prefix(f, i)
			for k := range n.Generate {
				next := hashmodel.Next(tokens)
				if k >= len(generated[i]) || generated[i][k] != next {
					t.Fatalf("seed %d: node %d decoded %v, token %d should be %d", seed, i, generated[i], k, next)
				}
				tokens = append(tokens, next)
			}
		}
		if b.Rows != want || stats.Tokens != int64(want) {
			t.Errorf("seed %d: computed %d rows (reported %d), the forest has %d", seed, b.Rows, stats.Tokens, want)
		}
		if scored != wantScored {
			t.Errorf("seed %d: %d scores, want %d", seed, scored, wantScored)
		}
		if b.Live != 0 {
			t.Errorf("seed %d: %d positions never released", seed, b.Live)
		}
	}
}

func TestScheduleKeepsMemoryBound(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		f := randomForest(r, 50)
		deepest := 0
		for i := range f.Nodes {
			n := 0
			for a := i; a >= 0; a = f.Nodes[a].Parent {
				n += len(f.Nodes[a].Tokens) + max(0, f.Nodes[a].Generate-1)
			}
			deepest = max(deepest, n)
		}
		b := &hashmodel.Backend{}
		stats, err := New(b, hashmodel.Vocab).Run(context.Background(), f, RunOptions{BatchTokens: 64, Memory: int64(deepest)})
		if err != nil {
			t.Fatalf("seed %d: a bound that fits the longest path must do: %v", seed, err)
		}
		if b.Peak > int64(deepest) || stats.PeakKV != b.Peak {
			t.Errorf("seed %d: peak %d (reported %d) over the bound %d", seed, b.Peak, stats.PeakKV, deepest)
		}
		b = &hashmodel.Backend{}
		_, err = New(b, hashmodel.Vocab).Run(context.Background(), f, RunOptions{BatchTokens: 64, Memory: int64(deepest - 1)})
		if err == nil || !strings.Contains(err.Error(), "--memory") {
			t.Errorf("seed %d: bound below the longest path: error %v", seed, err)
		}
		if b.Live != 0 {
			t.Errorf("seed %d: %d positions leaked by a failed run", seed, b.Live)
		}
	}
}

func TestRunStops(t *testing.T) {
	f := randomForest(rand.New(rand.NewPCG(3, 3)), 40)
	stop := errors.New("stop")
	b := &hashmodel.Backend{}
	_, err := New(b, hashmodel.Vocab).Run(context.Background(), f, RunOptions{BatchTokens: 8, Score: func(int, int, Score) error { return stop }})
	if !errors.Is(err, stop) || b.Live != 0 {
		t.Errorf("callback's error: got %v, %d positions alive", err, b.Live)
	}
	b = &hashmodel.Backend{FailAfter: 3}
	if _, err = New(b, hashmodel.Vocab).Run(context.Background(), f, RunOptions{BatchTokens: 8}); err == nil || b.Live != 0 {
		t.Errorf("failing device: got %v, %d positions alive", err, b.Live)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b = &hashmodel.Backend{}
	_, err = New(b, hashmodel.Vocab).Run(ctx, f, RunOptions{BatchTokens: 8, Progress: func(Stats) error { cancel(); return nil }})
	if !errors.Is(err, context.Canceled) || b.Live != 0 {
		t.Errorf("cancelled: got %v, %d positions alive", err, b.Live)
	}
}

func TestForestIsChecked(t *testing.T) {
	for name, f := range map[string]*Forest{
		"later parent":    {Nodes: []Node{{Parent: 0, Tokens: []int32{1}}}},
		"no tokens":       {Nodes: []Node{{Parent: -1}}},
		"token too large": {Nodes: []Node{{Parent: -1, Tokens: []int32{hashmodel.Vocab}}}},
		"negative token":  {Nodes: []Node{{Parent: -1, Tokens: []int32{-1}}}},
		"row out of node": {Nodes: []Node{{Parent: -1, Tokens: []int32{1}, Scored: []Scored{{Row: 1}}}}},
		"rows unsorted":   {Nodes: []Node{{Parent: -1, Tokens: []int32{1, 2}, Scored: []Scored{{Row: 1}, {Row: 0}}}}},
		"target too large": {Nodes: []Node{{Parent: -1, Tokens: []int32{1},
			Scored: []Scored{{Row: 0, Targets: []int32{hashmodel.Vocab}}}}}},
	} {
		if _, err := New(&hashmodel.Backend{}, hashmodel.Vocab).Run(context.Background(), f, RunOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
