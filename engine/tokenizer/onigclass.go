package tokenizer

import (
	"fmt"
	"strings"
)

// union is what one side of && in a class matches: a class in regexp2's spelling, and patterns of one
// character each beside it.
type union struct {
	plain  strings.Builder
	others []string
}

// pattern writes the union as a pattern of one character.
func (u *union) pattern(negated bool) string {
	switch {
	case len(u.others) == 0 && u.plain.Len() == 0 && negated:
		return `[\s\S]`
	case len(u.others) == 0 && u.plain.Len() == 0:
		return `(?!)`
	case len(u.others) == 0 && negated:
		return "[^" + u.plain.String() + "]"
	case len(u.others) == 0:
		return "[" + u.plain.String() + "]"
	}
	all := u.others
	if u.plain.Len() > 0 {
		all = append([]string{"[" + u.plain.String() + "]"}, all...)
	}
	return not("(?:"+strings.Join(all, "|")+")", negated)
}

// not negates a pattern of one character.
func not(pattern string, negated bool) string {
	if negated {
		return `(?:(?!` + pattern + `)[\s\S])`
	}
	return pattern
}

// class rewrites a class, of which [ is read: a union of items, classes among them, and intersections.
func (p *onig) class() (string, error) {
	if p.depth++; p.depth > maxGroups {
		return "", fmt.Errorf("classes are nested more than %d deep", maxGroups)
	}
	defer func() { p.depth-- }()
	negated := p.take("^")
	if p.next("]") {
		return "", fmt.Errorf("a class that starts with ] is not supported")
	}
	sides := []*union{{}}
	size := 0
	for !p.take("]") {
		if p.at >= len(p.src) {
			return "", fmt.Errorf("a class is not closed")
		}
		if p.take("&&") {
			sides = append(sides, &union{})
			continue
		}
		u := sides[len(sides)-1]
		if err := p.item(u); err != nil {
			return "", err
		}
		if n := len(u.others); n > 0 {
			size += len(u.others[n-1])
		}
		if err := checkSpelled(size + u.plain.Len()); err != nil {
			return "", err
		}
	}
	if len(sides) == 1 {
		return sides[0].pattern(negated), nil
	}
	var b strings.Builder
	b.WriteString("(?:")
	for _, s := range sides[1:] {
		b.WriteString("(?=" + s.pattern(false) + ")")
	}
	b.WriteString(sides[0].pattern(false) + ")")
	return not(b.String(), negated), nil
}

