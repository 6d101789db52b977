package tokenizer

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// decoder turns token spellings into text, step by step (tokenizers' Decoder::decode_chain).
type decoder func(tokens []string) []string

// decodeByteLevel turns byte-level characters back into bytes and those into text.
func decodeByteLevel(tokens []string) []string {
	var b []byte
	for _, t := range tokens {
		b = appendFromByteLevel(b, t)
	}
	return []string{replaceInvalid(string(b))}
}

// decodeByteFallback joins runs of <0xNN> into text; a run that is not UTF-8 gives one U+FFFD a byte.
func decodeByteFallback(tokens []string) []string {
	out := tokens[:0:0]
	var run []byte
	flush := func() {
		if utf8.Valid(run) {
			if len(run) > 0 {
				out = append(out, string(run))
			}
		} else {
			for range run {
				out = append(out, "\uFFFD")
			}
		}
		run = run[:0]
	}
	for _, t := range tokens {
		if b, ok := byteToken(t); ok {
			run = append(run, b)
			continue
		}
		flush()
		out = append(out, t)
	}
	flush()
	return out
}

// byteToken reads <0xNN>.
func byteToken(t string) (byte, bool) {
	if len(t) != 6 || !strings.HasPrefix(t, "<0x") || t[5] != '>' {
		return 0, false
	}
	value := 0
	for i, c := range []byte(t[3:5]) {
		switch {
		case c >= '0' && c <= '9':
			value = value*16 + int(c-'0')
		case c >= 'a' && c <= 'f':
			value = value*16 + int(c-'a') + 10
		case c >= 'A' && c <= 'F':
			value = value*16 + int(c-'A') + 10
		case c == '+' && i == 0: // Rust's integer parser allows a sign
		default:
			return 0, false
		}
	}
	return byte(value), true
}

func decodeFuse(tokens []string) []string { return []string{strings.Join(tokens, "")} }

// decodeReplace is the Replace normalizer on each token.
func decodeReplace(r replace) decoder {
	return func(tokens []string) []string {
		out := make([]string, len(tokens))
		for i, t := range tokens {
			out[i] = r.normalize(piece{text: t}).text
		}
		return out
	}
}

// decodeStrip removes up to start leading and stop trailing characters content from each token.
func decodeStrip(content string, start, stop int) decoder {
	return func(tokens []string) []string {
		out := make([]string, len(tokens))
		for i, t := range tokens {
			for n := start; n > 0 && strings.HasPrefix(t, content); n-- {
				t = t[len(content):]
			}
			for n := stop; n > 0 && strings.HasSuffix(t, content); n-- {
				t = t[:len(t)-len(content)]
			}
			out[i] = t
		}
		return out
	}
}

// decodeMetaspace writes the replacement as a space, and drops it in the first token unless the scheme is
// never.
func decodeMetaspace(m metaspace) decoder {
	return func(tokens []string) []string {
		out := make([]string, len(tokens))
		for i, t := range tokens {
			space := " "
			if i == 0 && m.scheme != prependNever {
				space = ""
			}
			out[i] = strings.ReplaceAll(t, m.replacement, space)
		}
		return out
	}
}

// decodeSuffix is BPEDecoder: the end-of-word suffix becomes a space, except in the last token.
func decodeSuffix(suffix string) decoder {
	return func(tokens []string) []string {
		out := make([]string, len(tokens))
		for i, t := range tokens {
			space := " "
			if i == len(tokens)-1 {
				space = ""
			}
			out[i] = strings.ReplaceAll(t, suffix, space)
		}
		return out
	}
}

// parseDecoder reads the decoder section; nil means none.
func parseDecoder(raw json.RawMessage) (decoder, error) {
	if isNull(raw) {
		return nil, nil
	}
	kind, err := typeOf(raw)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "ByteLevel":
		return decodeByteLevel, nil
	case "ByteFallback":
		return decodeByteFallback, nil
	case "Fuse":
		return decodeFuse, nil
	case "Metaspace":
		m, err := parseMetaspace(raw)
		if err != nil {
			return nil, err
		}
		return decodeMetaspace(m), nil
	case "Replace":
		r, err := parseReplace(raw)
		if err != nil {
			return nil, err
		}
		return decodeReplace(r), nil
	case "Strip":
		var s struct {
			Content     string
			Start, Stop uint32
		}
		if err := unmarshal(raw, &s); err != nil {
			return nil, err
		}
		if utf8.RuneCountInString(s.Content) != 1 {
			return nil, fmt.Errorf("type Strip: content %q is not one character", s.Content)
		}
		return decodeStrip(s.Content, int(s.Start), int(s.Stop)), nil
	case "WordPiece":
		var s struct {
			Prefix  *string
			Cleanup *bool
		}
		if err := unmarshal(raw, &s); err != nil {
			return nil, err
		}
		if s.Prefix == nil || s.Cleanup == nil {
			return nil, fmt.Errorf("type WordPiece: needs prefix and cleanup")
		}
		return decodeWordPiece(*s.Prefix, *s.Cleanup), nil
	case "BPEDecoder":
		var s struct{ Suffix string }
		if err := unmarshal(raw, &s); err != nil {
			return nil, err
		}
		if s.Suffix == "" {
			return nil, fmt.Errorf("type BPEDecoder: an empty suffix is not supported")
		}
		return decodeSuffix(s.Suffix), nil
	case "Sequence":
		var s struct{ Decoders []json.RawMessage }
		if err := unmarshal(raw, &s); err != nil {
			return nil, err
		}
		steps := make([]decoder, len(s.Decoders))
		for i, d := range s.Decoders {
			if steps[i], err = parseDecoder(d); err != nil {
				return nil, fmt.Errorf("decoders[%d]: %w", i, err)
			}
			if steps[i] == nil {
				return nil, fmt.Errorf("decoders[%d]: null", i)
			}
		}
		return func(tokens []string) []string {
			for _, step := range steps {
				tokens = step(tokens)
			}
			return tokens
		}, nil
	}
	return nil, fmt.Errorf("type %q is not supported (known: ByteLevel, ByteFallback, Fuse, Metaspace, Replace, Strip, BPEDecoder, WordPiece, Sequence)", kind)
}
