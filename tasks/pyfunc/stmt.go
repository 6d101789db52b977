package pyfunc

import (
	"errors"
	"fmt"
	"slices"

	"github.com/softbench/softbench/tasks/py"
)

// ctl says how a statement ended.
type ctl int

const (
	ctlNext ctl = iota
	ctlBreak
	ctlContinue
	ctlReturn
)

type stmt func(f *frame) (ctl, error)

type block []stmt

func (b block) run(f *frame) (ctl, error) {
	for _, s := range b {
		if err := f.step(); err != nil {
			return 0, err
		}
		if c, err := s(f); err != nil || c != ctlNext {
			return c, err
		}
	}
	return ctlNext, nil
}

// statements reads up to a token of a kind.
func (p *parser) statements(end kind) (block, error) {
	var out block
	for p.peek().kind != end {
		if p.peek().kind == tokNewline {
			p.next()
			continue
		}
		if p.peek().kind == tokEOF {
			return nil, p.unexpected()
		}
		line := p.peek().line
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		m := p.m
		out = append(out, func(f *frame) (ctl, error) {
			c, err := s(f)
			return c, m.place(line, err)
		})
	}
	return out, nil
}

// body reads : and a block.
func (p *parser) body() (block, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if err := p.expect(":"); err != nil {
		return nil, err
	}
	if p.peek().kind != tokNewline { // on the same line
		var out block
		for {
			s, err := p.simple()
			if err != nil {
				return nil, err
			}
			out = append(out, s)
			if !p.skip(";") {
				break
			}
			if p.peek().kind == tokNewline {
				break
			}
		}
		if p.peek().kind != tokNewline {
			return nil, p.unexpected()
		}
		p.next()
		return out, nil
	}
	p.next()
	if p.peek().kind != tokIndent {
		return nil, p.unexpected()
	}
	p.next()
	out, err := p.statements(tokDedent)
	p.next()
	return out, err
}

func (p *parser) statement() (stmt, error) {
	switch {
	case p.is("if"):
		return p.ifStatement()
	case p.is("for"):
		return p.forStatement()
	case p.is("while"):
		return p.whileStatement()
	case p.is("def"):
		return p.def()
	case p.is("try"):
		return p.try()
	case p.is("with"):
		return p.with()
	case p.is("class"):
		return p.classStatement()
	case p.is("async", "@", "global", "nonlocal", "del", "yield"):
		return nil, p.unexpected()
	}
	s, err := p.simple()
	if err != nil {
		return nil, err
	}
	for p.skip(";") {
		if p.peek().kind == tokNewline {
			break
		}
		more, err := p.simple()
		if err != nil {
			return nil, err
		}
		first := s
		s = func(f *frame) (ctl, error) {
			if c, err := first(f); err != nil || c != ctlNext {
				return c, err
			}
			return more(f)
		}
	}
	if k := p.peek().kind; k != tokNewline && k != tokEOF {
		return nil, p.unexpected()
	}
	return s, nil
}

// with reads with file as name: block; nothing but a file is understood.
func (p *parser) with() (stmt, error) {
	p.next()
	of, err := p.ternary()
	if err != nil {
		return nil, err
	}
	if err := p.expect("as"); err != nil {
		return nil, err
	}
	t := p.next()
	if t.kind != tokName {
		return nil, p.unexpected()
	}
	p.give(t.text)
	body, err := p.body()
	if err != nil {
		return nil, err
	}
	return func(f *frame) (ctl, error) {
		v, err := of.eval(f)
		if err != nil {
			return 0, err
		}
		if _, ok := v.(openedFile); !ok {
			return 0, fmt.Errorf("with a %s is not understood", py.TypeName(v))
		}
		f.names[t.text] = v
		return body.run(f)
	}, nil
}

