package pyregex

import "github.com/dlclark/regexp2"

// Match is where a pattern matched, in code points, and its groups, the whole first.
type Match struct {
	Start, End int
	Groups     []string
	Has        []bool // a group that has no part in the match has none
}

// Matches are those of finditer.
func (r *Regexp) Matches(text string) (out []Match, err error) {
	err = r.each([]rune(text), func(m *regexp2.Match) { out = append(out, r.match(m)) })
	return out, err
}

// Search is the first match; false where there is none.
func (r *Regexp) Search(text string) (Match, bool, error) {
	m, err := r.re.FindStringMatch(text)
	if m == nil || err != nil {
		return Match{}, false, err
	}
	return r.match(m), true, nil
}

func (r *Regexp) match(m *regexp2.Match) Match {
	out := Match{Start: m.Index, End: m.Index + m.Length, Groups: make([]string, r.groups+1), Has: make([]bool, r.groups+1)}
	for i := range out.Groups {
		if g := m.GroupByNumber(i); g != nil && len(g.Captures) > 0 {
			out.Groups[i], out.Has[i] = g.String(), true
		}
	}
	return out
}
