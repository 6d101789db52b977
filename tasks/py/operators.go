package py

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strings"
)

// number is a value as a number: an int (bool among them), or a float.
func number(v Value) (i int64, f float64, isInt, ok bool) {
	switch x := v.(type) {
	case bool:
		if x {
			return 1, 1, true, true
		}
		return 0, 0, true, true
	case int64:
		return x, float64(x), true, true
	case float64:
		return 0, x, false, true
	}
	return 0, 0, false, false
}

// Equal is a == b.
func Equal(a, b Value) bool {
	if i, f, isInt, ok := number(a); ok {
		j, g, alsoInt, ok := number(b)
		if !ok {
			return false
		}
		if isInt && alsoInt {
			return i == j
		}
		return f == g
	}
	switch x := a.(type) {
	case nil:
		return b == nil
	case string:
		y, ok := b.(string)
		return ok && x == y
	case *big.Int:
		y, ok := b.(*big.Int)
		return ok && x.Cmp(y) == 0
	case *List:
		y, ok := b.(*List)
		return ok && equalItems(x.Items, y.Items)
	case Tuple:
		y, ok := b.(Tuple)
		return ok && equalItems(x, y)
	case *Dict:
		y, ok := b.(*Dict)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for i, k := range x.keys {
			v, ok := y.Get(k)
			if !ok || !Equal(x.values[i], v) {
				return false
			}
		}
		return true
	case Range:
		y, ok := b.(Range)
		return ok && x == y
	case Undefined:
		_, ok := b.(Undefined)
		return ok
	}
	return false
}

func equalItems(a, b []Value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// Compare is -1, 0 or 1 for a < b, a == b, a > b, of two numbers, texts, lists or tuples. A NaN is
// an error.
func Compare(a, b Value) (int, error) {
	if i, f, isInt, ok := number(a); ok {
		if j, g, alsoInt, ok := number(b); ok {
			switch {
			case isInt && alsoInt && i < j, !(isInt && alsoInt) && f < g:
				return -1, nil
			case isInt && alsoInt && i > j, !(isInt && alsoInt) && f > g:
				return 1, nil
			case math.IsNaN(f) || math.IsNaN(g):
				return 0, fmt.Errorf("a NaN is compared")
			}
			return 0, nil
		}
	}
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), nil // UTF-8 keeps the order of code points
		}
	case *List:
		if y, ok := b.(*List); ok {
			return compareItems(x.Items, y.Items)
		}
	case Tuple:
		if y, ok := b.(Tuple); ok {
			return compareItems(x, y)
		}
	}
	return 0, fmt.Errorf("values of types %s and %s have no order", TypeName(a), TypeName(b))
}

func compareItems(a, b []Value) (int, error) {
	for i := range min(len(a), len(b)) {
		if !Equal(a[i], b[i]) {
			return Compare(a[i], b[i])
		}
	}
	return len(a) - len(b), nil
}

// Contains is item in v.
func Contains(v, item Value) (bool, error) {
	switch x := v.(type) {
	case string:
		s, ok := item.(string)
		if !ok {
			return false, fmt.Errorf("'in' of a text needs text, not %s", TypeName(item))
		}
		return strings.Contains(x, s), nil
	case *Dict:
		_, ok := x.Get(item)
		return ok, nil
	}
	items, err := Iterate(v)
	if err != nil {
		return false, err
	}
	for _, e := range items {
		if Equal(e, item) {
			return true, nil
		}
	}
	return false, nil
}

// Add is a + b.
func Add(a, b Value) (Value, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			if len(x)+len(y) > MaxItems {
				return nil, errTooLong
			}
			return x + y, nil
		}
	case *List:
		if y, ok := b.(*List); ok && len(x.Items)+len(y.Items) <= MaxItems/64 {
			return &List{append(append([]Value{}, x.Items...), y.Items...)}, nil
		}
	case Tuple:
		if y, ok := b.(Tuple); ok && len(x)+len(y) <= MaxItems/64 {
			return append(append(Tuple{}, x...), y...), nil
		}
	}
	return arithmetic("+", a, b)
}

