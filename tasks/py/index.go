package py

import (
	"fmt"
)

// Index is v[i]; found is false where Python raises an IndexError, a KeyError or a TypeError.
func Index(v, i Value) (out Value, found bool) {
	if d, ok := v.(*Dict); ok {
		return d.Get(i)
	}
	n, isInt := Int(i)
	if !isInt {
		return nil, false
	}
	at := func(length int) (int, bool) {
		if n < 0 {
			n += int64(length)
		}
		return int(n), n >= 0 && n < int64(length)
	}
	switch x := v.(type) {
	case string:
		runes := []rune(x)
		if k, ok := at(len(runes)); ok {
			return string(runes[k]), true
		}
	case *List:
		if k, ok := at(len(x.Items)); ok {
			return x.Items[k], true
		}
	case Tuple:
		if k, ok := at(len(x)); ok {
			return x[k], true
		}
	case Range:
		if l := x.Len(); l <= maxRange {
			if k, ok := at(int(l)); ok {
				return x.Start + int64(k)*x.Step, true
			}
		}
	}
	return nil, false
}

// Slice is v[start:stop:step]; nil is a bound that is left out.
func Slice(v, start, stop, step Value) (Value, error) {
	switch x := v.(type) {
	case string:
		runes := []rune(x)
		places, err := sliced(len(runes), start, stop, step)
		if err != nil {
			return nil, err
		}
		out := make([]rune, len(places))
		for k, p := range places {
			out[k] = runes[p]
		}
		return string(out), nil
	case *List:
		places, err := sliced(len(x.Items), start, stop, step)
		if err != nil {
			return nil, err
		}
		return &List{pick(x.Items, places)}, nil
	case Tuple:
		places, err := sliced(len(x), start, stop, step)
		if err != nil {
			return nil, err
		}
		return Tuple(pick(x, places)), nil
	}
	return nil, fmt.Errorf("a value of type %s cannot be sliced", TypeName(v))
}

func pick(items []Value, places []int) []Value {
	out := make([]Value, len(places))
	for k, p := range places {
		out[k] = items[p]
	}
	return out
}

// sliced are the places that a slice takes of so many.
func sliced(n int, start, stop, step Value) ([]int, error) {
	by := int64(1)
	if step != nil {
		s, ok := Int(step)
		if !ok || s == 0 {
			return nil, fmt.Errorf("a slice's step must be a whole number other than 0")
		}
		by = s
	}
	bound := func(v Value, missing int64) (int64, error) {
		if v == nil {
			return missing, nil
		}
		i, ok := Int(v)
		if !ok {
			return 0, fmt.Errorf("a slice's bound must be a whole number, not %s", TypeName(v))
		}
		if i < 0 {
			i += int64(n)
		}
		if by > 0 {
			return min(max(i, 0), int64(n)), nil
		}
		return min(max(i, -1), int64(n)-1), nil
	}
	from, to := int64(0), int64(n)
	if by < 0 {
		from, to = int64(n)-1, -1
	}
	i, err := bound(start, from)
	if err != nil {
		return nil, err
	}
	end, err := bound(stop, to)
	if err != nil {
		return nil, err
	}
	var out []int
	for by > 0 && i < end || by < 0 && i > end {
		out = append(out, int(i))
		if by > int64(n) || by < -int64(n) {
			break
		}
		i += by
	}
	return out, nil
}
