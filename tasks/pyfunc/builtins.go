package pyfunc

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

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
			if !ok || n < 0 || n > 0x10ffff || n >= 0xd800 && n < 0xe000 {
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
	builtins["open"] = native(openFile)
	builtins["globals"] = native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) {
		return nil, fmt.Errorf("globals like this is not understood")
	})
	for _, name := range []string{"Exception", "ValueError", "KeyError", "TypeError", "IndexError", "NotImplementedError", "RuntimeError", "AssertionError", "AttributeError"} {
		builtins[name] = native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) { return nil, nil })
	}
}

func toInt(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) != 1 || len(named) > 0 {
		return nil, fmt.Errorf("int with %d arguments is not understood", len(args)+len(named))
	}
	switch x := args[0].(type) {
	case bool, int64:
		n, _ := py.Int(x)
		return n, nil
	case float64:
		if math.Abs(x) < 1<<62 {
			return int64(x), nil
		}
	case string:
		s := py.Strip(x)
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, nil
		}
		if strings.ContainsAny(s, "_") || strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) >= 0 || len(s) > 18 {
			return nil, fmt.Errorf("int of %q is not understood", s)
		}
		return nil, raise("ValueError", "invalid literal for int(): %q", x)
	}
	return nil, raise("TypeError", "int of a %s", py.TypeName(args[0]))
}

func toFloat(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("float with %d arguments is not understood", len(args))
	}
	switch x := args[0].(type) {
	case bool, int64:
		n, _ := py.Int(x)
		return float64(n), nil
	case float64:
		return x, nil
	case string:
		s := py.Strip(x)
		if strings.ContainsAny(s, "_xXpP") {
			return nil, raise("ValueError", "could not convert string to float: %q", x)
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && !math.IsInf(f, 0) {
			return nil, raise("ValueError", "could not convert string to float: %q", x)
		}
		return f, nil
	}
	return nil, raise("TypeError", "float of a %s", py.TypeName(args[0]))
}

func toDict(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	d := py.NewDict()
	if len(args) == 1 {
		if from, ok := args[0].(*py.Dict); ok {
			d = from.Copy()
		} else {
			pairs, err := iterate(args[0])
			if err != nil {
				return nil, err
			}
			for _, p := range pairs {
				kv, err := iterate(p)
				if err != nil || len(kv) != 2 {
					return nil, raise("ValueError", "dict takes pairs")
				}
				d.Set(kv[0], kv[1])
			}
		}
	}
	if len(named) > 0 {
		d.Unordered = d.Unordered || len(named) > 1
		for k, v := range named {
			d.Set(k, v)
		}
	}
	return d, nil
}

func isInstance(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
	if len(args) != 2 {
		return nil, raise("TypeError", "isinstance takes a value and a type")
	}
	types := []py.Value{args[1]}
	if t, ok := args[1].(py.Tuple); ok {
		types = t
	}
	for _, t := range types {
		x, ok := t.(typeOf)
		if !ok {
			return nil, fmt.Errorf("isinstance of this type is not understood")
		}
		if name := py.TypeName(args[0]); name == x.name || name == "bool" && x.name == "int" {
			return true, nil
		}
	}
	return false, nil
}

func sorted(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) != 1 {
		return nil, raise("TypeError", "sorted takes values")
	}
	values, err := iterateAny(args[0])
	if err != nil {
		return nil, err
	}
	out, err := order(b, values, named)
	return &py.List{Items: out}, err
}

// order sorts by a key, stable.
func order(b *budget, values []py.Value, named map[string]py.Value) ([]py.Value, error) {
	type pair struct{ key, value py.Value }
	pairs := make([]pair, len(values))
	b.steps += len(values)
	for i, v := range values {
		pairs[i] = pair{v, v}
		if key := named["key"]; key != nil {
			k, err := call(b, key, []py.Value{v}, nil)
			if err != nil {
				return nil, err
			}
			pairs[i].key = k
		}
	}
	down := named["reverse"] != nil && truth(named["reverse"])
	var err error
	slices.SortStableFunc(pairs, func(a, b pair) int {
		n, e := py.Compare(a.key, b.key)
		if e != nil {
			err = raise("TypeError", "%v", e)
		}
		if down {
			return -n
		}
		return n
	})
	out := make([]py.Value, len(pairs))
	for i, p := range pairs {
		out[i] = p.value
	}
	return out, err
}

// least is min or max.
func least(sign int) native {
	return func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
		values := args
		if len(args) == 1 {
			var err error
			if values, err = iterate(args[0]); err != nil {
				return nil, err
			}
		}
		if len(values) == 0 {
			if d, ok := named["default"]; ok {
				return d, nil
			}
			return nil, raise("ValueError", "min or max of nothing")
		}
		key := func(v py.Value) (py.Value, error) {
			if named["key"] == nil {
				return v, nil
			}
			return call(b, named["key"], []py.Value{v}, nil)
		}
		best := values[0]
		bestKey, err := key(best)
		if err != nil {
			return nil, err
		}
		for _, v := range values[1:] {
			k, err := key(v)
			if err != nil {
				return nil, err
			}
			n, err := py.Compare(k, bestKey)
			if err != nil {
				return nil, raise("TypeError", "%v", err)
			}
			if n*sign > 0 {
				best, bestKey = v, k
			}
		}
		return best, nil
	}
}
