package engine_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/internal/randforest"
)

func besideEach(t *testing.T, models ...*Model) *Model {
	t.Helper()
	m, err := Beside(models...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestDivergenceGolden holds KL divergences to torch in float64, token by token.
func TestDivergenceGolden(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernel.Set) {
		for _, g := range golden.ReadDivergences(t) {
			dir := filepath.Join(golden.Dir(t), g.Model)
			first, _ := open(t, dir, "", CPUOptions{Set: set, Threads: 2})
			other, _ := open(t, golden.CutWeights(t, dir, g.Mask), "", CPUOptions{Set: set, Threads: 2})
			m := besideEach(t, first, other)
			f := &Forest{}
			for _, s := range g.Sequences {
				n := Node{Parent: -1, Tokens: s.IDs[:len(s.IDs)-1]}
				for i := range n.Tokens {
					n.Scored = append(n.Scored, Scored{Row: i, Targets: s.IDs[i+1 : i+2]})
				}
				f.Nodes = append(f.Nodes, n)
			}
			worst, tokens, means := 0.0, 0, [2]float64{}
			_, err := m.Run(context.Background(), f, RunOptions{Score: func(node, k int, s Score) error {
				w, o := g.Sequences[node], s.Others[0]
				worst = max(worst, math.Abs(o.KL-w.KL[k]))
				tokens++
				means[0] += o.KL
				means[1] += w.KL[k]
				if d := math.Abs(float64(s.LogProbs[0]) - w.First[k]); !(d < 1e-4) {
					t.Errorf("%s, position %d: log-probability %v, want %v", g.Model, k, s.LogProbs[0], w.First[k])
				}
				if d := math.Abs(float64(o.LogProbs[0]) - w.Other[k]); !(d < 1e-4) {
					t.Errorf("%s, position %d: the other's log-probability %v, want %v", g.Model, k, o.LogProbs[0], w.Other[k])
				}
				if same := o.Argmax == s.Argmax; same != (w.Same[k] == '1') {
					t.Errorf("%s, position %d: the same top token: %v", g.Model, k, same)
				}
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, %08x: %d tokens, mean %.6f, worst %.1e", g.Model, g.Mask, tokens, means[0]/float64(tokens), worst)
			if apart := math.Abs(means[0]-means[1]) / float64(tokens); !(apart < 1e-6) {
				t.Errorf("%s, %08x: the mean divergence is %.1e from torch's", g.Model, g.Mask, apart)
			}
			// One token's is as exact as float32 logits are, by torch's own.
			if tokens != 240 || !(worst <= max(1e-6, 2*g.Float32Error)) {
				t.Errorf("%s, %08x: %d tokens, one's divergence is %.1e from torch's; torch's in float32 is %.1e", g.Model, g.Mask, tokens, worst, g.Float32Error)
			}
		}
	})
}

// besideBits is all that models beside each other say of a forest.
func besideBits(t *testing.T, m *Model, f *Forest, o RunOptions) map[[4]int]uint64 {
	t.Helper()
	all := map[[4]int]uint64{}
	o.Score = func(node, k int, s Score) error {
		for j, other := range append([]Other{{LogProbs: s.LogProbs, Argmax: s.Argmax}}, s.Others...) {
			all[[4]int{node, k, j, -1}], all[[4]int{node, k, j, -2}] = uint64(other.Argmax), math.Float64bits(other.KL)
			for i, lp := range other.LogProbs {
				all[[4]int{node, k, j, i}] = uint64(math.Float32bits(lp))
			}
		}
		return nil
	}
	if _, err := m.Run(context.Background(), f, o); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDivergencesDoNotDependOnTheBatch: neither batch, threads nor memory bound change a bit, and
// each model's own scores are those that it has by itself.
func TestDivergencesDoNotDependOnTheBatch(t *testing.T) {
	eachSet(t, func(t *testing.T, set kernel.Set) {
		for i, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
			g := golden.ReadModel(t, "llama-gqa-linear")
			cut := golden.CutWeights(t, g.Dir, 0xFFFC0000)
			open3 := func(threads int) (models []*Model) {
				o := CPUOptions{Set: set, Formats: kernel.FormatsOf(dt), Threads: threads}
				a, _ := open(t, g.Dir, "", o)
				b, _ := open(t, cut, "", o)
				c, _ := open(t, g.Dir, "softpick", o)
				return []*Model{a, b, c}
			}
			one, two := open3(1), open3(3)
			f := randforest.New(rand.New(rand.NewPCG(uint64(i), 9)), 24, 131, randforest.UpToThree)
			for n := range f.Nodes {
				f.Nodes[n].Generate = 0
			}
			want := besideBits(t, besideEach(t, one...), f, RunOptions{BatchTokens: 512})
			for j, alone := range one {
				own, _ := runBits(t, alone, f, RunOptions{})
				for at, bits := range own {
					if got := want[[4]int{at[0], at[1], j, at[2]}]; uint32(got) != bits {
						t.Fatalf("%s: model %d, node %d scored %d target %d: %08x, alone %08x", dt, j, at[0], at[1], at[2], got, bits)
					}
				}
			}
			some := false
			for at, bits := range want {
				some = some || at[3] == -2 && at[2] == 1 && math.Float64frombits(bits) > 0
			}
			if !some {
				t.Fatal("no divergence is above 0")
			}
			together := besideEach(t, two...)
			stats, err := together.Run(context.Background(), f, RunOptions{BatchTokens: 1})
			if err != nil {
				t.Fatal(err)
			}
			for what, o := range map[string]RunOptions{
				"a row at a time": {BatchTokens: 1}, "33 rows": {BatchTokens: 33}, "100 rows": {BatchTokens: 100}, "least memory": {BatchTokens: 64, Memory: stats.PeakKV},
			} {
				got := besideBits(t, together, f, o)
				if len(got) != len(want) {
					t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
				}
				for at, bits := range got {
					if want[at] != bits {
						t.Fatalf("%s, %s: node %d scored %d model %d, %d: %016x, want %016x", dt, what, at[0], at[1], at[2], at[3], bits, want[at])
					}
				}
			}
		}
	})
}

// TestDivergenceFromItself is exactly 0, whatever the kind, for every token.
func TestDivergenceFromItself(t *testing.T) {
	for _, kind := range []string{"softmax", "softpick"} {
		g := golden.ReadModel(t, "llama-mha")
		a, _ := open(t, g.Dir, kind, CPUOptions{Threads: 2})
		b, _ := open(t, g.Dir, kind, CPUOptions{Threads: 1})
		n := 0
		f := randforest.New(rand.New(rand.NewPCG(3, 9)), 24, 256, randforest.Two)
		_, err := besideEach(t, a, b).Run(context.Background(), f, RunOptions{Score: func(node, k int, s Score) error {
			if n++; len(s.Others) != 1 || s.Others[0].KL != 0 || s.Others[0].Argmax != s.Argmax {
				t.Errorf("%s: node %d scored %d: %+v", kind, node, k, s.Others)
			}
			return nil
		}})
		if err != nil || n < 100 {
			t.Errorf("%s: %d tokens, %v", kind, n, err)
		}
	}
}

// Models over other vocabularies have no divergence, and a model that overflows says so.
func TestBesideRefuses(t *testing.T) {
	a, _ := open(t, golden.ReadModel(t, "llama-mha").Dir, "", CPUOptions{Threads: 1})
	b, _ := open(t, golden.ReadModel(t, "qwen3").Dir, "", CPUOptions{Threads: 1})
	if _, err := Beside(a, b); err == nil || !strings.Contains(err.Error(), "vocabularies of 256 and") {
		t.Errorf("another vocabulary: %v", err)
	}
	f := &Forest{Nodes: []Node{{Parent: -1, Tokens: []int32{1, 2, 3}, Scored: []Scored{{Row: 2}}}}}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := besideEach(t, a, a).Run(ctx, f, RunOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
