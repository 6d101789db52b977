package py

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Unescape replaces the escapes of a Python text; one that Python does not know stays. Names of
// characters, and halves of surrogate pairs, are not understood.
func Unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		n, err := escape(&b, s[i+1:])
		if err != nil {
			return "", err
		}
		i += 1 + n
	}
	return b.String(), nil
}

// escape writes what the escape at the beginning of s, after its backslash, stands for, and says how
// long it is.
func escape(b *strings.Builder, s string) (int, error) {
	c := s[0]
	if i := strings.IndexByte(`abfnrtv\'"`, c); i >= 0 {
		b.WriteByte("\a\b\f\n\r\t\v\\'\""[i])
		return 1, nil
	}
	if c == '\n' {
		return 1, nil
	}
	if n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]; n > 0 {
		if len(s) < 1+n {
			return 0, fmt.Errorf(`the escape \%s is cut off`, s)
		}
		code, err := strconv.ParseUint(s[1:1+n], 16, 32)
		if err != nil || !utf8.ValidRune(rune(code)) {
			return 0, fmt.Errorf(`the escape \%s is not understood`, s[:1+n])
		}
		b.WriteRune(rune(code))
		return 1 + n, nil
	}
	if c >= '0' && c <= '7' {
		n := 1
		for n < 3 && n < len(s) && s[n] >= '0' && s[n] <= '7' {
			n++
		}
		code, _ := strconv.ParseUint(s[:n], 8, 32)
		b.WriteRune(rune(code))
		return n, nil
	}
	if c == 'N' {
		return 0, fmt.Errorf(`an escape \N is not understood`)
	}
	b.WriteByte('\\')
	return 0, nil
}
