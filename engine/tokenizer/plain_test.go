package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// idCase is the ids of some texts, by the reference, and what they decode to without special tokens.
type idCase struct {
	IDs   [][]int32
	Skip  []string
	Vocab int
}

func checkIDs(t *testing.T, name string, tok *Tokenizer, texts []string, want idCase) {
	t.Helper()
	for i, text := range texts {
		if got := tok.Encode(text, true); !slices.Equal(got, want.IDs[i]) {
			t.Errorf("%s: %q gives %v, want %v", name, text, got, want.IDs[i])
		}
		if got := tok.Decode(want.IDs[i], true); got != want.Skip[i] {
			t.Errorf("%s: %v decodes to %q, want %q", name, want.IDs[i], got, want.Skip[i])
		}
	}
	if tok.VocabSize() != want.Vocab {
		t.Errorf("%s: vocabulary size %d, want %d", name, tok.VocabSize(), want.Vocab)
	}
}

func readGolden(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "golden", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// writePlain writes vocab.json and merges.txt of a tokenizer.json.
func writePlain(t testing.TB, base, dir string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", base, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Model struct{ Vocab, Merges json.RawMessage }
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	merges, err := parseMerges(file.Model.Merges)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"#version: 0.2"}
	for _, m := range merges {
		lines = append(lines, m[0]+" "+m[1])
	}
	write(t, filepath.Join(dir, "vocab.json"), file.Model.Vocab)
	write(t, filepath.Join(dir, "merges.txt"), []byte(strings.Join(lines, "\n")+"\n"))
}

// TestVocabAndMerges compares ids with transformers' for directories that have vocab.json and merges.txt
// alone, by the class that tokenizer_config.json names or the model's (testdata/make_plain.py).
func TestVocabAndMerges(t *testing.T) {
	var golden struct {
		Texts []string
		Cases []struct {
			idCase
			Base, Model            string
			Config, Special, Added json.RawMessage
			BOS, EOS               *int32
		}
	}
	readGolden(t, "plain.json", &golden)
	for _, c := range golden.Cases {
		dir := t.TempDir()
		writePlain(t, c.Base, dir)
		writeUnlessNull(t, filepath.Join(dir, "tokenizer_config.json"), c.Config)
		writeUnlessNull(t, filepath.Join(dir, "special_tokens_map.json"), c.Special)
		writeUnlessNull(t, filepath.Join(dir, "added_tokens.json"), c.Added)
		if c.Model != "" {
			write(t, filepath.Join(dir, "config.json"), []byte(`{"model_type":"`+c.Model+`"}`))
		}
		name := strings.Join([]string{c.Base, c.Model, string(c.Config), string(c.Special), string(c.Added)}, " ")
		tok, err := Load(dir)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkIDs(t, name, tok, golden.Texts, c.idCase)
		for what, pair := range map[string]struct {
			got  int32
			want *int32
		}{"BOS": {tok.bos, c.BOS}, "EOS": {tok.eos, c.EOS}} {
			if want := pair.want; want == nil && pair.got >= 0 || want != nil && *want != pair.got {
				t.Errorf("%s: %s is %d", name, what, pair.got)
			}
		}
	}
}

// TestTekken compares ids with those of transformers' converter of Mistral's format (testdata/make_plain.py).
func TestTekken(t *testing.T) {
	var golden struct {
		Texts  []string
		Tokens json.RawMessage
		Cases  []struct {
			idCase
			Config, Special, Settings json.RawMessage
		}
	}
	readGolden(t, "tekken.json", &golden)
	for _, c := range golden.Cases {
		dir := t.TempDir()
		file, err := json.Marshal(map[string]any{"config": c.Config, "vocab": golden.Tokens, "special_tokens": c.Special})
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "tekken.json"), file)
		write(t, filepath.Join(dir, "tokenizer_config.json"), c.Settings)
		checkIDs(t, string(c.Config), load(t, dir), golden.Texts, c.idCase)
	}
}

