package py

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// The prompts of lm-evaluation-harness are made by Python's str methods. These are their equals where
// Go's own differ: what counts as white space, and case mappings that change a string's length.

// IsSpace reports whether Python's str.isspace holds for r: Unicode's White_Space and, unlike Go's
// unicode.IsSpace, the four separators U+001C to U+001F.
func IsSpace(r rune) bool {
	switch {
	case r >= '\t' && r <= '\r', r >= 0x1c && r <= ' ', r == 0x85, r == 0xa0, r == 0x1680,
		r >= 0x2000 && r <= 0x200a, r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000:
		return true
	}
	return false
}

// SpaceClass is IsSpace as a regular expression's class: what Python's \s matches in a str.
const SpaceClass = `[\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]`

func Strip(s string) string  { return strings.TrimFunc(s, IsSpace) }
func LStrip(s string) string { return strings.TrimLeftFunc(s, IsSpace) }
func RStrip(s string) string { return strings.TrimRightFunc(s, IsSpace) }

// Capitalize is str.capitalize: the first code point in title case, the rest in lower case, with
// the full mappings (ß -> Ss) and the final sigma seen in the whole string.
func Capitalize(s string) string {
	if s == "" {
		return ""
	}
	_, n := utf8.DecodeRuneInString(s)
	return cases.Title(language.Und, cases.NoLower).String(s[:n]) + lowerFrom(s, n)
}

// LowerFirst lower-cases the first code point and keeps the rest, as s[0].lower() + s[1:].
func LowerFirst(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return lowerFrom(s[:n], 0) + s[n:]
}

func Lower(s string) string { return lowerFrom(s, 0) }

// Upper is str.upper, with the full mappings (straße -> STRASSE, ŉ -> ʼN).
func Upper(s string) string { return cases.Upper(language.Und).String(s) }

// Title is str.title: a letter that follows none in title case (ǆ -> ǅ, ﬁ -> Fi), one that follows a
// letter in lower case. Letters are what has case: "they're" -> "They'Re".
func Title(s string) string {
	var b strings.Builder
	inWord := false
	for i, r := range s {
		n := i + utf8.RuneLen(r)
		if inWord {
			b.WriteString(lowerIn(s, i, n))
		} else {
			b.WriteString(cases.Title(language.Und, cases.NoLower).String(s[i:n]))
		}
		inWord = cased(r)
	}
	return b.String()
}

func lowerFrom(s string, from int) string { return lowerIn(s, from, len(s)) }

// lowerIn is str.lower of s[from:to], where a sigma sees all of s: Σ is ς after a cased letter and
// not before one, letters that case ignores skipped on both sides, else σ. İ becomes two code points.
func lowerIn(s string, from, to int) string {
	var b strings.Builder
	for i, r := range s[from:to] {
		switch r {
		case 'İ':
			b.WriteString("i\u0307")
		case 'Σ':
			before, after := s[:from+i], s[from+i+len("Σ"):]
			last, _ := utf8.DecodeLastRuneInString(strings.TrimRightFunc(before, caseIgnorable))
			next, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(after, caseIgnorable))
			if cased(last) && !cased(next) {
				b.WriteRune('ς')
			} else {
				b.WriteRune('σ')
			}
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// cased is Unicode's derived property Cased.
func cased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Uppercase, unicode.Other_Lowercase)
}

// caseIgnorable is Unicode's derived property Case_Ignorable: marks, formats, modifiers, and the
// punctuation that may stand inside a word.
func caseIgnorable(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("'.:\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a", r)
}

// Words counts as len(re.split(r"\s+", s)): one more than the runs of white space, so an empty
// text has one word, and white space at an end counts an empty word there.
func Words(s string) int {
	words, inSpace := 1, false
	for _, r := range s {
		space := IsSpace(r)
		if space && !inSpace {
			words++
		}
		inSpace = space
	}
	return words
}
