package pyfunc

import (
	"fmt"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

// simple reads a statement of one line.
func (p *parser) simple() (stmt, error) {
	t := p.peek()
	switch {
	case p.skip("pass"):
		return func(*frame) (ctl, error) { return ctlNext, nil }, nil
	case p.skip("break"):
		return func(*frame) (ctl, error) { return ctlBreak, nil }, nil
	case p.skip("continue"):
		return func(*frame) (ctl, error) { return ctlContinue, nil }, nil
	case p.skip("return"):
		if k := p.peek().kind; k == tokNewline || k == tokEOF || p.is(";") {
			return func(f *frame) (ctl, error) { f.result = nil; return ctlReturn, nil }, nil
		}
		n, err := p.list()
		return func(f *frame) (ctl, error) {
			v, err := n.eval(f)
			f.result = v
			return ctlReturn, err
		}, err
	case p.skip("raise"):
		return p.raise()
	case p.skip("assert"):
		return p.assert()
	case p.is("import", "from"):
		return p.importing()
	}
	n, err := p.list()
	if err != nil {
		return nil, err
	}
	switch {
	case p.is(":"): // a name with its type
		p.next()
		if err := p.quietly(p.ternary); err != nil {
			return nil, err
		}
		if !p.is("=") {
			return func(*frame) (ctl, error) { return ctlNext, nil }, nil
		}
		return p.assignment(n, t.line)
	case p.is("="):
		return p.assignment(n, t.line)
	case p.peek().kind == tokOp && strings.HasSuffix(p.peek().text, "=") && len(p.peek().text) > 1 && !p.is("==", "!=", "<=", ">="):
		op := strings.TrimSuffix(p.next().text, "=")
		if n.assign == nil {
			return nil, p.unexpected()
		}
		p.give(n.name)
		v, err := p.list()
		return func(f *frame) (ctl, error) {
			a, err := n.eval(f)
			if err != nil {
				return 0, err
			}
			b, err := v.eval(f)
			if err != nil {
				return 0, err
			}
			if err := f.charge(a, b); err != nil {
				return 0, err
			}
			if l, ok := a.(*py.List); ok && op == "+" { // the list itself grows
				more, err := iterate(b)
				if err != nil {
					return 0, err
				}
				if len(l.Items)+len(more) > maxList {
					return 0, fmt.Errorf("a list grows past %d values", maxList)
				}
				l.Items = append(l.Items, more...)
				return 0, nil
			}
			c, err := operate(f, op, a, b)
			if err != nil {
				return 0, err
			}
			return 0, n.assign(f, c)
		}, err
	}
	return func(f *frame) (ctl, error) {
		_, err := n.eval(f)
		return ctlNext, err
	}, nil
}

func (p *parser) assignment(first node, line int) (stmt, error) {
	targets := []node{first}
	var last node
	for p.skip("=") {
		n, err := p.list()
		if err != nil {
			return nil, err
		}
		last = n
		targets = append(targets, n)
	}
	targets = targets[:len(targets)-1]
	p.giveAll(targets)
	for _, t := range targets {
		if t.assign == nil {
			return nil, p.fail(line, "nothing can be given to what stands before =")
		}
	}
	return func(f *frame) (ctl, error) {
		v, err := last.eval(f)
		if err != nil {
			return 0, err
		}
		for _, t := range targets {
			if err := t.assign(f, v); err != nil {
				return 0, err
			}
		}
		return ctlNext, nil
	}, nil
}

func (p *parser) raise() (stmt, error) {
	t := p.peek()
	if t.kind != tokName {
		return nil, p.unexpected()
	}
	if err := p.quietly(p.ternary); err != nil {
		return nil, err
	}
	if p.skip("from") {
		if err := p.quietly(p.ternary); err != nil {
			return nil, err
		}
	}
	return func(f *frame) (ctl, error) { return 0, &raised{Kind: t.text} }, nil
}

func (p *parser) assert() (stmt, error) {
	n, err := p.ternary()
	if err != nil {
		return nil, err
	}
	if p.skip(",") {
		if _, err := p.ternary(); err != nil {
			return nil, err
		}
	}
	return func(f *frame) (ctl, error) {
		v, err := n.eval(f)
		if err == nil && !truth(v) {
			err = &raised{Kind: "AssertionError"}
		}
		return ctlNext, err
	}, nil
}
