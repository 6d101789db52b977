package kernels

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sums reads what the build script noted: file names, and their hashes.
func sums(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("image/sources.sha256")
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] != "#" {
			list[f[1]] = f[0]
		}
	}
	return list
}

// stale says which files are not those that a note of hashes is about, and which
// sources it lacks.
func stale(noted map[string]string, folder string) (out []string) {
	want := []string{"image/sm_80.cubin.gz", "image/sm_80.ptx.gz", "image/sm_90a.cubin.gz"}
	for _, pattern := range []string{"*.cu", "*.cuh"} {
		files, _ := filepath.Glob(filepath.Join(folder, pattern)) // the patterns are well formed
		for _, f := range files {
			want = append(want, filepath.Base(f))
		}
	}
	for name := range noted {
		if !slices.Contains(want, name) {
			out = append(out, name+" is noted and is none of the sources")
		}
	}
	for _, name := range want {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			out = append(out, err.Error())
		} else if fmt.Sprintf("%x", sha256.Sum256(data)) != noted[name] {
			out = append(out, name+" is not what was noted")
		}
	}
	return out
}

// TestImagesAreOfTheseSources: a kernel changed and not compiled again would run
// as it was.
func TestImagesAreOfTheseSources(t *testing.T) {
	for _, s := range stale(sums(t), ".") {
		t.Errorf("%s: run cuda/kernels/build.py", s)
	}
}

// TestStaleImagesAreFound: a changed source, a new one and a changed image are.
func TestStaleImagesAreFound(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	noted := sums(t)
	if s := stale(noted, dir); len(s) != 0 {
		t.Fatalf("a copy is stale: %v", s)
	}
	for _, name := range []string{"attention.cuh", "kernels.cu", "new.cuh", "image/sm_80.ptx.gz"} {
		file := filepath.Join(dir, name)
		before, _ := os.ReadFile(file) // none of a new one
		if err := os.WriteFile(file, append(before, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		if s := stale(noted, dir); len(s) != 1 || !strings.Contains(s[0], name) {
			t.Errorf("%s changed: %v", name, s)
		}
		if err := os.WriteFile(file, before, 0o600); err != nil {
			t.Fatal(err)
		}
		if name == "new.cuh" {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
}
