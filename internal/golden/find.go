package golden

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Format is the number of the file formats this package reads; a file of
// another format fails the test.
const Format = 1

// Root returns the repository's root: the nearest directory above the test's
// own that holds go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test's directory")
		}
		dir = up
	}
}

// Dir returns testdata/golden joined with elem.
func Dir(t testing.TB, elem ...string) string {
	t.Helper()
	return filepath.Join(append([]string{Root(t), "testdata", "golden"}, elem...)...)
}

// SharedEnv names the environment variable that says where the shared data is.
const SharedEnv = "SOFTBENCH_SHARED"

// Shared returns the directory of the shared data (task files, tokenizers):
// $SOFTBENCH_SHARED, else "shared" beside the repository. It skips the test
// where there is none. A variable that is set but wrong fails the test.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	dir := os.Getenv(SharedEnv)
	if dir != "" {
		if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
			t.Fatalf("%s=%s holds no data directory: %v", SharedEnv, dir, err)
		}
	} else {
		dir = filepath.Join(Root(t), "..", "shared")
		if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
			t.Skipf("shared data is absent: no %s, and %s is not set", dir, SharedEnv)
		}
	}
	return filepath.Join(append([]string{dir}, elem...)...)
}

// read decodes a JSON file into v and fails the test where it cannot.
func read(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func checkFormat(t testing.TB, path string, format int) {
	t.Helper()
	if format != Format {
		t.Fatalf("%s: format %d, this package reads %d", path, format, Format)
	}
}
