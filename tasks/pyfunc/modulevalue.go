package pyfunc

import (
	"fmt"

	"github.com/softbench/softbench/tasks/py"
)

// moduleValue is a module of the task files as a value: utils of "from . import utils".
type moduleValue struct{ m *Module }

// Attr is of no use: get is.
func (*moduleValue) Attr(string) (py.Value, bool) { return nil, false }

// TypeName of a module.
func (*moduleValue) TypeName() string { return "module" }

func (v *moduleValue) get(name string, b *budget) (py.Value, error) {
	w, ok, err := v.m.global(name, b)
	if err == nil && !ok {
		err = fmt.Errorf("%s has no name %q that is understood", v.m.file, name)
	}
	return w, err
}
