package engine_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randmodel"
)

// filled makes a small random bfloat16 checkpoint of which one number fills the
// tensors with a name, or a row of them.
func filled(t *testing.T, kind string, number float32, row int, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	if err := randmodel.Write(dir, randmodel.Options{Type: kind, Seed: 3, DType: "bfloat16", Layers: 3, Vocab: 64}); err != nil {
		t.Fatal(err)
	}
	if err := randmodel.Fill(dir, name, number, row); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestOverflowIsAnError: numbers so large that a norm makes zeros of them, that
// their products are infinite, or that a cap hides them, end a run at the position
// where that comes about, whatever the batch and the threads. Zeros are not such
// thing: a model of nothing but zeros is scored.
func TestOverflowIsAnError(t *testing.T) {
	const huge = 3e38
	ids := []int32{5, 6, 7, 8, 9, 10, 11, 12}
	for _, c := range []struct {
		name, kind string
		number     float32
		row        int
		tensors    string
		what       string // "": no error
		position   int
	}{
		{"everything", "llama", huge, -1, "", "residual stream", 0},
		{"an embedding", "llama", huge, 8, "embed", "residual stream", 3},
		{"an embedding whose squares alone overflow", "llama", 1e20, 8, "embed", "residual stream", 3},
		{"an embedding that is large", "llama", 1e17, 8, "embed", "", 0},
		{"the first block's MLP", "llama", huge, -1, "layers.0.mlp", "residual stream", 0},
		{"the last block's MLP", "llama", huge, -1, "layers.2.mlp", "residual stream", 0},
		{"the last block's attention", "llama", huge, -1, "layers.2.self_attn.o_proj", "residual stream", 0},
		{"values", "llama", huge, -1, "layers.1.self_attn.v_proj", "residual stream", 0},
		{"queries under a norm", "qwen3", huge, -1, "layers.1.self_attn.q_proj", "queries or keys", 0},
		{"keys under a norm", "qwen3", 1e25, -1, "layers.2.self_attn.k_proj", "queries or keys", 0},
		{"the head", "llama", huge, -1, "lm_head", "logits", 0},
		{"the head's row of a target", "llama", huge, 0, "lm_head", "logits", 0},
		{"the last norm", "llama", huge, -1, "model.norm", "logits", 0},
		{"everything zero", "llama", 0, -1, "", "", 0},
		{"everything zero, with norms of queries", "qwen3", 0, -1, "", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filled(t, c.kind, c.number, c.row, c.tensors)
			eachSet(t, func(t *testing.T, set kernel.Set) {
				for _, dtype := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
					for _, o := range []RunOptions{{}, {BatchTokens: 3}, {BatchTokens: 1}} {
						err := scored(t, dir, ids, CPUOptions{Set: set, Formats: kernel.FormatsOf(dtype), Threads: 1 + o.BatchTokens%2}, o)
						var overflow *NotFinite
						switch {
						case c.what == "" && err != nil:
							t.Errorf("%v: %v", dtype, err)
						case c.what != "" && (!errors.As(err, &overflow) || !strings.Contains(overflow.What, c.what) || overflow.Position != c.position):
							t.Errorf("%v, batches of %d: %v; want %s at position %d", dtype, o.BatchTokens, err, c.what, c.position)
						}
					}
				}
			})
		})
	}
}

func scored(t *testing.T, dir string, ids []int32, o CPUOptions, run RunOptions) error {
	t.Helper()
	ck, err := checkpoint.Open(dir, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ck.Close()
	b, err := NewCPU(context.Background(), ck, o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	node := Node{Parent: -1, Tokens: ids}
	for i := range ids {
		node.Scored = append(node.Scored, Scored{Row: i, Targets: []int32{int32(i)}})
	}
	_, err = New(b, ck.Config.Vocab).Run(context.Background(), &Forest{Nodes: []Node{node}}, run)
	return err
}
