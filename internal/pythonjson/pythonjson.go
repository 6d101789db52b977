// Package pythonjson reads past what Python's json module writes and reads though
// JSON has no such thing: the numbers NaN, Infinity and -Infinity.
//
// It owns that rewriting alone and must not know what a document means.
package pythonjson

import "bytes"

// Plain returns text with NaN, Infinity and -Infinity, where they stand for values,
// as strings of these names: a reader that wants a number there says what it found,
// and where nobody looks nothing is wrong. Text without any is returned as it is.
func Plain(text []byte) []byte {
	if !bytes.Contains(text, []byte("NaN")) && !bytes.Contains(text, []byte("Infinity")) {
		return text
	}
	var out []byte
	last := 0
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '"':
			i = afterString(text, i)
			continue
		case 'N', 'I', '-':
			if n := special(text[i:]); n > 0 {
				out = append(append(append(append(out, text[last:i]...), '"'), text[i:i+n]...), '"')
				i += n
				last = i
				continue
			}
		}
		i++
	}
	return append(out, text[last:]...)
}

// Count returns how many values text has, at most, and how many of them are objects: what
// is counted are the marks before values, wherever they stand outside of strings.
func Count(text []byte) (values, objects int) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = afterString(text, i) - 1
		case '{':
			objects++
			values++
		case '[', ',':
			values++
		}
	}
	return values, objects
}

// afterString returns the index behind the string that begins at text[i].
func afterString(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// special returns the length of the number that text begins with, 0 for none.
func special(text []byte) int {
	for _, name := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(text, []byte(name)) && (len(text) == len(name) || !word(text[len(name)])) {
			return len(name)
		}
	}
	return 0
}

func word(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
