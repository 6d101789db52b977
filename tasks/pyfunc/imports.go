package pyfunc

import (
	"fmt"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

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
	switch own, err := m.loader.own(path); {
	case err != nil:
		return nil, err
	case own != nil:
		if v, ok, err := own.global(name, b); ok || err != nil {
			return v, err
		}
	}
	within := path + "." + name
	if strings.Trim(path, ".") == "" {
		within = path + name
	}
	if file := m.fileOf(within); file != "" {
		from, err := m.loader.Load(file)
		return &moduleValue{from}, err
	}
	return moduleNamed(path).get(name), nil
}
