package pyfunc

import (
	"errors"
	"slices"
	"sync"

	"github.com/softbench/softbench/tasks/py"
)

// running is held while Python code runs: one function at a time, whichever loader's it is.
var running sync.Mutex

// A set's order is chance in Python, from one process to the next. Code that looks at one is run in several orders; where what it
// gives is the same, the order does not matter, and where it is not, that is an error. running guards both.
var (
	setOrder int  // which of setOrders a set is seen in
	setSeen  bool // an order was looked at
)

const setOrders = 4

var errOrder = errors.New("the result depends on the order of a set, which is chance in Python")

// seen is what a loop over a set sees.
func (s *set) seen() []py.Value {
	out := slices.Clone(s.items)
	if len(out) < 2 {
		return out
	}
	setSeen = true
	switch setOrder {
	case 1:
		slices.Reverse(out)
	case 2, 3: // the same for the same set, unlike the two before
		state := uint64(setOrder) * 0x9e3779b97f4a7c15
		for i := len(out) - 1; i > 0; i-- {
			state ^= state << 13
			state ^= state >> 7
			state ^= state << 17
			j := int(state % uint64(i+1))
			out[i], out[j] = out[j], out[i]
		}
	}
	return out
}

// inAnyOrder is what code gives whatever order sets have.
func inAnyOrder(run func() (py.Value, error)) (py.Value, error) {
	order, seen := setOrder, setSeen
	defer func() { setOrder, setSeen = order, seen }()
	setOrder, setSeen = 0, false
	v, err := run()
	if !setSeen {
		return v, err
	}
	for setOrder = 1; setOrder < setOrders; setOrder++ {
		w, also := run()
		if (err == nil) != (also == nil) || err == nil && !same(v, w) {
			return nil, errOrder
		}
	}
	return v, err
}

// same says that two results are: of data sets, row by row.
func same(a, b py.Value) bool {
	switch x := a.(type) {
	case *Dataset:
		y, ok := b.(*Dataset)
		return ok && slices.Equal(x.Columns, y.Columns) && slices.EqualFunc(x.Rows, y.Rows, func(p, q Row) bool {
			return p.From == q.From && same(p.Doc, q.Doc)
		})
	case *set:
		y, ok := b.(*set)
		if !ok {
			return false
		}
		v, err := x.operate("==", y)
		return err == nil && v == true
	case *array:
		y, ok := b.(*array)
		return ok && x.kind == y.kind && slices.Equal(x.values, y.values)
	case *Func, native, typeOf, *external:
		return true // made of the same text
	}
	p, err := py.Repr(a)
	q, also := py.Repr(b)
	if err == nil && also == nil {
		return p == q // the order of a dict's keys with it
	}
	return py.Equal(a, b)
}

// copies are arguments that a call may change without changing them for the next.
func copies(args []py.Value) []py.Value {
	out := make([]py.Value, len(args))
	for i, a := range args {
		out[i] = deep(a)
	}
	return out
}
