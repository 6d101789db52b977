package tokenizer

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sharedDir returns the folder of real tokenizers and task files: $SOFTBENCH_SHARED, else ../shared beside
// the repository. It skips the test where there is none.
func sharedDir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("SOFTBENCH_SHARED"); dir != "" {
		if _, err := os.Stat(dir); err != nil {
			t.Fatalf("SOFTBENCH_SHARED: %v", err)
		}
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Skip("no go.mod above the test: cannot find ../shared; set SOFTBENCH_SHARED")
		}
	}
	shared := filepath.Join(filepath.Dir(dir), "shared")
	if _, err := os.Stat(filepath.Join(shared, "tokenizers")); err != nil {
		t.Skip("no ../shared/tokenizers beside the repository; set SOFTBENCH_SHARED to run over real tokenizers")
	}
	return shared
}

const (
	sharedBatch = 256 // make.py's BATCH
	hardBlock   = 8   // make.py's HARD_BLOCK
)

type sharedGolden struct {
	Files map[string]struct {
		Strings int
		IDs     int `json:"ids"`
		Batches []string
		Text    string
	}
	Hard       []string
	Codepoints map[string]string
}

// TestShared compares real tokenizers with the reference on every string of the real task files, on the
// hard strings and on every code point.
func TestShared(t *testing.T) {
	shared := sharedDir(t)
	data, err := os.ReadFile("testdata/golden/shared.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]sharedGolden
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	texts := hardStrings(t)
	documents := readDocuments(t, shared, slices.Sorted(maps.Keys(golden["gpt-neox"].Files)))
	for nth, name := range slices.Sorted(maps.Keys(golden)) {
		want := golden[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tok := load(t, filepath.Join(shared, "tokenizers", name))
			for i := 0; i < len(texts); i += hardBlock {
				rows := make([]string, 0, hardBlock)
				for _, s := range texts[i:min(i+hardBlock, len(texts))] {
					rows = append(rows, goldenRow(tok, s))
				}
				if got := textDigest(strings.Join(rows, "\n"))[:8]; got != want.Hard[i/hardBlock] {
					t.Errorf("hard strings %d to %d, from %.60q: hash %s, want %s", i, i+len(rows)-1, texts[i], got, want.Hard[i/hardBlock])
				}
			}
			for code, hash := range want.Codepoints {
				checkCodepoints(t, tok, code, hash, nth)
			}
			total, ids := 0, 0
			for key, file := range want.Files {
				if len(documents[key]) != file.Strings {
					t.Errorf("%s: %d strings, golden has %d: other data than the golden was made from", key, len(documents[key]), file.Strings)
					continue
				}
				n, text := 0, sha256.New()
				for batch := 0; batch*sharedBatch < file.Strings; batch++ {
					if thin() && batch > 0 {
						break
					}
					from, to := batch*sharedBatch, min((batch+1)*sharedBatch, file.Strings)
					sum := sha256.New()
					for _, s := range documents[key][from:to] {
						got := tok.Encode(s, true)
						n += len(got)
						_ = binary.Write(sum, binary.LittleEndian, int32(len(got)))
						_ = binary.Write(sum, binary.LittleEndian, got)
						fmt.Fprintf(text, "%s\x00", tok.Decode(got, true))
					}
					if got := hex.EncodeToString(sum.Sum(nil))[:16]; got != file.Batches[batch] {
						t.Errorf("%s: strings %d..%d: ids hash to %s, want %s", key, from, to-1, got, file.Batches[batch])
					}
				}
				if !thin() && n != file.IDs {
					t.Errorf("%s: %d ids, want %d", key, n, file.IDs)
				}
				if got := hex.EncodeToString(text.Sum(nil))[:16]; !thin() && got != file.Text {
					t.Errorf("%s: decoded text hashes to %s, want %s", key, got, file.Text)
				}
				total, ids = total+file.Strings, ids+n
			}
			t.Logf("%d strings of documents, %d ids, %d hard strings, %d blocks of code points", total, ids, len(texts), len(want.Codepoints))
		})
	}
}

// readDocuments returns, for each key "FILE#FIELD", every string of that field in the JSON lines of FILE.
func readDocuments(t *testing.T, shared string, keys []string) map[string][]string {
	t.Helper()
	documents := map[string][]string{}
	done := map[string]bool{}
	for _, key := range keys {
		name, _, _ := strings.Cut(key, "#")
		if done[name] {
			continue
		}
		done[name] = true
		f, err := os.Open(filepath.Join(shared, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			var value any
			if err := json.Unmarshal(lines.Bytes(), &value); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			eachString(value, "", func(field, s string) {
				documents[name+"#"+field] = append(documents[name+"#"+field], s)
			})
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return documents
}

// eachString visits every string in a JSON value with make.py's path of its field.
func eachString(value any, path string, visit func(path, s string)) {
	switch v := value.(type) {
	case string:
		visit(path, v)
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			below := k
			if path != "" {
				below = path + "." + k
			}
			eachString(v[k], below, visit)
		}
	case []any:
		for _, e := range v {
			eachString(e, path+"[]", visit)
		}
	}
}
