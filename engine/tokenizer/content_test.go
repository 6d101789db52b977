package tokenizer

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
)

// What a tokenizer's file says is hashed, not how it is written.
func TestContentSHA256(t *testing.T) {
	from := filepath.Join(golden.Dir(t), "tiny")
	text, err := os.ReadFile(filepath.Join(from, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	hashes := func(text []byte) (content, file string) {
		t.Helper()
		dir := t.TempDir()
		for name, b := range map[string][]byte{"tokenizer.json": text, "tokenizer_config.json": nil} {
			if b == nil {
				if b, err = os.ReadFile(filepath.Join(from, name)); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		tok, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		return tok.ContentSHA256(), tok.SHA256()
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	change := func(f func(tree, model map[string]any)) []byte {
		var own map[string]any
		if err := json.Unmarshal(text, &own); err != nil {
			t.Fatal(err)
		}
		f(own, own["model"].(map[string]any))
		out, err := json.MarshalIndent(own, " ", "\t")
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	// merges in the other of the two forms that the tokenizers library wrote.
	other := func(_, model map[string]any) {
		for i, m := range model["merges"].([]any) {
			switch m := m.(type) {
			case string:
				left, right, _ := strings.Cut(m, " ")
				model["merges"].([]any)[i] = []any{left, right}
			case []any:
				model["merges"].([]any)[i] = m[0].(string) + " " + m[1].(string)
			}
		}
	}
	content, file := hashes(text)
	for name, same := range map[string][]byte{
		"indented, keys sorted": change(func(_, _ map[string]any) {}),
		"escaped":               bytes.Replace(text, []byte(`"model"`), []byte(`"\u006dodel"`), 1),
		"merges":                change(other),
		"without a version":     change(func(tree, _ map[string]any) { delete(tree, "version") }),
		"truncated last":        change(func(tree, _ map[string]any) { tree["truncation"] = map[string]any{"max_length": 8} }),
		"null for nothing":      change(func(tree, _ map[string]any) { tree["normalizer"] = nil }),
	} {
		if c, f := hashes(same); c != content || f == file {
			t.Errorf("%s: content %s, file %s; the file as it was has %s, %s", name, c, f, content, file)
		}
	}
	for name, changed := range map[string][]byte{
		"a merge less":    change(func(_, m map[string]any) { l := m["merges"].([]any); m["merges"] = l[:len(l)-1] }),
		"merges reversed": change(func(_, m map[string]any) { l := m["merges"].([]any); l[0], l[1] = l[1], l[0] }),
		"a normalizer":    change(func(tree, _ map[string]any) { tree["normalizer"] = map[string]any{"type": "Lowercase"} }),
		"a pattern in a sequence": change(func(tree, _ map[string]any) {
			tree["pre_tokenizer"] = map[string]any{"type": "Sequence", "pretokenizers": []any{
				map[string]any{"type": "Split", "pattern": map[string]any{"Regex": "[0-9]"}, "behavior": "Isolated", "invert": false}, tree["pre_tokenizer"],
			}}
		}),
		"no added tokens": change(func(tree, _ map[string]any) { tree["added_tokens"] = []any{} }),
	} {
		if c, _ := hashes(changed); c == content {
			t.Errorf("%s: the hash is the same", name)
		}
	}
}

// Numbers, texts and lists that look alike are told apart, others are not.
func TestMeaning(t *testing.T) {
	of := func(s string) [32]byte { return meaning([]byte(`{"model":` + s + `}`)) }
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{`[1, 2.0]`, "[ 1,\n2 ]", true}, {`[1.50]`, `[1.5]`, true}, {`["1"]`, `[1]`, false}, {`[[1],2]`, `[1,[2]]`, false},
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, true}, {`{"a":1,"a":2}`, `{"a":2}`, true}, {`{"a":1,"a":2}`, `{"a":1}`, false},
		{`{"a":null}`, `{}`, false},
		{`{"abcdefgh1":1,"abcdefgh0":2,"a":3,"a\u0000":4,"":5}`, `{"":5,"a\u0000":4,"a":3,"abcdefgh0":2,"abcdefgh1":1}`, true}, {`{"abcdefgh":1,"abcdefgh":2}`, `{"abcdefgh":2}`, true}, {`"null"`, `[null]`, false}, {`"\u00e9"`, `"é"`, true},
		{`{"merges":["a b"]}`, `{"merges":[["a","b"]]}`, true}, {`{"merges":["a b c"]}`, `{"merges":[["a","b c"]]}`, false},
		{`{"vocab":["a b"]}`, `{"vocab":[["a","b"]]}`, false}, {`{"vocab":{"merges":["a b"]}}`, `{"vocab":{"merges":[["a","b"]]}}`, false},
		{`{"a":[{"b":{"c":1}}]}`, `{"a":[{"b":{"c":2}}]}`, false}, {`{"a":{"b":{"c":{"d":{"e":1}}}}}`, `{"a":{"b":{"c":{"d":{"e":2}}}}}`, false}, // however deep
		{`[[{"version":1}]]`, `[[{}]]`, false}, {`{"a":{"b":{"c":null}}}`, `{"a":{"b":{}}}`, false},
		{`-0.25`, `-0.250`, true}, {`1e400`, `2e400`, false}, {`true`, `"true"`, false},
	} {
		if got := of(c.a) == of(c.b); got != c.same {
			t.Errorf("%s and %s: equal is %v", c.a, c.b, got)
		}
	}
}

func BenchmarkContentSHA256(b *testing.B) {
	data, err := os.ReadFile(filepath.Join(sharedDir(b), "tokenizers", "gpt-neox", "tokenizer.json"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		meaning(data)
	}
}
