package pyfunc

import (
	"fmt"

	"github.com/softbench/softbench/tasks/py"
)

// class is a class of Python code at a file's left edge: methods and values, on other such classes or none.
type class struct {
	name  string
	bases []*class
	names map[string]py.Value
}

// TypeName of a class.
func (*class) TypeName() string { return "type" }

// Attr is what the class or one of its bases has.
func (c *class) Attr(name string) (py.Value, bool) {
	if name == "__name__" {
		return c.name, true
	}
	v, _, ok := c.find(name)
	return v, ok
}

// find is a name of the class, and which class has it.
func (c *class) find(name string) (py.Value, *class, bool) {
	if v, ok := c.names[name]; ok {
		return v, c, true
	}
	for _, b := range c.bases {
		if v, of, ok := b.find(name); ok {
			return v, of, true
		}
	}
	return nil, nil, false
}

// object is an instance of a class.
type object struct {
	class *class
	names map[string]py.Value
}

// TypeName of it is its class's name.
func (o *object) TypeName() string { return o.class.name }

// Attr is a value of its own, or what its class has: a function as a method of it.
func (o *object) Attr(name string) (py.Value, bool) {
	if v, ok := o.names[name]; ok {
		return v, true
	}
	return o.from(o.class, name)
}

func (o *object) from(c *class, name string) (py.Value, bool) {
	v, _, ok := c.find(name)
	if f, isFunc := v.(*Func); isFunc {
		return &method{f, o}, true
	}
	return v, ok
}

// method is a function with the object that it is of.
type method struct {
	f  *Func
	of *object
}

// Attr of it is none.
func (*method) Attr(string) (py.Value, bool) { return nil, false }

// TypeName of it.
func (*method) TypeName() string { return "method" }

// above is super(): the object as the bases of a class see it.
type above struct {
	of    *object
	class *class
}

// TypeName of it.
func (above) TypeName() string { return "super" }

// Attr is what the bases have; every object can be made by __init__ of nothing.
func (a above) Attr(name string) (py.Value, bool) {
	for _, b := range a.class.bases {
		if v, ok := a.of.from(b, name); ok {
			return v, true
		}
	}
	if name == "__init__" {
		return native(func(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
			if len(args)+len(named) > 0 {
				return nil, raise("TypeError", "object.__init__ takes no arguments")
			}
			return nil, nil
		}), true
	}
	return nil, false
}

// superOf is super() within a method.
func (f *frame) superOf() native {
	return func(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
		for s := f; s != nil; s = s.up {
			if s.of == nil || s.of.class == nil || len(s.of.params) == 0 {
				continue
			}
			if self, ok := s.names[s.of.params[0].name].(*object); ok && len(args)+len(named) == 0 {
				return above{self, s.of.class}, nil
			}
		}
		return nil, fmt.Errorf("super like this is not understood")
	}
}

// made is an instance, with __init__ called.
func (c *class) made(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	o := &object{c, map[string]py.Value{}}
	init, ok := o.Attr("__init__")
	if !ok {
		if len(args)+len(named) > 0 {
			return nil, raise("TypeError", "%s takes no arguments", c.name)
		}
		return o, nil
	}
	_, err := call(b, init, args, named)
	return o, err
}

// classStatement reads class Name(Base, ...): body.
func (p *parser) classStatement() (stmt, error) {
	line := p.next().line
	t := p.next()
	if t.kind != tokName {
		return nil, p.unexpected()
	}
	p.give(t.text)
	var bases []node
	if p.skip("(") {
		for !p.skip(")") {
			if len(bases) > 0 {
				if err := p.expect(","); err != nil {
					return nil, err
				}
			}
			n, err := p.ternary()
			if err != nil {
				return nil, err
			}
			bases = append(bases, n)
		}
	}
	body, err := p.body()
	if err != nil {
		return nil, err
	}
	return func(f *frame) (ctl, error) {
		if f.up != nil || f.of != nil {
			return 0, p.fail(line, "a class within a function is not understood")
		}
		c := &class{name: t.text}
		for _, b := range bases {
			v, err := b.eval(f)
			if err != nil {
				return 0, err
			}
			base, ok := v.(*class)
			if !ok {
				if e, isExternal := v.(*external); isExternal {
					return 0, p.fail(line, "a class that is made of %s is not understood", e.name)
				}
				return 0, p.fail(line, "a class that is made of a %s is not understood", py.TypeName(v))
			}
			c.bases = append(c.bases, base)
		}
		in := &frame{names: map[string]py.Value{}, module: f.module, budget: f.budget}
		if _, err := body.run(in); err != nil {
			return 0, err
		}
		for _, v := range in.names {
			if fn, ok := v.(*Func); ok {
				fn.class, fn.frame = c, nil
			}
		}
		c.names = in.names
		f.names[t.text] = c
		return ctlNext, nil
	}, nil
}

// setAttribute gives an object's name a value.
func setAttribute(v py.Value, name string, w py.Value) error {
	o, ok := v.(*object)
	if !ok {
		return fmt.Errorf("giving an attribute of a %s a value is not understood", py.TypeName(v))
	}
	o.names[name] = w
	return nil
}
