package tasks

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// The prompts of lm-evaluation-harness are made by Python's str methods. These are their equals where
// Go's own differ: what counts as white space, and case mappings that change a string's length.

// pySpace reports whether Python's str.isspace holds for r: Unicode's White_Space and, unlike Go's
// unicode.IsSpace, the four separators U+001C to U+001F.
func pySpace(r rune) bool {
	switch {
	case r >= '\t' && r <= '\r', r >= 0x1c && r <= ' ', r == 0x85, r == 0xa0, r == 0x1680,
		r >= 0x2000 && r <= 0x200a, r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000:
		return true
	}
	return false
}

// pySpaceClass is pySpace as a regular expression's class: what Python's \s matches in a str.
const pySpaceClass = `[\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]`

func pyStrip(s string) string  { return strings.TrimFunc(s, pySpace) }
func pyLStrip(s string) string { return strings.TrimLeftFunc(s, pySpace) }
func pyRStrip(s string) string { return strings.TrimRightFunc(s, pySpace) }

// pyCapitalize is str.capitalize: the first code point in title case, the rest in lower case, with
// the full mappings (ß -> Ss) and the final sigma seen in the whole string.
func pyCapitalize(s string) string {
	if s == "" {
		return ""
	}
	_, n := utf8.DecodeRuneInString(s)
	return cases.Title(language.Und, cases.NoLower).String(s[:n]) + pyLowerFrom(s, n)
}

// pyLowerFirst lower-cases the first code point and keeps the rest, as s[0].lower() + s[1:].
func pyLowerFirst(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return pyLowerFrom(s[:n], 0) + s[n:]
}

func pyLower(s string) string { return pyLowerFrom(s, 0) }

// pyUpper is str.upper, with the full mappings (straße -> STRASSE, ŉ -> ʼN).
func pyUpper(s string) string { return cases.Upper(language.Und).String(s) }

// pyTitle is str.title: a letter that follows none in title case (ǆ -> ǅ, ﬁ -> Fi), one that follows a
// letter in lower case. Letters are what has case: "they're" -> "They'Re".
func pyTitle(s string) string {
	var b strings.Builder
	inWord := false
	for i, r := range s {
		n := i + utf8.RuneLen(r)
		if inWord {
			b.WriteString(pyLowerIn(s, i, n))
		} else {
			b.WriteString(cases.Title(language.Und, cases.NoLower).String(s[i:n]))
		}
		inWord = cased(r)
	}
	return b.String()
}

func pyLowerFrom(s string, from int) string { return pyLowerIn(s, from, len(s)) }

// pyLowerIn is str.lower of s[from:to], where a sigma sees all of s: Σ is ς after a cased letter and
// not before one, letters that case ignores skipped on both sides, else σ. İ becomes two code points.
func pyLowerIn(s string, from, to int) string {
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

// pyWords counts as len(re.split(r"\s+", s)): one more than the runs of white space, so an empty
// text has one word, and white space at an end counts an empty word there.
func pyWords(s string) int {
	words, inSpace := 1, false
	for _, r := range s {
		space := pySpace(r)
		if space && !inSpace {
			words++
		}
		inSpace = space
	}
	return words
}
