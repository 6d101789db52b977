package checkpoint_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/internal/golden"
)

// unlikeInputs are the sums of inputs of n numbers that differ by up to a thousand, each alone.
func unlikeInputs(n int) *quantise.Hessian {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	h := &quantise.Hessian{N: n, Sum: make([]float32, n*n), Rows: 1, Magnitudes: make([]float64, n)}
	for i := range n {
		h.Magnitudes[i] = math.Exp2(10 * r.Float64())
		h.Sum[i*n+i] = float32(h.Magnitudes[i] * h.Magnitudes[i])
	}
	return h
}

func logProbs(t *testing.T, ck *checkpoint.Checkpoint, ids, targets []int32) []float32 {
	t.Helper()
	b, err := engine.NewCPU(t.Context(), ck, engine.CPUOptions{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	node := engine.Node{Parent: -1, Tokens: ids}
	for i := range ids {
		node.Scored = append(node.Scored, engine.Scored{Row: i, Targets: targets[i : i+1]})
	}
	all := make([]float32, len(ids))
	_, err = engine.New(b, 1<<20).Run(t.Context(), &engine.Forest{Nodes: []engine.Node{node}}, engine.RunOptions{
		Score: func(_, k int, s engine.Score) error { all[k] = s.LogProbs[0]; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestFoldedIsTheSame: AWQ's scales, folded into what comes before, leave every family's answers as
// they were, within what float32 rounds: no scale is lost, and none lands where another reads it.
func TestFoldedIsTheSame(t *testing.T) {
	const bound = 1e-4 // as everywhere, of log-probabilities
	folded := map[string]int{}
	for _, name := range golden.Families(t) {
		t.Run(name, func(t *testing.T) {
			g := golden.Family(t, name)
			open := func() *checkpoint.Checkpoint {
				ck, err := checkpoint.Open(g.Dir, checkpoint.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { ck.Close() })
				return ck
			}
			ck := open()
			z, err := ck.NewQuantising(&checkpoint.Quantisation{Scheme: quantise.Scheme{Method: quantise.AWQAsymmetric, Bits: 2, Group: 32}})
			if err != nil {
				t.Fatal(err)
			}
			for i := range ck.Layers {
				n, err := z.Fold(t.Context(), i, func(v *checkpoint.View) *quantise.Hessian { return unlikeInputs(v.K) })
				if err != nil {
					t.Fatal(err)
				}
				folded[name] += n
			}
			seq := g.Sequences[0]
			seq.IDs, seq.Targets = seq.IDs[:min(24, len(seq.IDs))], seq.Targets[:min(24, len(seq.Targets))]
			want, got := logProbs(t, open(), seq.IDs, seq.Targets), logProbs(t, ck, seq.IDs, seq.Targets)
			worst := 0.0
			for i := range want {
				worst = max(worst, math.Abs(float64(want[i]-got[i])))
			}
			t.Logf("%d matrices scaled, max |Δ logprob| %.1e", folded[name], worst)
			if !(worst <= bound) {
				t.Errorf("a log-probability is %v from what it was", worst)
			}
		})
	}
	for name, n := range folded {
		if n == 0 && !strings.HasPrefix(name, "olmo") && !strings.HasPrefix(name, "gpt_oss") {
			t.Errorf("%s: nothing is scaled", name)
		}
	}
}
