package tokenizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tryAll uses every part of a tokenizer that a fuzzer has managed to load.
func tryAll(t *testing.T, tok *Tokenizer) {
	for _, s := range []string{"", " a", "Hello the  boats 12\n<s>é中🙂\xff", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"} {
		ids := tok.Encode(s, true)
		for _, id := range ids {
			if id < 0 || int(id) >= maxTokenID {
				t.Fatalf("%q gives id %d", s, id)
			}
		}
		tok.Decode(ids, true)
	}
	tok.Decode([]int32{-1, 0, 1, 2, 1 << 30}, false)
	tok.Piece(-1)
	tok.Piece(int32(tok.VocabSize()))
	tok.Kind()
}

// checkError holds every error to one line.
func checkError(t *testing.T, err error) {
	t.Helper()
	if strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("error on more than one line: %q", err)
	}
}

// FuzzTokenizerJSON: no tokenizer.json makes the package panic. Run it with -fuzzminimizetime 10x: the default
// minimizing of its seeds takes minutes.
func FuzzTokenizerJSON(f *testing.F) {
	for _, name := range families {
		if data, err := os.ReadFile(filepath.Join("testdata", name, "tokenizer.json")); err == nil && name != "flags-prepend" {
			// Without most of the merges, so that mutations fall on the sections.
			if head, _, ok := strings.Cut(string(data), `"merges":[`); ok {
				f.Add([]byte(head + `"merges":[]}}`))
			}
		}
	}
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"":3},"merges":[["a","b"],["","a"],["a",""]]}}`))
	f.Add([]byte(`{"model":{"vocab":{"a":0,"##b":1,"ab":2},"merges":["a ##b"],"continuing_subword_prefix":"##"}}`))
	f.Add([]byte(`{"added_tokens":[{"id":5,"content":" ","normalized":true,"lstrip":true,"rstrip":true}],"normalizer":{"type":"Strip","strip_left":true,"strip_right":true},"model":{"vocab":{},"merges":[]}}`))
	for _, name := range []string{"unigram", "unigram-bytes", "wordpiece", "wordlevel"} {
		data, err := os.ReadFile(filepath.Join("testdata", name, "tokenizer.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := parseJSON(data)
		if err != nil {
			checkError(t, err)
			return
		}
		tryAll(t, tok)
	})
}

// FuzzTokenizerModel: no tokenizer.model makes the package panic.
func FuzzTokenizerModel(f *testing.F) {
	for _, name := range []string{"spm", "spm-rules", "spm-plain", "spm-unigram", "spm-unigram-bytes"} {
		data, err := os.ReadFile(filepath.Join("testdata", name, "tokenizer.model"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte{10, 0})
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := parseSentencePiece(data)
		if err == nil {
			err = tok.configure(settings{})
		}
		if err != nil {
			checkError(t, err)
			return
		}
		tryAll(t, tok)
	})
}

// FuzzPattern: no regex makes the package panic, neither compiled nor searched with.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{`a++|[b&&[^c]]`, `(?i:'s)|\p{Han}+\b`, `[[:alpha:]-]{,3}+`, `(?<n>\R)(?#x)*`, `\x{41}\u0042[\b-\n]`, patternQwen2} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		p, err := compilePattern(source)
		if err != nil {
			checkError(t, err)
			return
		}
		if x, ok := p.(regex); ok {
			x.re.MatchTimeout = 50 * time.Millisecond
		}
		_ = intoError(func() error { spansOf(p, "Hello the  boats 12\n<s>é中", nil); return nil })
	})
}

// FuzzConfig: no tokenizer_config.json or special_tokens_map.json makes the package panic.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"bos_token": {"content": "<s>", "lstrip": true}, "added_tokens_decoder": {"0": {"content": "x"}}, "model_max_length": 1e400}`), []byte(`{"eos_token": "x", "additional_special_tokens": ["y"]}`))
	f.Add([]byte(`{"added_tokens_decoder": {"-1": {"content": "x"}}}`), []byte(`[]`))
	model, err := os.ReadFile("testdata/spm-plain/tokenizer.model")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, config, special []byte) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "tokenizer.model"), model)
		write(t, filepath.Join(dir, "tokenizer_config.json"), config)
		write(t, filepath.Join(dir, "special_tokens_map.json"), special)
		tok, err := Load(dir)
		if err != nil {
			checkError(t, err)
			return
		}
		tryAll(t, tok)
	})
}

// FuzzEncode: ids stay in the vocabulary, and a byte-level tokenizer without a normalizer gives back the
// text it was given.
func FuzzEncode(f *testing.F) {
	for _, s := range hardStrings(f) {
		if len(s) < 200 {
			f.Add(s)
		}
	}
	var toks []*Tokenizer
	for _, name := range families {
		toks = append(toks, load(f, filepath.Join("testdata", name)))
	}
	roundTrip := map[string]bool{"gpt2": true, "llama3": true, "tekken": true, "splits": true}
	f.Fuzz(func(t *testing.T, s string) {
		for i, tok := range toks {
			ids := tok.Encode(s, false)
			for _, id := range ids {
				if id < 0 || int(id) >= tok.VocabSize() {
					t.Fatalf("%s: %q gives id %d of %d", families[i], s, id, tok.VocabSize())
				}
			}
			if got := tok.Decode(ids, false); roundTrip[families[i]] && got != replaceInvalid(s) {
				t.Fatalf("%s: %q comes back as %q", families[i], s, got)
			}
		}
	})
}
