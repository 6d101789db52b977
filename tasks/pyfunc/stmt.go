package pyfunc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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
	case p.is("class", "async", "@", "global", "nonlocal", "del", "yield"):
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

// params reads a signature up to end.
func (p *parser) params(end string, typed bool) ([]param, error) {
	var out []param
	keyword := false
	for !p.skip(end) {
		if len(out) > 0 || keyword {
			if err := p.expect(","); err != nil {
				return nil, err
			}
			if p.skip(end) {
				break
			}
		}
		if p.skip("/") {
			continue
		}
		q := param{keyword: keyword}
		if p.skip("**") {
			q.star = 2
		} else if p.skip("*") {
			keyword = true
			if p.is(",") {
				continue
			}
			q.star = 1
		}
		t := p.next()
		if t.kind != tokName {
			p.at--
			return nil, p.unexpected()
		}
		q.name = t.text
		p.give(t.text)
		if typed && p.skip(":") {
			if err := p.quietly(p.ternary); err != nil {
				return nil, err
			}
		}
		if p.skip("=") {
			n, err := p.ternary()
			if err != nil {
				return nil, err
			}
			q.value = n.eval
		}
		out = append(out, q)
	}
	return out, nil
}

func (f *Func) evalDefaults(at *frame) error {
	f.defaults = map[string]py.Value{}
	for _, p := range f.params {
		if p.value != nil {
			v, err := p.value(at)
			if err != nil {
				return err
			}
			f.defaults[p.name] = v
		}
	}
	return nil
}

func (p *parser) def() (stmt, error) {
	line := p.next().line
	t := p.next()
	if t.kind != tokName {
		return nil, p.unexpected()
	}
	p.give(t.text)
	if err := p.expect("("); err != nil {
		return nil, err
	}
	params, err := p.params(")", true)
	if err != nil {
		return nil, err
	}
	if p.skip("->") {
		if err := p.quietly(p.ternary); err != nil {
			return nil, err
		}
	}
	body, err := p.body()
	if err != nil {
		return nil, err
	}
	return func(f *frame) (ctl, error) {
		fn := &Func{name: t.text, params: params, body: body, module: f.module, line: line}
		if f.up != nil || f.budget.calls > 0 { // within a function; at the left edge names are the module's
			fn.frame = f
		}
		f.names[t.text] = fn
		return ctlNext, fn.evalDefaults(f)
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
			if len(h.kinds) == 0 || slices.Contains(h.kinds, r.kind) || slices.Contains(h.kinds, "Exception") ||
				slices.Contains(h.kinds, "LookupError") && (r.kind == "KeyError" || r.kind == "IndexError") {
				if h.name != "" {
					f.names[h.name] = r.text
				}
				return h.body.run(f)
			}
		}
		return c, err
	}, nil
}

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
	return func(f *frame) (ctl, error) { return 0, &raised{kind: t.text} }, nil
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
			err = &raised{kind: "AssertionError"}
		}
		return ctlNext, err
	}, nil
}

// importing reads import a.b as c, and from a import b as c, d.
func (p *parser) importing() (stmt, error) {
	line := p.peek().line
	dotted := func() string {
		var b strings.Builder
		for p.is(".", "...") || p.peek().kind == tokName && !p.is("import", "as") {
			b.WriteString(p.next().text)
		}
		return b.String()
	}
	type name struct{ from, as string }
	var names []name
	if p.skip("import") {
		for {
			path := dotted()
			as := strings.SplitN(path, ".", 2)[0]
			if p.skip("as") {
				as = p.next().text
			} else if as != path {
				path = as // import a.b gives a
			}
			names = append(names, name{path, as})
			p.give(as)
			if !p.skip(",") {
				break
			}
		}
		return func(f *frame) (ctl, error) {
			for _, n := range names {
				f.names[n.as] = moduleNamed(n.from)
			}
			return ctlNext, nil
		}, nil
	}
	p.next()
	path := dotted()
	if err := p.expect("import"); err != nil {
		return nil, err
	}
	if p.is("*") {
		return nil, p.unexpected()
	}
	paren := p.skip("(")
	for p.peek().kind == tokName {
		n := name{from: p.next().text}
		n.as = n.from
		if p.skip("as") {
			n.as = p.next().text
		}
		names = append(names, n)
		p.give(n.as)
		if !p.skip(",") {
			break
		}
	}
	if paren {
		if err := p.expect(")"); err != nil {
			return nil, err
		}
	}
	m := p.m
	return func(f *frame) (ctl, error) {
		for _, n := range names {
			v, err := m.imported(path, n.from, f.budget)
			if err != nil {
				return 0, m.place(line, err)
			}
			f.names[n.as] = v
		}
		return ctlNext, nil
	}, nil
}

// imported is a name of another module; of one that is not the task files', what is known of it.
func (m *Module) imported(path, name string, b *budget) (py.Value, error) {
	if file := m.fileOf(path); file != "" {
		from, err := m.loader.Load(file)
		if err != nil {
			return nil, err
		}
		v, ok, err := from.global(name, b)
		if err == nil && !ok {
			err = fmt.Errorf("%s has no name %q that is understood", file, name)
		}
		return v, err
	}
	if path == "." || strings.Trim(path, ".") == "" {
		if file := m.fileOf(path + name); file != "" {
			return nil, fmt.Errorf("a module %s as a value is not understood", name)
		}
	}
	return moduleNamed(path).get(name), nil
}
