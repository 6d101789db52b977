package pyfunc

import (
	"fmt"
	"slices"

	"github.com/softbench/softbench/tasks/py"
)

// expr is an expression that was read.
type expr func(f *frame) (py.Value, error)

// node is an expression, and what it can be besides a value.
type node struct {
	eval   expr
	assign func(f *frame, v py.Value) error // nil: nothing can be given to it
	of     expr                             // of an attribute: what it is of
	attr   string
	name   string // of a name
	within []node // of a tuple or list
	unpack int    // 1 of *x, 2 of **x
	lazy   bool   // a generator
}

type parser struct {
	m      *Module
	tokens []token
	at     int
	depth  int
	uses   *uses // nil: not asked for
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokEOF {
		p.at++
	}
	return t
}

func (p *parser) is(texts ...string) bool {
	t := p.peek()
	return (t.kind == tokOp || t.kind == tokName) && slices.Contains(texts, t.text)
}

func (p *parser) skip(text string) bool {
	if p.is(text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(text string) error {
	if !p.skip(text) {
		return p.unexpected()
	}
	return nil
}

func (p *parser) fail(line int, format string, args ...any) error {
	return p.m.place(line, fmt.Errorf(format, args...))
}

func (p *parser) unexpected() error {
	t := p.peek()
	what := t.text
	if what == "" {
		what = "the end of a line or block"
	}
	return p.fail(t.line, "%q is not understood here", what)
}

func (p *parser) deeper() error {
	if p.depth++; p.depth > 150 {
		return p.fail(p.peek().line, "more than 150 parts within each other")
	}
	return nil
}

// placed gives an expression's errors its line.
func (p *parser) placed(line int, e expr) expr {
	m := p.m
	return func(f *frame) (py.Value, error) {
		if err := f.step(); err != nil {
			return nil, m.place(line, err)
		}
		v, err := e(f)
		if err != nil {
			return nil, m.place(line, err)
		}
		return v, nil
	}
}

func value(e expr) node { return node{eval: e} }

// list reads expressions between commas; one without a comma is itself.
func (p *parser) list() (node, error) {
	first, err := p.starred()
	if err != nil {
		return node{}, err
	}
	if !p.is(",") {
		if first.unpack > 0 {
			return node{}, p.unexpected()
		}
		return first, nil
	}
	nodes := []node{first}
	for p.skip(",") {
		if t := p.peek(); t.kind == tokNewline || t.kind == tokEOF || p.is("=", ")", "]", "}", ":", "in", ";") {
			break
		}
		n, err := p.starred()
		if err != nil {
			return node{}, err
		}
		nodes = append(nodes, n)
	}
	return p.tupleOf(nodes), nil
}

func (p *parser) starred() (node, error) {
	if p.skip("*") {
		n, err := p.binary(0)
		n.unpack = 1
		return n, err
	}
	return p.ternary()
}

// items evaluates nodes, those with a star as what they hold.
func items(f *frame, nodes []node) ([]py.Value, error) {
	out := make([]py.Value, 0, len(nodes))
	for _, n := range nodes {
		v, err := n.eval(f)
		if err != nil {
			return nil, err
		}
		if n.unpack == 1 {
			more, err := iterate(v)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
			continue
		}
		out = append(out, v)
	}
	return out, f.charge(py.Tuple(out))
}

func (p *parser) tupleOf(nodes []node) node {
	out := value(func(f *frame) (py.Value, error) {
		v, err := items(f, nodes)
		return py.Tuple(v), err
	})
	out.assign, out.within = assignAll(nodes), nodes
	return out
}

// assignAll gives values to names, one each, or the rest to one with a star.
func assignAll(nodes []node) func(f *frame, v py.Value) error {
	star := -1
	for i, n := range nodes {
		if n.assign == nil {
			return nil
		}
		if n.unpack == 1 {
			star = i
		}
	}
	return func(f *frame, v py.Value) error {
		values, err := iterate(v)
		if err != nil {
			return err
		}
		if star < 0 && len(values) != len(nodes) || len(values) < len(nodes)-1 {
			return raise("ValueError", "%d values do not fit %d names", len(values), len(nodes))
		}
		for i, n := range nodes {
			w := py.Value(nil)
			switch after := len(nodes) - 1 - i; {
			case i == star:
				w = &py.List{Items: slices.Clone(values[i : len(values)-after])}
			case star >= 0 && i > star:
				w = values[len(values)-1-after]
			default:
				w = values[i]
			}
			if err := n.assign(f, w); err != nil {
				return err
			}
		}
		return nil
	}
}

// targets reads what a for gives values to.
func (p *parser) targets() (node, error) {
	var nodes []node
	for {
		n, err := p.postfixTarget()
		if err != nil {
			return node{}, err
		}
		if n.assign == nil {
			return node{}, p.unexpected()
		}
		nodes = append(nodes, n)
		p.give(n.name)
		p.giveAll(n.within)
		if !p.skip(",") {
			break
		}
		if p.is("in") {
			return p.tupleOf(nodes), nil
		}
	}
	if len(nodes) == 1 {
		return nodes[0], nil
	}
	return p.tupleOf(nodes), nil
}

func (p *parser) postfixTarget() (node, error) {
	if p.skip("*") {
		n, err := p.postfix()
		n.unpack = 1
		return n, err
	}
	return p.postfix()
}

func (p *parser) use(t token) {
	if p.uses != nil && p.uses.silent == 0 {
		if _, ok := p.uses.names[t.text]; !ok {
			p.uses.names[t.text] = t.line
		}
	}
}

func (p *parser) useAttr(n node, t token) {
	if p.uses == nil || p.uses.silent > 0 {
		return
	}
	if n.name != "" {
		p.uses.pairs[[2]string{n.name, t.text}] = t.line
	}
	// an attribute of a module is checked with the module
	if _, ok := p.uses.attrs[t.text]; !ok && !(n.name != "" && p.m.imports(n.name)) {
		p.uses.attrs[t.text] = t.line
	}
}

// give notes a name that gets a value.
func (p *parser) give(name string) {
	if p.uses != nil && name != "" {
		p.uses.given[name] = true
	}
}

func (p *parser) giveAll(nodes []node) {
	for _, n := range nodes {
		p.give(n.name)
		p.giveAll(n.within)
	}
}

// quietly reads what is not run: a type, an error that is raised.
func (p *parser) quietly(read func() (node, error)) error {
	if p.uses != nil {
		p.uses.silent++
		defer func() { p.uses.silent-- }()
	}
	_, err := read()
	return err
}
