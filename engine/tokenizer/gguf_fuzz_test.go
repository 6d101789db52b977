package tokenizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
)

// FuzzGGUF: no GGUF file's metadata make the package panic.
func FuzzGGUF(f *testing.F) {
	files, err := filepath.Glob(golden.Dir(f, "formats", "tokenizers", "*.gguf"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no goldens: %v", err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x.gguf")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		tok, err := Load(path)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("more than one line: %q", err)
			}
			return
		}
		tok.Encode("A text of 12 words, \t\u00e9\x00.", true)
	})
}
