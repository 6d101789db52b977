package tokenizer

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
)

// onig rewrites a pattern in Oniguruma's syntax, the reference's, for regexp2. What the two write alike and
// mean otherwise is spelled out; what has no counterpart is refused by name. Nothing of a pattern is asked
// for but where its matches are, so groups do not capture.
type onig struct {
	src    []rune
	at     int
	depth  int
	ignore bool // (?i)
	dotAll bool // (?m), which is (?s) there
}

// Bounds: how deep groups and classes nest, and the bytes of what one is rewritten to.
const (
	maxGroups  = 200
	maxSpelled = 1 << 20
)

func checkSpelled(bytes int) error {
	if bytes > maxSpelled {
		return fmt.Errorf("has more than %d bytes once its classes are written out", maxSpelled)
	}
	return nil
}

func translate(source string) (string, error) {
	p := &onig{src: []rune(source)}
	out, err := p.branches()
	if err == nil && p.at < len(p.src) {
		err = fmt.Errorf("unmatched )")
	}
	return out, err
}

// next reports whether the pattern goes on with text.
func (p *onig) next(text string) bool {
	want := []rune(text)
	return len(p.src)-p.at >= len(want) && slices.Equal(p.src[p.at:][:len(want)], want)
}

// take skips text where the pattern goes on with it.
func (p *onig) take(text string) bool {
	ok := p.next(text)
	if ok {
		p.at += utf8.RuneCountInString(text)
	}
	return ok
}

