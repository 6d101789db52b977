package engine_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every row of docs/models.md's tables of families, formats, tokenizers and kinds names the test
// that proves it, and there are such tests.
func TestModelsDocNamesItsTests(t *testing.T) {
	doc, err := os.ReadFile("../docs/models.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, pattern := range []string{"*_test.go", "*/*_test.go", "../eval/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)`).FindAllSubmatch(text, -1) {
				there[string(m[1])] = true
			}
		}
	}
	test := regexp.MustCompile(`Test\w+`)
	rows, held := 0, false
	for _, line := range strings.Split(string(doc), "\n") {
		switch {
		case !strings.HasPrefix(line, "|"):
			held = false
		case strings.HasSuffix(line, "| held by |") || strings.HasSuffix(line, "| test |"):
			held = true
		case held && !strings.HasPrefix(line, "| ---"):
			rows++
			names := test.FindAllString(line, -1)
			if len(names) == 0 {
				t.Errorf("names no test: %s", line)
			}
			for _, name := range names {
				if !there[name] {
					t.Errorf("there is no %s: %s", name, line)
				}
			}
		}
	}
	if rows < 45 {
		t.Errorf("%d rows name tests, want 45 and more", rows)
	}
}
