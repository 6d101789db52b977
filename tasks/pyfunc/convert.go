package pyfunc

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

func toInt(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) == 0 && len(named) == 0 {
		return int64(0), nil
	}
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
	if len(args) == 0 {
		return 0.0, nil
	}
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
