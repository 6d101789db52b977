package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBrokenIncludesAreFound: a file whose include is missing, is not YAML or leads back to it has its
// name, and is refused with the line, where it was left out of the index before.
func TestBrokenIncludesAreFound(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"missing.yaml": "task: missing\ninclude: nowhere.yaml\n",
		"loop.yaml":    "include: back.yaml\ntask: loop\n",
		"back.yaml":    "include: loop.yaml\n",
		"torn.yaml":    "task: torn\ninclude: bad.inc\n",
		"bad.inc":      "a: [\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	x, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"missing": "missing.yaml:2: include: ",
		"loop":    "loop.yaml:1: include: ",
		"torn":    "torn.yaml:2: include: ",
	} {
		if _, ok := x.Find(name); !ok {
			t.Errorf("%s is not found", name)
			continue
		}
		if _, err := x.Select(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
