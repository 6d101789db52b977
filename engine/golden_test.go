package engine_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
)

// open loads a golden checkpoint on the CPU.
func open(t testing.TB, dir, kind string, o CPUOptions) (*Model, *checkpoint.Checkpoint) {
	t.Helper()
	ck, err := checkpoint.Open(dir, checkpoint.Options{Attention: kind})
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewCPU(context.Background(), ck, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(); ck.Close() })
	return New(b, ck.Config.Vocab), ck
}

// eachSet runs a test for every kernel set of this machine; with -short, which
// the race detector runs with, for the best alone.
func eachSet(t *testing.T, test func(t *testing.T, set kernel.Set)) {
	names := kernel.Available()
	if testing.Short() {
		names = names[:1]
	}
	for _, name := range names {
		set, err := kernel.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { test(t, set) })
	}
}

// scoreAll returns the score of every position of a sequence, target i after ids[:i+1].
func scoreAll(t testing.TB, m *Model, ids, targets []int32, o RunOptions) []Score {
	t.Helper()
	node := Node{Parent: -1, Tokens: ids}
	for i := range ids {
		node.Scored = append(node.Scored, Scored{Row: i, Targets: targets[i : i+1]})
	}
	scores := make([]Score, len(ids))
	o.Score = func(_, k int, s Score) error { scores[k] = s; return nil }
	if _, err := m.Run(context.Background(), &Forest{Nodes: []Node{node}}, o); err != nil {
		t.Fatal(err)
	}
	return scores
}

// parity is the promise of DESIGN §8.1.
const parity = 1e-4

// TestGoldenLogProbs compares every position's log-probability with
// transformers in float32, and with §4's formulas in float64, for each
// architecture and attention kind.
func TestGoldenLogProbs(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernel.Set) {
		byKind := map[string]float64{}
		for _, g := range golden.Models(t) {
			worst := 0.0
			for _, run := range g.Runs {
				m, _ := open(t, g.Dir, run.Attention, CPUOptions{Set: set, Threads: 2})
				name := fmt.Sprintf("%s %s (%s %s)", g.Name, run.Attention, run.Source, run.DType)
				for i, seq := range g.Sequences {
					want := run.Sequences[i]
					for p, got := range scoreAll(t, m, seq.IDs, seq.Targets, RunOptions{BatchTokens: 64}) {
						d := math.Abs(float64(got.LogProbs[0]) - want.LogProb[p])
						worst = max(worst, d)
						byKind[run.Attention] = max(byKind[run.Attention], d)
						if !(d <= parity) {
							t.Fatalf("%s: sequence %d position %d: logprob %v, want %v", name, i, p, got.LogProbs[0], want.LogProb[p])
						}
						if want.ArgMax != nil && want.Gap[p] > parity && got.Argmax != want.ArgMax[p] {
							t.Fatalf("%s: sequence %d position %d: argmax %d, want %d by %v", name, i, p, got.Argmax, want.ArgMax[p], want.Gap[p])
						}
					}
				}
			}
			t.Logf("%-18s max |Δ logprob| %.1e over %d runs", g.Name, worst, len(g.Runs))
		}
		for _, kind := range slices.Sorted(maps.Keys(byKind)) {
			t.Logf("%-23s max |Δ logprob| %.1e over all architectures", kind, byKind[kind])
		}
	})
}

// observed collects what an observer sees of one sequence.
type observed struct {
	mu       sync.Mutex
	weights  map[[4]int]float32 // layer, head, query, key
	residual map[[2]int][]float32
	rows     map[[2]int]int // queries seen so far by layer and head, to check the order
	disorder string
}

func (in *observed) Attention(b AttentionBlock) {
	in.mu.Lock()
	defer in.mu.Unlock()
	at := [2]int{b.Layer, b.Head}
	if b.Query*1000+b.Key < in.rows[at] {
		in.disorder = fmt.Sprintf("layer %d head %d: query %d key %d came late", b.Layer, b.Head, b.Query, b.Key)
	}
	in.rows[at] = b.Query*1000 + b.Key
	for q := range b.Queries {
		for k := range b.Keys {
			at := [4]int{b.Layer, b.Head, b.Query + q, b.Key + k}
			w := b.Weights[q*b.Keys+k]
			if at[3] > at[2] {
				if w != 0 {
					in.disorder = fmt.Sprintf("weight %v on a key after its query: %v", w, at)
				}
				continue
			}
			in.weights[at] = w
		}
	}
}

func (in *observed) Residual(r Residual) {
	in.residual[[2]int{r.Layer, r.Position}] = append([]float32(nil), r.X...)
}

// TestGoldenInside compares attention weights and the residual stream, as an
// observer sees them, with float64.
func TestGoldenInside(t *testing.T) {
	for _, g := range golden.Models(t) {
		for _, want := range g.Observed {
			m, ck := open(t, g.Dir, want.Attention, CPUOptions{Threads: 2})
			hidden := ck.Config.Hidden
			for _, batch := range []int{1, 5, 512} {
				seen := &observed{weights: map[[4]int]float32{}, residual: map[[2]int][]float32{}, rows: map[[2]int]int{}}
				seq := g.Sequences[want.Sequence]
				scoreAll(t, m, seq.IDs, seq.Targets, RunOptions{BatchTokens: batch, Observer: seen})
				if seen.disorder != "" {
					t.Fatalf("%s %s: %s", g.Name, want.Attention, seen.disorder)
				}
				for layer := range want.Layers {
					for at, x := range seen.residual {
						if at[0] != layer {
							continue
						}
						for r := range len(x) / hidden {
							p := at[1] + r
							row := x[r*hidden:][:hidden]
							var sum float64
							for _, v := range row {
								sum += float64(v) * float64(v)
							}
							rms := math.Sqrt(sum / float64(hidden))
							if ref := want.ResidualRMS[layer*want.Length+p]; math.Abs(rms-ref) > 1e-5*(1+ref) {
								t.Fatalf("%s %s layer %d position %d: residual rms %v, want %v", g.Name, want.Attention, layer, p, rms, ref)
							}
							for i := range 4 {
								if ref := want.ResidualFirst[(layer*want.Length+p)*4+i]; math.Abs(float64(row[i])-ref) > 1e-4*(1+math.Abs(ref)) {
									t.Fatalf("%s %s layer %d position %d: residual %d is %v, want %v", g.Name, want.Attention, layer, p, i, row[i], ref)
								}
							}
						}
					}
				}
				if want.Weights == nil {
					continue
				}
				for h := range want.Heads {
					for q := range want.Length {
						for k := range q + 1 {
							got, ok := seen.weights[[4]int{want.Layer, h, q, k}]
							if ref := want.Weight(h, q, k); !(math.Abs(float64(got)-ref) <= 2e-5) || !ok && ref != 0 {
								t.Fatalf("%s %s head %d query %d key %d: weight %v (seen: %v), want %v", g.Name, want.Attention, h, q, k, got, ok, ref)
							}
						}
					}
				}
			}
		}
	}
}
