package tokenizer

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Escapes of Oniguruma's syntax, outside of classes and those that stand for one character.

// wordBoundary and notWordBoundary are \b and \B between the reference's word characters.
func wordBoundary(not bool) (string, error) {
	w, err := wordClass(false, false)
	if not {
		return "(?:(?<=" + w + ")(?=" + w + ")|(?<!" + w + ")(?!" + w + "))", err
	}
	return "(?:(?<=" + w + ")(?!" + w + ")|(?<!" + w + ")(?=" + w + "))", err
}

// escape rewrites an escape outside of a class.
func (p *onig) escape() (string, error) {
	p.at++
	if p.at == len(p.src) {
		return "", fmt.Errorf("ends with a backslash")
	}
	switch c := p.src[p.at]; c {
	case 'p', 'P':
		return p.property(false)
	case 'w', 'W':
		p.at++
		return wordClass(c == 'W', false)
	case 'd', 'D':
		p.at++
		return category("Nd", c == 'D', false)
	case 's', 'S', 'A', 'z', 'Z':
		p.at++
		return `\` + string(c), nil
	case 'h':
		p.at++
		return "[0-9a-fA-F]", nil
	case 'H':
		p.at++
		return "[^0-9a-fA-F]", nil
	case 'R':
		p.at++
		return `(?>\r\n|[\n-\r\u0085\u2028\u2029])`, nil
	case 'N':
		p.at++
		return `[^\n]`, nil
	case 'O':
		p.at++
		return `[\s\S]`, nil
	case 'b', 'B':
		p.at++
		return wordBoundary(c == 'B')
	}
	c, err := p.character()
	if err != nil {
		return "", err
	}
	return p.literal(c)
}

// character reads an escape that stands for one character.
func (p *onig) character() (rune, error) {
	c := p.src[p.at]
	p.at++
	switch c {
	case 'n':
		return '\n', nil
	case 't':
		return '\t', nil
	case 'r':
		return '\r', nil
	case 'f':
		return '\f', nil
	case 'v':
		return '\v', nil
	case 'a':
		return '\a', nil
	case 'e':
		return 0x1B, nil
	case '0':
		return p.digits(8, 2)
	case 'u':
		if r, err := p.digits(16, 4); err == nil && r > 0 {
			return r, nil
		}
		return 0, fmt.Errorf(`escape \u needs four hex digits`)
	case 'x':
		if p.take("{") {
			r, err := p.digits(16, 8)
			if err == nil && (!p.take("}") || !utf8.ValidRune(r)) {
				err = fmt.Errorf(`escape \x{ is not one character`)
			}
			return r, err
		}
		r, err := p.digits(16, 2)
		if err == nil && r >= 0x80 {
			err = fmt.Errorf(`escape \x%X is not supported: it is a byte, not a character`, r)
		}
		return r, err
	}
	if c >= '1' && c <= '9' || c == 'k' {
		return 0, fmt.Errorf(`back-reference \%c is not supported`, c)
	}
	if c < 0x80 && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
		return 0, fmt.Errorf(`escape \%c is not supported`, c)
	}
	return c, nil
}

// digits reads up to most digits of a base.
func (p *onig) digits(base, most int) (rune, error) {
	end := p.at
	for end < len(p.src) && end-p.at < most {
		if _, err := strconv.ParseUint(string(p.src[end]), base, 8); err != nil {
			break
		}
		end++
	}
	text := string(p.src[p.at:end])
	p.at = end
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, base, 32)
	if err != nil {
		return 0, fmt.Errorf("escape of %s is not a character", text)
	}
	return rune(n), nil
}

// property rewrites \p{...} or \P{...}, of which the backslash is read. inClass: as it stands in a class.
func (p *onig) property(inClass bool) (string, error) {
	name, negated, err := p.propertyName()
	if err != nil {
		return "", err
	}
	text, err := category(name, negated, inClass)
	if p.ignore && !inClass {
		text = "(?-i:" + text + ")" // the reference folds a property in a class only
	}
	return text, err
}

func (p *onig) propertyName() (name string, negated bool, err error) {
	c := p.src[p.at]
	p.at++
	if !p.take("{") {
		return "", false, fmt.Errorf(`\%c without { is not supported`, c)
	}
	start := p.at
	if !p.skipPast('}') {
		return "", false, fmt.Errorf(`\%c{ is not closed`, c)
	}
	name = string(p.src[start : p.at-1])
	negated = c == 'P'
	if rest, ok := strings.CutPrefix(name, "^"); ok {
		name, negated = rest, !negated
	}
	return name, negated, nil
}
