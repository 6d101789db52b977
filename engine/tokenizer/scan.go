package tokenizer

import "unicode/utf8"

// Hand-written scanners for the split patterns that most checkpoints use. Go's regexp has no look-ahead,
// and the general engine (regex.go) is an order of magnitude slower. scan_test.go compares each of them
// with the general engine.

// The patterns, as tokenizer.json spells them.
const (
	patternGPT2   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	patternLlama3 = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	patternQwen2  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// scanners by exact pattern.
var scanners = map[string]pattern{
	patternGPT2:   gpt2Scanner{},
	patternLlama3: cl100kScanner{digits: 3},
	patternQwen2:  cl100kScanner{digits: 1},
}

// Character kinds the patterns tell apart: \p{L}, \p{N}, \s, \r or \n (also \s), and all others.
const (
	kindOther uint8 = iota
	kindLetter
	kindNumber
	kindSpace
	kindNewline
)

var asciiKind [128]uint8

func init() {
	for c := range 128 {
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			asciiKind[c] = kindLetter
		case c >= '0' && c <= '9':
			asciiKind[c] = kindNumber
		case c == '\r' || c == '\n':
			asciiKind[c] = kindNewline
		case c == ' ' || c >= '\t' && c <= '\r':
			asciiKind[c] = kindSpace
		}
	}
}

// kindAt returns the kind and the byte length of the character at s[i].
func kindAt(s string, i int) (uint8, int) {
	if c := s[i]; c < utf8.RuneSelf {
		return asciiKind[c], 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	switch {
	case isLetter(r):
		return kindLetter, n
	case isNumber(r):
		return kindNumber, n
	case isSpace(r):
		return kindSpace, n
	}
	return kindOther, n
}

// runEnd returns the end of the run of characters of one kind that starts at s[i].
func runEnd(s string, i int, kind uint8) int {
	for i < len(s) {
		k, n := kindAt(s, i)
		if k != kind {
			break
		}
		i += n
	}
	return i
}

// spaceEnd returns the end of the run of \s at s[i], the start of its last character, and the end of its
// last \r or \n (i where there is none).
func spaceEnd(s string, i int) (end, last, newline int) {
	last, newline = i, i
	for i < len(s) {
		k, n := kindAt(s, i)
		if k != kindSpace && k != kindNewline {
			break
		}
		last = i
		i += n
		if k == kindNewline {
			newline = i
		}
	}
	return i, last, newline
}

// spaceToken returns the end of `\s+(?!\S)|\s+` at i, given the run's end and its last character: the last
// space before a word is left to the word, unless it is the only one.
func spaceToken(s string, i, end, last int) int {
	if end < len(s) && last > i {
		return last
	}
	return end
}

// gpt2Scanner is patternGPT2.
type gpt2Scanner struct{}

func (gpt2Scanner) find(s string, yield func(start, end int)) {
	for i := 0; i < len(s); {
		end := gpt2Token(s, i)
		yield(i, end)
		i = end
	}
}

func gpt2Token(s string, i int) int {
	if s[i] == '\'' {
		if n := contraction(s[i+1:], false); n > 0 {
			return i + 1 + n
		}
	}
	start := i
	if s[i] == ' ' && i+1 < len(s) {
		start++
	}
	kind, n := kindAt(s, start)
	if kind == kindSpace || kind == kindNewline {
		end, last, _ := spaceEnd(s, i)
		return spaceToken(s, i, end, last)
	}
	return runEnd(s, start+n, kind)
}

// cl100kScanner is patternLlama3 and patternQwen2: digits is the longest run of numbers in one match.
type cl100kScanner struct{ digits int }

func (c cl100kScanner) find(s string, yield func(start, end int)) {
	for i := 0; i < len(s); {
		end := c.token(s, i)
		yield(i, end)
		i = end
	}
}

func (c cl100kScanner) token(s string, i int) int {
	if s[i] == '\'' {
		if n := contraction(s[i+1:], true); n > 0 {
			return i + 1 + n
		}
	}
	kind, n := kindAt(s, i)
	if kind == kindLetter {
		return runEnd(s, i+n, kindLetter)
	}
	if kind == kindNumber {
		end := i + n
		for k := 1; k < c.digits && end < len(s); k++ {
			next, n := kindAt(s, end)
			if next != kindNumber {
				break
			}
			end += n
		}
		return end
	}
	if kind != kindNewline && i+n < len(s) {
		// [^\r\n\p{L}\p{N}]?\p{L}+ with its optional character present.
		if next, m := kindAt(s, i+n); next == kindLetter {
			return runEnd(s, i+n+m, kindLetter)
		}
	}
	// ` ?[^\s\p{L}\p{N}]+[\r\n]*`
	start := i
	if s[i] == ' ' && i+1 < len(s) {
		start++
	}
	if next, m := kindAt(s, start); next == kindOther {
		return runEnd(s, runEnd(s, start+m, kindOther), kindNewline)
	}
	end, last, newline := spaceEnd(s, i)
	if newline > i {
		return newline
	}
	return spaceToken(s, i, end, last)
}

// contraction returns the length of the English ending (s t re ve m ll d) at the start of s, 0 for none.
// Ignoring case follows the reference engine, where U+017F (long s) is a form of s.
func contraction(s string, ignoreCase bool) int {
	if s == "" {
		return 0
	}
	lower := func(i int) byte {
		c := s[i]
		if ignoreCase && c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		return c
	}
	switch c := lower(0); c {
	case 's', 't', 'm', 'd':
		return 1
	case 'r', 'v', 'l':
		if len(s) < 2 {
			return 0
		}
		if e := lower(1); c == 'l' && e == 'l' || c != 'l' && e == 'e' {
			return 2
		}
	case 0xC5:
		if ignoreCase && len(s) > 1 && s[1] == 0xBF {
			return 2
		}
	}
	return 0
}
