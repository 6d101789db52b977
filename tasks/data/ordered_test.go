package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Documents come as Hugging Face datasets hands them out and Python's json.dumps with an indent of 2
// writes them: keys in the file's order, null for a key that only others have.
func TestReadOrdered(t *testing.T) {
	dir := t.TempDir()
	text := `{"z": 1, "a": {"y": "ü\n\"", "b": [1.0, 2.5e-7, []]}, "e": {}}` + "\n" + `{"a": {"b": [], "c": true}, "k": null}` + "\n"
	want := []string{
		"{\n  \"z\": 1,\n  \"a\": {\n    \"y\": \"ü\\n\\\"\",\n    \"b\": [\n      1.0,\n      2.5e-07,\n      []\n    ],\n    \"c\": null\n  },\n  \"e\": {},\n  \"k\": null\n}",
		"{\n  \"z\": null,\n  \"a\": {\n    \"y\": null,\n    \"b\": [],\n    \"c\": true\n  },\n  \"e\": null,\n  \"k\": null\n}",
	}
	for name, content := range map[string]string{"a.jsonl": text, "a.json": "[" + strings.Replace(strings.TrimSpace(text), "\n", ",\n", 1) + "]"} {
		path := filepath.Join(dir, name)
		write(t, path, []byte(content))
		sum := sha256.Sum256([]byte(content))
		var got []string
		if err := ReadOrdered(context.Background(), path, hex.EncodeToString(sum[:]), func(_ string, doc []Field) error {
			got = append(got, string(PythonJSON(doc)))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if err := ReadOrdered(context.Background(), path, strings.Repeat("0", 64), func(string, []Field) error { return nil }); err == nil || !strings.Contains(err.Error(), "has changed") {
			t.Errorf("another file: %v", err)
		}
	}
	if err := ReadOrdered(context.Background(), filepath.Join(dir, "a.txt"), "", nil); !errors.Is(err, ErrNoOrder) {
		t.Errorf("a text: %v", err)
	}
	// Parquet has the schema's order.
	b, err := os.ReadFile("testdata/arc.parquet")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	if err := ReadOrdered(context.Background(), "testdata/arc.parquet", hex.EncodeToString(sum[:]), func(_ string, doc []Field) error {
		var keys []string
		for _, f := range doc {
			keys = append(keys, f.Key)
		}
		choices, ok := doc[2].Value.([]Field)
		if strings.Join(keys, " ") != "id question choices answerKey" || !ok || len(choices) != 2 || choices[0].Key != "text" || choices[1].Key != "label" {
			t.Fatalf("%v", doc)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
