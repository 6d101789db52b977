package imports

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// Every file that says that it is generated is marked in .gitattributes, so that reviews fold
// it, and none that is not.
func TestGeneratedFilesAreMarked(t *testing.T) {
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, ".gitattributes"))
	if err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for line := range strings.Lines(string(text)) {
		if pattern, ok := strings.CutSuffix(strings.TrimSpace(line), " linguist-generated=true"); ok {
			patterns = append(patterns, pattern)
		}
	}
	err = filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if e.IsDir() && strings.HasPrefix(e.Name(), ".") && name != "." {
			return fs.SkipDir
		}
		if ext := path.Ext(name); ext != ".go" && ext != ".s" {
			return nil
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		generated, marked := bytes.HasPrefix(source, []byte("// Code generated")), false
		for _, p := range patterns {
			if ok, err := path.Match(p, name); err != nil {
				return err
			} else if ok {
				marked = true
			}
		}
		if generated != marked {
			t.Errorf("%s: generated %v, marked in .gitattributes %v", name, generated, marked)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
