package tokenizer_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/internal/golden"
)

// The tokenizer in a GGUF file's metadata gives the ids that transformers gives.
func TestGGUF(t *testing.T) {
	for _, name := range golden.Formats(t, "tokenizers") {
		t.Run(name, func(t *testing.T) {
			path := golden.Dir(t, "formats", "tokenizers", name)
			text, err := os.ReadFile(path + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var known []struct {
				Text string
				IDs  []int32
			}
			if err := json.Unmarshal(text, &known); err != nil {
				t.Fatal(err)
			}
			tok, err := Load(path + ".gguf")
			if err != nil {
				t.Fatal(err)
			}
			wrong := 0
			for _, k := range known {
				if got := tok.Encode(k.Text, true); !slices.Equal(got, k.IDs) && len(got)+len(k.IDs) > 0 {
					if wrong++; wrong < 4 {
						t.Errorf("%q: %v, want %v", k.Text, got, k.IDs)
					}
				}
			}
			if wrong > 0 || len(known) < 100 {
				t.Errorf("%d of %d differ", wrong, len(known))
			}
		})
	}
}

// A tokenizer.json beside the file is the tokenizer; a rule for splitting that is
// not known is refused by its name.
func TestGGUFBeside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.gguf")
	data, err := os.ReadFile(golden.Dir(t, "formats", "tokenizers", "smollm.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(data), "smollm", "smoldm", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), `tokenizer.ggml.pre "smoldm"`) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v: want the name of the rule", err)
	}
	for _, name := range []string{"tokenizer.json", "tokenizer_config.json"} {
		data, err := os.ReadFile(golden.Dir(t, "tiny", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	beside, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := Load(golden.Dir(t, "tiny"))
	if err != nil {
		t.Fatal(err)
	}
	if beside.SHA256() != alone.SHA256() {
		t.Error("the tokenizer beside the file was not taken")
	}
}
