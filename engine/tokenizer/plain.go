package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// layout is what a class of transformers puts around a byte-level vocab.json and merges.txt.
type layout struct {
	nfc     bool
	pattern pattern           // before the byte-level step; nil: that one cuts itself, as GPT-2 does
	special map[string]string // tokens that tokenizer_config.json need not name
}

const endOfText = "<|endoftext|>"

// layouts by class.
var layouts = map[string]layout{
	"GPT2Tokenizer":    {special: map[string]string{"unk_token": endOfText, "bos_token": endOfText, "eos_token": endOfText}},
	"CodeGenTokenizer": {special: map[string]string{"unk_token": endOfText, "bos_token": endOfText, "eos_token": endOfText}},
	"GPTNeoXTokenizer": {nfc: true, special: map[string]string{"unk_token": endOfText, "bos_token": endOfText, "eos_token": endOfText, "pad_token": "<|padding|>"}},
	"Qwen2Tokenizer": {
		nfc: true, pattern: cl100kScanner{digits: 1},
		special: map[string]string{"unk_token": endOfText, "eos_token": endOfText, "pad_token": endOfText},
	},
}

// modelLayouts are the classes that transformers takes by config.json's model_type where nothing names one;
// other models' is GPT-2's.
var modelLayouts = map[string]string{
	"gpt_neox": "GPTNeoXTokenizer", "olmo": "GPTNeoXTokenizer",
	"qwen2": "Qwen2Tokenizer", "qwen2_moe": "Qwen2Tokenizer", "qwen3": "Qwen2Tokenizer", "qwen3_moe": "Qwen2Tokenizer",
}

// chooseLayout says which class reads vocab.json and merges.txt.
func (s *settings) chooseLayout(r *reader, dir string) error {
	s.Layout = s.Class
	if s.Layout == "" {
		model, err := readObject(r, filepath.Join(dir, "config.json"))
		if err != nil {
			return err
		}
		var kind string
		if raw := model["model_type"]; !isNull(raw) {
			_ = unmarshal(raw, &kind) // one that is not a name is the model's own error
		}
		s.Layout = "GPT2Tokenizer"
		if class, ok := modelLayouts[kind]; ok {
			s.Layout = class
		}
	}
	if _, ok := layouts[s.Layout]; !ok {
		return fmt.Errorf("%s: tokenizer_class %q is not supported with vocab.json and merges.txt alone (known: GPT2Tokenizer, CodeGenTokenizer, GPTNeoXTokenizer, Qwen2Tokenizer): save its tokenizer.json beside them", s.path, s.Class)
	}
	return nil
}

// nameUnless puts special tokens into named that are not there, if only as null.
func nameUnless(named map[string]json.RawMessage, special map[string]string) {
	for name, token := range special {
		if _, ok := named[name]; !ok {
			named[name], _ = json.Marshal(token)
		}
	}
}

// loadPlain reads vocab.json and merges.txt.
func loadPlain(r *reader, dir string) (*Tokenizer, []byte, settings, error) {
	fail := func(path string, err error) (*Tokenizer, []byte, settings, error) {
		return nil, nil, settings{}, fmt.Errorf("%s: %w", path, err)
	}
	path, beside := filepath.Join(dir, "vocab.json"), filepath.Join(dir, "merges.txt")
	data, err := r.read(path, maxTokenizer)
	if errors.Is(err, fs.ErrNotExist) {
		return fail(dir, fmt.Errorf("has no tokenizer.json, tokenizer.model, tekken.json, or vocab.json with merges.txt; copy the tokenizer's files beside the weights"))
	}
	if err != nil {
		return nil, nil, settings{}, err
	}
	merges, err := r.read(beside, maxTokenizer)
	if errors.Is(err, fs.ErrNotExist) {
		return fail(beside, fmt.Errorf("is not there; vocab.json needs it"))
	}
	if err != nil {
		return nil, nil, settings{}, err
	}
	s, err := readSettings(r, dir, func(s *settings, config, named map[string]json.RawMessage) error {
		if err := s.chooseLayout(r, dir); err != nil {
			return err
		}
		nameUnless(named, layouts[s.Layout].special)
		return nil
	})
	if err != nil {
		return nil, nil, settings{}, err
	}
	if !json.Valid(data) {
		return fail(path, fmt.Errorf("is not JSON"))
	}
	var c bpeConfig
	if c.vocab, err = parseVocab(data); err != nil {
		return fail(path, err)
	}
	if c.merges, err = mergeLines(string(merges)); err != nil {
		return fail(beside, err)
	}
	m, err := newBPE(c)
	if err != nil {
		return fail(beside, err)
	}
	t := newByteLevel(m, layouts[s.Layout], s)
	t.path, t.form = path, formPlain
	return t, slices.Concat(data, []byte{0}, merges), s, nil
}

// newByteLevel puts a class's steps around a model.
func newByteLevel(m *bpe, l layout, s settings) *Tokenizer {
	t := &Tokenizer{model: m, added: newAddedVocab(), template: plainTemplate, decode: decodeByteLevel, bos: -1, eos: -1, vocabSize: m.size}
	if l.nfc {
		t.normalizers = []normalizer{unicodeForm(norm.NFC)}
	}
	level := byteLevel{prefixSpace: s.PrefixSpace != nil && *s.PrefixSpace}
	if l.pattern != nil {
		t.preTokenizers = append(t.preTokenizers, splitter{pattern: l.pattern, how: isolated})
	} else {
		level.pattern = gpt2Scanner{}
	}
	t.preTokenizers = append(t.preTokenizers, level)
	m.spell, m.boundary = true, ""
	t.kind = kindName(t)
	return t
}

// mergeLines reads merges.txt: two tokens and a space a line, and lines that begin with #version.
func mergeLines(text string) ([][2]string, error) {
	var merges [][2]string
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || strings.Contains(right, " ") {
			return nil, fmt.Errorf("line %d, %s, is not two tokens and one space", n, quote(line))
		}
		if len(merges) == maxTokens {
			return nil, fmt.Errorf("more than %d merges", maxTokens)
		}
		merges = append(merges, [2]string{replaceInvalid(left), replaceInvalid(right)})
	}
	return merges, nil
}
