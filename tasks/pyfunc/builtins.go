package pyfunc

import (
	"fmt"
	"math"
	"slices"

	"github.com/softbench/softbench/tasks/py"
)

// typeOf is a type, which makes values and is asked for by isinstance.
type typeOf struct {
	name string
	make native
}

// Attr of a type: methods called as str.strip(x).
func (t typeOf) Attr(name string) (py.Value, bool) {
	if t.name == "__name__" {
		return t.name, true
	}
	if t.name != "str" && t.name != "dict" && t.name != "list" {
		return nil, false
	}
	if t.name == "dict" && name == "fromkeys" {
		return native(fromKeys), true
	}
	return native(func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
		if len(args) == 0 || py.TypeName(args[0]) != t.name {
			return nil, fmt.Errorf("%s.%s is not understood here", t.name, name)
		}
		m, err := attribute(&frame{budget: b}, args[0], name)
		if err != nil {
			return nil, err
		}
		return call(b, m, args[1:], named)
	}), true
}

// TypeName of a type.
func (typeOf) TypeName() string { return "type" }

var builtins map[string]py.Value

func one(name string, f func(b *budget, v py.Value) (py.Value, error)) native {
	return func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
		if len(args) != 1 || len(named) > 0 {
			return nil, fmt.Errorf("%s with %d arguments is not understood", name, len(args)+len(named))
		}
		return f(b, args[0])
	}
}

func list(values []py.Value, err error) (py.Value, error) {
	if err != nil {
		return nil, err
	}
	return &py.List{Items: slices.Clone(values)}, nil
}

