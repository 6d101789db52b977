package tokenizer

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestRefusals: what is not supported is refused by name, in one line that says where it stands.
func TestRefusals(t *testing.T) {
	model := `"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}`
	for _, c := range []struct{ file, want string }{
		{``, "line 1, column 1"},
		{`{"model": {`, "line 1, column 11"},
		{"{\n\n \"version\": x}", "line 3, column 13"},
		{`[]`, "JSON array"},
		{`{}`, "no model"},
		{`{"version":"2.0",` + model + `}`, `version "2.0"`},
		{`{"model":{"type":"Odd","vocab":{}}}`, `type "Odd" is not supported`},
		{`{"model":{"type":"Unigram","vocab":[["a",0.5],["b"]]}}`, "entry 1 is not a token and a score"},
		{`{"model":{"type":"Unigram","vocab":{"a":0}}}`, "is not a list of tokens and scores"},
		{`{"model":{"type":"Unigram","unk_id":7,"vocab":[["a",0.5]]}}`, "unk_id 7"},
		{`{"model":{"type":"WordLevel","vocab":{"a":0}}}`, "needs unk_token"},
		{`{"model":{"type":"WordPiece","vocab":{}}}`, `type WordPiece: needs`},
		{`{"model":{"type":"BPE","dropout":0.1,"vocab":{},"merges":[]}}`, "dropout 0.1"},
		{`{"model":{"type":"BPE","vocab":{}}}`, "no merges"},
		{`{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}`, `token "a" has id -1`},
		{`{"model":{"type":"BPE","vocab":{"a":99999999},"merges":[]}}`, `token "a" has id 99999999`},
		{`{"model":{"type":"BPE","vocab":{"a":1.5},"merges":[]}}`, `"1.5" is not a token id`},
		{`{"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}}`, `tokens "a" and "b" share id 0`},
		{`{"model":{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]}}`, `"a" occurs twice`},
		{`{"model":{"type":"BPE","vocab":[],"merges":[]}}`, "is not an object"},
		{`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a c"]}}`, `merge 0: token "c"`},
		{`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a a"]}}`, `result "aa"`},
		{`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a  a"]}}`, "two tokens and one space"},
		{`{"model":{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}}`, "merge 0 is not a pair"},
		{`{"model":{"type":"BPE","vocab":{"a":0},"merges":[5]}}`, "merge 0 is neither"},
		{`{"model":{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"?"}}`, `unk_token "?"`},
		{`{"normalizer":{"type":"BertNormalizer"},` + model + `}`, `type BertNormalizer: needs`},
		{`{"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Odd"}]},` + model + `}`, `normalizers[1]: type "Odd"`},
		{`{"normalizer":{"type":"Precompiled"},` + model + `}`, `type Precompiled: needs`},
		{`{"normalizer":{"type":"Precompiled","precompiled_charsmap":"%"},` + model + `}`, "is not base64"},
		{`{"normalizer":{"type":"Precompiled","precompiled_charsmap":"/////w=="},` + model + `}`, "does not fit"},
		{`{"normalizer":{"type":"Replace","pattern":{"Regex":"(a)\\1"},"content":""},` + model + `}`, "back-reference"},
		{`{"normalizer":{"type":"Replace","pattern":{"Regex":"a?"},"content":""},` + model + `}`, "empty string"},
		{`{"pre_tokenizer":{"type":"FixedLength","length":0},` + model + `}`, "length 0"},
		{`{"pre_tokenizer":{"type":"CharDelimiterSplit","delimiter":""},` + model + `}`, "is not one character"},
		{`{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated","invert":false},` + model + `}`, `regex "("`},
		{`{"pre_tokenizer":{"type":"Split","pattern":{"String":"a"},"behavior":"Odd","invert":false},` + model + `}`, `behavior "Odd"`},
		{`{"pre_tokenizer":{"type":"Metaspace","replacement":"ab"},` + model + `}`, `"ab" is not one character`},
		{`{"pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"second"},` + model + `}`, `"second"`},
		{`{"pre_tokenizer":{"type":"ByteLevel"},` + model + `}`, "add_prefix_space"},
		{`{"pre_tokenizer":{},` + model + `}`, "has no type"},
		{`{"post_processor":{"type":"Odd"},` + model + `}`, `post_processor: type "Odd"`},
		{`{"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}}],"special_tokens":{}},` + model + `}`, `"<s>" is not in special_tokens`},
		{`{"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B"}}],"special_tokens":{}},` + model + `}`, `sequence "B"`},
		{`{"decoder":{"type":"WordPiece"},` + model + `}`, `decoder: type WordPiece: needs`},
		{`{"decoder":{"type":"CTC"},` + model + `}`, `type "CTC"`},
		{`{"added_tokens":[{"id":3}],` + model + `}`, "added_tokens[0]"},
		{`{"added_tokens":[{"id":3,"content":" ","normalized":true}],"normalizer":{"type":"Strip","strip_left":true,"strip_right":true},` + model + `}`, "empty once normalized"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "tokenizer.json")
		write(t, path, []byte(c.file))
		checkRefusal(t, dir, path, c.want, c.file)
	}
}

func checkRefusal(t *testing.T, dir, path, want, input string) {
	t.Helper()
	_, err := Load(dir)
	if err == nil {
		t.Errorf("%.80q: no error, want one with %q", input, want)
		return
	}
	checkError(t, err)
	if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("%.80q: error %q, want one that begins with the path and says %q", input, err, want)
	}
}

