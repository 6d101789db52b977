package checkpoint_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/golden"
)

// opened opens a checkpoint that a fuzzer made, and reads a row of each weight: what
// is wrong with it is one line.
func opened(t *testing.T, dir string, o Options) {
	t.Helper()
	o.Threads = 1 // goroutines of several would look like new coverage
	ck, err := Open(dir, o)
	if err != nil {
		if strings.Contains(err.Error(), "\n") {
			t.Fatalf("more than one line: %q", err)
		}
		return
	}
	defer ck.Close()
	for i := range ck.Layers {
		for _, v := range []*View{ck.Layers[i].Q, ck.Layers[i].K, ck.Layers[i].Down} {
			if v != nil && v.N > 0 && v.N*v.K < 1<<16 {
				v.F32()
			}
		}
	}
	ck.Stored()
}

// seeds adds a directory's two files.
func seeds(f *testing.F, dir, first, second string) {
	f.Helper()
	var data [2][]byte
	for i, name := range []string{first, second} {
		var err error
		if data[i], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(data[0], data[1])
}

// place writes files to a directory of the test's.
func place(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(dir, name), files[name], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// No GGUF file, however made, ends in anything but a checkpoint or an error.
func FuzzGGUF(f *testing.F) {
	for _, name := range []string{"llama", "gpt-oss", "mixtral", "phi3", "gemma2", "qwen2moe"} {
		data, err := os.ReadFile(golden.Dir(f, "formats", "gguf", name+".gguf"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		opened(t, filepath.Join(place(t, map[string][]byte{"x.gguf": data}), "x.gguf"), Options{})
	})
}

// Nor does Mistral's own layout.
func FuzzConsolidated(f *testing.F) {
	for _, name := range []string{"dense", "yarn", "experts"} {
		seeds(f, golden.Dir(f, "formats", "consolidated", name), "params.json", "consolidated.safetensors")
	}
	f.Fuzz(func(t *testing.T, params, weights []byte) {
		opened(t, place(t, map[string][]byte{"params.json": params, "consolidated.safetensors": weights}), Options{})
	})
}

// Nor does an adapter.
func FuzzAdapter(f *testing.F) {
	for _, name := range []string{"plain", "rslora"} {
		seeds(f, golden.Dir(f, "formats", "adapter", name), "adapter_config.json", "adapter_model.safetensors")
	}
	base := golden.Dir(f, "models", "llama-llama3")
	f.Fuzz(func(t *testing.T, config, weights []byte) {
		opened(t, base, Options{Adapter: place(t, map[string][]byte{"adapter_config.json": config, "adapter_model.safetensors": weights})})
	})
}

// Nor does a quantised checkpoint, whose config and tensors must fit each other.
func FuzzQuantised(f *testing.F) {
	for _, name := range []string{"gptq-order", "gptq-3", "awq", "ct-pack-zero-order", "ct-int", "fp8-block", "bnb-nf4", "bnb-int8", "mxfp4"} {
		seeds(f, golden.Dir(f, "formats", "quantised", name), "config.json", "model.safetensors")
	}
	f.Fuzz(func(t *testing.T, config, weights []byte) {
		opened(t, place(t, map[string][]byte{"config.json": config, "model.safetensors": weights}), Options{})
	})
}
