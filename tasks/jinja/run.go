package jinja

import (
	"errors"
	"fmt"

	"github.com/softbench/softbench/tasks/py"
)

func runAll(c *context, body []stmt) error {
	for _, s := range body {
		if err := s.run(c); err != nil {
			return err
		}
	}
	return nil
}

func (s data) run(c *context) error { return c.write(s.text) }

func (s output) run(c *context) error {
	if err := c.step(s.line); err != nil {
		return err
	}
	v, err := s.of.eval(c)
	if err != nil {
		return where(s.line, err)
	}
	text, err := c.str(v)
	if err == nil {
		err = c.write(text)
	}
	return where(s.line, err)
}

// str is the text of a value where a template prints it.
func (c *context) str(v py.Value) (string, error) {
	if u, ok := v.(py.Undefined); ok {
		if c.o.Strict && !u.Soft {
			return "", undefined(u)
		}
		return "", nil
	}
	return py.Str(v)
}

func undefined(u py.Undefined) error { return fmt.Errorf("%s is undefined", u.Name) }

// truth is whether a value counts as true.
func (c *context) truth(v py.Value) (bool, error) {
	if u, ok := v.(py.Undefined); ok && c.o.Strict && !u.Soft {
		return false, undefined(u)
	}
	return py.Truth(v), nil
}

func (s ifStmt) run(c *context) error {
	for i, test := range s.tests {
		v, err := test.eval(c)
		if err != nil {
			return err
		}
		yes, err := c.truth(v)
		if err != nil {
			return err
		}
		if yes {
			return runAll(c, s.bodies[i])
		}
	}
	return runAll(c, s.other)
}

func (s forStmt) run(c *context) error {
	v, err := s.of.eval(c)
	if err != nil {
		return where(s.line, err)
	}
	return where(s.line, s.over(c, v, 1))
}

func (s forStmt) over(c *context, v py.Value, depth int64) error {
	if c.calls++; c.calls > maxCalls {
		return fmt.Errorf("more than %d loops and macros within each other", maxCalls)
	}
	defer func() { c.calls-- }()
	items, err := c.iterate(v)
	if err != nil {
		return err
	}
	if s.test != nil {
		var kept []py.Value
		for _, e := range items {
			in := c.inner()
			if err := in.step(s.line); err != nil {
				return err
			}
			if err := s.target.give(in, e); err != nil {
				return err
			}
			ok, err := s.test.eval(in)
			if err != nil {
				return err
			}
			yes, err := c.truth(ok)
			if err != nil {
				return err
			}
			if yes {
				kept = append(kept, e)
			}
		}
		items = kept
	}
	if len(items) == 0 {
		return runAll(c.inner(), s.other)
	}
	l := &loop{items: items, depth: depth}
	if s.recursive {
		l.again = func(v py.Value) (string, error) {
			in := c.inner()
			return in.capture(func(in *context) error { return s.over(in, v, depth+1) })
		}
	}
	for l.at = range items {
		in := c.inner()
		if err := in.step(s.line); err != nil {
			return err
		}
		in.scope.set("loop", l)
		if err := s.target.give(in, items[l.at]); err != nil {
			return err
		}
		err := runAll(in, s.body)
		if errors.Is(err, errBreak) {
			break
		}
		if err != nil && !errors.Is(err, errContinue) {
			return err
		}
	}
	return nil
}

// iterate gives the values of a loop; what is undefined has none, unless that is an error.
func (c *context) iterate(v py.Value) ([]py.Value, error) {
	if u, ok := v.(py.Undefined); ok {
		if c.o.Strict && !u.Soft {
			return nil, undefined(u)
		}
		return nil, nil
	}
	return py.Iterate(v)
}

func (s jump) run(*context) error {
	if s.next {
		return errContinue
	}
	return errBreak
}

// give gives a value to names.
func (t target) give(c *context, v py.Value) error {
	if t.many == nil {
		if t.attr == "" {
			c.scope.set(t.name, v)
			return nil
		}
		of, _ := c.scope.find(t.name)
		ns, ok := of.(*namespace)
		if !ok {
			return errorAt(t.line, "%s is not a namespace, whose attributes alone can be set", t.name)
		}
		ns.names[t.attr] = v
		return nil
	}
	items, err := c.iterate(v)
	if err != nil {
		return errorAt(t.line, "%v", err)
	}
	if len(items) != len(t.many) {
		return errorAt(t.line, "%d values do not fit %d names", len(items), len(t.many))
	}
	for i, to := range t.many {
		if err := to.give(c, items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s setStmt) run(c *context) error {
	if err := c.step(s.line); err != nil {
		return err
	}
	v, err := s.value.eval(c)
	if err != nil {
		return where(s.line, err)
	}
	return s.target.give(c, v)
}

func (s setBlock) run(c *context) error {
	text, err := c.captured(s.body)
	if err != nil {
		return err
	}
	v, err := c.through(s.filters, text)
	if err != nil {
		return where(s.line, err)
	}
	return s.target.give(c, v)
}

// through gives a text to filters.
func (c *context) through(filters []filterCall, v py.Value) (py.Value, error) {
	for _, f := range filters {
		f.of = constant{v}
		var err error
		if v, err = f.eval(c); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (s filterBlock) run(c *context) error {
	text, err := c.captured(s.body)
	if err != nil {
		return err
	}
	v, err := c.through(s.filters, text)
	if err != nil {
		return where(s.line, err)
	}
	out, err := c.str(v)
	if err == nil {
		err = c.write(out)
	}
	return where(s.line, err)
}

func (s withStmt) run(c *context) error {
	in := c.inner()
	for i, e := range s.values {
		v, err := e.eval(c)
		if err != nil {
			return where(s.line, err)
		}
		if err := s.targets[i].give(in, v); err != nil {
			return err
		}
	}
	return runAll(in, s.body)
}

func (s scopeBlock) run(c *context) error { return runAll(c.inner(), s.body) }

func (s *macroStmt) run(c *context) error {
	c.scope.set(s.name, &macro{s, c})
	return nil
}

func (s callBlock) run(c *context) error {
	if err := c.step(s.line); err != nil {
		return err
	}
	text, err := s.of.with(c, &macro{s.macro, c})
	if err != nil {
		return where(s.line, err)
	}
	out, err := c.str(text)
	if err == nil {
		err = c.write(out)
	}
	return where(s.line, err)
}