// field writes a protocol buffer field of bytes.
func field(number byte, data string) string {
	return string([]byte{number<<3 | 2, byte(len(data))}) + data
}

func TestModelRefusals(t *testing.T) {
	piece := func(text string, kind byte) string { return field(1, field(1, text)+string([]byte{3 << 3, kind})) }
	bpe := field(2, "\x18\x02")
	unk := piece("<unk>", pieceUnknown)
	for _, c := range []struct{ file, want string }{
		{"", "no pieces"},
		{"{\"model\": 1}", "SentencePiece"},
		{field(1, field(1, "a"))[:3], "cut off"},
		{field(1, field(1, "a")), "no unknown piece"},
		{unk + field(2, "\x18\x03"), "Word is not supported"},
		{unk + field(2, "\x18\x04"), "Char is not supported"},
		{piece("a", pieceNormal) + bpe, "no unknown piece"},
		{unk + piece("a", pieceNormal) + piece("a", pieceNormal) + bpe, `piece 2, "a", occurs twice`},
		{unk + piece("a", pieceUnused) + bpe, "unused pieces"},
		{unk + piece("a", 9) + bpe, "unknown type 9"},
		{unk + piece("", pieceNormal) + bpe, "empty or not UTF-8"},
		{unk + piece("a", pieceByte) + bpe, "is not a byte"},
		{unk + field(2, "\x18\x02\x98\x02\x01"), "byte_fallback is set but there is no piece <0x00>"},
		{unk + field(2, "\x18\x02\xc0\x01\x01"), "treat_whitespace_as_suffix"},
		{unk + bpe + field(3, field(2, "abc")), "precompiled_charsmap is cut off"},
		{unk + bpe + field(3, field(2, "\xff\xff\xff\xff")), "does not fit"},
		{unk + bpe + field(5, field(2, "abc")), "denormalizer"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "tokenizer.model")
		write(t, path, []byte(c.file))
		checkRefusal(t, dir, path, c.want, c.file)
	}
}

func TestConfigRefusals(t *testing.T) {
	for _, c := range []struct{ config, want string }{
		{`{"bos_token": }`, "line 1, column 15"},
		{`[]`, "is not a JSON object"},
		{`{"bos_token": 5}`, "bos_token: want a string or an object"},
		{`{"bos_token": {"text": "x"}}`, "bos_token: needs content"},
		{`{"add_bos_token": "yes"}`, "add_bos_token: want true or false"},
		{`{"model_max_length": "long"}`, "model_max_length: want a number"},
		{`{"added_tokens_decoder": {"x": {"content": "a"}}}`, `"x" is not a token id`},
		{`{"added_tokens_decoder": {"5": "a"}}`, "added_tokens_decoder"},
	} {
		dir := t.TempDir()
		copyTokenizer(t, "testdata/gpt2", dir, nil)
		path := filepath.Join(dir, "tokenizer_config.json")
		write(t, path, []byte(c.config))
		checkRefusal(t, dir, path, c.want, c.config)
	}
	empty := t.TempDir()
	checkRefusal(t, empty, empty, "has no tokenizer.json, tokenizer.model, tekken.json", "empty directory")
}

// TestNoUnknownToken: a text that needs the unknown token of a model without one is an error of the
// tokenizer, and a text that does not is encoded.
func TestNoUnknownToken(t *testing.T) {
	for _, model := range []string{
		`{"type":"WordLevel","unk_token":"?","vocab":{"a":0}}`,
		`{"type":"WordPiece","unk_token":"?","continuing_subword_prefix":"##","max_input_chars_per_word":9,"vocab":{"a":0}}`,
		`{"type":"Unigram","unk_id":null,"vocab":[["a",-1]]}`,
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "tokenizer.json"), []byte(`{"model":`+model+`}`))
		tok := load(t, dir)
		if ids := tok.Encode("a", false); len(ids) != 1 || tok.Err() != nil {
			t.Errorf("%s: %v, %v", model, ids, tok.Err())
		}
		tok.Encode("b", false)
		if err := tok.Err(); err == nil || !strings.HasPrefix(err.Error(), filepath.Join(dir, "tokenizer.json")) {
			t.Errorf("%s: error %v", model, err)
		}
	}
}

// TestReplaceInvalid pins the reading of bytes that are not UTF-8 to Python's (Unicode, table 3-7).
func TestReplaceInvalid(t *testing.T) {
	for in, want := range map[string]string{
		"a\x80b": "a?b", "\xc3(": "?(", "\xe2\x82": "?", "\xe2\x82a": "?a", "\xe0\x80\x80": "???", "\xed\xa0\x80": "???",
		"\xf0\x9f\x99": "?", "\xf0\x80\x80\x80": "????", "\xf4\x90\x80\x80": "????", "\xff\xfe": "??", "\xc0\xaf": "??",
		"\xe2\xe2\x82\xac": "?€", "ok": "ok", "\xf0\x9f\x99\x82": "🙂",
	} {
		if got := replaceInvalid(in); got != strings.ReplaceAll(want, "?", "\uFFFD") {
			t.Errorf("%q: got %q, want %q with U+FFFD for ?", in, got, want)
		}
	}
}
