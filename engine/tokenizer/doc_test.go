package tokenizer

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumented: docs/models.md's section on tokenizers names tests that there are, every step that loads
// and every class that vocab.json and merges.txt may have.
func TestDocumented(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "models.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(doc), "\n## Tokenizers\n")
	if !ok {
		t.Fatal("docs/models.md has no section on tokenizers")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	tests := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(section, -1)
	if len(tests) < 10 {
		t.Errorf("only %d tests are named", len(tests))
	}
	for _, name := range tests {
		if !strings.Contains(code.String(), "func "+name+"(") {
			t.Errorf("docs/models.md names %s, which is not a test of this package", name)
		}
	}
	var known []string
	for _, parse := range []func() error{
		func() error { _, err := parseNormalizer([]byte(`{"type":"?"}`)); return err },
		func() error { _, err := parsePreTokenizer([]byte(`{"type":"?"}`)); return err },
		func() error { _, err := parsePost([]byte(`{"type":"?"}`)); return err },
		func() error { _, err := parseModel([]byte(`{"type":"?"}`)); return err },
	} {
		_, list, _ := strings.Cut(parse().Error(), "known: ")
		known = append(known, strings.Split(strings.TrimSuffix(list, ")"), ", ")...)
	}
	for class := range layouts {
		known = append(known, class)
	}
	for _, name := range known {
		switch name {
		case "Sequence", "NFD", "NFKC": // in "NFC to NFKD"
			continue
		}
		if !strings.Contains(section, name) {
			t.Errorf("docs/models.md does not name %s", name)
		}
	}
}
