package filter

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/softbench/softbench/tasks/given"
	"github.com/softbench/softbench/tasks/py"
	"github.com/softbench/softbench/tasks/pyregex"
)

// multiChoiceFilter is MultiChoiceRegexFilter: the expression's match; else the text of a choice, as its
// letter in parentheses; else a letter after a colon, likewise.
type multiChoiceFilter struct {
	*pattern
	ignoreCase, ignorePunctuation bool
	ignore                        []*pyregex.Regexp
}

func multiChoice(o *given.Options) (func(string, []string) (string, error), error) {
	p, err := patternOf(o)
	if err != nil {
		return nil, err
	}
	f := &multiChoiceFilter{pattern: p, ignoreCase: o.Boolean("ignore_case"), ignorePunctuation: o.Boolean("ignore_punctuation")}
	for _, s := range o.Texts("regexes_to_ignore") {
		re, err := pyregex.Compile(s)
		if err != nil {
			return nil, err
		}
		f.ignore = append(f.ignore, re)
	}
	return f.apply, nil
}

func (f *multiChoiceFilter) apply(text string, choices []string) (string, error) {
	if len(choices) == 0 {
		return "", fmt.Errorf("multi_choice_regex is of documents with choices, and this one has none")
	}
	taken, err := f.find(f.re, text, nil)
	if err != nil || taken != "" {
		return taken, err
	}
	byText, byLetter := map[string]string{}, map[string]string{}
	var parts, letters []string
	for i, c := range choices {
		m, err := f.cleaned(py.Strip(c))
		if err != nil {
			return "", err
		}
		letter := string(rune('A' + i))
		parts, letters = append(parts, pyregex.Escape(m)), append(letters, letter)
		byText[m], byLetter[letter] = "("+letter+")", "("+letter+")"
	}
	// The longest first, as one that another begins with would hide that.
	slices.SortStableFunc(parts, func(a, b string) int { return cmp.Compare(utf8.RuneCountInString(b), utf8.RuneCountInString(a)) })
	cleaned, err := f.cleaned(text)
	if err != nil {
		return "", err
	}
	for _, way := range []struct {
		pattern, text string
		table         map[string]string
	}{{strings.Join(parts, "|"), cleaned, byText}, {`:[\s]*(` + strings.Join(letters, "|") + `)`, text, byLetter}} {
		re, err := pyregex.Compile(way.pattern)
		if err != nil {
			return "", err
		}
		if taken, err := f.find(re, way.text, way.table); err != nil || taken != "" {
			return taken, err
		}
	}
	return f.fallback, nil
}

// find is what the chosen match gives, "" for none.
func (f *multiChoiceFilter) find(re *pyregex.Regexp, text string, table map[string]string) (string, error) {
	found, err := re.FindAll(text)
	if err != nil {
		return "", err
	}
	match := selected(found, f.group)
	if match == nil {
		return "", nil
	}
	taken, _ := firstOf(match)
	taken = py.Strip(taken)
	if known, ok := table[taken]; ok && taken != "" {
		return known, nil
	}
	return taken, nil
}

// cleaned is a text without what is ignored.
func (f *multiChoiceFilter) cleaned(s string) (string, error) {
	var err error
	for _, re := range f.ignore {
		if s, err = re.Remove(s); err != nil {
			return "", err
		}
	}
	if f.ignoreCase {
		s = py.Lower(s)
	}
	if f.ignorePunctuation {
		s = strings.Map(func(r rune) rune {
			if unicode.IsPunct(r) {
				return -1
			}
			return r
		}, s)
	}
	return s, nil
}
