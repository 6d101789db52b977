package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// replaceInvalid returns s with each maximal invalid part replaced by one U+FFFD, the way Python's
// "replace" error handler and Rust's String::from_utf8_lossy do (Unicode chapter 3, table 3-7): the bytes
// of a truncated sequence count as one part, a byte that can start nothing counts alone.
func replaceInvalid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r != utf8.RuneError || n > 1 {
			b.WriteString(s[i : i+n])
			i += n
			continue
		}
		b.WriteString("\uFFFD")
		i += invalidPart(s[i:])
	}
	return b.String()
}

// invalidPart returns the length of the maximal invalid part at the start of s, at least 1.
func invalidPart(s string) int {
	need, low, high := 0, byte(0x80), byte(0xBF)
	switch c := s[0]; {
	case c >= 0xC2 && c <= 0xDF:
		need = 1
	case c == 0xE0:
		need, low = 2, 0xA0
	case c == 0xED:
		need, high = 2, 0x9F
	case c >= 0xE1 && c <= 0xEF:
		need = 2
	case c == 0xF0:
		need, low = 3, 0x90
	case c == 0xF4:
		need, high = 3, 0x8F
	case c >= 0xF1 && c <= 0xF3:
		need = 3
	}
	n := 1
	for ; n <= need && n < len(s) && s[n] >= low && s[n] <= high; n++ {
		low, high = 0x80, 0xBF
	}
	return n
}

// firstRuneLen returns the byte length of the first character of s, 0 for an empty s.
func firstRuneLen(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}
