package jinja

import (
	"fmt"
	"math/big"

	"github.com/softbench/softbench/tasks/py"
)

type test func(c *context, v py.Value, args []py.Value) (bool, error)

var tests = map[string]test{
	"defined":   func(_ *context, v py.Value, a []py.Value) (bool, error) { return defined(v) == nil, none(a) },
	"undefined": func(_ *context, v py.Value, a []py.Value) (bool, error) { return defined(v) != nil, none(a) },
	"none":      is(func(v py.Value) bool { return v == nil }),
	"boolean":   is(func(v py.Value) bool { _, ok := v.(bool); return ok }),
	"true":      is(func(v py.Value) bool { b, ok := v.(bool); return ok && b }),
	"false":     is(func(v py.Value) bool { b, ok := v.(bool); return ok && !b }),
	"string":    is(func(v py.Value) bool { _, ok := v.(string); return ok }),
	"mapping":   is(func(v py.Value) bool { _, ok := v.(*py.Dict); return ok }),
	"integer":   is(isInteger),
	"float":     is(func(v py.Value) bool { _, ok := v.(float64); return ok }),
	"number":    is(func(v py.Value) bool { _, b := v.(bool); _, f := v.(float64); return b || f || isInteger(v) }),
	"sequence": func(c *context, v py.Value, a []py.Value) (bool, error) {
		_, err := py.Length(v)
		return err == nil || isUndefined(v) && !c.o.Strict, none(a)
	},
	"iterable": func(c *context, v py.Value, a []py.Value) (bool, error) {
		if _, err := c.truth(v); err != nil {
			return false, err
		}
		_, err := py.Length(v)
		return err == nil || isUndefined(v), none(a)
	},
	"callable":    is(func(v py.Value) bool { _, m := v.(*macro); _, f := v.(py.Func); return m || f }),
	"lower":       ofCase(py.Lower, py.Upper),
	"upper":       ofCase(py.Upper, py.Lower),
	"odd":         divides(2, 1),
	"even":        divides(2, 0),
	"divisibleby": divisible,
	"in": func(c *context, v py.Value, a []py.Value) (bool, error) {
		if len(a) != 1 {
			return false, fmt.Errorf("the test in takes one argument")
		}
		return c.compare("in", v, a[0])
	},
	"sameas": func(_ *context, v py.Value, a []py.Value) (bool, error) {
		if len(a) == 1 {
			switch x := a[0].(type) {
			case nil:
				return v == nil, nil
			case bool:
				b, ok := v.(bool)
				return ok && b == x, nil
			}
		}
		return false, fmt.Errorf("the test sameas is understood of true, false and none")
	},
}

func init() {
	for op, names := range map[string][]string{
		"==": {"eq", "equalto", "=="}, "!=": {"ne", "!="}, "<": {"lt", "lessthan", "<"}, "<=": {"le", "<="}, ">": {"gt", "greaterthan", ">"}, ">=": {"ge", ">="},
	} {
		for _, n := range names {
			tests[n] = func(c *context, v py.Value, a []py.Value) (bool, error) {
				if len(a) != 1 {
					return false, fmt.Errorf("the test %s takes one argument", n)
				}
				return c.compare(op, v, a[0])
			}
		}
	}
}

func none(args []py.Value) error {
	if len(args) > 0 {
		return fmt.Errorf("the test takes no argument")
	}
	return nil
}

func isUndefined(v py.Value) bool { return defined(v) != nil }

func isInteger(v py.Value) bool {
	switch v.(type) {
	case int64, *big.Int:
		return true
	}
	return false
}

// is is a test of a value that what is undefined does not pass, and that is an error where what is
// undefined is one.
func is(f func(py.Value) bool) test {
	return func(c *context, v py.Value, a []py.Value) (bool, error) { return f(v), none(a) }
}

func ofCase(to, from func(string) string) test {
	return func(c *context, v py.Value, a []py.Value) (bool, error) {
		s, err := c.str(v)
		return s == to(s) && s != from(s), err
	}
}

func divides(by, rest int64) test {
	return func(_ *context, v py.Value, a []py.Value) (bool, error) {
		r, err := py.Binary("%", v, by)
		return err == nil && py.Equal(r, rest), err
	}
}

func divisible(_ *context, v py.Value, a []py.Value) (bool, error) {
	if len(a) != 1 {
		return false, fmt.Errorf("the test divisibleby takes one argument")
	}
	if defined(v) != nil || defined(a[0]) != nil {
		return false, fmt.Errorf("divisibleby of what is undefined")
	}
	r, err := py.Binary("%", v, a[0])
	return err == nil && py.Equal(r, int64(0)), err
}

func (e testCall) eval(c *context) (py.Value, error) {
	if err := c.step(e.line); err != nil {
		return nil, err
	}
	v, err := e.of.eval(c)
	if err != nil {
		return nil, err
	}
	args, err := evalAll(c, e.args)
	if err != nil {
		return nil, err
	}
	yes, err := tests[e.name](c, v, args)
	return yes, where(e.line, err)
}
