// Package jsontext looks at the text of JSON for what encoding/json reads without an error and
// makes another text of. It knows nothing of what the JSON is about.
package jsontext

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// HalfSurrogate is the first escape of a JSON text that stands for half of a UTF-16
// surrogate pair without the other, or "".
func HalfSurrogate(text string) string {
	unit := func(i int) (rune, bool) {
		if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' {
			return 0, false
		}
		n, err := strconv.ParseUint(text[i+2:i+6], 16, 16)
		return rune(n), err == nil
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		first, ok := unit(i)
		switch {
		case !ok:
			i++ // what is escaped
		case !utf16.IsSurrogate(first):
			i += 5
		default:
			second, ok := unit(i + 6)
			if !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
				return text[i : i+6]
			}
			i += 11
		}
	}
	return ""
}
