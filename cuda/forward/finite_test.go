package forward_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/softbench/softbench/cuda/forward"
	"github.com/softbench/softbench/cuda/sim"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randmodel"
)

// filled is a checkpoint of which one number fills the tensors with a name, or a row
// of them.
func filled(t *testing.T, name string, number float32, row int) *checkpoint.Checkpoint {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	o := models()[len(models())-1].options
	o.DType = "bfloat16"
	if err := randmodel.Write(dir, o); err != nil {
		t.Fatal(err)
	}
	if err := randmodel.Fill(dir, name, number, row); err != nil {
		t.Fatal(err)
	}
	ck, err := checkpoint.Open(dir, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ck.Close() })
	return ck
}

// TestOverflowIsAnError: what a norm would make zeros of without a word ends a run
// on a device as on a processor, at the same position.
func TestOverflowIsAnError(t *testing.T) {
	f := &engine.Forest{Nodes: []engine.Node{
		{Parent: -1, Tokens: []int32{5, 6}},
		{Parent: 0, Tokens: []int32{8, 7}},
		{Parent: 1, Tokens: []int32{9, 11}, Scored: []engine.Scored{{Row: 1, Targets: []int32{1, 2}}}},
		{Parent: 0, Tokens: []int32{10}, Scored: []engine.Scored{{Row: 0, Targets: []int32{1, 2}}}},
	}}
	for _, c := range []struct {
		name           string
		number         float32
		row            int
		node, position int // -1: no error
	}{
		{"", 3e38, -1, 0, 0},      // every tensor
		{"embed", 1e20, 8, 1, 2},  // of the context alone
		{"embed", 1e20, 11, 2, 5}, // of a scored row
		{"embed", 1e20, 10, 3, 2},
		{"embed", 1e17, 8, -1, -1},
		{"", 0, -1, -1, -1},
		{"norm", 0, -1, -1, -1},
		{"lm_head", 3e38, -1, 2, 5},
		{"layers.1.mlp", 3e38, -1, 2, 5},
	} {
		ck := filled(t, c.name, c.number, c.row)
		for _, dtype := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
			m, _ := simulateOn(t, sim.New(reserve+memory), ck, forward.Options{Formats: kernel.FormatsOf(dtype), Rows: 64})
			_, err := m.Run(context.Background(), f, engine.RunOptions{BatchTokens: 2})
			var overflow *engine.NotFinite
			switch {
			case c.node < 0 && err != nil:
				t.Errorf("%q %g %v: %v", c.name, c.number, dtype, err)
			case c.node >= 0 && (!errors.As(err, &overflow) || overflow.Node != c.node || overflow.Position != c.position):
				t.Errorf("%q %g row %d %v: %v %+v; want node %d position %d", c.name, c.number, c.row, dtype, err, overflow, c.node, c.position)
			}
		}
	}
}
