package tokenizer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Readers of tokenizer.json's normalizer and pre_tokenizer sections.

func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || string(bytes.TrimSpace(raw)) == "null"
}

// unmarshal is json.Unmarshal with errors that say the place in a person's words.
func unmarshal(raw []byte, into any) error {
	err := json.Unmarshal(raw, into)
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		where := kind.Field
		where = cmp.Or(where, "value")
		return fmt.Errorf("%s: a JSON %s does not fit", where, kind.Value)
	}
	if err != nil {
		return errors.New(strings.TrimPrefix(oneLine(err), "json: "))
	}
	return nil
}

// typeOf returns a section's "type".
func typeOf(raw json.RawMessage) (string, error) {
	var t struct{ Type *string }
	if err := unmarshal(raw, &t); err != nil {
		return "", err
	}
	if t.Type == nil {
		return "", fmt.Errorf("has no type")
	}
	return *t.Type, nil
}

// parseAll reads the parts of a sequence, one after the other; errors name a part by its place.
func parseAll[T any](name string, parts []json.RawMessage, parse func(json.RawMessage) ([]T, error)) (all []T, err error) {
	for i, p := range parts {
		steps, err := parse(p)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", name, i, err)
		}
		all = append(all, steps...)
	}
	return all, nil
}

// parseNormalizer reads the normalizer section, flattening sequences.
func parseNormalizer(raw json.RawMessage) ([]normalizer, error) {
	if isNull(raw) {
		return nil, nil
	}
	kind, err := typeOf(raw)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "NFC":
		return []normalizer{unicodeForm(norm.NFC)}, nil
	case "NFD":
		return []normalizer{unicodeForm(norm.NFD)}, nil
	case "NFKC":
		return []normalizer{unicodeForm(norm.NFKC)}, nil
	case "NFKD":
		return []normalizer{unicodeForm(norm.NFKD)}, nil
	case "Lowercase":
		return []normalizer{lowercase{}}, nil
	case "ByteLevel":
		return []normalizer{spellBytes{}}, nil
	case "StripAccents":
		return []normalizer{stripAccents()}, nil
	case "Nmt":
		return []normalizer{perRune(nmt)}, nil
	case "Precompiled":
		var s struct {
			Charsmap *string `json:"precompiled_charsmap"`
		}
		if err := unmarshal(raw, &s); err != nil {
			return nil, err
		}
		n, err := parsePrecompiled(s.Charsmap)
		return []normalizer{n}, err
	case "BertNormalizer":
		return parseBert(raw)
	case "Strip":
		var s struct {
			Left  *bool `json:"strip_left"`
			Right *bool `json:"strip_right"`
		}
		if err := unmarshal(raw, &s); err != nil {
			return nil, err
		}
		if s.Left == nil || s.Right == nil {
			return nil, fmt.Errorf("type Strip: needs strip_left and strip_right")
		}
		return []normalizer{strip{*s.Left, *s.Right}}, nil
	case "Prepend":
		var s struct{ Prepend *string }
		if err := unmarshal(raw, &s); err != nil {
			return nil, err
		}
		if s.Prepend == nil {
			return nil, fmt.Errorf("type Prepend: needs prepend")
		}
		return []normalizer{prepend(*s.Prepend)}, nil
	case "Replace":
		r, err := parseReplace(raw)
		if err != nil {
			return nil, err
		}
		// The reference loses track of its own offsets where an empty match stands at the start.
		if len(spansOf(r.pattern, "", nil)) > 0 {
			return nil, fmt.Errorf("type Replace: a pattern that matches the empty string is not supported")
		}
		return []normalizer{r}, nil
	case "Sequence":
		var s struct{ Normalizers []json.RawMessage }
		if err := unmarshal(raw, &s); err != nil {
			return nil, err
		}
		return parseAll("normalizers", s.Normalizers, parseNormalizer)
	}
	return nil, fmt.Errorf("type %q is not supported (known: NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Prepend, Replace, ByteLevel, Nmt, Precompiled, BertNormalizer, Sequence)", kind)
}

