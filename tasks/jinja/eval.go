package jinja

import (
	"fmt"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

func (e constant) eval(*context) (py.Value, error) { return e.value, nil }

func (e name) eval(c *context) (py.Value, error) {
	if err := c.step(e.line); err != nil {
		return nil, err
	}
	if v, ok := c.scope.find(e.name); ok {
		return v, nil
	}
	return py.Undefined{Name: fmt.Sprintf("%q", e.name)}, nil
}

func evalAll(c *context, list []expr) ([]py.Value, error) {
	out := make([]py.Value, len(list))
	for i, e := range list {
		v, err := e.eval(c)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (e list) eval(c *context) (py.Value, error) {
	items, err := evalAll(c, e.items)
	return &py.List{Items: items}, err
}

func (e tuple) eval(c *context) (py.Value, error) {
	items, err := evalAll(c, e.items)
	return py.Tuple(items), err
}

func (e dict) eval(c *context) (py.Value, error) {
	d := py.NewDict()
	for i := range e.keys {
		k, err := e.keys[i].eval(c)
		if err != nil {
			return nil, err
		}
		v, err := e.values[i].eval(c)
		if err != nil {
			return nil, err
		}
		switch k.(type) {
		case nil, bool, int64, float64, string:
		default:
			return nil, errorAt(e.line, "a key of a dict is of type %s", py.TypeName(k))
		}
		d.Set(k, v)
	}
	return d, nil
}

// defined gives an error for what is undefined: nothing can be computed with it.
func defined(v py.Value) error {
	if u, ok := v.(py.Undefined); ok {
		return undefined(u)
	}
	return nil
}

func (e binary) eval(c *context) (py.Value, error) {
	if err := c.step(e.line); err != nil {
		return nil, err
	}
	a, err := e.left.eval(c)
	if err != nil {
		return nil, err
	}
	b, err := e.right.eval(c)
	if err != nil {
		return nil, err
	}
	for _, v := range []py.Value{a, b} {
		if err := defined(v); err != nil {
			return nil, where(e.line, err)
		}
	}
	if err := c.charge(e.line, a, b); err != nil {
		return nil, err
	}
	v, err := py.Binary(e.op, a, b)
	if err == nil {
		err = c.charge(e.line, v)
	}
	return v, where(e.line, err)
}

func (e unary) eval(c *context) (py.Value, error) {
	v, err := e.of.eval(c)
	if err != nil {
		return nil, err
	}
	if e.op == "not" {
		yes, err := c.truth(v)
		return !yes, where(e.line, err)
	}
	if err := defined(v); err != nil {
		return nil, where(e.line, err)
	}
	if e.op == "+" {
		if v, err = py.Negate(v); err != nil {
			return nil, where(e.line, err)
		}
	}
	v, err = py.Negate(v)
	return v, where(e.line, err)
}

func (e logic) eval(c *context) (py.Value, error) {
	v, err := e.left.eval(c)
	if err != nil {
		return nil, err
	}
	yes, err := c.truth(v)
	if err != nil || yes != e.and {
		return v, err
	}
	return e.right.eval(c)
}

func (e comparison) eval(c *context) (py.Value, error) {
	if err := c.step(e.line); err != nil {
		return nil, err
	}
	left, err := e.first.eval(c)
	if err != nil {
		return nil, err
	}
	for i, op := range e.ops {
		right, err := e.rest[i].eval(c)
		if err != nil {
			return nil, err
		}
		if err := c.charge(e.line, left, right); err != nil {
			return nil, err
		}
		ok, err := c.compare(op, left, right)
		if err != nil || !ok {
			return false, where(e.line, err)
		}
		left = right
	}
	return true, nil
}

func (c *context) compare(op string, a, b py.Value) (bool, error) {
	for _, v := range []py.Value{a, b} {
		u, ok := v.(py.Undefined)
		if ok && (c.o.Strict && !u.Soft || op != "==" && op != "!=" && op != "in" && op != "not in") {
			return false, undefined(u)
		}
	}
	switch op {
	case "==":
		return py.Equal(a, b), nil
	case "!=":
		return !py.Equal(a, b), nil
	case "in", "not in":
		if _, ok := b.(py.Undefined); ok {
			return op == "not in", nil
		}
		in, err := py.Contains(b, a)
		return in == (op == "in"), err
	}
	order, err := py.Compare(a, b)
	switch op {
	case "<":
		return order < 0, err
	case "<=":
		return order <= 0, err
	case ">":
		return order > 0, err
	}
	return order >= 0, err
}

func (e concat) eval(c *context) (py.Value, error) {
	var b strings.Builder
	for _, part := range e.parts {
		v, err := part.eval(c)
		if err != nil {
			return nil, err
		}
		s, err := c.str(v)
		if err != nil {
			return nil, err
		}
		if err := c.charge(e.line, s); err != nil {
			return nil, err
		}
		if b.Len()+len(s) > py.MaxItems {
			return nil, fmt.Errorf("a text passes %d bytes", py.MaxItems)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

func (e conditional) eval(c *context) (py.Value, error) {
	v, err := e.test.eval(c)
	if err != nil {
		return nil, err
	}
	yes, err := c.truth(v)
	switch {
	case err != nil:
		return nil, where(e.line, err)
	case yes:
		return e.then.eval(c)
	case e.otherwise == nil:
		return py.Undefined{Name: "what an if without else leaves out", Soft: true}, nil
	}
	return e.otherwise.eval(c)
}
