package checkpoint

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A new family is a row of families and the function that reads its config: a toy of three
// lines loads a checkpoint, and nothing else knows of it. docs/extending.md says so.
func TestANewFamilyIsOneRow(t *testing.T) {
	dir := t.TempDir()
	const tiny = "../../testdata/golden/tiny"
	for _, name := range []string{"config.json", "model.safetensors"} {
		text, err := os.ReadFile(filepath.Join(tiny, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "config.json" {
			text = bytes.ReplaceAll(text, []byte(`"model_type": "llama"`), []byte(`"model_type": "toy"`))
			text = bytes.ReplaceAll(text, []byte("LlamaForCausalLM"), []byte("ToyForCausalLM"))
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "toy") {
		t.Fatalf("a type without a row: %v", err)
	}

	families["toy"] = family{families["llama"].defaults, func(f *fields, c *Config, d defaults) {
		readLlama(f, c, d)
		c.Norm.Eps = 0.5 // what is its own
	}}
	t.Cleanup(func() { delete(families, "toy") })

	toy, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer toy.Close()
	llama, err := Open(tiny, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer llama.Close()
	if toy.Config.ModelType != "toy" || toy.Config.Norm.Eps != 0.5 || toy.Config.Layers != llama.Config.Layers {
		t.Errorf("the toy is %+v", toy.Config)
	}
	if a, b := toy.Parameters, llama.Parameters; a != b || a == 0 {
		t.Errorf("the toy has %d parameters, the llama of the same weights %d", a, b)
	}
}
