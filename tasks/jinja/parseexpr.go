package jinja

import (
	"slices"
	"strconv"
	"strings"
)

// tuple reads an expression, or several with commas, which are a tuple. conditional: `a if b` may
// stand there.
func (p *parser) tuple(conditional bool) (expr, error) {
	read := p.or
	if conditional {
		read = p.expression
	}
	first, err := read()
	if err != nil || !p.is(tokOp, ",") {
		return first, err
	}
	out := tuple{[]expr{first}}
	for p.skip(tokOp, ",") {
		if p.is(tokEnd, "") || p.is(tokOp, ")") || p.is(tokOp, "=") {
			break
		}
		e, err := read()
		if err != nil {
			return nil, err
		}
		out.items = append(out.items, e)
	}
	return out, nil
}

// expression reads `a if b else c`, and what binds closer.
func (p *parser) expression() (expr, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	unknown := len(p.unknown)
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	for p.is(tokName, "if") {
		defer p.inPlace(true)()
		if p.o.Chat {
			p.unknown = p.unknown[:unknown]
		}
		line := p.next().line
		test, err := p.or()
		if err != nil {
			return nil, err
		}
		c := conditional{test: test, then: e, line: line}
		if p.skip(tokName, "else") {
			if c.otherwise, err = p.expression(); err != nil {
				return nil, err
			}
		}
		e = c
	}
	return e, nil
}

func (p *parser) or() (expr, error) {
	return p.logic("or", func() (expr, error) { return p.logic("and", p.not) })
}

func (p *parser) logic(word string, part func() (expr, error)) (expr, error) {
	e, err := part()
	for err == nil && p.skip(tokName, word) {
		var right expr
		right, err = part()
		e = logic{word == "and", e, right}
	}
	return e, err
}

func (p *parser) not() (expr, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if t := p.peek(); p.skip(tokName, "not") {
		e, err := p.not()
		return unary{"not", e, t.line}, err
	}
	return p.compare()
}

func (p *parser) compare() (expr, error) {
	line := p.peek().line
	first, err := p.sum()
	if err != nil {
		return nil, err
	}
	c := comparison{first: first, line: line}
	for {
		op := ""
		t := p.peek()
		switch {
		case t.kind == tokOp && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, t.text):
			op = t.text
			p.next()
		case p.skip(tokName, "in"):
			op = "in"
		case t.kind == tokName && t.text == "not" && p.at+1 < len(p.tokens) && p.tokens[p.at+1].kind == tokName && p.tokens[p.at+1].text == "in":
			p.at += 2
			op = "not in"
		default:
			if c.ops == nil {
				return first, nil
			}
			return c, nil
		}
		e, err := p.sum()
		if err != nil {
			return nil, err
		}
		c.ops, c.rest = append(c.ops, op), append(c.rest, e)
	}
}

// operations reads parts with operators of one rank between them, from the left.
func (p *parser) operations(part func() (expr, error), ops ...string) (expr, error) {
	e, err := part()
	for err == nil && p.peek().kind == tokOp && slices.Contains(ops, p.peek().text) {
		op := p.next()
		var right expr
		right, err = part()
		e = binary{op.text, e, right, op.line}
	}
	return e, err
}

func (p *parser) sum() (expr, error) { return p.operations(p.concat, "+", "-") }

func (p *parser) concat() (expr, error) {
	e, err := p.product()
	if err != nil || !p.is(tokOp, "~") {
		return e, err
	}
	c := concat{[]expr{e}, p.peek().line}
	for p.skip(tokOp, "~") {
		if e, err = p.product(); err != nil {
			return nil, err
		}
		c.parts = append(c.parts, e)
	}
	return c, nil
}

func (p *parser) product() (expr, error) { return p.operations(p.power, "*", "/", "//", "%") }

func (p *parser) power() (expr, error) {
	return p.operations(func() (expr, error) { return p.unary(true) }, "**")
}

func (p *parser) unary(withFilters bool) (expr, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	var e expr
	var err error
	t := p.peek()
	if t.kind == tokOp && (t.text == "-" || t.text == "+") {
		p.next()
		if e, err = p.unary(false); err == nil {
			e = unary{t.text, e, t.line}
		}
	} else if e, err = p.primary(); err == nil {
		e, err = p.postfix(e)
	}
	if err == nil && withFilters {
		return p.filtered(e)
	}
	return e, err
}

func (p *parser) primary() (expr, error) {
	t := p.next()
	switch t.kind {
	case tokName:
		switch t.text {
		case "true", "True":
			return constant{true}, nil
		case "false", "False":
			return constant{false}, nil
		case "none", "None":
			return constant{nil}, nil
		}
		return name{t.text, t.line}, nil
	case tokString:
		s := t.text
		for p.is(tokString, "") {
			s += p.next().text
		}
		return constant{s}, nil
	case tokNumber:
		return number(t)
	case tokOp:
		switch t.text {
		case "(":
			return p.parenthesis()
		case "[":
			items, err := p.items("]")
			return list{items}, err
		case "{":
			return p.dict(t.line)
		}
	}
	p.at--
	if t.kind == tokEOF {
		p.at++
	}
	return nil, p.unexpected()
}

func number(t token) (expr, error) {
	s := strings.ReplaceAll(t.text, "_", "")
	if i, err := strconv.ParseInt(s, 0, 64); err == nil && !(len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9') {
		return constant{i}, nil
	}
	if strings.Trim(s, "0") == "" {
		return constant{int64(0)}, nil
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && strings.ContainsAny(s, ".eE") {
		return constant{f}, nil
	}
	return nil, errorAt(t.line, "the number %s is not understood", t.text)
}

func (p *parser) parenthesis() (expr, error) {
	if p.skip(tokOp, ")") {
		return tuple{}, nil
	}
	e, err := p.tuple(true)
	if err != nil {
		return nil, err
	}
	_, err = p.expect(tokOp, ")")
	return e, err
}

// items reads expressions with commas up to end.
func (p *parser) items(end string) (out []expr, err error) {
	for !p.skip(tokOp, end) {
		if len(out) > 0 {
			if _, err := p.expect(tokOp, ","); err != nil {
				return nil, err
			}
			if p.skip(tokOp, end) {
				break
			}
		}
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (p *parser) dict(line int) (expr, error) {
	d := dict{line: line}
	for !p.skip(tokOp, "}") {
		if len(d.keys) > 0 {
			if _, err := p.expect(tokOp, ","); err != nil {
				return nil, err
			}
			if p.skip(tokOp, "}") {
				break
			}
		}
		k, err := p.expression()
		if err != nil {
			return nil, err
		}
		if _, err := p.expect(tokOp, ":"); err != nil {
			return nil, err
		}
		v, err := p.expression()
		if err != nil {
			return nil, err
		}
		d.keys, d.values = append(d.keys, k), append(d.values, v)
	}
	return d, nil
}
