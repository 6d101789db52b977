package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDirectoryOfAPlainName: a directory named without a slash is made where it will be, not where
// the system has temporaries, from which nothing can be renamed to another disk.
func TestDirectoryOfAPlainName(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	err := Directory("made", func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o666)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join("made", "file")); err != nil {
		t.Error(err)
	}
}
