package pyfunc

import (
	"fmt"

	"github.com/softbench/softbench/tasks/py"
)

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
			}), assign: func(f *frame, w py.Value) error {
				v, err := of(f)
				if err != nil {
					return err
				}
				return p.m.place(line, setAttribute(v, t.text, w))
			}}
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
			a.lazy = true
		}
		if n.name == "next" && len(args) == 0 && !a.lazy {
			return node{}, p.fail(line, "next of what is no generator that stands in the call is not understood")
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
