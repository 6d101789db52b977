package pyfunc

import (
	"fmt"

	"github.com/softbench/softbench/tasks/py"
)

// defaultDict is collections.defaultdict: a dict that makes what it is asked for and lacks.
type defaultDict struct {
	*py.Dict
	made func(b *budget) (py.Value, error)
}

// TypeName of it.
func (*defaultDict) TypeName() string { return "defaultdict" }

// Attr of it is a dict's.
func (d *defaultDict) Attr(name string) (py.Value, bool) {
	if name != "values" && name != "items" && name != "keys" && name != "get" {
		return nil, false
	}
	m, ok := py.Method(d.Dict, name)
	return native(func(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) { return m(args, named) }), ok
}

func (d *defaultDict) of(k py.Value) (py.Value, error) {
	if err := hashable(k); err != nil {
		return nil, err
	}
	if v, ok := d.Get(k); ok {
		return v, nil
	}
	v, err := d.made(&budget{})
	if err == nil {
		d.Set(k, v)
	}
	return v, err
}

func newDefaultDict(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) != 1 || len(named) > 0 || args[0] == nil {
		return nil, fmt.Errorf("a defaultdict like this is not understood")
	}
	return &defaultDict{py.NewDict(), func(b *budget) (py.Value, error) { return call(b, args[0], nil, nil) }}, nil
}

// chained is what several have, one after the other.
func chained(args []py.Value) (py.Value, error) {
	out := &py.List{}
	for _, a := range args {
		values, err := iterate(a)
		if err != nil {
			return nil, err
		}
		if len(out.Items)+len(values) > maxList {
			return nil, fmt.Errorf("a list grows past %d values", maxList)
		}
		out.Items = append(out.Items, values...)
	}
	return out, nil
}

// chain is itertools.chain, which is called, and has a function of its own.
type chain struct{}

// TypeName of it.
func (chain) TypeName() string { return "type" }

// Attr of it.
func (chain) Attr(name string) (py.Value, bool) {
	return one("from_iterable", func(_ *budget, v py.Value) (py.Value, error) {
		values, err := iterate(v)
		if err != nil {
			return nil, err
		}
		return chained(values)
	}), name == "from_iterable"
}

// fromKeys is dict.fromkeys.
func fromKeys(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) == 0 || len(args) > 2 || len(named) > 0 {
		return nil, raise("TypeError", "fromkeys takes keys and a value")
	}
	var v py.Value
	if len(args) == 2 {
		v = args[1]
	}
	keys, err := iterate(args[0])
	d := py.NewDict()
	for _, k := range keys {
		if err := hashable(k); err != nil {
			return nil, err
		}
		d.Set(k, v)
	}
	return d, err
}

// next is the first value of a generator that stands in the call, or what else is to be taken.
func next(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) == 0 || len(args) > 2 || len(named) > 0 {
		return nil, raise("TypeError", "next takes a generator")
	}
	l, ok := args[0].(*py.List)
	if !ok {
		return nil, fmt.Errorf("next of a %s is not understood", py.TypeName(args[0]))
	}
	if len(l.Items) > 0 {
		return l.Items[0], nil
	}
	if len(args) == 2 {
		return args[1], nil
	}
	return nil, raise("StopIteration", "")
}

func init() {
	builtins["next"] = native(next)
	known["collections.defaultdict"] = typeOf{"defaultdict", newDefaultDict}
	known["itertools.chain"] = chain{}
	known["collections.OrderedDict"] = typeOf{"OrderedDict", func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
		if len(named) > 0 {
			return nil, fmt.Errorf("an OrderedDict like this is not understood")
		}
		return toDict(b, args, nil)
	}}
	attributes["from_iterable"] = true
}
