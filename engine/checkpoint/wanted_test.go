package checkpoint

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestWholeTokenizers: every kind of tokenizer that loads makes a checkpoint whole, and is asked for.
func TestWholeTokenizers(t *testing.T) {
	for _, c := range []struct {
		files []string
		whole bool
	}{
		{[]string{"tokenizer.json"}, true}, {[]string{"tokenizer.model"}, true}, {[]string{"tekken.json"}, true},
		{[]string{"vocab.json", "merges.txt"}, true}, {[]string{"vocab.json"}, false}, {[]string{"tokenizer_config.json"}, false}, {nil, false},
	} {
		dir := t.TempDir()
		names := append([]string{"config.json", "model.safetensors"}, c.files...)
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if got := Whole(dir); got != c.whole {
			t.Errorf("%v: whole %v", c.files, got)
		}
		small, err := Wanted(names)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range c.files {
			if !slices.Contains(small, name) {
				t.Errorf("%s is not asked for", name)
			}
		}
	}
}
