package forward_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/softbench/softbench/cuda/forward"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randforest"
)

// observed collects what an observer sees.
type observed struct {
	weights  map[[5]int]float32   // layer, head, node, query, key
	residual map[[3]int][]float32 // layer, node, position
	last     map[[3]int][2]int    // query and key seen last, of layer, head and node
	disorder string
}

func newObserved() *observed {
	return &observed{map[[5]int]float32{}, map[[3]int][]float32{}, map[[3]int][2]int{}, ""}
}

func (in *observed) Attention(b engine.AttentionBlock) {
	at := [3]int{b.Layer, b.Head, b.Node}
	if l, ok := in.last[at]; ok && (b.Query < l[0] || b.Query == l[0] && b.Key <= l[1]) {
		in.disorder = fmt.Sprintf("layer %d head %d node %d: query %d key %d came after query %d key %d", b.Layer, b.Head, b.Node, b.Query, b.Key, l[0], l[1])
	}
	in.last[at] = [2]int{b.Query, b.Key}
	for q := range b.Queries {
		for k := range b.Keys {
			w := b.Weights[q*b.Keys+k]
			if b.Key+k > b.Query+q {
				if w != 0 {
					in.disorder = fmt.Sprintf("weight %v on a key after its query", w)
				}
				continue
			}
			in.weights[[5]int{b.Layer, b.Head, b.Node, b.Query + q, b.Key + k}] = w
		}
	}
}

func (in *observed) Residual(r engine.Residual) {
	hidden := 64
	for i := range len(r.X) / hidden {
		in.residual[[3]int{r.Layer, r.Node, r.Position + i}] = append([]float32(nil), r.X[i*hidden:][:hidden]...)
	}
}

// TestObserversSeeTheCPUs: attention weights and the residual stream are the
// CPU's, in its order, for every attention kind and architecture.
func TestObserversSeeTheCPUs(t *testing.T) {
	for i, m := range models() {
		t.Run(m.name, func(t *testing.T) {
			ck := m.open(t)
			cpu, err := engine.NewCPU(context.Background(), ck, engine.CPUOptions{Threads: 1, Set: kernel.Generic{}})
			if err != nil {
				t.Fatal(err)
			}
			defer cpu.Close()
			f := randforest.New(rand.New(rand.NewPCG(uint64(i), 3)), 8, ck.Config.Vocab, randforest.UpToThree)
			want, got := newObserved(), newObserved()
			run(t, engine.New(cpu, ck.Config.Vocab), f, engine.RunOptions{BatchTokens: 30, Observer: want})
			device, _ := simulate(t, ck, forward.Options{Rows: 50})
			run(t, device, f, engine.RunOptions{BatchTokens: 70, Observer: got})
			if got.disorder != "" {
				t.Fatal(got.disorder)
			}
			// The CPU shows blocks of other sizes: a weight that only one shows must
			// be zero.
			for at, w := range want.weights {
				if g := got.weights[at]; !(math.Abs(float64(g-w)) <= 2e-5) {
					t.Fatalf("layer %d head %d node %d query %d key %d: weight %v, the CPU's is %v", at[0], at[1], at[2], at[3], at[4], g, w)
				}
			}
			for at, g := range got.weights {
				if w, ok := want.weights[at]; !ok && g != 0 {
					t.Fatalf("%v: weight %v, the CPU's is %v", at, g, w)
				}
			}
			if len(got.residual) != len(want.residual) || len(want.residual) == 0 {
				t.Fatalf("%d rows of the residual stream, want %d", len(got.residual), len(want.residual))
			}
			for at, w := range want.residual {
				for k, x := range got.residual[at] {
					if !(math.Abs(float64(x-w[k])) <= 1e-4*(1+math.Abs(float64(w[k])))) {
						t.Fatalf("layer %d node %d position %d: residual %d is %v, the CPU's is %v", at[0], at[1], at[2], k, x, w[k])
					}
				}
			}
		})
	}
}
