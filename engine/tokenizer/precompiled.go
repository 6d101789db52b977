package tokenizer

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// precompiled is tokenizers' Precompiled normalizer: SentencePiece's table of rules, but looked up once for
// each grapheme of less than six bytes and, where no rule begins it, for each of its characters; the
// shortest rule that begins either replaces all of it.
type precompiled struct{ rules *charsmap }

func parsePrecompiled(encoded *string) (precompiled, error) {
	if encoded == nil || *encoded == "" {
		return precompiled{}, fmt.Errorf("type Precompiled: needs precompiled_charsmap")
	}
	data, err := base64.StdEncoding.DecodeString(*encoded)
	if err != nil {
		return precompiled{}, fmt.Errorf("type Precompiled: precompiled_charsmap is not base64")
	}
	rules, err := parseCharsmap(data)
	if err == nil && rules == nil {
		err = fmt.Errorf("precompiled_charsmap is empty")
	}
	if err == nil && !utf8.Valid(rules.replacements) {
		err = fmt.Errorf("precompiled_charsmap: its replacements are not UTF-8")
	}
	if err != nil {
		return precompiled{}, fmt.Errorf("type Precompiled: %w", err)
	}
	return precompiled{rules}, nil
}

// largestRuled is the largest grapheme, in bytes, that is looked up as a whole.
const largestRuled = 5

func (n precompiled) normalize(p piece) piece {
	var b strings.Builder
	b.Grow(len(p.text) + len(p.text)/8)
	modified := false
	put := func(part string) bool {
		text, ok := n.rules.shortest(part)
		if ok {
			b.WriteString(text)
			modified = true
		}
		return ok
	}
	for rest, state := p.text, -1; rest != ""; {
		// Two ASCII characters in a row are two graphemes, but for \r\n.
		if len(rest) > 1 && rest[0] < utf8.RuneSelf && rest[1] < utf8.RuneSelf && rest[0] != '\r' {
			if !put(rest[:1]) {
				b.WriteByte(rest[0])
			}
			rest, state = rest[1:], -1
			continue
		}
		var grapheme string
		grapheme, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if len(grapheme) <= largestRuled && put(grapheme) {
			continue
		}
		for i, r := range grapheme {
			part := grapheme[i : i+utf8.RuneLen(r)]
			if !put(part) {
				b.WriteString(part)
			}
		}
	}
	if !modified {
		return p
	}
	text := b.String()
	zero := 0
	if p.zero > 0 {
		zero = firstRuneLen(text) // only Metaspace first in line asks: see checkFirst
	}
	return piece{text: text, zero: zero}
}

// shortest returns the replacement of the shortest rule that s starts with; a NUL ends s.
func (c *charsmap) shortest(s string) (text string, ok bool) {
	s, _, _ = strings.Cut(s, "\x00")
	for at := range c.rules(s) {
		if at == len(c.replacements) || utf8.RuneStart(c.replacements[at]) {
			return c.replacement(at), true
		}
	}
	return "", false
}
