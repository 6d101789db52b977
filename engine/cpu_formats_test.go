package engine

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
)

// halved keeps keys and values in float32 and reads values as half of what they are: a toy.
type halved struct{ kvFloat32 }

func (h halved) put(c *cpu, t *attentionTile, own *cpuSegment, layer, position, n int, qkv []float32) {
	half := slices.Clone(qkv)
	for r := range n {
		for head := range c.config.KVHeads {
			_, value := c.keysAndValues(half[r*c.qkvWidth():], head)
			for i := range value {
				value[i] /= 2
			}
		}
	}
	h.kvFloat32.put(c, t, own, layer, position, n, half)
}

// Storage, arithmetic, keys and values are three choices: one does not follow from another, what
// there is no kernel for is an error before anything is packed, and a new format of keys and values
// is one row of kvFormats. docs/extending.md says so.
func TestFormatsAreThreeChoices(t *testing.T) {
	ck, err := checkpoint.Open(golden.TinyCheckpoint(t, "tiny"), checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ck.Close()
	scores := func(f kernel.Formats) []float64 {
		t.Helper()
		b, err := NewCPU(context.Background(), ck, CPUOptions{Formats: f, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		forest := &Forest{Nodes: []Node{{Parent: -1}}}
		n := &forest.Nodes[0]
		for i := range 70 {
			n.Tokens = append(n.Tokens, int32(i%ck.Config.Vocab))
			n.Scored = append(n.Scored, Scored{Row: i, Targets: []int32{int32(i % 7)}})
		}
		out := make([]float64, len(n.Tokens))
		if _, err := New(b, ck.Config.Vocab).Run(context.Background(), forest, RunOptions{Score: func(_, k int, s Score) error {
			out[k] = float64(s.LogProbs[0])
			return nil
		}}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	distance := func(a, b []float64) (most float64) {
		for i := range a {
			most = max(most, math.Abs(a[i]-b[i]))
		}
		return most
	}
	exact := scores(kernel.FormatsOf(kernel.Float32))
	all := distance(exact, scores(kernel.FormatsOf(kernel.BFloat16)))
	alone := distance(exact, scores(kernel.Formats{KV: kernel.KVBFloat16}))
	if alone == 0 || alone >= all {
		t.Errorf("keys and values alone in bfloat16 move a score by %g, everything in bfloat16 by %g", alone, all)
	}

	const toy kernel.KV = 99
	open := func(f kernel.Formats) error {
		b, err := NewCPU(context.Background(), ck, CPUOptions{Formats: f, Threads: 1})
		if err == nil {
			b.Close()
		}
		return err
	}
	if err := open(kernel.Formats{Storage: kernel.StoredFloat32, Arithmetic: kernel.BFloat16}); err == nil || !strings.Contains(err.Error(), "have no product of weights kept as float32 with bfloat16 arithmetic") {
		t.Errorf("a product that is not there: %v", err)
	}
	if err := open(kernel.Formats{KV: toy}); err == nil || !strings.Contains(err.Error(), "keys and values") {
		t.Errorf("keys and values that no kernel takes: %v", err)
	}
	kvFormats[toy] = halved{}
	t.Cleanup(func() { delete(kvFormats, toy) })
	if moved := distance(exact, scores(kernel.Formats{KV: toy})); moved == 0 || math.IsNaN(moved) {
		t.Errorf("the toy moves scores by %g", moved)
	}
}
