// Package pyregex is Python's re, as far as lm-evaluation-harness' tasks use it: findall and sub
// over patterns in Python's syntax, look-behind and back-references included. The matching is
// regexp2's, a backtracking engine like Python's; a match that takes too long is an error, so that
// no answer of a model holds a run up.
//
// What Python's syntax has and this has not is refused by name when the pattern is compiled.
package pyregex

import (
	"fmt"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
)

// timeout is how long one search may take.
const timeout = 2 * time.Second

// Regexp is a compiled pattern, safe for concurrent use.
type Regexp struct {
	pattern string
	re      *regexp2.Regexp
	advance *regexp2.Regexp // the same, but never nothing where a search begins
	groups  int
}

// Compile is re.compile.
func Compile(pattern string) (*Regexp, error) {
	ours, groups, err := translate(pattern)
	if err != nil {
		return nil, err
	}
	r := &Regexp{pattern: pattern, groups: groups}
	for source, into := range map[string]**regexp2.Regexp{ours: &r.re, "(?:" + ours + `)(?!\G)`: &r.advance} {
		re, err := regexp2.Compile(source, regexp2.None)
		if err != nil {
			return nil, fmt.Errorf("the regular expression %q: %s", shorten(pattern), strings.Join(strings.Fields(err.Error()), " "))
		}
		re.MatchTimeout = timeout
		*into = re
	}
	return r, nil
}

// each calls f with the matches in order. After an empty one Python looks for one that is not at the
// same place, where regexp2 goes on behind the next character.
func (r *Regexp) each(text []rune, f func(*regexp2.Match)) error {
	re := r.re
	for at := 0; at <= len(text); {
		m, err := re.FindRunesMatchStartingAt(text, at)
		if err != nil {
			return fmt.Errorf("the regular expression %q takes more than %v on one text: write it so that it backtracks less", shorten(r.pattern), timeout)
		}
		if m == nil {
			return nil
		}
		f(m)
		at = m.Index + m.Length
		if re = r.re; m.Length == 0 {
			re = r.advance
		}
	}
	return nil
}

// FindAll is findall: of each match the groups, or all of it where the pattern has none. A group
// that has no part in a match is empty.
func (r *Regexp) FindAll(text string) (found [][]string, err error) {
	err = r.each([]rune(text), func(m *regexp2.Match) {
		if r.groups == 0 {
			found = append(found, []string{m.String()})
			return
		}
		groups := make([]string, r.groups)
		for i := range groups {
			if g := m.GroupByNumber(i + 1); g != nil && len(g.Captures) > 0 {
				groups[i] = g.String()
			}
		}
		found = append(found, groups)
	})
	return found, err
}

// Remove is sub with nothing for every match.
func (r *Regexp) Remove(text string) (string, error) {
	all := []rune(text)
	var left []rune
	at := 0
	err := r.each(all, func(m *regexp2.Match) {
		left = append(left, all[at:m.Index]...)
		at = m.Index + m.Length
	})
	return string(append(left, all[at:]...)), err
}

// Escape is re.escape.
func Escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
