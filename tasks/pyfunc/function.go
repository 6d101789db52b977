package pyfunc

import (
	"errors"
	"fmt"

	"github.com/softbench/softbench/tasks/py"
)

// Function is a function of the module, ready to be called.
func (m *Module) Function(name string) (*Function, error) {
	running.Lock()
	defer running.Unlock()
	v, ok, err := m.global(name, &budget{loader: m.loader})
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%s: it defines no function %q", m.file, name)
	}
	if err := m.checkValue(name, v, newUses(), map[string]bool{}); err != nil {
		return nil, err
	}
	return &Function{of: v, loader: m.loader}, nil
}

// Function is what a task file names.
type Function struct {
	of     py.Value
	loader *Loader
}

// Name is what the function calls itself.
func (f *Function) Name() string {
	if fn, ok := f.of.(*Func); ok {
		return fn.name
	}
	return ""
}

// Call calls it.
func (f *Function) Call(args ...py.Value) (py.Value, error) { return f.CallNamed(args, nil) }

// CallNamed calls it, with arguments by name too.
func (f *Function) CallNamed(args []py.Value, named map[string]py.Value) (py.Value, error) {
	running.Lock()
	defer running.Unlock()
	return inAnyOrder(func() (py.Value, error) {
		given := map[string]py.Value{}
		for k, v := range named {
			given[k] = deep(v)
		}
		return call(&budget{loader: f.loader}, f.of, copies(args), given)
	})
}

// IsTypeError reports whether an error is Python's TypeError.
func IsTypeError(err error) bool {
	var r *raised
	return errors.As(err, &r) && r.Kind == "TypeError"
}