// Binary is a op b, of + - * / // % **.
func Binary(op string, a, b Value) (Value, error) {
	if op == "+" {
		return Add(a, b)
	}
	if op == "*" {
		if out, ok, err := repeat(a, b); ok || err != nil {
			return out, err
		}
		if out, ok, err := repeat(b, a); ok || err != nil {
			return out, err
		}
	}
	if _, ok := a.(string); ok && op == "%" {
		return nil, fmt.Errorf("formatting text with %% is not understood")
	}
	return arithmetic(op, a, b)
}

// repeat is a text or a list, n times.
func repeat(a, n Value) (Value, bool, error) {
	k, _, isInt, _ := number(n)
	if !isInt {
		return nil, false, nil
	}
	k = max(k, 0)
	switch x := a.(type) {
	case string:
		if len(x) > 0 && k > MaxItems/int64(len(x)) {
			return nil, false, errTooLong
		}
		return strings.Repeat(x, int(min(k, MaxItems))), true, nil
	case *List:
		if len(x.Items) > 0 && k > MaxItems/64/int64(len(x.Items)) {
			return nil, false, errTooLong
		}
		out := &List{}
		for range min(k, MaxItems) {
			if len(x.Items) == 0 {
				break
			}
			out.Items = append(out.Items, x.Items...)
		}
		return out, true, nil
	}
	return nil, false, nil
}

func arithmetic(op string, a, b Value) (Value, error) {
	i, f, isInt, ok := number(a)
	j, g, alsoInt, also := number(b)
	if !ok || !also {
		return nil, fmt.Errorf("%s %s %s is not understood", TypeName(a), op, TypeName(b))
	}
	if isInt && alsoInt && op != "/" && !(op == "**" && j < 0) {
		return integers(op, i, j)
	}
	switch op {
	case "+":
		return f + g, nil
	case "-":
		return f - g, nil
	case "*":
		return f * g, nil
	case "/":
		if g == 0 {
			return nil, fmt.Errorf("a division by zero")
		}
		return f / g, nil
	}
	return nil, fmt.Errorf("%s of fractions is not understood", op)
}

func integers(op string, i, j int64) (Value, error) {
	tooLarge := fmt.Errorf("%d %s %d is too large", i, op, j)
	switch op {
	case "+":
		if s := i + j; (s > i) == (j > 0) {
			return s, nil
		}
	case "-":
		if s := i - j; (s < i) == (j > 0) {
			return s, nil
		}
	case "*":
		return product(i, j, tooLarge)
	case "//", "%":
		if j == 0 {
			return nil, fmt.Errorf("a division by zero")
		}
		if i == math.MinInt64 && j == -1 {
			return nil, tooLarge
		}
		q, r := i/j, i%j
		if r != 0 && (r < 0) != (j < 0) {
			q, r = q-1, r+j
		}
		if op == "%" {
			return r, nil
		}
		return q, nil
	case "**":
		out := int64(1)
		if j > 64 && i != 0 && i != 1 && i != -1 {
			return nil, tooLarge
		}
		if j > 64 {
			j = 64 + j%2
		}
		for range j {
			v, err := product(out, i, tooLarge)
			if err != nil {
				return nil, err
			}
			out = v.(int64)
		}
		return out, nil
	}
	return nil, tooLarge
}

func product(i, j int64, tooLarge error) (Value, error) {
	abs := func(v int64) uint64 {
		if v < 0 {
			return -uint64(v)
		}
		return uint64(v)
	}
	hi, lo := bits.Mul64(abs(i), abs(j))
	if hi != 0 || lo > math.MaxInt64 {
		return nil, tooLarge
	}
	return i * j, nil
}

// Negate is -v.
func Negate(v Value) (Value, error) {
	i, f, isInt, ok := number(v)
	switch {
	case !ok:
		return nil, fmt.Errorf("-%s is not understood", TypeName(v))
	case isInt && i == math.MinInt64:
		return nil, fmt.Errorf("-(%d) is too large", i)
	case isInt:
		return -i, nil
	}
	return -f, nil
}

// Int is a whole number: an int or a bool.
func Int(v Value) (int64, bool) {
	i, _, isInt, _ := number(v)
	return i, isInt
}

// Number is a number's value, True and False being 1 and 0.
func Number(v Value) (float64, bool) {
	i, f, isInt, isFloat := number(v)
	if isInt {
		return float64(i), true
	}
	return f, isFloat
}
