package pyfunc

import (
	"slices"

	"github.com/softbench/softbench/tasks/py"
)

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
