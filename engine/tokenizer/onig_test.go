package tokenizer

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"unicode/utf8"
)

// TestRegexGolden compares the matches of every construct with the reference's engine (testdata/make_regex.py).
func TestRegexGolden(t *testing.T) {
	data, err := os.ReadFile("testdata/golden/regex.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Texts []string
		Cases []struct {
			Pattern string
			Matches [][][2]int // in characters
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	for _, c := range golden.Cases {
		p, err := compilePattern(c.Pattern)
		if err != nil {
			t.Error(err)
			continue
		}
		for i, text := range golden.Texts {
			var got [][2]int
			p.find(text, func(start, end int) {
				if end > start {
					got = append(got, [2]int{utf8.RuneCountInString(text[:start]), utf8.RuneCountInString(text[:end])})
				}
			})
			if !slices.Equal(got, c.Matches[i]) {
				t.Errorf("%s on %q: got %v, want %v", c.Pattern, text, got, c.Matches[i])
			}
		}
	}
}

// TestClassTables: every property is the set that was measured, in and outside of a class, and the packed
// tables unpack to ranges in order.
func TestClassTables(t *testing.T) {
	for name, packed := range propertyTables {
		ranges := unpack(packed)
		for i, r := range ranges {
			if r.hi < r.lo || r.hi > utf8.MaxRune || i > 0 && r.lo <= ranges[i-1].hi {
				t.Fatalf("%s: range %d is %x-%x", name, i, r.lo, r.hi)
			}
		}
		source := `\p{` + name + `}`
		if name[0] == '[' {
			source = `[[:` + name[1:] + `:]]`
		}
		p, err := compilePattern(source)
		if err != nil {
			t.Error(err)
			continue
		}
		set := newCodeSet(ranges)
		// Every range's ends and what lies beside them, and a sample.
		codes := map[rune]bool{}
		for _, r := range ranges {
			for _, c := range []rune{r.lo - 1, r.lo, r.hi, r.hi + 1} {
				codes[c] = true
			}
		}
		for c := rune(0); c < 0x20000; c += 61 {
			codes[c] = true
		}
		for c := range codes {
			if c < 0 || !utf8.ValidRune(c) {
				continue
			}
			found := false
			p.find(string(c), func(start, end int) { found = found || end > start })
			if found != set.has(c) {
				t.Errorf("%s: U+%04X matches %v, measured %v", source, c, found, set.has(c))
			}
		}
	}
}
