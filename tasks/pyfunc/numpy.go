package pyfunc

import (
	"fmt"
	"math"

	"github.com/softbench/softbench/tasks/py"
)

// array is numpy's array of one dimension: of numbers with a fraction, of whole numbers, or of truth values.
type array struct {
	values []float64
	kind   arrayKind
	numpy  bool // made by numpy.zeros: its mean is a number of numpy's own
}

type arrayKind int

const (
	truths arrayKind = iota
	wholes
	fractions
)

// Attr of an array.
func (a *array) Attr(name string) (py.Value, bool) {
	switch name {
	case "sum", "mean", "max", "min", "argmax", "argmin":
		f := known["numpy."+name].(native)
		return native(func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
			return f(b, append([]py.Value{a}, args...), named)
		}), true
	case "tolist":
		return native(func(*budget, []py.Value, map[string]py.Value) (py.Value, error) { return py.NewList(a.items()...), nil }), true
	case "size":
		return int64(len(a.values)), true
	}
	return nil, false
}

// TypeName of an array.
func (*array) TypeName() string { return "ndarray" }

func (a *array) item(i int) py.Value {
	switch a.kind {
	case truths:
		return a.values[i] != 0
	case wholes:
		return int64(a.values[i])
	}
	return a.values[i]
}

func (a *array) items() []py.Value {
	out := make([]py.Value, len(a.values))
	for i := range out {
		out[i] = a.item(i)
	}
	return out
}

// arrayOf is numpy.array(v) of a list of numbers.
func arrayOf(v py.Value) (*array, error) {
	if a, ok := v.(*array); ok {
		return a, nil
	}
	items, err := iterate(v)
	if err != nil {
		return nil, err
	}
	a := &array{kind: fractions}
	if len(items) > 0 {
		a.kind = truths
	}
	for _, e := range items {
		x, kind, ok := scalar(e)
		if !ok {
			return nil, fmt.Errorf("an array with a value of type %s is not understood", py.TypeName(e))
		}
		a.values, a.kind = append(a.values, x), max(a.kind, kind)
	}
	return a, nil
}

// scalar is a number that arrays work with.
func scalar(v py.Value) (x float64, kind arrayKind, ok bool) {
	switch n := v.(type) {
	case bool:
		if n {
			x = 1
		}
		return x, truths, true
	case int64:
		return float64(n), wholes, n < 1<<53 && n > -1<<53
	case float64:
		return n, fractions, true
	}
	return 0, 0, false
}

// operateArrays is an operation element by element, of arrays or of an array and a number.
func operateArrays(op string, a, b py.Value) (py.Value, error) {
	x, y, err := broadcast(a, b)
	if err != nil {
		return nil, err
	}
	out := &array{values: make([]float64, len(x.values)), kind: max(x.kind, y.kind, wholes)}
	if op == "/" {
		out.kind = fractions
	}
	if op == "-" && x.kind == truths && y.kind == truths {
		return nil, raise("TypeError", "truth values cannot be subtracted")
	}
	for i := range out.values {
		p, q := x.values[i], y.values[i]
		switch op {
		case "+":
			out.values[i] = p + q
		case "-":
			out.values[i] = p - q
		case "*":
			out.values[i] = p * q
		case "/":
			out.values[i] = p / q
		default:
			return nil, fmt.Errorf("%s of arrays is not understood", op)
		}
		if out.kind == wholes && math.Abs(out.values[i]) > 1<<53 {
			return nil, fmt.Errorf("whole numbers beyond 2^53 in arrays are not understood")
		}
	}
	if max(x.kind, y.kind) == truths && (op == "+" || op == "*") {
		return nil, fmt.Errorf("%s of arrays of truth values is not understood", op)
	}
	return out, nil
}

// compareArrays is a comparison element by element.
func compareArrays(op string, a, b py.Value) (py.Value, error) {
	x, y, err := broadcast(a, b)
	if err != nil {
		return nil, err
	}
	out := &array{values: make([]float64, len(x.values))}
	for i := range out.values {
		p, q := x.values[i], y.values[i]
		var yes bool
		switch op {
		case "==":
			yes = p == q
		case "!=":
			yes = p != q
		case "<":
			yes = p < q
		case "<=":
			yes = p <= q
		case ">":
			yes = p > q
		case ">=":
			yes = p >= q
		default:
			return nil, fmt.Errorf("%s of arrays is not understood", op)
		}
		if yes {
			out.values[i] = 1
		}
	}
	return out, nil
}

// broadcast gives two operands one length.
func broadcast(a, b py.Value) (x, y *array, err error) {
	side := func(v py.Value, n int) (*array, error) {
		if s, kind, ok := scalar(v); ok {
			out := &array{values: make([]float64, n), kind: kind}
			for i := range out.values {
				out.values[i] = s
			}
			return out, nil
		}
		return arrayOf(v)
	}
	n := 0
	for _, v := range []py.Value{a, b} {
		if arr, ok := v.(*array); ok {
			n = len(arr.values)
		}
	}
	if x, err = side(a, n); err != nil {
		return nil, nil, err
	}
	if y, err = side(b, n); err != nil {
		return nil, nil, err
	}
	if len(x.values) != len(y.values) {
		return nil, nil, fmt.Errorf("arrays of %d and %d values together are not understood", len(x.values), len(y.values))
	}
	return x, y, nil
}

// index is an element, or those that an array of truth values picks.
func (a *array) index(k py.Value) (py.Value, error) {
	if mask, ok := k.(*array); ok && mask.kind == truths && len(mask.values) == len(a.values) {
		out := &array{kind: a.kind}
		for i, m := range mask.values {
			if m != 0 {
				out.values = append(out.values, a.values[i])
			}
		}
		return out, nil
	}
	i, ok := py.Int(k)
	if !ok {
		return nil, fmt.Errorf("an array's item like this is not understood")
	}
	if i < 0 {
		i += int64(len(a.values))
	}
	if i < 0 || i >= int64(len(a.values)) {
		return nil, raise("IndexError", "index out of bounds")
	}
	return a.item(int(i)), nil
}