func TestPlainRefusals(t *testing.T) {
	for _, c := range []struct{ vocab, merges, config, file, want string }{
		{`{"a":0,"b":1,"ab":2}`, "a b\n\n", ``, "merges.txt", `line 2, "", is not two tokens`},
		{`{"a":0,"b":1,"ab":2}`, "a b c\n", ``, "merges.txt", "line 1"},
		{`{"a":0,"b":1}`, "#version: 0.2\na b\n", ``, "merges.txt", `result "ab" is not in the vocabulary`},
		{`{"a":0,`, "a b\n", ``, "vocab.json", "is not JSON"},
		{`[]`, "", ``, "vocab.json", "is not an object"},
		{`{"a":0}`, "", `{"tokenizer_class":"RobertaTokenizerFast"}`, "tokenizer_config.json", `"RobertaTokenizer" is not supported`},
		{`{"a":0}`, "-", ``, "merges.txt", "is not there"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "vocab.json"), []byte(c.vocab))
		if c.merges != "-" {
			write(t, filepath.Join(dir, "merges.txt"), []byte(c.merges))
		}
		if c.config != "" {
			write(t, filepath.Join(dir, "tokenizer_config.json"), []byte(c.config))
		}
		checkRefusal(t, dir, filepath.Join(dir, c.file), c.want, c.vocab+c.merges)
	}
	dir := t.TempDir()
	writePlain(t, "gpt2", dir)
	for added, want := range map[string]string{`{"x":-1}`: `"x" has no id`, `{"x":5,"y":5}`: "share id 5", `{"x":"y"}`: `"x" has no id`} {
		path := filepath.Join(dir, "added_tokens.json")
		write(t, path, []byte(added))
		checkRefusal(t, dir, path, want, added)
	}
}

func TestTekkenRefusals(t *testing.T) {
	for file, want := range map[string]string{
		`{}`: "is it a tekken.json", `[]`: "does not fit",
		`{"config":{"pattern":"("},"vocab":[{"token_bytes":"YQ=="}]}`:                                                                      "config.pattern",
		`{"config":{"pattern":"a"},"vocab":[{}]}`:                                                                                          "vocab[0]: needs token_bytes",
		`{"config":{"pattern":"a"},"vocab":[{"token_bytes":"%"}]}`:                                                                         "not base64",
		`{"config":{"pattern":"a"},"vocab":[{"token_bytes":"YQ=="}],"special_tokens":[{"rank":1,"token_str":"x"}]}`:                        "rank 1",
		`{"config":{"pattern":"a","default_num_special_tokens":0},"vocab":[{"token_bytes":"YQ=="}]}`:                                       "default_num_special_tokens",
		`{"config":{"pattern":"a","default_num_special_tokens":99999999},"vocab":[{"token_bytes":"YQ=="}]}`:                                "default_num_special_tokens",
		`{"config":{"pattern":"a","default_vocab_size":0},"vocab":[{"token_bytes":"YQ=="}],"special_tokens":[{"rank":0,"token_str":"x"}]}`: "default_vocab_size",
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "tekken.json")
		write(t, path, []byte(file))
		checkRefusal(t, dir, path, want, file)
	}
}

// FuzzTekken: no tekken.json makes the package panic.
func FuzzTekken(f *testing.F) {
	f.Add([]byte(`{"config":{"pattern":"\\p{L}+|.","default_vocab_size":6,"default_num_special_tokens":3},"vocab":[{"token_bytes":"YQ=="},{"token_bytes":"Yg=="},{"token_bytes":"YWI="}],"special_tokens":[{"rank":0,"token_str":"<s>"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := parseTekken(data)
		if err != nil {
			checkError(t, err)
			return
		}
		tryAll(t, tok)
	})
}

// FuzzMerges: no vocab.json, merges.txt or added_tokens.json makes the package panic.
func FuzzMerges(f *testing.F) {
	f.Add([]byte(`{"a":0,"b":1,"ab":2}`), []byte("#version: 0.2\na b\r\n"), []byte(`{"<x>":3}`))
	f.Fuzz(func(t *testing.T, vocab, merges, added []byte) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "vocab.json"), vocab)
		write(t, filepath.Join(dir, "merges.txt"), merges)
		write(t, filepath.Join(dir, "added_tokens.json"), added)
		tok, err := Load(dir)
		if err != nil {
			checkError(t, err)
			return
		}
		tryAll(t, tok)
	})
}
