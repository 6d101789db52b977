package engine_test

import (
	"context"
	mathbits "math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/internal/hashmodel"
)

// growing is a chain of nodes of one token, each scored, with a leaf beside the
// next where branching.
func growing(nodes int, branching bool) *Forest {
	f := &Forest{}
	parent := -1
	for i := range nodes {
		f.Nodes = append(f.Nodes, Node{Parent: parent, Tokens: []int32{int32(i % 90)}, Scored: []Scored{{Row: 0, Targets: []int32{int32((i + 1) % 90)}}}})
		next := len(f.Nodes) - 1
		if branching {
			f.Nodes = append(f.Nodes, Node{Parent: next, Tokens: []int32{95}, Scored: []Scored{{Row: 0, Targets: []int32{7}}}})
		}
		parent = next
	}
	return f
}

func hashBits(t *testing.T, b *hashmodel.Backend, f *Forest, o RunOptions) bits {
	t.Helper()
	all, _ := runBits(t, New(b, hashmodel.Vocab), f, o)
	return all
}

// TestChainsAreOneSegment: a chain of 2,000 nodes of one token costs what its
// tokens in one node do: segments, spans and batches are counted. The answers are
// those of the chain, and the forest is left as it was given.
func TestChainsAreOneSegment(t *testing.T) {
	const nodes = 2000
	f := growing(nodes, false)
	chain := &hashmodel.Backend{}
	got := hashBits(t, chain, f, RunOptions{BatchTokens: 64})
	if chain.Segments != 1 || chain.Spans != (nodes+63)/64 || chain.Rows != nodes {
		t.Errorf("%d segments, %d spans, %d rows; want 1, %d, %d", chain.Segments, chain.Spans, chain.Rows, (nodes+63)/64, nodes)
	}
	for i := range nodes {
		tokens := prefix(f, i)
		if argmax := got[[3]int{i, 0, -1}]; argmax != uint32(hashmodel.Next(tokens)) {
			t.Fatalf("node %d: argmax %d after other tokens than its path", i, argmax)
		}
		if len(f.Nodes[i].Tokens) != 1 || len(f.Nodes[i].Scored) != 1 {
			t.Fatalf("node %d was changed", i)
		}
	}
}

// TestDeepTreesShareTheirPaths: where every node of a deep tree has a leaf beside
// it, the nodes that stay alive lie on one path, which is in memory once: with a
// copy for each, memory would grow with the square of the depth.
func TestDeepTreesShareTheirPaths(t *testing.T) {
	const nodes, batch = 4000, 32
	b := &hashmodel.Backend{}
	hashBits(t, b, growing(nodes, true), RunOptions{BatchTokens: batch})
	// Half of a batch are leaves with copies; the rest is the chain, which moves to
	// an array of twice the size now and then.
	if most := batch/2 + 1 + mathbits.Len(batch); b.Paths > most {
		t.Errorf("the paths of a batch lie in %d arrays, want at most %d", b.Paths, most)
	}
	if b.Spans > 2*nodes || b.Rows != 2*nodes {
		t.Errorf("%d spans, %d rows", b.Spans, b.Rows)
	}
}

// TestJoinedForestsAnswerAsGiven: random forests with many chains, scored and
// decoding, give what each node's own path gives, whatever the batch and under
// the bound of their longest path.
func TestJoinedForestsAnswerAsGiven(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 9))
		f := randomForest(r, 1+r.IntN(40))
		for i := range f.Nodes { // chains: most nodes follow the one before
			if i > 0 && r.IntN(4) > 0 {
				f.Nodes[i].Parent = i - 1
			}
		}
		deepest := 0
		for i := range f.Nodes {
			n := 0
			for a := i; a >= 0; a = f.Nodes[a].Parent {
				n += len(f.Nodes[a].Tokens) + max(0, f.Nodes[a].Generate-1)
			}
			deepest = max(deepest, n)
		}
		b := &hashmodel.Backend{}
		order := map[int]int{}
		_, err := New(b, hashmodel.Vocab).Run(context.Background(), f, RunOptions{
			BatchTokens: 1 + r.IntN(50), Memory: int64(deepest),
			Score: func(node, k int, s Score) error {
				q := f.Nodes[node].Scored[k]
				tokens := append(prefix(f, f.Nodes[node].Parent), f.Nodes[node].Tokens[:q.Row+1]...)
				if s.Argmax != hashmodel.Next(tokens) {
					t.Fatalf("seed %d: node %d scored %d saw other tokens", seed, node, k)
				}
				for j, target := range q.Targets {
					if s.LogProbs[j] != hashmodel.LogProb(tokens, target) {
						t.Fatalf("seed %d: node %d scored %d target %d", seed, node, k, j)
					}
				}
				if k != order[node] {
					t.Fatalf("seed %d: node %d: scored %d came after %d", seed, node, k, order[node]-1)
				}
				order[node]++
				return nil
			},
			Generated: func(node int, decoded []int32) error {
				tokens := prefix(f, node)
				for range f.Nodes[node].Generate {
					tokens = append(tokens, hashmodel.Next(tokens))
				}
				if !slices.Equal(decoded, tokens[len(tokens)-f.Nodes[node].Generate:]) {
					t.Fatalf("seed %d: node %d decoded %v", seed, node, decoded)
				}
				return nil
			},
		})
		if err != nil || b.Live != 0 {
			t.Fatalf("seed %d: %v, %d positions alive", seed, err, b.Live)
		}
		for i := range f.Nodes {
			if order[i] != len(f.Nodes[i].Scored) {
				t.Errorf("seed %d: node %d: %d of %d scores", seed, i, order[i], len(f.Nodes[i].Scored))
			}
		}
	}
}
