package pyfunc

import (
	"errors"
	"fmt"

	"github.com/softbench/softbench/tasks/py"
)

// budget counts what a call may take.
type budget struct {
	steps, calls int
	loader       *Loader // whose files can be read
}

const (
	maxSteps    = 1 << 22 // expressions and statements of one call from outside
	moduleSteps = 1 << 24 // more of a name at a file's left edge: a set of all punctuation goes through a million characters
	maxCalls    = 60      // functions within each other
)

// frame has a call's names; those it lacks are the module's or the function's around it.
type frame struct {
	names  map[string]py.Value
	up     *frame
	module *Module
	budget *budget
	result py.Value // of return
	of     *Func    // that is called; nil at the left edge
}

func (f *frame) inner() *frame {
	return &frame{names: map[string]py.Value{}, up: f, module: f.module, budget: f.budget}
}

func (f *frame) find(name string) (py.Value, bool, error) {
	for s := f; s != nil; s = s.up {
		if v, ok := s.names[name]; ok {
			return v, true, nil
		}
	}
	if v, ok, err := f.module.global(name, f.budget); ok || err != nil {
		return v, ok, err
	}
	if name == "globals" {
		m := f.module
		return native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) { return m.made, nil }), true, nil
	}
	if name == "super" {
		return f.superOf(), true, nil
	}
	v, ok := builtins[name]
	return v, ok, nil
}

func (f *frame) step() error {
	if f.budget.steps++; f.budget.steps > maxSteps {
		return fmt.Errorf("the function takes more than %d steps", maxSteps)
	}
	return nil
}

// charge counts what an operation on a long value takes.
func (f *frame) charge(values ...py.Value) error {
	for _, v := range values {
		switch x := v.(type) {
		case string:
			f.budget.steps += len(x) >> 8
		case *py.List:
			f.budget.steps += len(x.Items) >> 2
		case py.Tuple:
			f.budget.steps += len(x) >> 2
		case *py.Dict:
			f.budget.steps += x.Len() >> 2
		}
	}
	return f.step()
}

// raised is an exception of Python that code can catch.
type raised = py.Exception

func raise(kind, format string, args ...any) error {
	return &raised{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// place gives an error the line of a file, unless it has one.
func (m *Module) place(line int, err error) error {
	var e *placed
	if err == nil || errors.As(err, &e) {
		return err
	}
	return &placed{m.file, line, err}
}

// placed is an error with its place.
type placed struct {
	file string
	line int
	err  error
}

func (p *placed) Error() string { return fmt.Sprintf("%s:%d: %s", p.file, p.line, p.err) }
func (p *placed) Unwrap() error { return p.err }

// Func is a function that is defined in Python.
type Func struct {
	name     string
	params   []param
	body     block
	value    expr // of a lambda
	frame    *frame
	defaults map[string]py.Value
	module   *Module
	line     int
	class    *class // of a method
}

type param struct {
	name    string
	star    int // 1 of *args, 2 of **kwargs
	keyword bool
	value   expr // default; nil: none
}

// Attr of a function is its name.
func (f *Func) Attr(name string) (py.Value, bool) {
	if name == "__name__" {
		return f.name, true
	}
	return nil, false
}

// TypeName of a function.
func (f *Func) TypeName() string { return "function" }

func (f *Func) call(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if b.calls++; b.calls > maxCalls {
		return nil, fmt.Errorf("more than %d functions within each other", maxCalls)
	}
	defer func() { b.calls-- }()
	in := &frame{names: map[string]py.Value{}, up: f.frame, module: f.module, budget: b, of: f}
	used := 0
	rest := map[string]py.Value{}
	for k, v := range named {
		rest[k] = v
	}
	for _, p := range f.params {
		v, given := rest[p.name]
		switch {
		case p.star == 1:
			in.names[p.name] = py.Tuple(append([]py.Value{}, args[min(used, len(args)):]...))
			used = len(args)
			continue
		case p.star == 2:
			d := py.NewDict()
			for k, v := range rest {
				d.Set(k, v)
			}
			d.Unordered = true
			in.names[p.name] = d
			rest = nil
			continue
		case !p.keyword && used < len(args):
			if given {
				return nil, raise("TypeError", "%s is given %q twice", f.name, p.name)
			}
			v = args[used]
			used++
		case given:
			delete(rest, p.name)
		default:
			d, ok := f.defaults[p.name]
			if !ok {
				return nil, raise("TypeError", "%s lacks its argument %q", f.name, p.name)
			}
			v = d
		}
		in.names[p.name] = v
	}
	if used < len(args) || len(rest) > 0 {
		return nil, raise("TypeError", "%s is given more arguments than it has", f.name)
	}
	if f.value != nil {
		return f.value(in)
	}
	c, err := f.body.run(in)
	if err != nil {
		return nil, err
	}
	if c == ctlReturn {
		return in.result, nil
	}
	return nil, nil
}

// native is a function of ours.
type native func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error)

// Attr of it is none.
func (native) Attr(string) (py.Value, bool) { return nil, false }

// TypeName of a function.
func (native) TypeName() string { return "function" }

// call calls whatever can be called.
func call(b *budget, of py.Value, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if b.steps++; b.steps > maxSteps {
		return nil, fmt.Errorf("the function takes more than %d steps", maxSteps)
	}
	switch f := of.(type) {
	case *Func:
		return f.call(b, args, named)
	case native:
		return f(b, args, named)
	case py.Func:
		return f(args, named)
	case typeOf:
		return f.make(b, args, named)
	case chain:
		return chained(args)
	case *class:
		return f.made(b, args, named)
	case *method:
		return f.f.call(b, append([]py.Value{f.of}, args...), named)
	case *partial:
		all := map[string]py.Value{}
		for k, v := range f.named {
			all[k] = v
		}
		for k, v := range named {
			all[k] = v
		}
		return call(b, f.of, append(append([]py.Value{}, f.args...), args...), all)
	}
	if e, ok := of.(*external); ok {
		return nil, fmt.Errorf("%s is not understood", e.name)
	}
	return nil, raise("TypeError", "a value of type %s cannot be called", py.TypeName(of))
}

// partial is functools.partial.
type partial struct {
	of    py.Value
	args  []py.Value
	named map[string]py.Value
}

// Attr of it is none.
func (*partial) Attr(string) (py.Value, bool) { return nil, false }

// TypeName of it.
func (*partial) TypeName() string { return "functools.partial" }
