package tokenizer

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// codeRange is the code points from lo to hi, both included.
type codeRange struct{ lo, hi rune }

// codeSet answers membership in sorted ranges with one bit a code point below limit.
type codeSet struct {
	bits   []uint64
	ranges []codeRange
}

const codeSetLimit = 0x11000 // the planes in common use; 8.5 KiB a set

func newCodeSet(parts ...[]codeRange) *codeSet {
	set := &codeSet{bits: make([]uint64, codeSetLimit/64)}
	for _, part := range parts {
		set.ranges = append(set.ranges, part...)
		for _, r := range part {
			for c := r.lo; c <= r.hi && c < codeSetLimit; c++ {
				set.bits[c/64] |= 1 << (c % 64)
			}
		}
	}
	slices.SortFunc(set.ranges, func(a, b codeRange) int { return int(a.lo - b.lo) })
	return set
}

func (s *codeSet) has(r rune) bool {
	if uint32(r) < codeSetLimit {
		return s.bits[r/64]>>(uint(r)%64)&1 != 0
	}
	_, found := slices.BinarySearchFunc(s.ranges, r, func(c codeRange, r rune) int {
		switch {
		case c.hi < r:
			return -1
		case c.lo > r:
			return 1
		}
		return 0
	})
	return found
}

var (
	letters = newCodeSet(letterRanges)
	numbers = newCodeSet(numberRanges)
	numeric = newCodeSet(numberRanges, numericExtra)
	words   = newCodeSet(wordRanges)
	active  = newCodeSet(normalActive)

	punctuation = newCodeSet(punctuationRanges)
)

// isLetter is \p{L} and isNumber \p{N} of the reference's regex engine.
func isLetter(r rune) bool { return letters.has(r) }
func isNumber(r rune) bool { return numbers.has(r) }

// isNumeric is Rust's char::is_numeric, isWord \w of its regex crate.
func isNumeric(r rune) bool { return numeric.has(r) }
func isWord(r rune) bool    { return words.has(r) }

// isSpace is Unicode's White_Space: \s of both engines and Rust's char::is_whitespace.
func isSpace(r rune) bool { return unicode.Is(unicode.White_Space, r) }

// isPunctuation is what tokenizers' Punctuation cuts off: ASCII punctuation and symbols, and category P.
func isPunctuation(r rune) bool { return punctuation.has(r) }

// newSince14 is what the reference's categories gained since Unicode 14, by category.
var newSince14 = map[string][][]codeRange{
	"L":  {newLu, newLl, newLt, newLm, newLo},
	"Lu": {newLu}, "Ll": {newLl}, "Lt": {newLt}, "Lm": {newLm}, "Lo": {newLo},
	"M": {newM}, "Mn": {newMn}, "Mc": {newMc}, "Me": nil,
	"N": {newNd}, "Nd": {newNd}, "Nl": nil, "No": nil,
	"P": {newP}, "S": {newS}, "Z": nil, "Zs": nil, "Zl": nil, "Zp": nil,
	"Pc": nil, "Pd": nil, "Ps": nil, "Pe": nil, "Pi": nil, "Pf": nil, "Sm": nil, "Sc": nil, "Sk": nil,
	"Han": nil, "Hiragana": nil, "Katakana": nil, "Hangul": nil, "Cyrillic": nil, "Greek": nil,
	"Latin": nil, "Arabic": nil, "Hebrew": nil, "Thai": nil,
}

// category writes \p{name} (or \P{name}) for the general engine, with the newer characters added.
func category(name string, negated, inClass bool) (string, error) {
	if strings.HasPrefix(name, "^") {
		name, negated = name[1:], !negated
	}
	parts, ok := newSince14[name]
	if !ok {
		return "", fmt.Errorf("\\p{%s} is not supported", name)
	}
	var b strings.Builder
	for _, part := range parts {
		writeRanges(&b, part)
	}
	switch {
	case b.Len() == 0 && negated:
		return `\P{` + name + `}`, nil
	case b.Len() == 0:
		return `\p{` + name + `}`, nil
	case inClass && negated:
		return "", fmt.Errorf("\\P{%s} inside a class is not supported", name)
	case inClass:
		return `\p{` + name + `}` + b.String(), nil
	case negated:
		return `[^\p{` + name + `}` + b.String() + `]`, nil
	}
	return `[\p{` + name + `}` + b.String() + `]`, nil
}

// writeRanges writes ranges as they stand in a character class.
func writeRanges(b *strings.Builder, ranges []codeRange) {
	for _, r := range ranges {
		fmt.Fprintf(b, "%c-%c", r.lo, r.hi)
	}
}

// latinNumbers is \w of the reference's engine on its own, but not as part of a class.
var latinNumbers = map[rune]bool{0xB2: true, 0xB3: true, 0xB9: true, 0xBC: true, 0xBD: true, 0xBE: true}

// wordClass writes \w (or \W) for the general engine: \w of the reference holds more numbers and marks.
func wordClass(negated, inClass bool) (string, error) {
	var b strings.Builder
	for _, r := range regexWordRanges {
		if !inClass || !latinNumbers[r.lo] {
			writeRanges(&b, []codeRange{r})
		}
	}
	switch {
	case inClass && negated:
		return "", fmt.Errorf(`\W inside a class is not supported`)
	case inClass:
		return b.String(), nil
	case negated:
		return "[^" + b.String() + "]", nil
	}
	return "[" + b.String() + "]", nil
}

// toLower is Rust's char::to_lowercase on every character of s.
func toLower(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if low, ok := lowerExtra[r]; ok {
			b.WriteString(low)
		} else {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}
