package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestClassSettings compares ids with what transformers gives where the class that tokenizer_config.json
// names applies its add_prefix_space, and with each form of further special tokens
// (testdata/make_prefix.py).
func TestClassSettings(t *testing.T) {
	data, err := os.ReadFile("testdata/golden/prefix.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Texts []string
		Cases []struct {
			Base   string
			Config json.RawMessage
			IDs    [][]int32
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	for _, c := range golden.Cases {
		dir := t.TempDir()
		copyTokenizer(t, filepath.Join("testdata", c.Base), dir, nil)
		write(t, filepath.Join(dir, "tokenizer_config.json"), c.Config)
		tok, err := Load(dir)
		if err != nil {
			t.Errorf("%s %s: %v", c.Base, c.Config, err)
			continue
		}
		for i, text := range golden.Texts {
			if got := tok.Encode(text, false); !slices.Equal(got, c.IDs[i]) {
				t.Errorf("%s %s: %q gives %v, want %v", c.Base, c.Config, text, got, c.IDs[i])
			}
		}
	}
}
