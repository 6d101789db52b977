package checkpoint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/golden"
)

// mistralCopy is a copy of a golden in Mistral's layout with one file changed.
func mistralCopy(t *testing.T, name string, change func(params string) string) string {
	t.Helper()
	from, dir := golden.Dir(t, "formats", "consolidated", name), t.TempDir()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() == "params.json" {
			data = []byte(change(string(data)))
		}
		if err := os.WriteFile(filepath.Join(dir, e.Name()), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What is left out or guessed of Mistral's layout is noted, and what was computed of
// numbers in eight bits is said.
func TestConsolidatedNotes(t *testing.T) {
	for name, parts := range map[string][]string{
		"dense": {"params.json does not say how long a context is: 32768", `"made_up" in params.json is not known`},
		"yarn":  {"the text part of a mistral3 model is computed: 2 tensors of its other parts", "activations in full precision"},
	} {
		dir := mistralCopy(t, name, func(p string) string { return strings.Replace(p, `"dim"`, `"made_up": 1, "dim"`, 1) })
		ck, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		notes := strings.Join(ck.Notes, "\n")
		for _, part := range parts {
			if !strings.Contains(notes, part) {
				t.Errorf("%s: notes %q lack %q", name, notes, part)
			}
		}
		if !strings.HasPrefix(ck.Format, "Mistral's safetensors") {
			t.Errorf("%s: format %q", name, ck.Format)
		}
		ck.Close()
	}
}

// What params.json says that is not computed is refused by its name.
func TestRefusedConsolidated(t *testing.T) {
	for _, c := range []struct{ model, old, new, part string }{
		{"dense", `"dim": 32,`, "", "dim is missing"},
		{"dense", `"dim": 32`, `"dim": -1`, "hidden_size"},
		{"dense", `"dim": 32`, `"dim": 1e99`, "hidden_size"},
		{"dense", `"n_layers": 2`, `"n_layers": 3`, "model.layers.2."},
		{"dense", `"dim"`, `"model_type": "mamba", "dim"`, `model_type "mamba"`},
		{"dense", `"dim"`, `"qk_nope_head_dim": 64, "dim"`, "latent attention"},
		{"dense", `"dim"`, `"causal": false, "dim"`, "causal is false"},
		{"dense", `"dim"`, `"multimodal": {"whisper_model_args": {}}, "dim"`, "whisper_model_args"},
		{"dense", `"dim"`, `"sliding_window": {}, "dim"`, "sliding_window is {}"},
		{"dense", `"dim"`, `"sliding_window": [4, 8], "dim"`, "windows of 4 and 8"},
		{"dense", `"dim"`, `"sliding_window": [4, null, 4], "dim"`, "3 entries, which 2 layers do not repeat"},
		{"dense", `"dim"`, `"quantization": {"qformat_weight": "int4"}, "dim"`, "quantization is not read"},
		{"experts", `"num_experts": 3`, `"num_experts": 3, "num_shared_experts": 1`, "moe.num_shared_experts is not supported"},
		{"experts", `"moe"`, `"sliding_window": [4, null], "moe"`, "moe with ministral's settings"},
		{"yarn", `"beta": 0.1`, `"beta": "x"`, "llama_4_scaling.beta"},
		{"window", "{", "[", "line 2"},
	} {
		dir := mistralCopy(t, c.model, func(p string) string {
			if !strings.Contains(p, c.old) {
				t.Fatalf("%s: no %s in params.json", c.model, c.old)
			}
			return strings.Replace(p, c.old, c.new, 1)
		})
		ck, err := Open(dir, Options{})
		if err == nil {
			ck.Close()
			t.Errorf("%s with %s for %s opens, want an error with %q", c.model, c.new, c.old, c.part)
			continue
		}
		if s := err.Error(); !strings.HasPrefix(s, dir) || !strings.Contains(s, c.part) || strings.Contains(s, "\n") {
			t.Errorf("%s with %s: error %q: want one line with %q", c.model, c.new, s, c.part)
		}
	}
}

// A repository of Mistral's layout alone is wanted whole, and beside transformers'
// files it is left where it lies.
func TestWantedConsolidated(t *testing.T) {
	own := []string{"README.md", "params.json", "consolidated.safetensors", "tekken.json"}
	small, err := Wanted(own)
	if err != nil || strings.Join(small, " ") != "params.json tekken.json" {
		t.Errorf("wanted %q, %v", small, err)
	}
	if weights, err := Weights(own, ""); err != nil || strings.Join(weights, " ") != "consolidated.safetensors" {
		t.Errorf("weights %q, %v", weights, err)
	}
	if weights, err := Weights(append(own, "config.json", "model.safetensors"), ""); err != nil || strings.Join(weights, " ") != "model.safetensors" {
		t.Errorf("weights beside transformers' %q, %v", weights, err)
	}
	if dir := golden.Dir(t, "formats", "consolidated", "window"); !Is(dir) || Whole(dir) {
		t.Error("a directory of Mistral's layout without a tokenizer is one that is not whole")
	}
}
