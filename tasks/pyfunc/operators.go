package pyfunc

import (
	"fmt"
	"math/big"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

const maxList = 1 << 22

func truth(v py.Value) bool {
	switch x := v.(type) {
	case *set:
		return len(x.items) > 0
	case *Dataset:
		return len(x.Rows) > 0
	case *counter:
		return x.counts.Len() > 0
	case *defaultDict:
		return x.Len() > 0
	}
	return py.Truth(v)
}

func number(s string) (py.Value, error) {
	s = strings.ReplaceAll(s, "_", "")
	if strings.ContainsAny(s, ".eE") && !strings.HasPrefix(strings.ToLower(s), "0x") {
		f, err := strconv.ParseFloat(s, 64)
		return f, err
	}
	if n, err := strconv.ParseInt(s, 0, 64); err == nil && !(len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9') {
		return n, nil
	}
	if n, ok := new(big.Int).SetString(s, 0); ok {
		return n, nil
	}
	return nil, fmt.Errorf("the number %s is not understood", s)
}

// each calls f with a dict's keys and values, in an order that no one relies on where there is none.
func each(d *py.Dict, f func(k, v py.Value)) {
	c := d.Copy()
	c.Unordered = false
	items, _ := c.Items()
	for _, i := range items {
		f(i.(py.Tuple)[0], i.(py.Tuple)[1])
	}
}

func hashable(v py.Value) error {
	switch v.(type) {
	case *py.List, *py.Dict, *set:
		return raise("TypeError", "a key is a %s", py.TypeName(v))
	}
	return nil
}

// set is a set, whose order no one knows.
type set struct{ items []py.Value }

func newSet(values []py.Value) (*set, error) {
	s := &set{}
	if len(values) > 1<<12 {
		return nil, fmt.Errorf("a set of %d values is not understood", len(values))
	}
	for _, v := range values {
		if err := hashable(v); err != nil {
			return nil, err
		}
		if !s.has(v) {
			s.items = append(s.items, v)
		}
	}
	return s, nil
}

func (s *set) has(v py.Value) bool {
	return slices.ContainsFunc(s.items, func(e py.Value) bool { return py.Equal(e, v) })
}

// Attr of a set.
func (s *set) Attr(name string) (py.Value, bool) {
	switch name {
	case "add":
		return native(func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) != 1 {
				return nil, raise("TypeError", "add takes one argument")
			}
			if !s.has(args[0]) {
				s.items = append(s.items, args[0])
			}
			return nil, hashable(args[0])
		}), true
	case "isdisjoint":
		return native(func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) != 1 {
				return nil, raise("TypeError", "isdisjoint takes one argument")
			}
			values, err := iterateAny(args[0])
			return !slices.ContainsFunc(values, s.has), err
		}), true
	case "intersection", "union", "difference", "issubset", "issuperset":
		op := map[string]string{"intersection": "&", "union": "|", "difference": "-", "issubset": "<=", "issuperset": ">="}[name]
		return native(func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) != 1 {
				return nil, fmt.Errorf("%s of several is not understood", name)
			}
			values, err := iterateAny(args[0])
			if err != nil {
				return nil, err
			}
			other, err := newSet(values)
			if err != nil {
				return nil, err
			}
			return s.operate(op, other)
		}), true
	}
	return nil, false
}

// TypeName of a set.
func (*set) TypeName() string { return "set" }

func (s *set) operate(op string, other *set) (py.Value, error) {
	out := &set{}
	inside := 0
	for _, v := range s.items {
		in := other.has(v)
		if in {
			inside++
		}
		if op == "|" || in == (op == "&") {
			out.items = append(out.items, v)
		}
	}
	switch op {
	case "&", "-":
		return out, nil
	case "|":
		for _, v := range other.items {
			if !s.has(v) {
				out.items = append(out.items, v)
			}
		}
		return out, nil
	case "==":
		return inside == len(s.items) && inside == len(other.items), nil
	case "<=":
		return inside == len(s.items), nil
	case ">=":
		return inside == len(other.items), nil
	}
	return nil, fmt.Errorf("%s of sets is not understood", op)
}

// iterate gives what a loop sees.
func iterate(v py.Value) ([]py.Value, error) {
	switch x := v.(type) {
	case *set:
		return x.seen(), nil
	case *array:
		return x.items(), nil
	case *counter:
		return x.counts.Keys()
	case *defaultDict:
		return x.Keys()
	case *Dataset:
		out := make([]py.Value, len(x.Rows))
		for i, r := range x.Rows {
			out[i] = r.Doc.Copy()
		}
		return out, nil
	case py.Undefined, nil:
		return nil, raise("TypeError", "a value of type %s cannot be looped over", py.TypeName(v))
	}
	out, err := py.Iterate(v)
	return out, err
}

// iterateAny is iterate where the order does not matter.
func iterateAny(v py.Value) ([]py.Value, error) {
	switch x := v.(type) {
	case *set:
		return x.items, nil
	case *py.Dict:
		var out []py.Value
		each(x, func(k, _ py.Value) { out = append(out, k) })
		return out, nil
	}
	return iterate(v)
}

