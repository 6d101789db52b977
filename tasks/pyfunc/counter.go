package pyfunc

import (
	"fmt"

	"github.com/softbench/softbench/tasks/py"
)

// counter is collections.Counter: how often each value occurs, in the order in which they came.
type counter struct{ counts *py.Dict }

// Attr of a counter.
func (c *counter) Attr(name string) (py.Value, bool) {
	switch name {
	case "values", "items", "keys":
		m, ok := py.Method(c.counts, name)
		return native(func(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) { return m(args, named) }), ok
	case "most_common":
		return native(c.mostCommon), true
	case "get":
		return native(func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) == 0 || len(args) > 2 {
				return nil, raise("TypeError", "get takes a key")
			}
			if v, ok := c.counts.Get(args[0]); ok {
				return v, nil
			}
			if len(args) == 2 {
				return args[1], nil
			}
			return nil, nil
		}), true
	}
	return nil, false
}

// TypeName of a counter.
func (*counter) TypeName() string { return "Counter" }

func (c *counter) of(v py.Value) int64 {
	n, _ := c.counts.Get(v)
	k, _ := py.Int(n)
	return k
}

func newCounter(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	c := &counter{py.NewDict()}
	if len(args) > 1 || len(named) > 0 {
		return nil, fmt.Errorf("a Counter like this is not understood")
	}
	if len(args) == 0 {
		return c, nil
	}
	if _, ok := args[0].(*py.Dict); ok {
		return nil, fmt.Errorf("a Counter of a dict is not understood")
	}
	values, err := iterate(args[0])
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := hashable(v); err != nil {
			return nil, err
		}
		c.counts.Set(v, c.of(v)+1)
	}
	return c, nil
}

// operate is what two counters have in common, together, or one more than the other.
func (c *counter) operate(op string, other *counter) (py.Value, error) {
	out := &counter{py.NewDict()}
	put := func(v py.Value, n int64) {
		if n > 0 {
			out.counts.Set(v, n)
		}
	}
	switch op {
	case "&":
		each(c.counts, func(v, _ py.Value) { put(v, min(c.of(v), other.of(v))) })
	case "-":
		each(c.counts, func(v, _ py.Value) { put(v, c.of(v)-other.of(v)) })
	case "+", "|":
		sum := func(v py.Value) int64 {
			if op == "|" {
				return max(c.of(v), other.of(v))
			}
			return c.of(v) + other.of(v)
		}
		each(c.counts, func(v, _ py.Value) { put(v, sum(v)) })
		each(other.counts, func(v, _ py.Value) {
			if _, ok := c.counts.Get(v); !ok {
				put(v, sum(v))
			}
		})
	default:
		return nil, fmt.Errorf("%s of Counters is not understood", op)
	}
	return out, nil
}

// mostCommon is the values with their counts, the most frequent first, of as many the first.
func (c *counter) mostCommon(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
	out := &py.List{}
	each(c.counts, func(v, n py.Value) {
		at := len(out.Items)
		for at > 0 {
			if k, _ := py.Int(out.Items[at-1].(py.Tuple)[1]); k >= c.of(v) {
				break
			}
			at--
		}
		out.Items = append(out.Items, nil)
		copy(out.Items[at+1:], out.Items[at:])
		out.Items[at] = py.Tuple{v, n}
	})
	if len(args) > 0 && args[0] != nil {
		k, ok := py.Int(args[0])
		if !ok {
			return nil, raise("TypeError", "most_common takes a number")
		}
		out.Items = out.Items[:max(0, min(int(k), len(out.Items)))]
	}
	return out, nil
}
