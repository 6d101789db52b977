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

// fastCategories are the categories that the general engine's own tables hold, but for what was assigned
// since; the others are written out. TestClassTables compares each with what was measured.
var fastCategories = map[string][][]codeRange{
	"L":  {newLu, newLl, newLt, newLm, newLo},
	"Lu": {newLu}, "Ll": {newLl}, "Lt": {newLt}, "Lm": {newLm}, "Lo": {newLo},
	"M": {newM}, "Mc": {newMc}, "Me": nil,
	"N": {newNd}, "Nd": {newNd}, "Nl": nil, "No": nil,
	"P": {newP}, "S": {newS}, "Z": nil, "Zs": nil, "Zl": nil, "Zp": nil,
	"Pc": nil, "Ps": nil, "Pe": nil, "Pi": nil, "Pf": nil, "Sc": nil, "Sk": nil,
}

// longNames are the categories by their long names, in small letters.
var longNames = map[string]string{
	"letter": "L", "casedletter": "LC", "uppercaseletter": "Lu", "lowercaseletter": "Ll", "titlecaseletter": "Lt", "modifierletter": "Lm",
	"otherletter": "Lo", "mark": "M", "combiningmark": "M", "nonspacingmark": "Mn", "spacingmark": "Mc", "enclosingmark": "Me", "number": "N",
	"decimalnumber": "Nd", "digit": "Nd", "letternumber": "Nl", "othernumber": "No", "punctuation": "P", "punct": "P", "connectorpunctuation": "Pc",
	"dashpunctuation": "Pd", "openpunctuation": "Ps", "closepunctuation": "Pe", "initialpunctuation": "Pi", "finalpunctuation": "Pf",
	"otherpunctuation": "Po", "symbol": "S", "mathsymbol": "Sm", "currencysymbol": "Sc", "modifiersymbol": "Sk", "othersymbol": "So",
	"separator": "Z", "spaceseparator": "Zs", "lineseparator": "Zl", "paragraphseparator": "Zp", "other": "C", "control": "Cc",
	"format": "Cf", "unassigned": "Cn", "privateuse": "Co",
}

// propertyKey is a property's name without what does not count in it.
func propertyKey(name string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(name))
}

// category writes \p{name} (or \P{name}) for the general engine: a category, a script or a POSIX bracket's
// name, without regard to case, spaces, - and _.
func category(name string, negated, inClass bool) (string, error) {
	key := propertyKey(name)
	if short, ok := longNames[key]; ok {
		key = strings.ToLower(short)
	}
	for fast, parts := range fastCategories {
		if strings.ToLower(fast) == key {
			return fastCategory(fast, parts, negated, inClass)
		}
	}
	var inside string
	if packed, ok := propertyTables[key]; ok {
		var b strings.Builder
		writeRanges(&b, unpack(packed))
		inside = b.String()
	} else {
		var err error
		if inside, err = posixClass(key); err != nil {
			return "", fmt.Errorf("\\p{%s} is not supported", name)
		}
	}
	switch {
	case inClass && negated:
		return "", fmt.Errorf("\\P{%s} inside a class is not supported", name)
	case inClass:
		return inside, nil
	case negated:
		return "[^" + inside + "]", nil
	}
	return "[" + inside + "]", nil
}

func fastCategory(name string, parts [][]codeRange, negated, inClass bool) (string, error) {
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