func compare(op string, a, b py.Value) (bool, error) {
	switch op {
	case "is", "is not":
		same := false
		switch x := a.(type) {
		case nil:
			same = b == nil
		case bool:
			y, ok := b.(bool)
			same = ok && x == y
		default:
			if b != nil {
				if _, isBool := b.(bool); !isBool {
					return false, fmt.Errorf("is of values other than None, True and False is not understood")
				}
			}
		}
		return same == (op == "is"), nil
	case "in", "not in":
		in := false
		switch x := b.(type) {
		case *set:
			in = x.has(a)
		case *counter:
			_, in = x.counts.Get(a)
		case *defaultDict:
			_, in = x.Get(a)
		default:
			var err error
			if in, err = py.Contains(b, a); err != nil {
				return false, raise("TypeError", "%v", err)
			}
		}
		return in == (op == "in"), nil
	}
	if x, ok := a.(*set); ok {
		y, also := b.(*set)
		if !also {
			return op == "!=", nil
		}
		if op == "!=" {
			v, err := x.operate("==", y)
			return v != true, err
		}
		v, err := x.operate(op, y)
		return v == true, err
	}
	switch op {
	case "==":
		return py.Equal(a, b), nil
	case "!=":
		return !py.Equal(a, b), nil
	}
	order, err := py.Compare(a, b)
	if err != nil {
		return false, raise("TypeError", "%v", err)
	}
	switch op {
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case ">":
		return order > 0, nil
	}
	return order >= 0, nil
}

func operate(f *frame, op string, a, b py.Value) (py.Value, error) {
	_, left := a.(*array)
	if _, right := b.(*array); left || right {
		v, err := operateArrays(op, a, b)
		if err == nil {
			f.budget.steps += len(v.(*array).values) >> 2
		}
		return v, err
	}
	switch x := a.(type) {
	case *set:
		if y, ok := b.(*set); ok {
			return x.operate(op, y)
		}
	case *counter:
		if y, ok := b.(*counter); ok {
			return x.operate(op, y)
		}
		return nil, fmt.Errorf("%s of a Counter and a %s is not understood", op, py.TypeName(b))
	case string:
		if op == "%" {
			return percent(x, b)
		}
	case *py.Dict:
		if y, ok := b.(*py.Dict); ok && op == "|" {
			out := x.Copy()
			out.Unordered = x.Unordered || y.Unordered
			each(y, func(k, v py.Value) { out.Set(k, v) })
			return out, nil
		}
	case filePath:
		if s, ok := b.(string); ok && op == "/" {
			return filePath{path.Join(x.path, s)}, nil
		}
	case py.Object:
		return nil, fmt.Errorf("%s of %s is not understood", op, py.TypeName(a))
	}
	switch op {
	case "+", "-", "*", "/", "//", "%", "**":
		v, err := py.Binary(op, a, b)
		if err == nil {
			err = f.charge(v)
		}
		return v, err
	case "&", "|", "^":
		x, ok := py.Int(a)
		y, also := py.Int(b)
		if ok && also {
			return map[string]int64{"&": x & y, "|": x | y, "^": x ^ y}[op], nil
		}
	}
	return nil, fmt.Errorf("%s %s %s is not understood", py.TypeName(a), op, py.TypeName(b))
}

func index(v, k py.Value) (py.Value, error) {
	switch x := v.(type) {
	case *Dataset:
		return x.index(k)
	case *reMatch:
		return x.group(k)
	case *array:
		return x.index(k)
	case *counter:
		return x.of(k), hashable(k)
	case *defaultDict:
		return x.of(k)
	case *matrix:
		i, err := x.place(k)
		if err != nil {
			return nil, err
		}
		return x.values[i], nil
	}
	if w, ok := py.Index(v, k); ok {
		return w, nil
	}
	text, _ := py.Repr(k)
	switch v.(type) {
	case *py.Dict:
		return nil, raise("KeyError", "%s", text)
	case *py.List, py.Tuple, string, py.Range:
		if _, ok := py.Int(k); ok {
			return nil, raise("IndexError", "%s index %s out of range", py.TypeName(v), text)
		}
	}
	return nil, raise("TypeError", "a %s has no item %s", py.TypeName(v), text)
}

func setIndex(v, k, w py.Value) error {
	switch x := v.(type) {
	case *defaultDict:
		return setIndex(x.Dict, k, w)
	case *matrix:
		i, err := x.place(k)
		n, ok := py.Number(w)
		if err == nil && !ok {
			err = raise("TypeError", "a %s in a matrix", py.TypeName(w))
		}
		if err == nil {
			x.values[i] = n
		}
		return err
	case *array:
		return x.set(k, w)
	case *py.Dict:
		if err := hashable(k); err != nil {
			return err
		}
		x.Set(k, w)
		return nil
	case *py.List:
		if i, ok := py.Int(k); ok {
			if i < 0 {
				i += int64(len(x.Items))
			}
			if i >= 0 && i < int64(len(x.Items)) {
				x.Items[i] = w
				return nil
			}
			return raise("IndexError", "list assignment index out of range")
		}
	}
	return fmt.Errorf("giving a value to an item of a %s is not understood", py.TypeName(v))
}
