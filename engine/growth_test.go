package engine_test

import (
	"context"
	"sync/atomic"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randmodel"
)

// counted is a Set that counts what attention asks of it.
type counted struct {
	kernel.Set
	calls, scores, weighed, added atomic.Int64
}

func (c *counted) Scores(s []float32, lds int, q []float32, m, hd int, kt []float32, groups int) {
	c.calls.Add(1)
	c.scores.Add(int64(m * groups * kernel.KeyGroup))
	c.Set.Scores(s, lds, q, m, hd, kt, groups)
}

func (c *counted) WeighRows(kind attention.Kind, s []float32, m int, lo, hi []int, st []kernel.State, factor []float32) bool {
	c.weighed.Add(int64(m))
	return c.Set.WeighRows(kind, s, m, lo, hi, st, factor)
}

func (c *counted) Accumulate(o, s []float32, lds, m int, v []float32, n, hd int) {
	c.added.Add(1)
	c.Set.Accumulate(o, s, lds, m, v, n, hd)
}

// TestWorkGrowsWithTokens counts work, not time: four times as many documents, or choices of one
// context, take four times the products and no more; and a prefix that grows token by token takes
// just what the same tokens in one piece take; one that branches at every token, what its groups
// of keys do, and of values.
func TestWorkGrowsWithTokens(t *testing.T) {
	dir := t.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{Hidden: 16, Intermediate: 16, Layers: 1, Heads: 1, Vocab: 64, MaxPositions: 4096}); err != nil {
		t.Fatal(err)
	}
	ck, err := checkpoint.Open(dir, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ck.Close()
	work := func(f *Forest, score ...func(node, scored int, s Score) error) (w [4]int64, batches int64) {
		set := &counted{Set: kernel.Best()}
		b, err := NewCPU(context.Background(), ck, CPUOptions{Set: set, Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		o := RunOptions{BatchTokens: 256}
		if len(score) > 0 {
			o.Score = score[0]
		}
		stats, err := New(b, ck.Config.Vocab).Run(context.Background(), f, o)
		if err != nil {
			t.Fatal(err)
		}
		return [4]int64{set.calls.Load(), set.scores.Load(), set.weighed.Load(), set.added.Load()}, stats.Batches
	}
	asked := []Scored{{Row: 0, Targets: []int32{3}}}
	documents := func(n int) *Forest {
		f := &Forest{}
		for i := range n {
			f.Nodes = append(f.Nodes, Node{Parent: -1, Tokens: []int32{int32(i % 64), 1, 2}, Scored: asked})
		}
		return f
	}
	choices := func(n int) *Forest {
		f := &Forest{Nodes: []Node{{Parent: -1, Tokens: make([]int32, 30)}}}
		for i := range n {
			f.Nodes = append(f.Nodes, Node{Parent: 0, Tokens: []int32{int32(i % 64), 2}, Scored: asked})
		}
		return f
	}
	for name, shape := range map[string]func(int) *Forest{"documents": documents, "choices": choices} {
		few, fewBatches := work(shape(1000))
		many, batches := work(shape(4000))
		for i, what := range []string{"calls for scores", "scores", "rows weighed", "products with values"} {
			if few[i] == 0 || many[i] > 4*few[i]+64 {
				t.Errorf("%s: %d %s for 4000, %d for 1000", name, many[i], what, few[i])
			}
		}
		if batches > 4*fewBatches {
			t.Errorf("%s: %d batches for 4000, %d for 1000", name, batches, fewBatches)
		}
	}
	grown, whole := &Forest{}, &Forest{Nodes: []Node{{Parent: -1}}}
	for i := range 1500 {
		grown.Nodes = append(grown.Nodes, Node{Parent: i - 1, Tokens: []int32{int32(i % 64)}, Scored: asked})
		whole.Nodes[0].Tokens = append(whole.Nodes[0].Tokens, int32(i%64))
		whole.Nodes[0].Scored = append(whole.Nodes[0].Scored, Scored{Row: i, Targets: asked[0].Targets})
	}
	got, _ := work(grown)
	if want, _ := work(whole); got != want {
		t.Errorf("a prefix that grows by a token takes %v calls, scores, rows and products with values, the same tokens in one node %v", got, want)
	}

	// A path that branches at every token: products go by groups of keys, not by tokens, and the
	// scores are those of the path in one piece.
	const depth = 300
	branching, flat := &Forest{}, &Forest{Nodes: []Node{{Parent: -1}}}
	on := map[int]int{} // nodes of the path, and how deep they are
	most, last := int64(0), -1
	for i := range depth {
		token := int32(i * 7 % 64)
		node := Node{Parent: last, Tokens: []int32{token}, Scored: asked}
		last = len(branching.Nodes)
		on[last] = i
		branching.Nodes = append(branching.Nodes, node, Node{Parent: node.Parent, Tokens: []int32{(token + 1) % 64}, Scored: asked})
		flat.Nodes[0].Tokens = append(flat.Nodes[0].Tokens, token)
		flat.Nodes[0].Scored = append(flat.Nodes[0].Scored, Scored{Row: i, Targets: asked[0].Targets})
		most += 2 * int64(i/kernel.KeyGroup+2)
	}
	scores := make([]float32, depth)
	work(flat, func(_, scored int, s Score) error {
		scores[scored] = s.LogProbs[0]
		return nil
	})
	got, _ = work(branching, func(node, _ int, s Score) error {
		if i, ok := on[node]; ok && s.LogProbs[0] != scores[i] {
			t.Errorf("token %d of a path that branches: %v, in one piece %v", i, s.LogProbs[0], scores[i])
		}
		return nil
	})
	for i, what := range map[int]string{0: "queries and keys", 3: "weights and values"} {
		if got[i] > most {
			t.Errorf("%d products of %s on a path of %d tokens that branches at each, at most %d by groups", got[i], what, depth, most)
		}
	}
}
