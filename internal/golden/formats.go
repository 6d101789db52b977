package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Formats lists the goldens below formats/KIND by name.
func Formats(t testing.TB, kind string) []string {
	t.Helper()
	entries, err := os.ReadDir(Dir(t, "formats", kind))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".json"); ok && name != "blocks" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatalf("no goldens in formats/%s", kind)
	}
	return names
}

// FormatModel reads formats/KIND/NAME.json: what a reference computes with the checkpoint
// beside it, Dir, which is NAME with the suffix given.
func FormatModel(t testing.TB, kind, name, suffix string) Model {
	t.Helper()
	path := Dir(t, "formats", kind, name+".json")
	m := readFile(t, path)
	m.Dir = filepath.Join(filepath.Dir(path), name+suffix)
	return m
}
