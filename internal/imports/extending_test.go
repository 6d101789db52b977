package imports

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/extending.md sends a newcomer to files, functions and tests that are there.
func TestExtendingDocsNameWhatIsThere(t *testing.T) {
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, "docs", "extending.md"))
	if err != nil {
		t.Fatal(err)
	}
	var source, tests strings.Builder
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			code, readErr := os.ReadFile(path)
			if strings.HasSuffix(path, "_test.go") {
				tests.Write(code)
			} else {
				source.Write(code)
			}
			return readErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	paths, names := 0, 0
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(string(text), -1) {
		word := m[1]
		switch {
		case regexp.MustCompile(`^[\w.*-]+/[\w./*-]*$`).MatchString(word) && !strings.Contains(word, "NAME"):
			paths++
			if found, err := filepath.Glob(filepath.Join(root, word)); err != nil || len(found) == 0 {
				t.Errorf("%s is not there", word)
			}
		case regexp.MustCompile(`^(\w+\.)?[A-Z]\w+$|^[a-z]\w+[A-Z]\w*$`).MatchString(word):
			names++
			name := word[strings.LastIndex(word, ".")+1:]
			where := source.String()
			if strings.HasPrefix(name, "Test") {
				where = tests.String()
			}
			if !regexp.MustCompile(`\b` + name + `\b`).MatchString(where) {
				t.Errorf("%s is not in the code", word)
			}
		}
	}
	for _, name := range regexp.MustCompile(`\bTest\w+`).FindAllString(string(text), -1) {
		if names++; !strings.Contains(tests.String(), "func "+name) { // a name may be a pattern of -run
			t.Errorf("no test begins with %s", name)
		}
	}
	if paths < 20 || names < 30 {
		t.Errorf("%d paths and %d names were looked for", paths, names)
	}
}
