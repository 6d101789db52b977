package golden

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/randmodel"
)

// Families lists the families' goldens by name.
func Families(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(Dir(t, "families"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(names) == 0 {
		t.Fatal("no families' goldens")
	}
	return names
}

// Family reads a family's golden and makes its checkpoint, whose weights are
// random numbers of a seed, in a directory of the test's.
func Family(t testing.TB, name string) Model {
	t.Helper()
	m := readModel(t, "families", name)
	text, err := os.ReadFile(filepath.Join(m.Dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatalf("%s: config.json: %v", m.Dir, err)
	}
	var entries []safetensors.Entry
	for _, x := range m.Tensors {
		entries = append(entries, randmodel.Tensor(safetensors.F32, m.Seed, x.Name, x.Shape, x.Centre, x.Width))
	}
	m.Dir = t.TempDir()
	if err := checkpoint.Write(m.Dir, config, entries...); err != nil {
		t.Fatal(err)
	}
	return m
}