func init() {
	builtins = map[string]py.Value{
		"len": one("len", func(_ *budget, v py.Value) (py.Value, error) {
			switch x := v.(type) {
			case *set:
				return int64(len(x.items)), nil
			case *Dataset:
				return int64(len(x.Rows)), nil
			case bytesOf:
				return int64(len(x)), nil
			case *array:
				return int64(len(x.values)), nil
			case *counter:
				return int64(x.counts.Len()), nil
			case *defaultDict:
				return int64(x.Len()), nil
			}
			n, err := py.Length(v)
			if err != nil {
				return nil, raise("TypeError", "%v", err)
			}
			return int64(n), nil
		}),
		"str": typeOf{"str", func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) == 0 {
				return "", nil
			}
			return str(args[0])
		}},
		"repr": one("repr", func(_ *budget, v py.Value) (py.Value, error) { return repr(v) }),
		"int":  typeOf{"int", toInt}, "float": typeOf{"float", toFloat},
		"bool": typeOf{"bool", func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			return len(args) > 0 && truth(args[0]), nil
		}},
		"list": typeOf{"list", func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) == 0 {
				return &py.List{}, nil
			}
			return list(iterate(args[0]))
		}},
		"tuple": typeOf{"tuple", func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) == 0 {
				return py.Tuple{}, nil
			}
			v, err := iterate(args[0])
			return py.Tuple(v), err
		}},
		"set": typeOf{"set", func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) == 0 {
				return &set{}, nil
			}
			v, err := iterateAny(args[0])
			if err != nil {
				return nil, err
			}
			return newSet(v)
		}},
		"dict": typeOf{"dict", toDict},
		"range": native(func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			n := make([]int64, len(args))
			for i, a := range args {
				v, ok := py.Int(a)
				if !ok {
					return nil, raise("TypeError", "range takes whole numbers")
				}
				n[i] = v
			}
			switch {
			case len(n) == 1:
				return py.Range{Stop: n[0], Step: 1}, nil
			case len(n) == 2:
				return py.Range{Start: n[0], Stop: n[1], Step: 1}, nil
			case len(n) == 3 && n[2] != 0:
				return py.Range{Start: n[0], Stop: n[1], Step: n[2]}, nil
			}
			return nil, raise("TypeError", "range takes one to three numbers")
		}),
		"enumerate": native(func(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
			from := int64(0)
			if v, ok := named["start"]; ok {
				from, _ = py.Int(v)
			} else if len(args) == 2 {
				from, _ = py.Int(args[1])
			}
			if len(args) == 0 {
				return nil, raise("TypeError", "enumerate takes what to count")
			}
			values, err := iterate(args[0])
			out := &py.List{}
			for i, v := range values {
				out.Items = append(out.Items, py.Tuple{from + int64(i), v})
			}
			return out, err
		}),
		"zip": native(func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			out := &py.List{}
			var all [][]py.Value
			n := math.MaxInt
			for _, a := range args {
				v, err := iterate(a)
				if err != nil {
					return nil, err
				}
				all = append(all, v)
				n = min(n, len(v))
			}
			for i := 0; i < n && len(all) > 0; i++ {
				t := make(py.Tuple, len(all))
				for k := range all {
					t[k] = all[k][i]
				}
				out.Items = append(out.Items, t)
			}
			return out, nil
		}),
		"sorted": native(sorted), "min": least(-1), "max": least(1),
		"reversed": one("reversed", func(_ *budget, v py.Value) (py.Value, error) {
			values, err := iterate(v)
			values = slices.Clone(values)
			slices.Reverse(values)
			return &py.List{Items: values}, err
		}),
		"sum": native(func(b *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) == 0 {
				return nil, raise("TypeError", "sum takes values")
			}
			var total py.Value = int64(0)
			if len(args) == 2 {
				total = args[1]
			}
			values, err := iterateAny(args[0])
			for _, v := range values {
				if err != nil {
					break
				}
				total, err = operate(&frame{budget: b}, "+", total, v)
			}
			return total, err
		}),
		"any": one("any", func(_ *budget, v py.Value) (py.Value, error) {
			values, err := iterateAny(v)
			return slices.ContainsFunc(values, truth), err
		}),
		"all": one("all", func(_ *budget, v py.Value) (py.Value, error) {
			values, err := iterateAny(v)
			return !slices.ContainsFunc(values, func(v py.Value) bool { return !truth(v) }), err
		}),
		"abs": one("abs", func(_ *budget, v py.Value) (py.Value, error) {
			if order, err := py.Compare(v, int64(0)); err != nil || order >= 0 {
				return v, err
			}
			return py.Negate(v)
		}),
		"ord": one("ord", func(_ *budget, v py.Value) (py.Value, error) {
			s, _ := v.(string)
			if r := []rune(s); len(r) == 1 {
				return int64(r[0]), nil
			}
			return nil, raise("TypeError", "ord takes one character")
		}),
		"chr": one("chr", func(_ *budget, v py.Value) (py.Value, error) {
			n, ok := py.Int(v)
			if ok && n >= 0xd800 && n < 0xe000 {
				return surrogate{}, nil
			}
			if !ok || n < 0 || n > 0x10ffff {
				return nil, raise("ValueError", "chr of this number is not understood")
			}
			return string(rune(n)), nil
		}),
		"isinstance": native(isInstance),
		"map": native(func(b *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) != 2 {
				return nil, fmt.Errorf("map of several is not understood")
			}
			values, err := iterate(args[1])
			out := &py.List{}
			for _, v := range values {
				if err != nil {
					break
				}
				var w py.Value
				w, err = call(b, args[0], []py.Value{v}, nil)
				out.Items = append(out.Items, w)
			}
			return out, err
		}),
		"filter": native(func(b *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) != 2 {
				return nil, raise("TypeError", "filter takes a function and values")
			}
			values, err := iterate(args[1])
			out := &py.List{}
			for _, v := range values {
				if err != nil {
					break
				}
				w := v
				if args[0] != nil {
					w, err = call(b, args[0], []py.Value{v}, nil)
				}
				if err == nil && truth(w) {
					out.Items = append(out.Items, v)
				}
			}
			return out, err
		}),
		"print": native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) { return nil, nil }),
	}
	builtins["super"] = native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) {
		return nil, fmt.Errorf("super like this is not understood")
	})
	builtins["open"] = native(openFile)
	builtins["globals"] = native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) {
		return nil, fmt.Errorf("globals like this is not understood")
	})
	for _, name := range []string{"Exception", "ValueError", "KeyError", "TypeError", "IndexError", "NotImplementedError", "RuntimeError", "AssertionError", "AttributeError"} {
		builtins[name] = native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) { return nil, nil })
	}
}
