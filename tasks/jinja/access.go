package jinja

import (
	"fmt"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

func (e attribute) eval(c *context) (py.Value, error) {
	of, err := e.of.eval(c)
	if err != nil {
		return nil, err
	}
	if err := defined(of); err != nil {
		return nil, where(e.line, err)
	}
	v, err := c.attr(of, e.name)
	return v, where(e.line, err)
}

// attr is of.name: an attribute, else the value of a key.
func (c *context) attr(of py.Value, name string) (py.Value, error) {
	if o, ok := of.(py.Object); ok {
		if v, ok := o.Attr(name); ok {
			return v, nil
		}
	} else if m, ok := c.method(of, name); ok {
		return m, nil
	}
	if v, ok := py.Index(of, name); ok {
		return v, nil
	}
	if err := hidden(of, name); err != nil {
		return nil, err
	}
	return py.Undefined{Name: fmt.Sprintf("the attribute %q of a %s", name, py.TypeName(of))}, nil
}

// method is a method that templates may call: those of a chat template may change nothing.
func (c *context) method(of py.Value, name string) (py.Func, bool) {
	if c.o.Chat {
		switch name {
		case "append", "pop", "update":
			if _, ok := py.Method(of, name); ok {
				return func([]py.Value, map[string]py.Value) (py.Value, error) {
					return nil, fmt.Errorf("%s changes a value, which chat templates must not", name)
				}, true
			}
		}
	}
	m, ok := py.Method(of, name)
	if !ok {
		return nil, false
	}
	return func(args []py.Value, named map[string]py.Value) (py.Value, error) {
		if err := c.charge(0, append([]py.Value{of}, args...)...); err != nil {
			return nil, err
		}
		return m(args, named)
	}, true
}

// notOurs are attributes that Python's own types have and that are not understood here: they are not
// undefined.
var notOurs = map[string]string{
	"str":  " casefold center encode expandtabs format_map isalnum isascii isidentifier islower isnumeric isprintable istitle isupper ljust maketrans rjust swapcase translate zfill ",
	"list": " clear extend insert remove reverse sort ", "dict": " clear fromkeys pop popitem setdefault ", "tuple": " count index ",
	"int":   " as_integer_ratio bit_count bit_length conjugate denominator from_bytes imag numerator real to_bytes is_integer ",
	"float": " as_integer_ratio conjugate fromhex hex imag is_integer real ", "bool": " as_integer_ratio bit_count bit_length conjugate denominator from_bytes imag numerator real to_bytes ",
	"range": " count index start step stop ",
}

func hidden(of py.Value, name string) error {
	if strings.Contains(notOurs[py.TypeName(of)], " "+name+" ") || strings.HasPrefix(name, "__") {
		return fmt.Errorf("the attribute %q of a %s is not understood", name, py.TypeName(of))
	}
	return nil
}

func (e item) eval(c *context) (py.Value, error) {
	of, err := e.of.eval(c)
	if err != nil {
		return nil, err
	}
	key, err := e.key.eval(c)
	if err != nil {
		return nil, err
	}
	for _, v := range []py.Value{of, key} {
		if err := defined(v); err != nil {
			return nil, where(e.line, err)
		}
	}
	if _, isText := of.(string); isText { // its code points are counted
		if err := c.charge(e.line, of); err != nil {
			return nil, err
		}
	}
	if v, ok := py.Index(of, key); ok {
		return v, nil
	}
	if s, ok := key.(string); ok {
		v, err := c.attr(of, s)
		return v, where(e.line, err)
	}
	text, err := py.Repr(key)
	return py.Undefined{Name: fmt.Sprintf("the item %s of a %s", text, py.TypeName(of))}, err
}

func (e slice) eval(c *context) (py.Value, error) {
	of, err := e.of.eval(c)
	if err != nil {
		return nil, err
	}
	var bounds [3]py.Value
	for i, b := range []expr{e.start, e.stop, e.step} {
		if b == nil {
			continue
		}
		if bounds[i], err = b.eval(c); err != nil {
			return nil, err
		}
	}
	if err := defined(of); err != nil {
		return nil, where(e.line, err)
	}
	if err := c.charge(e.line, of); err != nil {
		return nil, err
	}
	v, err := py.Slice(of, bounds[0], bounds[1], bounds[2])
	return v, where(e.line, err)
}

func (e call) eval(c *context) (py.Value, error) {
	v, err := e.with(c, nil)
	if err == nil {
		err = c.charge(e.line, v)
	}
	return v, where(e.line, err)
}

// with calls a function; caller is what a {% call %} hands on.
func (e call) with(c *context, caller *macro) (py.Value, error) {
	if err := c.step(e.line); err != nil {
		return nil, err
	}
	of, err := e.of.eval(c)
	if err != nil {
		return nil, err
	}
	args, named, err := e.args.eval(c)
	if err != nil {
		return nil, err
	}
	if m, ok := of.(*macro); ok {
		return m.call(c, args, named, caller)
	}
	if caller != nil {
		return nil, fmt.Errorf("{%% call %%} needs a macro")
	}
	switch f := of.(type) {
	case py.Func:
		for _, a := range args {
			if err := defined(a); err != nil {
				return nil, err
			}
		}
		return f(args, named)
	case *loop:
		if f.again != nil && len(args) == 1 {
			return f.again(args[0])
		}
	}
	if err := defined(of); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("a value of type %s cannot be called", py.TypeName(of))
}

func (a arguments) eval(c *context) (args []py.Value, named map[string]py.Value, err error) {
	if args, err = evalAll(c, a.args); err != nil {
		return nil, nil, err
	}
	for i, k := range a.names {
		v, err := a.named[i].eval(c)
		if err != nil {
			return nil, nil, err
		}
		if named == nil {
			named = map[string]py.Value{}
		}
		named[k] = v
	}
	return args, named, nil
}
