package data

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

type textGolden struct {
	Lines []struct {
		Text string
		Want *string
	}
	Tables []struct {
		Text, Separator string
		Want            []map[string]string
	}
}

func readTextGolden(t testing.TB) (g textGolden) {
	t.Helper()
	b, err := os.ReadFile("testdata/text.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// JSON is what Python's json module makes of it, and refused where that refuses it (and where a text
// holds half of a surrogate pair).
func TestJSONEqualsPython(t *testing.T) {
	for _, c := range readTextGolden(t).Lines {
		v, err := parseObject(bytes.Trim([]byte(c.Text), jsonSpaces))
		switch {
		case c.Want == nil && err == nil:
			t.Errorf("%s: read as %s; Python refuses it", c.Text, Canonical(v))
		case c.Want != nil && (err != nil || string(Canonical(v)) != *c.Want):
			t.Errorf("%s: %s, %v; Python reads %s", c.Text, Canonical(v), err, *c.Want)
		}
	}
}

// Tables are what Python's csv module makes of them.
func TestTablesEqualPython(t *testing.T) {
	for _, c := range readTextGolden(t).Tables {
		var got []map[string]string
		err := readTable(strings.NewReader(c.Text), "f", c.Separator[0], func(_ int, v map[string]any) error {
			row := map[string]string{}
			for k, e := range v {
				row[k] = e.(string)
			}
			got = append(got, row)
			return nil
		})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.Want) {
			t.Errorf("%q: %q, %v; Python reads %q", c.Text, got, err, c.Want)
		}
	}
}

// The same documents in every form of text give the same names.
func TestFormsOfText(t *testing.T) {
	gz := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(s))
		_ = w.Close()
		return b.String()
	}
	zst := func(s string) string {
		w, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(w.EncodeAll([]byte(s), nil))
	}
	const lines = "{\"a\":\"x\",\"b\":\"é\"}\n{\"a\":\"y\",\"b\":\"\"}\n"
	dir := t.TempDir()
	var want []string
	for i, c := range []struct{ name, text string }{
		{"a.jsonl", lines},
		{"bom.jsonl", "\ufeff" + lines},
		{"crlf.jsonl", "\r\n" + strings.ReplaceAll(lines, "\n", "\r\n\r\n")},
		{"lines.json", lines},
		{"array.json", "[" + strings.Replace(strings.TrimSpace(lines), "\n", ",", 1) + "]"},
		{"array.jsonl", "\n [\n" + strings.Replace(lines, "\n", ",\n", 1) + "]\n\n"},
		{"pretty.json", strings.ReplaceAll(strings.ReplaceAll(lines, ",", ",\n  "), "{", "{\n  ")},
		{"bom.json", "\ufeff[\r\n" + strings.Replace(lines, "\n", "\r\n ,\r\n", 1) + "]"},
		{"a.jsonl.gz", gz(lines)},
		{"two.jsonl.gz", gz(lines[:20]) + gz(lines[20:])},
		{"a.ndjson.zst", zst(lines)},
		{"a.json.gz", gz("[" + strings.Replace(strings.TrimSpace(lines), "\n", ",", 1) + "]")},
		{"a.csv", "a,b\nx,é\ny,\n"},
		{"bom.csv", "\ufeffa,b\r\n\"x\",\"é\"\r\ny,\r\n"},
		{"a.tsv.gz", gz("a\tb\nx\té\ny\t")},
		{"a.csv.zst", zst("a,b\nx,é\ny,")},
	} {
		path := filepath.Join(dir, c.name)
		write(t, path, []byte(c.text))
		got := hashes(t, path)
		if i == 0 {
			want = got
		}
		if len(got) != 2 || !slices.Equal(got, want) {
			t.Errorf("%s: %q; want %q", c.name, got, want)
		}
	}
}

// An array longer than a document may be is read piece by piece, and its lines are counted.
func TestLongArray(t *testing.T) {
	var b strings.Builder
	b.WriteString("[")
	const n = 300
	for i := range n {
		fmt.Fprintf(&b, "{\"i\":%d,\n\"t\":%q},\n", i, strings.Repeat("x", i*700))
	}
	fmt.Fprintf(&b, "{\"i\":%d}]", n)
	i := 0
	err := readJSON(strings.NewReader(b.String()), "f.json", func(line int, v map[string]any) error {
		if v["i"] != int64(i) || line != 2*i+1 {
			t.Fatalf("document %v at line %d; want %d at %d", v["i"], line, i, 2*i+1)
		}
		i++
		return nil
	})
	if err != nil || i != n+1 {
		t.Error(i, err)
	}
}

// FuzzTable: no content panics, and errors are of one line with file and line.
func FuzzTable(f *testing.F) {
	for _, c := range readTextGolden(f).Tables[:20] {
		f.Add([]byte(c.Text), c.Separator[0])
	}
	f.Add([]byte("\ufeffa,b\r\"\"\"\n"), byte(','))
	f.Fuzz(func(t *testing.T, b []byte, separator byte) {
		err := readTable(bytes.NewReader(b), "f.csv", separator, func(_ int, v map[string]any) error {
			if len(v) == 0 {
				t.Fatal("a row without columns")
			}
			return nil
		})
		if err != nil && (!strings.HasPrefix(err.Error(), "f.csv:") || strings.ContainsAny(err.Error(), "\n\r")) {
			t.Fatalf("an error without file and line: %q", err)
		}
	})
}
