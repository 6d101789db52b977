package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

func hashes(t *testing.T, path string) []string {
	t.Helper()
	var out []string
	_, err := readFile(context.Background(), path, "test", func(r Row) error {
		out = append(out, Hash(r.Values))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A document must have one name: from JSON lines, from Parquet as the hub serves it (nested, in row
// groups, under any compression), and in Python.
func TestHashDoesNotDependOnTheFormat(t *testing.T) {
	own := filepath.Join("..", "testdata", "data")
	for _, c := range []struct {
		jsonl   string
		parquet []string
	}{
		{filepath.Join(own, "ai2_arc/ARC-Easy/test.jsonl"), []string{"testdata/arc.parquet"}},
		{filepath.Join(own, "hellaswag/validation.jsonl"), []string{"testdata/hellaswag.parquet"}},
		{filepath.Join(own, "winogrande/winogrande_xl/validation.jsonl"), []string{"testdata/winogrande-00000-of-00002.parquet", "testdata/winogrande-00001-of-00002.parquet"}},
		{"testdata/types.jsonl", []string{"testdata/types.parquet"}},
	} {
		want := hashes(t, c.jsonl)
		var got []string
		for _, p := range c.parquet {
			got = append(got, hashes(t, p)...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: the hashes\n%q\nare not those of %v\n%q", c.jsonl, want, c.parquet, got)
		}
	}
	b, err := os.ReadFile("testdata/types.hashes")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Fields(string(b)); !slices.Equal(hashes(t, "testdata/types.jsonl"), want) {
		t.Errorf("the hashes of types.jsonl are not Python's %q", want)
	}
}

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":1,"a":{"z":null,"y":[null,1.50,true]},"n":null}`: `{"a":{"y":[null,1.5,true]},"b":1}`,
		`{"x":1e400,"y":12345678901234567890,"z":-0.0}`:        `{"x":Infinity,"y":12345678901234567890,"z":-0.0}`,
		`{"\u00e9":"\u0001\ud83d\ude00</a>&"}`:                 `{"é":"\u0001😀</a>&"}`,
		`{"x":1e22,"y":1e15,"z":0.0001,"w":0.00001}`:           `{"w":1e-05,"x":1e+22,"y":1000000000000000.0,"z":0.0001}`,
	} {
		v, err := parseObject([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(Canonical(v)); got != want {
			t.Errorf("%s is %s; want %s", in, got, want)
		}
	}
}

// The manifest's hash is of the whole file, whatever the limit left unread.
func TestLimitStillHashesTheFile(t *testing.T) {
	for _, name := range []string{"types.jsonl", "types.parquet"} {
		path := filepath.Join("testdata", name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		d := Dataset{Base: "testdata", Files: map[string][]string{"test": {name}}}
		n := 0
		files, err := Source{}.Read(context.Background(), d, []string{"test"}, 2, func(Row) error { n++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		if n != 2 || files[0].Rows != 2 || files[0].SHA256 != hex.EncodeToString(sum[:]) || files[0].Bytes != int64(len(b)) {
			t.Errorf("%s: %d rows, %+v; want 2 and the hash %x", name, n, files[0], sum)
		}
	}
}

func TestReadStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	_, err := readFile(ctx, "testdata/types.jsonl", "test", func(Row) error { n++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("after cancelling: %d rows, %v", n, err)
	}
}

// Every kind of broken file is one line that names the file, and the line or row where there is one.
func TestBrokenFiles(t *testing.T) {
	arc, err := os.ReadFile("testdata/arc.parquet")
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(arc)
	for i := 90; i < 98; i++ { // inside a page
		flipped[i] ^= 0xff
	}
	list := claimList(arc)
	heads := bytes.Clone(arc)
	for i := 40; i < 400; i++ {
		heads[i] ^= 0xff
	}
	for _, c := range []struct{ name, content, want string }{
		{"cut.jsonl", "{\"a\":1}\n\n{\"a\":\"tw", "cut.jsonl:3: the JSON object is cut off at the end of the line"},
		{"cut2.jsonl", "{\"a\":1}\n{\"a\":", "cut2.jsonl:2: the JSON object is cut off"},
		{"lines.jsonl", "{\"a\":1}\n[{\"a\":1}]\n", "lines.jsonl:2: the line is a JSON array"},
		{"array.json", "[{\"a\":1},\n {\"a\":", "array.json:2: the JSON object is cut off"},
		{"array2.json", "[{\"a\":1}\n", "array2.json:2: the JSON array is cut off"},
		{"array3.json", "[{\"a\":1},\n7]", "array3.json:2: the array holds something else than objects: what starts with '7'"},
		{"array4.json", "[{\"a\":1}]\n{}", "array4.json:2: text after the JSON array"},
		{"array5.json", "[{\"a\":1}\n{\"a\":1}]", "array5.json:2: '{' stands where a comma or the array's end should"},
		{"array6.json", "[]", "array6.json: no documents"},
		{"pretty.json", "{\n \"a\": 1\n}\n{\n \"a\": [1,\n", "pretty.json:4: the JSON object is cut off"},
		{"surrogate.jsonl", "{\"a\":\"\\ud800\"}", "surrogate.jsonl:1: not valid JSON at column 7: \\ud800 is half of a surrogate pair"},
		{"deep.jsonl", "{\"a\":" + strings.Repeat("[", 100_000), "deep.jsonl:1: arrays and objects stand within each other more than 500 deep"},
		{"many.jsonl", "{\"a\":[" + strings.Repeat("0,", maxValues) + "0]}", "many.jsonl:1: the document has more than 1048576 values"},
		{"long.jsonl", "{\"a\":\"" + strings.Repeat("x", maxRow) + "\"}", "long.jsonl:1: one document is more than 64 MiB"},
		{"digits.jsonl", "{\"a\":" + strings.Repeat("1", 5000) + "}", "digits.jsonl:1: a whole number of 5000 digits"},
		{"two.csv", "a,b\n1,2\n3\n", "two.csv:3: 1 fields, where the first row names 2 columns"},
		{"same.csv", "a,a\n1,2\n", "same.csv:1: two columns are called \"a\""},
		{"open.csv", "a,b\n\"1,2\n3,4\n", "open.csv:2: a quote is not closed"},
		{"latin.tsv", "a\nb\xe9\n", "latin.tsv:2: the row is not valid UTF-8"},
		{"cut.jsonl.gz", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", "cut.jsonl.gz: its gzip data is damaged or cut off"},
		{"not.jsonl.gz", "{\"a\":1}\n and more", "not.jsonl.gz: not gzip data"},
		{"not.jsonl.zst", "{\"a\":1}\n", "not.jsonl.zst: its Zstandard data is damaged"},
		{"x.jsonl.xz", "", "x.jsonl.xz: .xz files are not read"},
		{"text.jsonl", "hello\n", "text.jsonl:1: the line is not a JSON object; it starts with 'h'"},
		{"two.jsonl", "{\"a\":1} {\"b\":2}\n", "two.jsonl:1: text after the JSON object, at column 8"},
		{"bad.jsonl", "{\"a\":1,}\n", "bad.jsonl:1: not valid JSON"},
		{"utf.jsonl", "{\"a\":\"\xff\"}\n", "utf.jsonl:1: the line is not valid UTF-8"},
		{"empty.jsonl", "", "empty.jsonl: no documents"},
		{"blank.jsonl", "\n \n", "blank.jsonl: no documents"},
		{"not.parquet", "{\"a\":1}\nnot a parquet file", "not.parquet: not a Parquet file: it starts with \"{\\\"a\\\"\""},
		{"short.parquet", "PAR1", "short.parquet: not a Parquet file: 4 bytes"},
		{"cut.parquet", string(arc[:len(arc)/2]), "cut.parquet: the Parquet file is cut off"},
		{"footer.parquet", "PAR1\xff\xff\xff\x7fPAR1", "footer.parquet: the Parquet file's footer claims"},
		{"garbled.parquet", string(arc[:4]) + strings.Repeat("x", 100) + "\x10\x00\x00\x00PAR1", "garbled.parquet: not a readable Parquet file"},
		{"flipped.parquet", string(flipped), "flipped.parquet: reading row"},
		{"list.parquet", string(list), "list.parquet: not a readable Parquet file: its metadata is damaged"},
		{"rows.parquet", string(claimRows(arc)), "rows.parquet: not a readable Parquet file: its row groups have"},
		{"heads.parquet", string(heads), "heads.parquet: reading row 1 of the Parquet file: row group 0, column"},
		{"odd.csv", "a,b\n", "odd.csv: no documents"},
		{"odd.xls", "a,b\n", "odd.xls: .xls files are not read"},
		{"latin.txt", "caf\xe9", "latin.txt: not valid UTF-8"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, c.name), []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		d := Dataset{Base: dir, Files: map[string][]string{"test": {c.name}}}
		_, err := Source{}.Read(context.Background(), d, []string{"test"}, 0, func(Row) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

// claimList is the file with a list of 268 million elements in its metadata: of the
// second field, the schema.
func claimList(file []byte) []byte {
	return withMetadata(file, func(m []byte) []byte {
		at := bytes.IndexByte(m, 0x19) + 1
		return slices.Concat(m[:at], []byte{0xfc, 0xff, 0xff, 0xff, 0x7f}, m[at+1:])
	})
}

// claimRows is the file with two billion rows, in the metadata's third field: the
// first behind the schema that is a 64-bit number.
func claimRows(file []byte) []byte {
	return withMetadata(file, func(m []byte) []byte {
		meta, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			panic(err)
		}
		was := slices.Concat([]byte{0x16}, binary.AppendVarint(nil, meta.NumRows()), []byte{0x19})
		is := slices.Concat([]byte{0x16}, binary.AppendVarint(nil, 1<<31), []byte{0x19})
		return bytes.Replace(m, was, is, 1)
	})
}

func withMetadata(file []byte, change func([]byte) []byte) []byte {
	end := len(file) - 8
	start := end - int(binary.LittleEndian.Uint32(file[end:]))
	metadata := change(file[start:end])
	out := slices.Concat(file[:start], metadata)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(metadata))), "PAR1"...)
}

func TestMissingColumn(t *testing.T) {
	r := Row{Values: map[string]any{"b": "x", "a": map[string]any{"text": nil}}, File: "f.jsonl", Line: 3}
	for path, want := range map[string]string{
		"c":       `f.jsonl:3: no column "c"; the columns are: a, b`,
		"a.label": `f.jsonl:3: no column "a.label"; the columns are: text`,
		"b.x":     `f.jsonl:3: no column "b.x"; the columns are: a, b`,
	} {
		_, err := r.Get(path)
		var missing *MissingColumnError
		if !errors.As(err, &missing) || err.Error() != want {
			t.Errorf("%s: %v; want %s", path, err, want)
		}
	}
	if v, err := r.Get("a.text"); v != nil || err != nil {
		t.Errorf("a null column is %v, %v", v, err)
	}
}

// Damage anywhere in a Parquet file is an error or another document, never a panic or a hang.
func FuzzParquet(f *testing.F) {
	for _, name := range []string{"arc.parquet", "types.parquet", "hellaswag.parquet"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(claimList(b))
		f.Add(claimRows(b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rows := 0
		err := readParquet(t.Context(), bytes.NewReader(b), int64(len(b)), "fuzz.parquet", func(row int, v map[string]any) error {
			if rows++; row != rows {
				t.Fatalf("row %d after %d", row, rows-1)
			}
			Canonical(v)
			if rows > 1000 {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) && !strings.HasPrefix(err.Error(), "fuzz.parquet: ") {
			t.Fatalf("an error without the file's name: %v", err)
		}
	})
}

// Whatever is read has a canonical form that reads back as the same document.
func FuzzJSONL(f *testing.F) {
	b, err := os.ReadFile("testdata/types.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("{\"a\":1}\n\n{\"a\":\"tw"))
	f.Add([]byte("\ufeff{\"a\":[1e400,-0,0.1,123456789012345678901234567890]}\r\n"))
	f.Add([]byte("{\"a\":\"\\ud800\",\"\":{}}"))
	for _, escaped := range []string{"\n", "\r", "\xff", "é", "\u2028"} {
		f.Add([]byte("[{\"a\":\"\\" + escaped + "\"}]"))
		f.Add([]byte("{\"a\":\"\\" + escaped + "\"}"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		err := readJSON(bytes.NewReader(b), "fuzz.jsonl", func(line int, v map[string]any) error {
			text := Canonical(v)
			if bytes.Contains(text, []byte("Infinity")) {
				return nil // as in Python, not JSON
			}
			again, err := parseObject(text)
			if err != nil {
				t.Fatalf("the canonical form %s does not read: %v", text, err)
			}
			if !bytes.Equal(Canonical(again), text) {
				t.Fatalf("%s reads back as %s", text, Canonical(again))
			}
			return nil
		})
		if err != nil && (!strings.HasPrefix(err.Error(), "fuzz.jsonl:") || strings.Contains(err.Error(), "\n")) {
			t.Fatalf("an error without file and line: %v", err)
		}
	})
}
