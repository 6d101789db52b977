package pyfunc

import (
	"fmt"

	"github.com/softbench/softbench/tasks/py"
)

// ternary reads a whole expression.
func (p *parser) ternary() (node, error) {
	if err := p.deeper(); err != nil {
		return node{}, err
	}
	defer func() { p.depth-- }()
	if p.is("lambda") {
		return p.lambda()
	}
	then, err := p.or()
	if err != nil || !p.is("if") {
		if err == nil && p.is(":=") {
			return p.walrus(then)
		}
		return then, err
	}
	p.next()
	test, err := p.or()
	if err != nil {
		return node{}, err
	}
	if err := p.expect("else"); err != nil {
		return node{}, err
	}
	other, err := p.ternary()
	if err != nil {
		return node{}, err
	}
	return value(func(f *frame) (py.Value, error) {
		v, err := test.eval(f)
		if err != nil {
			return nil, err
		}
		if truth(v) {
			return then.eval(f)
		}
		return other.eval(f)
	}), nil
}

func (p *parser) walrus(to node) (node, error) {
	p.next()
	v, err := p.ternary()
	if err != nil {
		return node{}, err
	}
	if to.assign == nil {
		return node{}, p.unexpected()
	}
	p.give(to.name)
	return value(func(f *frame) (py.Value, error) {
		w, err := v.eval(f)
		if err != nil {
			return nil, err
		}
		return w, to.assign(f, w)
	}), nil
}

func (p *parser) lambda() (node, error) {
	line := p.next().line
	params, err := p.params(":", false)
	if err != nil {
		return node{}, err
	}
	body, err := p.ternary()
	if err != nil {
		return node{}, err
	}
	return value(func(f *frame) (py.Value, error) {
		fn := &Func{name: "<lambda>", params: params, value: body.eval, frame: f, module: f.module, line: line}
		return fn, fn.evalDefaults(f)
	}), nil
}

func (p *parser) or() (node, error) { return p.logic("or", p.and) }

func (p *parser) and() (node, error) { return p.logic("and", p.not) }

func (p *parser) logic(word string, of func() (node, error)) (node, error) {
	left, err := of()
	for err == nil && p.skip(word) {
		var right node
		if right, err = of(); err != nil {
			break
		}
		a := left
		left = value(func(f *frame) (py.Value, error) {
			v, err := a.eval(f)
			if err != nil || truth(v) == (word == "or") {
				return v, err
			}
			return right.eval(f)
		})
	}
	return left, err
}

func (p *parser) not() (node, error) {
	if p.is("not") {
		p.next()
		if err := p.deeper(); err != nil {
			return node{}, err
		}
		defer func() { p.depth-- }()
		n, err := p.not()
		return value(func(f *frame) (py.Value, error) {
			v, err := n.eval(f)
			return !truth(v), err
		}), err
	}
	return p.comparison()
}

func (p *parser) comparison() (node, error) {
	first, err := p.binary(0)
	if err != nil {
		return node{}, err
	}
	var ops []string
	var rest []node
	line := p.peek().line
	for {
		op := ""
		switch {
		case p.is("==", "!=", "<", "<=", ">", ">=", "in"):
			op = p.next().text
		case p.is("not") && p.tokens[p.at+1].text == "in":
			p.at += 2
			op = "not in"
		case p.is("is"):
			p.next()
			op = "is"
			if p.skip("not") {
				op = "is not"
			}
		}
		if op == "" {
			break
		}
		n, err := p.binary(0)
		if err != nil {
			return node{}, err
		}
		ops, rest = append(ops, op), append(rest, n)
	}
	if len(ops) == 0 {
		return first, nil
	}
	return value(p.placed(line, func(f *frame) (py.Value, error) {
		left, err := first.eval(f)
		if err != nil {
			return nil, err
		}
		for i, op := range ops {
			right, err := rest[i].eval(f)
			if err != nil {
				return nil, err
			}
			if err := f.charge(left, right); err != nil {
				return nil, err
			}
			_, isArray := left.(*array)
			if _, also := right.(*array); (isArray || also) && len(ops) == 1 && op != "in" && op != "not in" && op != "is" && op != "is not" {
				return compareArrays(op, left, right)
			}
			ok, err := compare(op, left, right)
			if err != nil || !ok {
				return false, err
			}
			left = right
		}
		return true, nil
	})), nil
}

var levels = [][]string{{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%", "@"}}

func (p *parser) binary(level int) (node, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil && p.is(levels[level]...) {
		t := p.next()
		var right node
		if right, err = p.binary(level + 1); err != nil {
			break
		}
		a := left
		left = value(p.placed(t.line, func(f *frame) (py.Value, error) {
			v, err := a.eval(f)
			if err != nil {
				return nil, err
			}
			w, err := right.eval(f)
			if err != nil {
				return nil, err
			}
			if err := f.charge(v, w); err != nil {
				return nil, err
			}
			return operate(f, t.text, v, w)
		}))
	}
	return left, err
}

func (p *parser) unary() (node, error) {
	if p.is("-", "+", "~") {
		t := p.next()
		if err := p.deeper(); err != nil {
			return node{}, err
		}
		defer func() { p.depth-- }()
		n, err := p.unary()
		return value(p.placed(t.line, func(f *frame) (py.Value, error) {
			v, err := n.eval(f)
			if err != nil || t.text == "+" {
				return v, err
			}
			if t.text == "~" {
				return nil, fmt.Errorf("~ is not understood")
			}
			if m, ok := v.(*matrix); ok {
				return m.negated(), nil
			}
			return py.Negate(v)
		})), err
	}
	base, err := p.postfix()
	if err != nil || !p.is("**") {
		return base, err
	}
	t := p.next()
	power, err := p.unary()
	return value(p.placed(t.line, func(f *frame) (py.Value, error) {
		v, err := base.eval(f)
		if err != nil {
			return nil, err
		}
		w, err := power.eval(f)
		if err != nil {
			return nil, err
		}
		return operate(f, "**", v, w)
	})), err
}
