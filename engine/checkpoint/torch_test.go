package checkpoint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/golden"
)

// torchDir is the checkpoint of models/llama-llama3 with other files of weights.
func torchDir(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["config.json"] = golden.Dir(t, "models", "llama-llama3", "config.json")
	for name, from := range files {
		data := []byte(from)
		if filepath.IsAbs(from) {
			var err error
			if data, err = os.ReadFile(from); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Weights that torch.save wrote are those that safetensors holds, to the bit, also
// where a matrix lies column by column, and in shards with an index.
func TestTorch(t *testing.T) {
	want, err := Open(golden.Dir(t, "models", "llama-llama3"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	whole := golden.Dir(t, "formats", "torch", "whole.bin")
	for name, files := range map[string]map[string]string{
		"one file": {"pytorch_model.bin": whole},
		"shards":   {"pytorch_model.bin.index.json": `{"weight_map":{"a":"part.bin"}}`, "part.bin": whole},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := Open(torchDir(t, files), Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close()
			if k.Format != "PyTorch" || k.Parameters != want.Parameters {
				t.Errorf("format %q, %d parameters, want %d", k.Format, k.Parameters, want.Parameters)
			}
			views := func(k *Checkpoint) []*View {
				l := &k.Layers[len(k.Layers)-1]
				return []*View{k.Embed, k.Head, k.Norm.Weight, k.Layers[0].Q, l.Q, l.K, l.V, l.O, l.Gate, l.Up, l.Down, l.AttnNorm.Weight}
			}
			got := views(k)
			for i, v := range views(want) {
				if fmt.Sprint(got[i].F32()) != fmt.Sprint(v.F32()) {
					t.Errorf("%s differs", v.Stored.Name)
				}
			}
		})
	}
}

// A pickle that names anything but tensors is refused, and nothing of it is run.
func TestHostilePickle(t *testing.T) {
	for name, c := range map[string]struct{ file, part string }{
		"code":      {golden.Dir(t, "formats", "torch", "hostile.bin"), `it names "system"`},
		"not a zip": {"\x80\x02}q\x00.", "not a zip"},
		"cut off":   {"PK\x03\x04 and nothing more", "broken or cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := torchDir(t, map[string]string{"pytorch_model.bin": c.file})
			k, err := Open(dir, Options{})
			if err == nil {
				k.Close()
				t.Fatal("opened")
			}
			if text := err.Error(); !strings.HasPrefix(text, filepath.Join(dir, "pytorch_model.bin")+": ") || !strings.Contains(text, c.part) || strings.Contains(text, "\n") {
				t.Errorf("error %q: want one line with %q", text, c.part)
			}
		})
	}
}
