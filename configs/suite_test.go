package configs

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDiagnosticsDefaults: what a suite leaves out is what the documentation says;
// what it says wrongly is not replaced by that.
func TestDiagnosticsDefaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.yaml")
	resolve := func(diagnostics string) (*Suite, error) {
		if err := os.WriteFile(path, []byte("name: d\ndiagnostics: "+diagnostics+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		return Resolve(path)
	}
	s, err := resolve("{task: wikitext, samples: 3}")
	if err != nil {
		t.Fatal(err)
	}
	if d := s.Diagnostics; d.Length != 512 || d.Threshold != 0.3 {
		t.Errorf("length %d and threshold %v, want 512 and 0.3", d.Length, d.Threshold)
	}
	for _, wrong := range []string{"length: 0", "threshold: 0", "threshold: 1", "length: -1"} {
		if _, err := resolve("{task: wikitext, samples: 3, " + wrong + "}"); err == nil {
			t.Errorf("%s was taken", wrong)
		}
	}
}
