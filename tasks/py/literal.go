package py

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Literal is ast.literal_eval(s): a text, a number, a list, tuple or dict of these, True, False or
// None. Bytes, sets and complex numbers are not understood.
func Literal(s string) (Value, error) {
	p := &literal{text: strings.TrimLeft(s, " \t")}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.peek() == ',' && p.level == 0 { // a tuple without parentheses
		if v, err = p.rest(v); err != nil {
			return nil, err
		}
	}
	for p.at < len(p.text) && strings.IndexByte(" \t\n\r\f", p.text[p.at]) >= 0 {
		p.at++
	}
	if p.at < len(p.text) {
		return nil, p.wrong()
	}
	return v, nil
}

type literal struct {
	text  string
	at    int
	level int // brackets that are open: within them a line end is white space
}

func (p *literal) wrong() error {
	rest := p.text[p.at:]
	if len(rest) > 30 {
		rest = rest[:30] + "…"
	}
	return fmt.Errorf("not a literal of Python, at %q", rest)
}

func (p *literal) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *literal) space() {
	for p.at < len(p.text) {
		c := p.text[p.at]
		if c != ' ' && c != '\t' && c != '\f' && (p.level == 0 || c != '\n' && c != '\r') {
			return
		}
		p.at++
	}
}

func (p *literal) rest(first Value) (Value, error) {
	out := Tuple{first}
	for p.peek() == ',' {
		p.at++
		p.space()
		if p.at == len(p.text) || p.text[p.at] == '\n' {
			break
		}
		v, err := p.value(0)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		p.space()
	}
	return out, nil
}

func (p *literal) value(depth int) (Value, error) {
	if depth > maxLevels/2 {
		return nil, fmt.Errorf("a literal of Python is nested more than %d levels", maxLevels/2)
	}
	p.space()
	switch c := p.peek(); {
	case c == '[':
		items, _, err := p.items(']', depth)
		return &List{items}, err
	case c == '(':
		items, commas, err := p.items(')', depth)
		if err == nil && len(items) == 1 && commas == 0 {
			return items[0], nil
		}
		return Tuple(items), err
	case c == '{':
		return p.dict(depth)
	case c == '\'' || c == '"' || (c == 'r' || c == 'u' || c == 'R' || c == 'U') && p.at+1 < len(p.text) && strings.IndexByte(`'"`, p.text[p.at+1]) >= 0:
		return p.texts()
	case c == '-' || c == '+':
		p.at++
		v, err := p.value(depth + 1)
		if err != nil || c == '+' {
			if _, _, _, ok := number(v); err == nil && !ok {
				return nil, p.wrong()
			}
			return v, err
		}
		return Negate(v)
	case c >= '0' && c <= '9' || c == '.':
		return p.number()
	}
	for word, v := range map[string]Value{"None": nil, "True": true, "False": false} {
		if rest, ok := strings.CutPrefix(p.text[p.at:], word); ok {
			if r, _ := utf8.DecodeRuneInString(rest); rest == "" || !nameRune(r) {
				p.at += len(word)
				return v, nil
			}
		}
	}
	return nil, p.wrong()
}

func nameRune(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
}

// items reads to the closing bracket.
func (p *literal) items(end byte, depth int) (out []Value, commas int, err error) {
	p.at++
	p.level++
	for {
		p.space()
		if p.peek() == end {
			break
		}
		if len(out) > commas || len(out) > MaxItems/64 {
			return nil, 0, p.wrong()
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, v)
		p.space()
		if p.peek() == ',' {
			p.at++
			commas++
		}
	}
	p.at++
	p.level--
	return out, commas, nil
}

func (p *literal) dict(depth int) (Value, error) {
	p.at++
	p.level++
	d := NewDict()
	for comma := true; ; {
		p.space()
		if p.peek() == '}' {
			break
		}
		if !comma {
			return nil, p.wrong()
		}
		k, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		p.space()
		if p.peek() != ':' {
			return nil, p.wrong()
		}
		p.at++
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		switch k.(type) {
		case *List, *Dict:
			return nil, fmt.Errorf("a key of a dict is a %s", TypeName(k))
		}
		d.Set(k, v)
		p.space()
		if comma = p.peek() == ','; comma {
			p.at++
		}
	}
	p.at++
	p.level--
	return d, nil
}

// texts reads one text, or several beside each other, which are one.
func (p *literal) texts() (Value, error) {
	var out strings.Builder
	for {
		raw := false
		if c := p.peek(); c == 'r' || c == 'R' || c == 'u' || c == 'U' {
			raw = c == 'r' || c == 'R'
			p.at++
		}
		s, err := p.quoted(raw)
		if err != nil {
			return nil, err
		}
		out.WriteString(s)
		p.space()
		if c := p.peek(); c != '\'' && c != '"' {
			return out.String(), nil
		}
	}
}

func (p *literal) quoted(raw bool) (string, error) {
	q := p.text[p.at : p.at+1]
	if strings.HasPrefix(p.text[p.at:], q+q+q) {
		q = q + q + q
	}
	p.at += len(q)
	start := p.at
	for p.at < len(p.text) {
		switch {
		case p.text[p.at] == '\\' && p.at+1 < len(p.text):
			_, n := utf8.DecodeRuneInString(p.text[p.at+1:])
			p.at += 1 + n
			continue
		case strings.HasPrefix(p.text[p.at:], q):
			s := p.text[start:p.at]
			p.at += len(q)
			if raw {
				return s, nil
			}
			return Unescape(s)
		case len(q) == 1 && (p.text[p.at] == '\n' || p.text[p.at] == '\r'):
			return "", p.wrong()
		}
		p.at++
	}
	return "", p.wrong()
}

func (p *literal) number() (Value, error) {
	end := p.at
	for end < len(p.text) {
		c := p.text[end]
		if c >= '0' && c <= '9' || c == '.' || c == '_' || c == 'e' || c == 'E' || (c == '-' || c == '+') && (p.text[end-1] == 'e' || p.text[end-1] == 'E') && end > p.at {
			end++
			continue
		}
		break
	}
	s := p.text[p.at:end]
	if end < len(p.text) {
		if r, _ := utf8.DecodeRuneInString(p.text[end:]); nameRune(r) {
			return nil, p.wrong()
		}
	}
	if strings.Contains(s, "__") || strings.HasSuffix(s, "_") || strings.HasPrefix(s, "_") {
		return nil, p.wrong()
	}
	digits := strings.ReplaceAll(s, "_", "")
	if !strings.ContainsAny(digits, ".eE") {
		if len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "0") != "" {
			return nil, p.wrong()
		}
		p.at = end
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
			return n, nil
		}
		if n, ok := new(big.Int).SetString(digits, 10); ok && len(digits) < 4000 {
			return n, nil
		}
		return nil, p.wrong()
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil && !strings.Contains(err.Error(), "range") {
		return nil, p.wrong()
	}
	p.at = end
	return f, nil
}