func parseBert(raw json.RawMessage) ([]normalizer, error) {
	var s struct {
		Clean   *bool `json:"clean_text"`
		Chinese *bool `json:"handle_chinese_chars"`
		Strip   *bool `json:"strip_accents"`
		Lower   *bool `json:"lowercase"`
	}
	if err := unmarshal(raw, &s); err != nil {
		return nil, err
	}
	if s.Clean == nil || s.Chinese == nil || s.Lower == nil {
		return nil, fmt.Errorf("type BertNormalizer: needs clean_text, handle_chinese_chars and lowercase")
	}
	return bertNormalizer(*s.Clean, *s.Chinese, s.Strip, *s.Lower), nil
}

// parseReplace reads a Replace, of the normalizer or the decoder.
func parseReplace(raw json.RawMessage) (replace, error) {
	var r struct {
		Pattern json.RawMessage
		Content *string
	}
	if err := unmarshal(raw, &r); err != nil {
		return replace{}, err
	}
	if r.Content == nil {
		return replace{}, fmt.Errorf("type Replace: needs content")
	}
	p, err := parsePattern(r.Pattern)
	return replace{p, *r.Content}, err
}

// parsePattern reads {"String": s} or {"Regex": s}.
func parsePattern(raw json.RawMessage) (pattern, error) {
	var p struct{ String, Regex *string }
	if isNull(raw) {
		return nil, fmt.Errorf("pattern is missing")
	}
	if err := unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	switch {
	case p.String != nil && p.Regex == nil:
		return literal(*p.String), nil
	case p.Regex != nil && p.String == nil:
		return compilePattern(*p.Regex)
	}
	return nil, fmt.Errorf("pattern is neither String nor Regex")
}

// wordPattern is `\w+|[^\w\s]+`, the Whitespace pre-tokenizer's.
type wordPattern struct{}

func (wordPattern) find(s string, yield func(start, end int)) {
	kind := func(r rune) int {
		switch {
		case isWord(r):
			return 1
		case isSpace(r):
			return 0
		}
		return 2
	}
	start, current := 0, 0
	for i, r := range s {
		if k := kind(r); k != current {
			if current != 0 {
				yield(start, i)
			}
			start, current = i, k
		}
	}
	if current != 0 {
		yield(start, len(s))
	}
}

// parsePreTokenizer reads the pre_tokenizer section, flattening sequences.
func parsePreTokenizer(raw json.RawMessage) ([]preTokenizer, error) {
	if isNull(raw) {
		return nil, nil
	}
	kind, err := typeOf(raw)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "ByteLevel":
		return parseByteLevel(raw)
	case "Metaspace":
		m, err := parseMetaspace(raw)
		if err != nil {
			return nil, err
		}
		return []preTokenizer{m}, nil
	case "Split":
		return parseSplit(raw)
	case "Digits":
		var d struct {
			Individual *bool `json:"individual_digits"`
		}
		if err := unmarshal(raw, &d); err != nil {
			return nil, err
		}
		if d.Individual == nil {
			return nil, fmt.Errorf("type Digits: needs individual_digits")
		}
		if *d.Individual {
			return []preTokenizer{splitter{pattern: class(isNumeric), how: isolated}}, nil
		}
		return []preTokenizer{splitter{pattern: class(isNumeric), how: contiguous}}, nil
	case "Punctuation":
		p := struct{ Behavior string }{"Isolated"}
		if err := unmarshal(raw, &p); err != nil {
			return nil, err
		}
		how, ok := behaviorNames[p.Behavior]
		if !ok {
			return nil, fmt.Errorf("behavior %q is not supported", p.Behavior)
		}
		return []preTokenizer{splitter{pattern: class(isPunctuation), how: how}}, nil
	case "Whitespace":
		return []preTokenizer{splitter{pattern: wordPattern{}, invert: true, how: removed}}, nil
	case "BertPreTokenizer":
		return []preTokenizer{splitter{pattern: class(isSpace), how: removed}, splitter{pattern: class(isPunctuation), how: isolated}}, nil
	case "UnicodeScripts":
		return []preTokenizer{unicodeScripts{}}, nil
	case "FixedLength":
		f := struct{ Length int }{5}
		if err := unmarshal(raw, &f); err != nil {
			return nil, err
		}
		if f.Length < 1 {
			return nil, fmt.Errorf("type FixedLength: length %d is not at least 1", f.Length)
		}
		return []preTokenizer{fixedLength(f.Length)}, nil
	case "CharDelimiterSplit":
		var c struct{ Delimiter string }
		if err := unmarshal(raw, &c); err != nil {
			return nil, err
		}
		if utf8.RuneCountInString(c.Delimiter) != 1 {
			return nil, fmt.Errorf("type CharDelimiterSplit: delimiter %q is not one character", c.Delimiter)
		}
		return []preTokenizer{splitter{pattern: literal(c.Delimiter), how: removed}}, nil
	case "WhitespaceSplit":
		return []preTokenizer{splitter{pattern: class(isSpace), how: removed}}, nil
	case "Sequence":
		var s struct {
			Parts []json.RawMessage `json:"pretokenizers"`
		}
		if err := unmarshal(raw, &s); err != nil {
			return nil, err
		}
		return parseAll("pretokenizers", s.Parts, parsePreTokenizer)
	}
	return nil, fmt.Errorf("type %q is not supported (known: ByteLevel, Metaspace, Split, Digits, Punctuation, Whitespace, WhitespaceSplit, BertPreTokenizer, UnicodeScripts, FixedLength, CharDelimiterSplit, Sequence)", kind)
}

