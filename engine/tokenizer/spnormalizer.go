package tokenizer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"
)

// spNormalizer is SentencePiece's normalizer: a longest-match rewriting of the text by a compiled table,
// then the handling of spaces. Behavior: sentencepiece's Normalizer::Normalize.
type spNormalizer struct {
	rules        *charsmap // nil: identity
	symbols      *matcher  // user-defined symbols, which no rule touches
	dummyPrefix  bool
	trimSpaces   bool
	escapeSpaces bool
}

const spaceMark = "▁"

// normalize returns the text the model sees, "" for nothing. s is valid UTF-8.
func (n *spNormalizer) normalize(s string) string {
	if n.trimSpaces {
		for s != "" {
			text, size := n.next(s)
			if text != " " {
				break
			}
			s = s[size:]
		}
	}
	if s == "" {
		return ""
	}
	space := " "
	if n.escapeSpaces {
		space = spaceMark
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/2)
	if n.dummyPrefix {
		b.WriteString(space)
	}
	afterSpace := n.trimSpaces
	for s != "" {
		text, size := n.next(s)
		s = s[size:]
		if afterSpace {
			text = strings.TrimLeft(text, " ")
		}
		if text != "" {
			afterSpace = n.trimSpaces && strings.HasSuffix(text, " ")
			if n.escapeSpaces && strings.Contains(text, " ") {
				text = strings.ReplaceAll(text, " ", spaceMark)
			}
			b.WriteString(text)
		}
	}
	out := b.String()
	if n.trimSpaces {
		for strings.HasSuffix(out, space) {
			out = strings.TrimSuffix(out, space)
		}
	}
	return out
}

// next returns what the start of s becomes and how many bytes of s that takes.
func (n *spNormalizer) next(s string) (string, int) {
	if n.symbols != nil {
		if size, _ := n.symbols.longest(s); size > 0 {
			return s[:size], size
		}
	}
	if n.rules != nil {
		if text, size := n.rules.longest(s); size > 0 {
			return text, size
		}
	}
	_, size := utf8.DecodeRuneInString(s)
	return s[:size], size
}

// charsmap is precompiled_charsmap: a double-array trie over UTF-8 bytes (the layout of darts-clone) whose
// values are places in a block of NUL-terminated replacements.
type charsmap struct {
	units        []uint32
	replacements []byte
}

func parseCharsmap(data []byte) (*charsmap, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if len(data) < 4 {
		return nil, fmt.Errorf("precompiled_charsmap is cut off")
	}
	size := uint64(binary.LittleEndian.Uint32(data))
	if size > uint64(len(data)-4) || size%4 != 0 || size == 0 {
		return nil, fmt.Errorf("precompiled_charsmap: a trie of %d bytes does not fit in %d", size, len(data)-4)
	}
	c := &charsmap{units: make([]uint32, size/4), replacements: data[4+size:]}
	for i := range c.units {
		c.units[i] = binary.LittleEndian.Uint32(data[4+4*i:])
	}
	return c, nil
}

// rules yields the rules that s starts with, the shortest first: where the replacement begins and
// the rule's length.
func (c *charsmap) rules(s string) iter.Seq2[int, int] {
	offset := func(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }
	return func(yield func(at, size int) bool) {
		node := offset(c.units[0])
		for i := range len(s) {
			node ^= uint32(s[i])
			if int(node) >= len(c.units) {
				return
			}
			unit := c.units[node]
			if unit&(1<<31|0xFF) != uint32(s[i]) {
				return
			}
			node ^= offset(unit)
			if unit>>8&1 == 0 || int(node) >= len(c.units) {
				continue
			}
			at := int(c.units[node] & (1<<31 - 1))
			if at <= len(c.replacements) && !yield(at, i+1) {
				return
			}
		}
	}
}

// replacement is that which begins at a place.
func (c *charsmap) replacement(at int) string {
	text, _, _ := bytes.Cut(c.replacements[at:], []byte{0})
	return string(text)
}

// longest returns the replacement of the longest rule that s starts with and the rule's length, 0 for none.
func (c *charsmap) longest(s string) (text string, size int) {
	last := 0
	for at, n := range c.rules(s) {
		last, size = at, n
	}
	if size == 0 {
		return "", 0
	}
	return c.replacement(last), size
}