// set gives an element of an array of fractions a value.
func (a *array) set(k, w py.Value) error {
	i, ok := py.Int(k)
	x, _, also := scalar(w)
	if !ok || !also || a.kind != fractions {
		return fmt.Errorf("giving a value to an array's item like this is not understood")
	}
	if i < 0 {
		i += int64(len(a.values))
	}
	if i < 0 || i >= int64(len(a.values)) {
		return raise("IndexError", "index out of bounds")
	}
	a.values[i] = x
	return nil
}

// pairwise is numpy's sum: by halves where there are more than 128, of eight partial sums from 8 on.
func pairwise(v []float64) float64 {
	switch n := len(v); {
	case n < 8:
		sum := 0.0
		if n > 0 {
			sum = v[0]
			for _, x := range v[1:] {
				sum += x
			}
		}
		return sum
	case n <= 128:
		var r [8]float64
		copy(r[:], v[:8])
		i := 8
		for ; i < n-n%8; i += 8 {
			for k := range r {
				r[k] += v[i+k]
			}
		}
		sum := ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
		for ; i < n; i++ {
			sum += v[i]
		}
		return sum
	default:
		half := n / 2
		half -= half % 8
		return pairwise(v[:half]) + pairwise(v[half:])
	}
}

// overArray is a function of numpy of one array, or what makes one.
func overArray(name string, f func(a *array) (py.Value, error)) native {
	return one("numpy."+name, func(_ *budget, v py.Value) (py.Value, error) {
		a, err := arrayOf(v)
		if err != nil {
			return nil, err
		}
		return f(a)
	})
}

// eachOf is a function of numpy of a number, or of an array's numbers.
func eachOf(name string, f func(float64) float64) native {
	return one("numpy."+name, func(_ *budget, v py.Value) (py.Value, error) {
		if x, _, ok := scalar(v); ok {
			return f(x), nil
		}
		a, err := arrayOf(v)
		if err != nil {
			return nil, err
		}
		out := &array{values: make([]float64, len(a.values)), kind: fractions}
		for i, x := range a.values {
			out.values[i] = f(x)
		}
		return out, nil
	})
}

// extreme is the place of the first value that is more (way 1) or less (way -1) than all others, or the first that is no number.
func extreme(a *array, way float64) (int, error) {
	if len(a.values) == 0 {
		return 0, raise("ValueError", "of an empty sequence")
	}
	at := 0
	for i, x := range a.values {
		if math.IsNaN(a.values[at]) {
			break
		}
		if math.IsNaN(x) || way*x > way*a.values[at] {
			at = i
		}
	}
	return at, nil
}

func init() {
	place := func(way float64) func(a *array) (py.Value, error) {
		return func(a *array) (py.Value, error) {
			i, err := extreme(a, way)
			return int64(i), err
		}
	}
	value := func(way float64) func(a *array) (py.Value, error) {
		return func(a *array) (py.Value, error) {
			i, err := extreme(a, way)
			if err != nil {
				return nil, err
			}
			return a.item(i), nil
		}
	}
	for name, f := range map[string]func(a *array) (py.Value, error){
		"array": func(a *array) (py.Value, error) { return a, nil }, "asarray": func(a *array) (py.Value, error) { return a, nil },
		"argmax": place(1), "argmin": place(-1), "max": value(1), "min": value(-1),
		"sum": func(a *array) (py.Value, error) {
			if a.kind < fractions {
				sum := 0.0
				for _, x := range a.values {
					sum += x
				}
				return int64(sum), nil
			}
			return pairwise(a.values), nil
		},
		"mean": func(a *array) (py.Value, error) {
			if len(a.values) == 0 {
				return math.NaN(), nil
			}
			if a.numpy {
				return numpyFloat(pairwise(a.values) / float64(len(a.values))), nil
			}
			return pairwise(a.values) / float64(len(a.values)), nil
		},
		"nanmean": func(a *array) (py.Value, error) {
			var numbers []float64
			for _, x := range a.values {
				if !math.IsNaN(x) {
					numbers = append(numbers, x)
				}
			}
			return pairwise(numbers) / float64(len(numbers)), nil
		},
		"nanmax": func(a *array) (py.Value, error) {
			out := math.NaN()
			for _, x := range a.values {
				if !math.IsNaN(x) && !(x <= out) {
					out = x
				}
			}
			if a.kind < fractions && len(a.values) > 0 {
				return int64(out), nil
			}
			return out, nil
		},
		"prod": func(a *array) (py.Value, error) {
			out := 1.0
			for _, x := range a.values {
				out *= x
			}
			if a.kind < fractions {
				return nil, fmt.Errorf("numpy.prod of whole numbers is not understood")
			}
			return out, nil
		},
	} {
		known["numpy."+name] = overArray(name, f)
	}
	for name, f := range map[string]func(float64) float64{"exp": math.Exp, "log": math.Log, "sqrt": math.Sqrt, "abs": math.Abs} {
		known["numpy."+name] = eachOf(name, f)
	}
	known["numpy.nan"] = math.NaN()
	known["numpy.isnan"] = one("numpy.isnan", func(_ *budget, v py.Value) (py.Value, error) {
		x, _, ok := scalar(v)
		if !ok {
			return nil, fmt.Errorf("numpy.isnan of a value of type %s is not understood", py.TypeName(v))
		}
		return math.IsNaN(x), nil
	})
}
