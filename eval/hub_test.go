package eval

import (
	"os"
	"path/filepath"
	"testing"
)

// TestHubModels: a model is found by its name in the cache that the environment
// names, the same one in which documents are looked for.
func TestHubModels(t *testing.T) {
	for _, c := range []struct{ variable, below string }{
		{"HF_HUB_CACHE", ""}, {"HF_HOME", "hub"}, {"XDG_CACHE_HOME", "huggingface/hub"},
	} {
		t.Run(c.variable, func(t *testing.T) {
			for _, v := range []string{"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"} {
				t.Setenv(v, "")
			}
			home := t.TempDir()
			t.Setenv(c.variable, home)
			repo := filepath.Join(home, filepath.FromSlash(c.below), "models--an-org--a-model")
			snapshot := filepath.Join(repo, "snapshots", "0123456")
			for _, dir := range []string{snapshot, filepath.Join(repo, "refs")} {
				if err := os.MkdirAll(dir, 0o777); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(repo, "refs", "main"), []byte("0123456\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			if dir, err := FindModel("an-org/a-model"); err != nil || dir != snapshot {
				t.Errorf("found %q, %v; want %q", dir, err, snapshot)
			}
			if list := CachedModels(); len(list) != 1 || list[0].Name != "an-org/a-model" {
				t.Errorf("the listing has %v", list)
			}
			if _, err := FindModel("an-org/other"); err == nil {
				t.Error("a model that is not there was found")
			}
		})
	}
}