// item adds one item of a class to u.
func (p *onig) item(u *union) error {
	if p.next("[:") {
		if text, ok, err := p.posix(); ok || err != nil {
			u.plain.WriteString(text.plain)
			if text.other != "" {
				u.others = append(u.others, text.other)
			}
			return err
		}
	}
	if p.take("[") {
		inner, err := p.class()
		u.others = append(u.others, inner)
		return err
	}
	if p.next(`\`) && p.at+1 < len(p.src) {
		if done, err := p.classEscape(u); done || err != nil {
			return err
		}
	}
	low, err := p.member()
	if err != nil {
		return err
	}
	high := low
	if p.next("-") && !p.next("-]") && p.at+1 < len(p.src) {
		p.at++
		if p.next("[") || p.next("&&") {
			return fmt.Errorf("a class with a range that ends in a class is not supported")
		}
		if high, err = p.member(); err != nil {
			return err
		}
	}
	if high < low {
		return fmt.Errorf("range %q-%q of a class is empty", low, high)
	}
	writeRange(&u.plain, codeRange{low, high})
	if p.ignore {
		for _, f := range []struct{ small, large, other rune }{{'s', 'S', 'ſ'}, {'k', 'K', '\u212A'}} {
			if low <= f.small && f.small <= high || low <= f.large && f.large <= high {
				u.plain.WriteRune(f.other)
			}
		}
	}
	return nil
}

// member reads one character of a class.
func (p *onig) member() (rune, error) {
	if p.at >= len(p.src) {
		return 0, fmt.Errorf("a class is not closed")
	}
	c := p.src[p.at]
	if c != '\\' {
		p.at++
		return c, nil
	}
	p.at++
	if p.at == len(p.src) {
		return 0, fmt.Errorf("ends with a backslash")
	}
	switch c := p.src[p.at]; {
	case c == 'b':
		p.at++
		return '\b', nil
	case strings.ContainsRune("pPwWdDsShHRNOX", c):
		return 0, fmt.Errorf(`\%c at the end of a range is not supported`, c)
	}
	return p.character()
}

// classEscape adds an escape that stands for more than one character, if the next is one.
func (p *onig) classEscape(u *union) (bool, error) {
	c := p.src[p.at+1]
	add := func(text string, err error) (bool, error) {
		u.plain.WriteString(text)
		return true, err
	}
	other := func(text string, err error) (bool, error) {
		u.others = append(u.others, text)
		return true, err
	}
	switch c {
	case 'p', 'P':
		p.at++
		name, negated, err := p.propertyName()
		if err != nil {
			return true, err
		}
		switch longNames[propertyKey(name)] + propertyKey(name) {
		case "lu", "ll", "lt", "upper", "lower", "uppercase", "lowercase", "Luuppercaseletter", "Lllowercaseletter", "Lttitlecaseletter":
			if p.ignore {
				return true, fmt.Errorf(`\p{%s} in a class without regard to case is not supported`, name)
			}
		}
		if negated {
			return other(category(name, true, false))
		}
		return add(category(name, false, true))
	case 'w', 'd', 's', 'h', 'W', 'D', 'S', 'H':
		p.at += 2
	}
	switch c {
	case 'w':
		return add(wordClass(false, true))
	case 'W':
		text, err := wordClass(false, true)
		return other("[^"+text+"]", err)
	case 'd':
		return add(category("Nd", false, true))
	case 'D':
		return other(category("Nd", true, false))
	case 's':
		return add(`\s`, nil)
	case 'S':
		return other(`\S`, nil)
	case 'h':
		return add("0-9a-fA-F", nil)
	case 'H':
		return other("[^0-9a-fA-F]", nil)
	case 'R', 'X', 'N', 'O':
		return true, fmt.Errorf(`\%c in a class is not supported`, c)
	}
	return false, nil
}

type posixText struct{ plain, other string }

// posix reads [:name:] or [:^name:]; ok is false where it is not one and so a class in a class.
func (p *onig) posix() (text posixText, ok bool, err error) {
	end := p.at + 2
	for end < len(p.src) && end-p.at < 20 && p.src[end] != ':' && p.src[end] != ']' {
		end++
	}
	if end+1 >= len(p.src) || p.src[end] != ':' || p.src[end+1] != ']' {
		return text, false, nil
	}
	name, negated := strings.CutPrefix(string(p.src[p.at+2:end]), "^")
	p.at = end + 2
	if p.ignore && (name == "upper" || name == "lower") {
		return text, true, fmt.Errorf("[:%s:] without regard to case is not supported", name)
	}
	inside, err := posixClass(name)
	if err != nil {
		return text, true, err
	}
	if negated {
		return posixText{other: "[^" + inside + "]"}, true, nil
	}
	return posixText{plain: inside}, true, nil
}

// posixClass is a POSIX bracket as it stands in a class.
func posixClass(name string) (string, error) {
	switch name {
	case "digit":
		return category("Nd", false, true)
	case "word":
		return wordClass(false, true)
	case "xdigit":
		return "0-9a-fA-F", nil
	case "ascii":
		return `\u0000-\u007F`, nil
	}
	packed, ok := propertyTables["["+name]
	if !ok {
		return "", fmt.Errorf("POSIX bracket [:%s:] is not supported", name)
	}
	var b strings.Builder
	writeRanges(&b, unpack(packed))
	return b.String(), nil
}

// writeRange writes a range as it stands in a class.
func writeRange(b *strings.Builder, r codeRange) {
	b.WriteString(escapeRune(r.lo))
	if r.hi > r.lo {
		b.WriteByte('-')
		b.WriteString(escapeRune(r.hi))
	}
}

// writeRanges writes ranges as they stand in a class.
func writeRanges(b *strings.Builder, ranges []codeRange) {
	for _, r := range ranges {
		writeRange(b, r)
	}
}