// branches rewrites up to the end of a group or of the pattern.
func (p *onig) branches() (string, error) {
	if p.depth++; p.depth > maxGroups {
		return "", fmt.Errorf("groups are nested more than %d deep", maxGroups)
	}
	defer func() { p.depth-- }()
	var b strings.Builder
	for p.at < len(p.src) && p.src[p.at] != ')' {
		if p.take("|") {
			b.WriteByte('|')
			continue
		}
		if found, err := p.comment(); found || err != nil {
			if err != nil {
				return "", err
			}
			continue
		}
		atom, err := p.atom()
		if err != nil {
			return "", err
		}
		if atom, err = p.quantified(atom); err != nil {
			return "", err
		}
		b.WriteString(atom)
		if err := checkSpelled(b.Len()); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// comment skips (?#...) where one comes next.
func (p *onig) comment() (found bool, err error) {
	if !p.take("(?#") {
		return false, nil
	}
	if !p.skipPast(')') {
		return true, fmt.Errorf("a comment is not closed")
	}
	return true, nil
}

// atom rewrites what a quantifier applies to.
func (p *onig) atom() (string, error) {
	c := p.src[p.at]
	switch c {
	case '\\':
		return p.escape()
	case '[':
		p.at++
		return p.class()
	case '(':
		p.at++
		return p.group()
	case '*', '+', '?':
		return "", fmt.Errorf("%c has nothing before it", c)
	}
	p.at++
	switch c {
	case '.', '$':
		return string(c), nil
	case '^':
		// A line after a newline at the very end does not begin there.
		return `(?:\A|(?<=\n)(?!\z))`, nil
	}
	return p.literal(c)
}

// literal writes one character. Without case, the long s is an s and the Kelvin sign a k; that "ss" is also
// an ß there, and "fi" a ligature, is not followed.
func (p *onig) literal(c rune) (string, error) {
	if p.ignore {
		switch c {
		case 's', 'S', 'ſ':
			return "[sSſ]", nil
		case 'k', 'K', '\u212A':
			return "[kK\u212A]", nil
		}
		if fold := cases.Fold().String(string(c)); utf8.RuneCountInString(fold) > 1 {
			return "", fmt.Errorf("%c without regard to case is not supported: it is also %s", c, fold)
		}
	}
	return escapeRune(c), nil
}

// escapeRune writes a character so that it stands for itself, in a class as well.
func escapeRune(c rune) string {
	if c < 0x80 && !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') || c == 0x85 {
		return fmt.Sprintf(`\u%04X`, c)
	}
	return string(c)
}

// quantified adds the quantifiers that follow an atom.
func (p *onig) quantified(atom string) (string, error) {
	for first := true; p.at < len(p.src); first = false {
		if found, err := p.comment(); found || err != nil {
			if err != nil || p.at == len(p.src) {
				return atom, err
			}
		}
		text, interval, fixed, err := p.quantifier()
		if err != nil || text == "" {
			return atom, err
		}
		if !first {
			atom = "(?:" + atom + ")"
		}
		switch {
		case p.next("?") && !fixed:
			p.at++
			atom += text + "?"
		case p.next("+") && !interval:
			p.at++
			atom = "(?>" + atom + text + ")"
		default: // what follows {n} or {n,m} is a quantifier of its own
			atom += text
		}
	}
	return atom, nil
}

// quantifier reads one, "" where there is none: whether it is an interval, and one of a fixed number.
func (p *onig) quantifier() (text string, interval, fixed bool, err error) {
	switch c := p.src[p.at]; c {
	case '*', '+', '?':
		p.at++
		return string(c), false, false, nil
	case '{':
	default:
		return "", false, false, nil
	}
	end := p.at + 1
	for end < len(p.src) && (p.src[end] >= '0' && p.src[end] <= '9' || p.src[end] == ',') {
		end++
	}
	inside := string(p.src[p.at+1 : min(end, len(p.src))])
	low, high, ranged := strings.Cut(inside, ",")
	if end == len(p.src) || p.src[end] != '}' || strings.Contains(high, ",") || low == "" && high == "" {
		return "", false, false, nil // literal
	}
	low = cmp.Or(low, "0")
	const most = 100_000 // the reference's
	n, err1 := strconv.Atoi(low)
	m, err2 := n, error(nil)
	if high != "" {
		m, err2 = strconv.Atoi(high)
	}
	if err1 != nil || err2 != nil || n > most || m > most {
		return "", false, false, fmt.Errorf("{%s} repeats more than %d times", inside, most)
	}
	if m < n {
		return "", false, false, fmt.Errorf("{%s} is not supported: its bounds are in the wrong order", inside)
	}
	p.at = end + 1
	text = "{" + low
	if ranged {
		text += "," + high
	}
	return text + "}", true, !ranged, nil
}

// group rewrites a group whose ( is read.
func (p *onig) group() (string, error) {
	ignore, dotAll := p.ignore, p.dotAll
	defer func() { p.ignore, p.dotAll = ignore, dotAll }()
	open := "(?:"
	switch {
	case p.next("*"):
		return "", fmt.Errorf("callouts (* are not supported")
	case !p.take("?"):
	case p.take(":"):
	case p.next("=") || p.next("!") || p.next(">"):
		open = "(?" + string(p.src[p.at])
		p.at++
	case p.next("<=") || p.next("<!"):
		open = "(?" + string(p.src[p.at:p.at+2])
		p.at += 2
	case p.take("<"):
		if !p.skipPast('>') {
			return "", fmt.Errorf("the name of a group is not closed")
		}
	case p.take("'"):
		if !p.skipPast('\'') {
			return "", fmt.Errorf("the name of a group is not closed")
		}
	default:
		flags, rest, err := p.flags()
		if err != nil {
			return "", err
		}
		open = flags
		if rest { // up to the end of the group around it, which closes it
			body, err := p.branches()
			return open + body + ")", err
		}
	}
	body, err := p.branches()
	if err != nil {
		return "", err
	}
	if !p.take(")") {
		return "", fmt.Errorf("a group is not closed")
	}
	return open + body + ")", nil
}

func (p *onig) skipPast(end rune) bool {
	for p.at < len(p.src) {
		p.at++
		if p.src[p.at-1] == end {
			return true
		}
	}
	return false
}

// flags reads (?im-im: or (?im-im), of which (? is read. rest reports the second form.
func (p *onig) flags() (open string, rest bool, err error) {
	start := p.at
	on := true
	for ; p.at < len(p.src); p.at++ {
		switch c := p.src[p.at]; {
		case c == '-':
			on = false
		case c == 'i':
			p.ignore = on
		case c == 'm':
			p.dotAll = on
		case c == 'x' && !on:
		case c == ':' || c == ')':
			p.at++
			with, out := "", "-"
			if p.ignore {
				with += "i"
			} else {
				out += "i"
			}
			if p.dotAll {
				with += "s"
			} else {
				out += "s"
			}
			return "(?" + with + strings.TrimSuffix(out, "-") + ":", c == ')', nil
		default:
			return "", false, fmt.Errorf("group (?%s is not supported", string(p.src[start:min(p.at+1, len(p.src))]))
		}
	}
	return "", false, fmt.Errorf("a group is not closed")
}