func (p *parser) ifStatement() (stmt, error) {
	p.next()
	test, err := p.walrusOr()
	if err != nil {
		return nil, err
	}
	then, err := p.body()
	if err != nil {
		return nil, err
	}
	var other block
	switch {
	case p.is("elif"):
		if err := p.deeper(); err != nil {
			return nil, err
		}
		s, err := p.ifStatement()
		p.depth--
		if err != nil {
			return nil, err
		}
		other = block{s}
	case p.skip("else"):
		if other, err = p.body(); err != nil {
			return nil, err
		}
	}
	return func(f *frame) (ctl, error) {
		v, err := test.eval(f)
		if err != nil {
			return 0, err
		}
		if truth(v) {
			return then.run(f)
		}
		return other.run(f)
	}, nil
}

func (p *parser) walrusOr() (node, error) { return p.ternary() }

func (p *parser) forStatement() (stmt, error) {
	p.next()
	target, err := p.targets()
	if err != nil {
		return nil, err
	}
	if err := p.expect("in"); err != nil {
		return nil, err
	}
	of, err := p.list()
	if err != nil {
		return nil, err
	}
	body, err := p.body()
	if err != nil {
		return nil, err
	}
	var other block
	if p.skip("else") {
		if other, err = p.body(); err != nil {
			return nil, err
		}
	}
	return func(f *frame) (ctl, error) {
		v, err := of.eval(f)
		if err != nil {
			return 0, err
		}
		values, err := iterate(v)
		if err != nil {
			return 0, err
		}
		for _, v := range values {
			if err := f.step(); err != nil {
				return 0, err
			}
			if err := target.assign(f, v); err != nil {
				return 0, err
			}
			c, err := body.run(f)
			if err != nil || c == ctlReturn {
				return c, err
			}
			if c == ctlBreak {
				return ctlNext, nil
			}
		}
		return other.run(f)
	}, nil
}

func (p *parser) whileStatement() (stmt, error) {
	p.next()
	test, err := p.ternary()
	if err != nil {
		return nil, err
	}
	body, err := p.body()
	if err != nil {
		return nil, err
	}
	return func(f *frame) (ctl, error) {
		for {
			if err := f.step(); err != nil {
				return 0, err
			}
			v, err := test.eval(f)
			if err != nil || !truth(v) {
				return ctlNext, err
			}
			c, err := body.run(f)
			if err != nil || c == ctlReturn {
				return c, err
			}
			if c == ctlBreak {
				return ctlNext, nil
			}
		}
	}, nil
}

func (p *parser) try() (stmt, error) {
	p.next()
	body, err := p.body()
	if err != nil {
		return nil, err
	}
	type handler struct {
		kinds []string
		name  string
		body  block
	}
	var handlers []handler
	for p.skip("except") {
		h := handler{}
		if !p.is(":") {
			list := p.skip("(")
			for {
				t := p.next()
				if t.kind != tokName {
					p.at--
					return nil, p.unexpected()
				}
				for p.skip(".") {
					t = p.next()
				}
				h.kinds = append(h.kinds, t.text)
				if !list || !p.skip(",") {
					break
				}
			}
			if list {
				if err := p.expect(")"); err != nil {
					return nil, err
				}
			}
			if p.skip("as") {
				h.name = p.next().text
				p.give(h.name)
			}
		}
		if h.body, err = p.body(); err != nil {
			return nil, err
		}
		handlers = append(handlers, h)
	}
	if len(handlers) == 0 || p.is("else", "finally") {
		return nil, p.unexpected()
	}
	return func(f *frame) (ctl, error) {
		c, err := body.run(f)
		var r *raised
		if err == nil || !errors.As(err, &r) {
			return c, err
		}
		for _, h := range handlers {
			if len(h.kinds) == 0 || slices.Contains(h.kinds, r.Kind) || slices.Contains(h.kinds, "Exception") ||
				slices.Contains(h.kinds, "LookupError") && (r.Kind == "KeyError" || r.Kind == "IndexError") {
				if h.name != "" {
					f.names[h.name] = r.Text
				}
				return h.body.run(f)
			}
		}
		return c, err
	}, nil
}
