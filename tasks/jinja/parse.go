package jinja

import (
	"slices"
)

// Template is a template that was parsed. It can be rendered by several at once.
type Template struct {
	o    Options
	body []stmt
	only *string // the text of a template without tags
}

// Parse reads a template. What it does not understand is an error with the line.
func Parse(source string, o Options) (*Template, error) {
	tokens, err := lex(source, o)
	if err != nil {
		return nil, err
	}
	p := &parser{o: o, tokens: tokens}
	body, err := p.body()
	if err != nil {
		return nil, err
	}
	if !p.is(tokEOF, "") {
		return nil, p.unexpected()
	}
	if len(p.unknown) > 0 {
		return nil, p.unknown[0]
	}
	t := &Template{o: o, body: body}
	if len(body) == 0 {
		t.only = new(string)
	} else if d, ok := body[0].(data); ok && len(body) == 1 {
		t.only = &d.text
	}
	return t, nil
}

// maxDepth bounds what stands within each other.
const maxDepth = 200

type parser struct {
	o      Options
	tokens []token
	at     int
	depth  int
	loops  int // that the place is in
	// soft places of chat templates are directly within {% if %}, where Jinja asks for a filter only when
	// the place is reached; loops, macros and the like within are none.
	soft    bool
	unknown []error // filters in other places that are not understood
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokEOF {
		p.at++
	}
	return t
}

func (p *parser) is(k kind, text string) bool {
	t := p.peek()
	return t.kind == k && (text == "" || t.text == text)
}

func (p *parser) skip(k kind, text string) bool {
	if p.is(k, text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) unexpected() error {
	t := p.peek()
	if t.kind == tokEOF {
		return errorAt(t.line, "the template ends too early")
	}
	return errorAt(t.line, "unexpected %q", t.text)
}

func (p *parser) expect(k kind, text string) (token, error) {
	if !p.is(k, text) {
		return token{}, p.unexpected()
	}
	return p.next(), nil
}

// deeper counts what stands within each other.
func (p *parser) deeper() error {
	if p.depth++; p.depth > maxDepth {
		return errorAt(p.peek().line, "more than %d parts within each other", maxDepth)
	}
	return nil
}

// body reads up to a statement whose name is one of ends, whose {% and name are taken, or to the
// template's end.
func (p *parser) body(ends ...string) ([]stmt, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	var out []stmt
	for {
		t := p.peek()
		switch {
		case t.kind == tokEOF:
			if len(ends) > 0 {
				return nil, errorAt(t.line, "{%% %s %%} is missing", ends[len(ends)-1])
			}
			return out, nil
		case t.kind == tokData:
			p.next()
			if t.text != "" {
				out = append(out, data{t.text})
			}
		case t.text == "{{":
			p.next()
			e, err := p.tuple(true)
			if err != nil {
				return nil, err
			}
			if _, err := p.expect(tokEnd, "}}"); err != nil {
				return nil, err
			}
			out = append(out, output{e, t.line})
		default:
			p.next()
			word, err := p.expect(tokName, "")
			if err != nil {
				return nil, err
			}
			if slices.Contains(ends, word.text) {
				p.at--
				return out, nil
			}
			s, err := p.statement(word)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
	}
}

func (p *parser) end() error {
	_, err := p.expect(tokEnd, "%}")
	return err
}

// until reads %}, a body, and the statement that ends it.
func (p *parser) until(end string) ([]stmt, error) {
	if err := p.end(); err != nil {
		return nil, err
	}
	defer p.inPlace(p.soft && end == "endif")()
	body, err := p.body(end)
	if err != nil {
		return nil, err
	}
	p.next()
	return body, p.end()
}

func (p *parser) statement(word token) (stmt, error) {
	switch word.text {
	case "if":
		return p.ifStatement()
	case "for":
		return p.forStatement(word)
	case "set":
		return p.set(word)
	case "macro":
		return p.macro(word)
	case "call":
		return p.callBlock(word)
	case "filter":
		return p.filterBlock(word)
	case "with":
		return p.with(word)
	case "break", "continue":
		if p.o.Chat {
			if p.loops == 0 {
				return nil, errorAt(word.line, "%q stands outside a loop", word.text)
			}
			return jump{word.text == "continue"}, p.end()
		}
	case "generation":
		if p.o.Chat {
			body, err := p.until("endgeneration")
			return scopeBlock{body}, err
		}
	}
	return nil, errorAt(word.line, "the statement %q is not understood", word.text)
}

// inPlace sets whether the place is soft, until what it returns is called.
func (p *parser) inPlace(soft bool) (back func()) {
	before := p.soft
	p.soft = soft && p.o.Chat
	return func() { p.soft = before }
}

func (p *parser) ifStatement() (stmt, error) {
	defer p.inPlace(true)()
	var s ifStmt
	for {
		test, err := p.tuple(false)
		if err != nil {
			return nil, err
		}
		if err := p.end(); err != nil {
			return nil, err
		}
		body, err := p.body("elif", "else", "endif")
		if err != nil {
			return nil, err
		}
		s.tests, s.bodies = append(s.tests, test), append(s.bodies, body)
		switch p.next().text {
		case "elif":
			continue
		case "else":
			if s.other, err = p.until("endif"); err != nil {
				return nil, err
			}
			if s.other == nil {
				s.other = []stmt{}
			}
			return s, nil
		}
		return s, p.end()
	}
}

func (p *parser) forStatement(word token) (stmt, error) {
	s := forStmt{line: word.line}
	var err error
	if s.target, err = p.target("in"); err != nil {
		return nil, err
	}
	if _, err := p.expect(tokName, "in"); err != nil {
		return nil, err
	}
	if s.of, err = p.tuple(false); err != nil {
		return nil, err
	}
	defer p.inPlace(false)()
	if p.skip(tokName, "if") {
		if s.test, err = p.expression(); err != nil {
			return nil, err
		}
	}
	s.recursive = p.skip(tokName, "recursive")
	if err := p.end(); err != nil {
		return nil, err
	}
	p.loops++
	s.body, err = p.body("else", "endfor")
	p.loops--
	if err != nil {
		return nil, err
	}
	if p.next().text == "else" {
		s.other, err = p.until("endfor")
		return s, err
	}
	return s, p.end()
}

// target reads what a value is given to.
func (p *parser) target(until string) (target, error) {
	first := p.peek()
	var all []target
	for {
		if p.skip(tokOp, "(") {
			inner, err := p.target("")
			if err != nil {
				return target{}, err
			}
			if _, err := p.expect(tokOp, ")"); err != nil {
				return target{}, err
			}
			all = append(all, inner)
		} else {
			t, err := p.expect(tokName, "")
			if err != nil {
				return target{}, err
			}
			if slices.Contains([]string{"true", "false", "none", "True", "False", "None"}, t.text) {
				return target{}, errorAt(t.line, "nothing can be given to %q", t.text)
			}
			one := target{name: t.text, line: t.line}
			if until != "in" && p.skip(tokOp, ".") {
				a, err := p.expect(tokName, "")
				if err != nil {
					return target{}, err
				}
				one.attr = a.text
			}
			all = append(all, one)
		}
		if !p.skip(tokOp, ",") {
			break
		}
		if p.is(tokName, "in") || p.is(tokOp, "=") || p.is(tokOp, ")") {
			return target{many: all, line: first.line}, nil
		}
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return target{many: all, line: first.line}, nil
}
