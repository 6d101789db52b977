package jinja

import (
	"slices"
)

// postfix reads .name, [key] and (arguments) behind an expression.
func (p *parser) postfix(e expr) (expr, error) {
	for {
		t := p.peek()
		switch {
		case p.skip(tokOp, "."):
			a := p.next()
			switch a.kind {
			case tokName:
				e = attribute{e, a.text, t.line}
			case tokNumber:
				i, err := number(a)
				if err != nil {
					return nil, err
				}
				e = item{e, i, t.line}
			default:
				p.at--
				return nil, p.unexpected()
			}
		case p.skip(tokOp, "["):
			var err error
			if e, err = p.subscript(e, t.line); err != nil {
				return nil, err
			}
		case p.is(tokOp, "("):
			args, err := p.arguments()
			if err != nil {
				return nil, err
			}
			e = call{e, args, t.line}
		default:
			return e, nil
		}
	}
}

func (p *parser) subscript(of expr, line int) (expr, error) {
	var parts [3]expr
	n, colons := 0, 0
	for !p.is(tokOp, "]") {
		if p.skip(tokOp, ":") {
			colons++
			n++
			if colons > 2 {
				return nil, p.unexpected()
			}
			continue
		}
		if p.is(tokOp, ",") || parts[n] != nil {
			return nil, errorAt(line, "a subscript of several parts is not understood")
		}
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		parts[n] = e
	}
	p.next()
	if colons > 0 {
		return slice{of, parts[0], parts[1], parts[2], line}, nil
	}
	if parts[0] == nil {
		return nil, errorAt(line, "a subscript is empty")
	}
	return item{of, parts[0], line}, nil
}

func (p *parser) arguments() (a arguments, err error) {
	if _, err := p.expect(tokOp, "("); err != nil {
		return a, err
	}
	for first := true; !p.skip(tokOp, ")"); first = false {
		if !first {
			if _, err := p.expect(tokOp, ","); err != nil {
				return a, err
			}
			if p.skip(tokOp, ")") {
				break
			}
		}
		if p.is(tokOp, "*") || p.is(tokOp, "**") {
			return a, errorAt(p.peek().line, "arguments with %s are not understood", p.peek().text)
		}
		t := p.peek()
		if t.kind == tokName && p.tokens[p.at+1].kind == tokOp && p.tokens[p.at+1].text == "=" {
			p.at += 2
			e, err := p.expression()
			if err != nil {
				return a, err
			}
			a.names, a.named = append(a.names, t.text), append(a.named, e)
			continue
		}
		if len(a.names) > 0 {
			return a, errorAt(t.line, "an argument by position follows one by name")
		}
		e, err := p.expression()
		if err != nil {
			return a, err
		}
		a.args = append(a.args, e)
	}
	return a, nil
}

// filtered reads |filter, `is test` and calls behind an expression.
func (p *parser) filtered(e expr) (expr, error) {
	for {
		t := p.peek()
		switch {
		case p.skip(tokOp, "|"):
			f, err := p.filter(e)
			if err != nil {
				return nil, err
			}
			e = *f
		case p.skip(tokName, "is"):
			var err error
			if e, err = p.test(e, t.line); err != nil {
				return nil, err
			}
		case p.is(tokOp, "("):
			args, err := p.arguments()
			if err != nil {
				return nil, err
			}
			e = call{e, args, t.line}
		default:
			return e, nil
		}
	}
}

// filter reads a filter's name and arguments.
func (p *parser) filter(of expr) (*filterCall, error) {
	t, err := p.expect(tokName, "")
	if err != nil {
		return nil, err
	}
	f := &filterCall{of: of, name: t.text, line: t.line}
	if !knownFilter(t.text, p.o) && !p.soft {
		p.unknown = append(p.unknown, errorAt(t.line, "the filter %q is not understood", t.text))
	}
	if p.is(tokOp, "(") {
		f.args, err = p.arguments()
	}
	return f, err
}

func (p *parser) test(of expr, line int) (expr, error) {
	not := p.skip(tokName, "not")
	t, err := p.expect(tokName, "")
	if err != nil {
		return nil, err
	}
	if tests[t.text] == nil {
		return nil, errorAt(t.line, "the test %q is not understood", t.text)
	}
	c := testCall{of: of, name: t.text, line: line}
	next := p.peek()
	starts := next.kind == tokString || next.kind == tokNumber || next.kind == tokOp && (next.text == "[" || next.text == "{") ||
		next.kind == tokName && !slices.Contains([]string{"else", "or", "and"}, next.text)
	switch {
	case p.is(tokName, "is"):
		return nil, errorAt(t.line, "a test of a test is not understood")
	case p.is(tokOp, "("):
		a, err := p.arguments()
		if err != nil {
			return nil, err
		}
		if len(a.names) > 0 {
			return nil, errorAt(t.line, "a test with named arguments is not understood")
		}
		c.args = a.args
	case starts:
		e, err := p.primary()
		if err == nil {
			e, err = p.postfix(e)
		}
		if err != nil {
			return nil, err
		}
		c.args = []expr{e}
	}
	if not {
		return unary{"not", c, line}, nil
	}
	return c, nil
}
