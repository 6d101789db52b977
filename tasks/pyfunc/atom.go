package pyfunc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

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
				n.lazy = true
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
