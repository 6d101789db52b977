package jinja

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

// loop is what a for loop's body sees as loop.
type loop struct {
	items []py.Value
	at    int
	depth int64
	again func(py.Value) (string, error) // of a recursive loop
	last  *py.List                       // what changed was last called with
}

func (l *loop) TypeName() string { return "loop" }

func (l *loop) Attr(name string) (py.Value, bool) {
	n := int64(len(l.items))
	at := int64(l.at)
	switch name {
	case "index":
		return at + 1, true
	case "index0":
		return at, true
	case "revindex":
		return n - at, true
	case "revindex0":
		return n - at - 1, true
	case "first":
		return at == 0, true
	case "last":
		return at == n-1, true
	case "length":
		return n, true
	case "depth":
		return l.depth, true
	case "depth0":
		return l.depth - 1, true
	case "previtem":
		if at > 0 {
			return l.items[at-1], true
		}
		return py.Undefined{Name: "there is no previous item"}, true
	case "nextitem":
		if at+1 < n {
			return l.items[at+1], true
		}
		return py.Undefined{Name: "there is no next item"}, true
	case "cycle":
		return py.Func(func(args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) == 0 {
				return nil, errors.New("loop.cycle has nothing to cycle through")
			}
			return args[l.at%len(args)], nil
		}), true
	case "changed":
		return py.Func(func(args []py.Value, _ map[string]py.Value) (py.Value, error) {
			now := py.NewList(args...)
			same := l.last != nil && py.Equal(l.last, now)
			l.last = now
			return !same, nil
		}), true
	}
	return nil, false
}

// namespace is what namespace() gives: names that stay when a loop ends.
type namespace struct{ names map[string]py.Value }

func (n *namespace) TypeName() string { return "namespace" }

func (n *namespace) Attr(name string) (py.Value, bool) {
	v, ok := n.names[name]
	return v, ok
}

// macro is a macro, or what a {% call %} hands on, with the place where it stands.
type macro struct {
	def *macroStmt
	c   *context
}

func (m *macro) TypeName() string { return "macro" }

func (m *macro) Attr(name string) (py.Value, bool) {
	if name == "name" {
		return m.def.name, true
	}
	return nil, false
}

func (m *macro) call(from *context, args []py.Value, named map[string]py.Value, caller *macro) (py.Value, error) {
	in := m.c.inner()
	in.calls = from.calls + 1
	if in.calls > maxCalls {
		return nil, fmt.Errorf("more than %d loops and macros within each other", maxCalls)
	}
	if len(args) > len(m.def.params) {
		return nil, fmt.Errorf("%s takes %d arguments, not %d", m.def.name, len(m.def.params), len(args))
	}
	for k := range named {
		if !slices.Contains(m.def.params, k) {
			return nil, fmt.Errorf("%s has no parameter %q", m.def.name, k)
		}
	}
	for i, p := range m.def.params {
		v, ok := named[p]
		switch {
		case i < len(args) && ok:
			return nil, fmt.Errorf("%s is given %q twice", m.def.name, p)
		case i < len(args):
			v = args[i]
		case !ok:
			v = py.Undefined{Name: fmt.Sprintf("the parameter %q", p)}
			if d := i - (len(m.def.params) - len(m.def.defaults)); d >= 0 {
				var err error
				if v, err = m.def.defaults[d].eval(in); err != nil {
					return nil, err
				}
			}
		}
		in.scope.set(p, v)
	}
	if caller != nil {
		in.scope.set("caller", caller)
	}
	in.scope = &scope{up: in.scope}
	return in.capture(func(in *context) error { return runAll(in, m.def.body) })
}

// capture gives the text that run writes.
func (c *context) capture(run func(*context) error) (string, error) {
	in := *c
	in.out = &strings.Builder{}
	if err := run(&in); err != nil {
		return "", err
	}
	return in.out.String(), nil
}

// globals are the names that every template knows.
func globals(o Options) map[string]py.Value {
	g := map[string]py.Value{
		"range":     py.Func(rangeOf),
		"namespace": py.Func(newNamespace),
		"dict": py.Func(func(args []py.Value, named map[string]py.Value) (py.Value, error) {
			if len(args) > 0 || len(named) > 1 {
				return nil, errors.New("dict() with more than one argument by name is not understood")
			}
			d := py.NewDict()
			for k, v := range named {
				d.Set(k, v)
			}
			return d, nil
		}),
	}
	if o.Chat {
		g["raise_exception"] = py.Func(func(args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) != 1 {
				return nil, errors.New("raise_exception takes one argument")
			}
			s, err := py.Str(args[0])
			if err != nil {
				return nil, err
			}
			return nil, &RaisedError{s}
		})
	}
	return g
}

// RaisedError is what a chat template refuses with raise_exception.
type RaisedError struct{ Message string }

func (e *RaisedError) Error() string { return e.Message }

func rangeOf(args []py.Value, named map[string]py.Value) (py.Value, error) {
	n := make([]int64, len(args))
	for i, a := range args {
		v, ok := py.Int(a)
		if !ok || len(named) > 0 {
			return nil, fmt.Errorf("range takes whole numbers, not %s", py.TypeName(a))
		}
		n[i] = v
	}
	const most = 1 << 40
	for _, v := range n {
		if v > most || v < -most {
			return nil, fmt.Errorf("range of %d is too large", v)
		}
	}
	switch {
	case len(n) == 1:
		return py.Range{Start: 0, Stop: n[0], Step: 1}, nil
	case len(n) == 2:
		return py.Range{Start: n[0], Stop: n[1], Step: 1}, nil
	case len(n) == 3 && n[2] != 0:
		return py.Range{Start: n[0], Stop: n[1], Step: n[2]}, nil
	}
	return nil, errors.New("range takes one to three whole numbers, of which the third is not 0")
}

func newNamespace(args []py.Value, named map[string]py.Value) (py.Value, error) {
	ns := &namespace{map[string]py.Value{}}
	for _, a := range args {
		d, ok := a.(*py.Dict)
		if !ok {
			return nil, fmt.Errorf("namespace takes a dict, not %s", py.TypeName(a))
		}
		keys, err := d.Keys()
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if s, ok := k.(string); ok {
				ns.names[s], _ = d.Get(k)
			}
		}
	}
	for k, v := range named {
		ns.names[k] = v
	}
	return ns, nil
}
