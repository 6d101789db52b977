package pyfunc

import (
	"fmt"

	"github.com/softbench/softbench/tasks/py"
)

// Filter is a filter of a task's own: a class with a method apply, as lm-evaluation-harness calls it.
type Filter struct{ of *object }

// Filter makes a filter of a class, with its options.
func (f *Function) Filter(options map[string]py.Value) (*Filter, error) {
	c, ok := f.of.(*class)
	if !ok {
		return nil, fmt.Errorf("a filter is a class, not a %s", py.TypeName(f.of))
	}
	if _, _, ok := c.find("apply"); !ok {
		return nil, fmt.Errorf("the class %s has no method apply", c.name)
	}
	running.Lock()
	defer running.Unlock()
	v, err := c.made(&budget{loader: f.loader}, nil, options)
	if err != nil {
		return nil, err
	}
	return &Filter{v.(*object)}, nil
}

// Apply is what the filter takes of a document's one answer.
func (f *Filter) Apply(text string, doc *py.Dict) (string, error) {
	running.Lock()
	defer running.Unlock()
	apply, _ := f.of.Attr("apply")
	v, err := inAnyOrder(func() (py.Value, error) {
		return call(&budget{}, apply, []py.Value{py.NewList(py.NewList(text)), py.NewList(deep(doc))}, nil)
	})
	if err != nil {
		return "", err
	}
	for range 2 { // of one document, its one answer
		list, err := iterate(v)
		if err != nil || len(list) != 1 {
			return "", fmt.Errorf("the filter %s gives not one answer for one: %s", f.of.class.name, py.TypeName(v))
		}
		v = list[0]
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("the filter %s takes a value of type %s, not text", f.of.class.name, py.TypeName(v))
	}
	return s, nil
}
