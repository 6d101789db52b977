package imports

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/extending.md names is there: files, folders and tests.
func TestExtendingNamesWhatIsThere(t *testing.T) {
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, "docs", "extending.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, m := range regexp.MustCompile("`([a-z_]+/[\\w/.*-]+)`").FindAllSubmatch(text, -1) {
		path := string(m[1])
		if strings.Contains(path, "NAME") {
			continue
		}
		named++
		if found, err := filepath.Glob(filepath.Join(root, path)); err != nil || len(found) == 0 {
			t.Errorf("there is no %s", path)
		}
	}
	var tests bytes.Buffer
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		tests.Write(source)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`\bTest\w+`).FindAll(text, -1) {
		named++
		if !bytes.Contains(tests.Bytes(), []byte("func "+string(name))) { // a name may be a -run pattern
			t.Errorf("there is no test %s", name)
		}
	}
	if named < 30 {
		t.Errorf("only %d names are found", named)
	}
}
