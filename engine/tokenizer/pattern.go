package tokenizer

import "strings"

// pattern finds its matches in a text, from left to right and without overlap.
type pattern interface {
	// find calls yield with each match. s is valid UTF-8.
	find(s string, yield func(start, end int))
}

// literal matches a fixed string.
type literal string

func (l literal) find(s string, yield func(start, end int)) {
	if l == "" {
		// The reference escapes the string into an empty regex, which matches before every character.
		for i := range s {
			yield(i, i)
		}
		yield(len(s), len(s))
		return
	}
	for from := 0; ; {
		i := strings.Index(s[from:], string(l))
		if i < 0 {
			return
		}
		yield(from+i, from+i+len(l))
		from += i + len(l)
	}
}

// class matches single characters.
type class func(rune) bool

func (c class) find(s string, yield func(start, end int)) {
	for i, r := range s {
		if c(r) {
			yield(i, i+runeLen(r))
		}
	}
}

func runeLen(r rune) int {
	switch {
	case r < 0x80:
		return 1
	case r < 0x800:
		return 2
	case r < 0x10000:
		return 3
	}
	return 4
}

// spansOf covers s with the matches of pat and the gaps between them.
func spansOf(pat pattern, s string, spans []span) []span {
	spans = spans[:0]
	previous := 0
	pat.find(s, func(start, end int) {
		if previous != start {
			spans = append(spans, span{previous, start, false})
		}
		spans = append(spans, span{start, end, true})
		previous = end
	})
	if previous != len(s) {
		spans = append(spans, span{previous, len(s), false})
	}
	return spans
}
