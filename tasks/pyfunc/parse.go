package pyfunc

import (
	"fmt"
	"slices"
	"strings"

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

func (p *parser) or() (node, error)  { return p.logic("or", p.and) }
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

// postfix reads attributes, calls and subscripts.
func (p *parser) postfix() (node, error) {
	n, err := p.atom()
	for err == nil {
		line := p.peek().line
		switch {
		case p.skip("."):
			t := p.next()
			if t.kind != tokName {
				return node{}, p.unexpected()
			}
			of := n.eval
			p.useAttr(n, t)
			n = node{of: of, attr: t.text, eval: p.placed(line, func(f *frame) (py.Value, error) {
				v, err := of(f)
				if err != nil {
					return nil, err
				}
				return attribute(f, v, t.text)
			})}
		case p.is("("):
			n, err = p.call(n)
		case p.skip("["):
			n, err = p.subscript(n, line)
		default:
			return n, nil
		}
	}
	return n, err
}

func (p *parser) call(n node) (node, error) {
	line := p.next().line
	var args []node
	var names []string
	for !p.skip(")") {
		if len(args) > 0 {
			if err := p.expect(","); err != nil {
				return node{}, err
			}
			if p.skip(")") {
				break
			}
		}
		name := ""
		unpack := 0
		switch {
		case p.skip("**"):
			unpack = 2
		case p.skip("*"):
			unpack = 1
		case p.peek().kind == tokName && p.tokens[p.at+1].kind == tokOp && p.tokens[p.at+1].text == "=":
			name = p.next().text
			p.next()
		}
		a, err := p.ternary()
		if err != nil {
			return node{}, err
		}
		a.unpack = unpack
		if name == "" && unpack == 0 && p.is("for", "async") {
			if a, err = p.comprehension(a, node{}, "("); err != nil {
				return node{}, err
			}
		}
		args, names = append(args, a), append(names, name)
	}
	return value(p.placed(line, func(f *frame) (py.Value, error) {
		of, err := n.eval(f)
		if err != nil {
			return nil, err
		}
		var given []py.Value
		var named map[string]py.Value
		for i, a := range args {
			v, err := a.eval(f)
			if err != nil {
				return nil, err
			}
			switch {
			case a.unpack == 1:
				more, err := iterate(v)
				if err != nil {
					return nil, err
				}
				given = append(given, more...)
			case a.unpack == 2:
				d, ok := v.(*py.Dict)
				if !ok {
					return nil, fmt.Errorf("** takes a dict, not %s", py.TypeName(v))
				}
				if named == nil {
					named = map[string]py.Value{}
				}
				each(d, func(k, w py.Value) {
					if s, ok := k.(string); ok {
						named[s] = w
					}
				})
			case names[i] != "":
				if named == nil {
					named = map[string]py.Value{}
				}
				named[names[i]] = v
			default:
				given = append(given, v)
			}
		}
		v, err := call(f.budget, of, given, named)
		if err == nil {
			err = f.charge(v)
		}
		return v, err
	})), nil
}

func (p *parser) subscript(n node, line int) (node, error) {
	var parts [3]*node
	slices := 0
	for !p.skip("]") {
		if p.skip(":") {
			if slices++; slices > 2 {
				return node{}, p.unexpected()
			}
			continue
		}
		e, err := p.list()
		if err != nil {
			return node{}, err
		}
		parts[slices] = &e
		if !p.is(":", "]") {
			return node{}, p.unexpected()
		}
	}
	of := n.eval
	if slices == 0 {
		if parts[0] == nil {
			return node{}, p.unexpected()
		}
		key := parts[0].eval
		return node{
			eval: p.placed(line, func(f *frame) (py.Value, error) {
				v, err := of(f)
				if err != nil {
					return nil, err
				}
				k, err := key(f)
				if err != nil {
					return nil, err
				}
				if _, ok := v.(string); ok {
					if err := f.charge(v); err != nil {
						return nil, err
					}
				}
				return index(v, k)
			}),
			assign: func(f *frame, w py.Value) error {
				v, err := of(f)
				if err != nil {
					return err
				}
				k, err := key(f)
				if err != nil {
					return err
				}
				return p.m.place(line, setIndex(v, k, w))
			},
		}, nil
	}
	return value(p.placed(line, func(f *frame) (py.Value, error) {
		v, err := of(f)
		if err != nil {
			return nil, err
		}
		var bounds [3]py.Value
		for i, b := range parts {
			if b != nil {
				if bounds[i], err = b.eval(f); err != nil {
					return nil, err
				}
			}
		}
		if err := f.charge(v); err != nil {
			return nil, err
		}
		return py.Slice(v, bounds[0], bounds[1], bounds[2])
	})), nil
}

// atom reads a name, a literal, or what stands in brackets.
func (p *parser) atom() (node, error) {
	t := p.next()
	switch t.kind {
	case tokNumber:
		v, err := number(t.text)
		return constant(v), p.m.place(t.line, err)
	case tokString, tokFormat:
		p.at--
		return p.texts()
	case tokName:
		return p.name(t)
	case tokOp:
		switch t.text {
		case "(":
			if p.skip(")") {
				return p.tupleOf(nil), nil
			}
			n, err := p.list()
			if err != nil {
				return node{}, err
			}
			if p.is("for") {
				if n, err = p.comprehension(n, node{}, "("); err != nil {
					return node{}, err
				}
			}
			return n, p.expect(")")
		case "[":
			return p.listDisplay()
		case "{":
			return p.dictDisplay()
		case "...":
			return constant(nil), nil
		}
	}
	p.at--
	return node{}, p.unexpected()
}

func constant(v py.Value) node { return value(func(*frame) (py.Value, error) { return v, nil }) }

var keywords = strings.Fields("and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield")

func (p *parser) name(t token) (node, error) {
	switch t.text {
	case "True":
		return constant(true), nil
	case "False":
		return constant(false), nil
	case "None":
		return constant(nil), nil
	}
	if slices.Contains(keywords, t.text) {
		p.at--
		return node{}, p.unexpected()
	}
	p.use(t)
	return node{
		name: t.text,
		eval: p.placed(t.line, func(f *frame) (py.Value, error) {
			v, ok, err := f.find(t.text)
			if err == nil && !ok {
				err = fmt.Errorf("the name %q is not understood", t.text)
			}
			return v, err
		}),
		assign: func(f *frame, v py.Value) error { f.names[t.text] = v; return nil },
	}, nil
}

func (p *parser) listDisplay() (node, error) {
	var nodes []node
	for !p.skip("]") {
		if len(nodes) > 0 {
			if err := p.expect(","); err != nil {
				return node{}, err
			}
			if p.skip("]") {
				break
			}
		}
		n, err := p.starred()
		if err != nil {
			return node{}, err
		}
		if len(nodes) == 0 && p.is("for") {
			if n, err = p.comprehension(n, node{}, "["); err != nil {
				return node{}, err
			}
			return n, p.expect("]")
		}
		nodes = append(nodes, n)
	}
	out := value(func(f *frame) (py.Value, error) {
		v, err := items(f, nodes)
		return &py.List{Items: v}, err
	})
	out.assign, out.within = assignAll(nodes), nodes
	return out, nil
}

func (p *parser) dictDisplay() (node, error) {
	var keys, values []node // a set has no values
	isSet := false
	for first := true; !p.skip("}"); first = false {
		if !first {
			if err := p.expect(","); err != nil {
				return node{}, err
			}
			if p.skip("}") {
				break
			}
		}
		if p.skip("**") {
			n, err := p.binary(0)
			if err != nil {
				return node{}, err
			}
			n.unpack = 2
			keys, values = append(keys, n), append(values, n)
			continue
		}
		k, err := p.starred()
		if err != nil {
			return node{}, err
		}
		v := node{}
		if p.skip(":") {
			if v, err = p.ternary(); err != nil {
				return node{}, err
			}
		} else {
			isSet = true
		}
		if first && p.is("for") {
			how := "{"
			if isSet {
				how = "set"
			}
			n, err := p.comprehension(k, v, how)
			if err != nil {
				return node{}, err
			}
			return n, p.expect("}")
		}
		keys, values = append(keys, k), append(values, v)
	}
	if isSet {
		return value(func(f *frame) (py.Value, error) {
			v, err := items(f, keys)
			if err != nil {
				return nil, err
			}
			return newSet(v)
		}), nil
	}
	return value(func(f *frame) (py.Value, error) {
		d := py.NewDict()
		for i, k := range keys {
			key, err := k.eval(f)
			if err != nil {
				return nil, err
			}
			if k.unpack == 2 {
				from, ok := key.(*py.Dict)
				if !ok {
					return nil, fmt.Errorf("** takes a dict, not %s", py.TypeName(key))
				}
				d.Unordered = d.Unordered || from.Unordered && from.Len() > 1
				each(from, func(k, v py.Value) { d.Set(k, v) })
				continue
			}
			v, err := values[i].eval(f)
			if err != nil {
				return nil, err
			}
			if err := hashable(key); err != nil {
				return nil, err
			}
			d.Set(key, v)
		}
		return d, nil
	}), nil
}

// comprehension reads for ... in ... if ..., of an element or of a key and a value.
func (p *parser) comprehension(element, val node, how string) (node, error) {
	type clause struct {
		target node
		of     node
		tests  []node
	}
	var clauses []clause
	line := p.peek().line
	for p.skip("for") {
		target, err := p.targets()
		if err != nil {
			return node{}, err
		}
		if err := p.expect("in"); err != nil {
			return node{}, err
		}
		c := clause{target: target}
		if c.of, err = p.or(); err != nil {
			return node{}, err
		}
		for p.skip("if") {
			t, err := p.or()
			if err != nil {
				return node{}, err
			}
			c.tests = append(c.tests, t)
		}
		clauses = append(clauses, c)
	}
	return value(p.placed(line, func(f *frame) (py.Value, error) {
		list, d := &py.List{}, py.NewDict()
		in := f.inner()
		var run func(k int) error
		run = func(k int) error {
			if k == len(clauses) {
				v, err := element.eval(in)
				if err != nil {
					return err
				}
				if how == "{" {
					w, err := val.eval(in)
					if err != nil {
						return err
					}
					if err := hashable(v); err != nil {
						return err
					}
					d.Set(v, w)
					return nil
				}
				list.Items = append(list.Items, v)
				return nil
			}
			c := clauses[k]
			of, err := c.of.eval(in)
			if err != nil {
				return err
			}
			values, err := iterate(of)
			if err != nil {
				return err
			}
		next:
			for _, v := range values {
				if err := f.step(); err != nil {
					return err
				}
				if err := c.target.assign(in, v); err != nil {
					return err
				}
				for _, t := range c.tests {
					ok, err := t.eval(in)
					if err != nil {
						return err
					}
					if !truth(ok) {
						continue next
					}
				}
				if err := run(k + 1); err != nil {
					return err
				}
			}
			return nil
		}
		if err := run(0); err != nil {
			return nil, err
		}
		switch how {
		case "{":
			return d, nil
		case "set":
			return newSet(list.Items)
		}
		return list, nil
	})), nil
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