func parseByteLevel(raw json.RawMessage) ([]preTokenizer, error) {
	b := struct {
		PrefixSpace *bool `json:"add_prefix_space"`
		UseRegex    bool  `json:"use_regex"`
	}{UseRegex: true}
	if err := unmarshal(raw, &b); err != nil {
		return nil, err
	}
	if b.PrefixSpace == nil {
		return nil, fmt.Errorf("type ByteLevel: needs add_prefix_space")
	}
	level := byteLevel{prefixSpace: *b.PrefixSpace, respell: true}
	if b.UseRegex {
		level.pattern = gpt2Scanner{}
	}
	return []preTokenizer{level}, nil
}

func parseSplit(raw json.RawMessage) ([]preTokenizer, error) {
	var s struct {
		Pattern  json.RawMessage
		Behavior string
		Invert   *bool
	}
	if err := unmarshal(raw, &s); err != nil {
		return nil, err
	}
	how, ok := behaviorNames[s.Behavior]
	if !ok {
		return nil, fmt.Errorf("type Split: behavior %q is not supported", s.Behavior)
	}
	if s.Invert == nil {
		return nil, fmt.Errorf("type Split: needs invert")
	}
	p, err := parsePattern(s.Pattern)
	if err != nil {
		return nil, fmt.Errorf("type Split: %w", err)
	}
	return []preTokenizer{splitter{pattern: p, invert: *s.Invert, how: how}}, nil
}

// parseMetaspace reads a Metaspace, of the pre-tokenizer or the decoder.
func parseMetaspace(raw json.RawMessage) (metaspace, error) {
	m := struct {
		Replacement string
		Prefix      *bool  `json:"add_prefix_space"`
		Scheme      string `json:"prepend_scheme"`
		Split       *bool
	}{Scheme: "always"}
	if err := unmarshal(raw, &m); err != nil {
		return metaspace{}, err
	}
	if utf8.RuneCountInString(m.Replacement) != 1 {
		return metaspace{}, fmt.Errorf("type Metaspace: replacement %q is not one character", m.Replacement)
	}
	out := metaspace{replacement: m.Replacement, cut: m.Split == nil || *m.Split}
	switch m.Scheme {
	case "always":
		out.scheme = prependAlways
	case "first":
		out.scheme = prependFirst
	case "never":
		out.scheme = prependNever
	default:
		return metaspace{}, fmt.Errorf("type Metaspace: prepend_scheme %q is not supported", m.Scheme)
	}
	// The older add_prefix_space: false stands for never.
	if m.Prefix != nil && !*m.Prefix {
		if out.scheme == prependFirst || bytes.Contains(raw, []byte(`"prepend_scheme"`)) && out.scheme != prependNever {
			return metaspace{}, fmt.Errorf("type Metaspace: add_prefix_space does not match prepend_scheme %q", m.Scheme)
		}
		out.scheme = prependNever
	}
	return out, nil
}
