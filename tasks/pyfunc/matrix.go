package pyfunc

import (
	"fmt"
	"math"

	"github.com/softbench/softbench/tasks/py"
)

// matrix is numpy's array of two dimensions, of numbers with a fraction.
type matrix struct {
	rows, columns int
	values        []float64 // row by row
}

// Attr of a matrix is none.
func (*matrix) Attr(string) (py.Value, bool) { return nil, false }

// TypeName of a matrix.
func (*matrix) TypeName() string { return "ndarray" }

func (m *matrix) negated() *matrix {
	out := &matrix{m.rows, m.columns, make([]float64, len(m.values))}
	for i, v := range m.values {
		out.values[i] = -v
	}
	return out
}

// place is where (row, column) stands.
func (m *matrix) place(k py.Value) (int, error) {
	t, ok := k.(py.Tuple)
	if !ok || len(t) != 2 {
		return 0, fmt.Errorf("a matrix's item like this is not understood")
	}
	i, ok := py.Int(t[0])
	j, also := py.Int(t[1])
	if !ok || !also || i < 0 || j < 0 || i >= int64(m.rows) || j >= int64(m.columns) {
		return 0, raise("IndexError", "index out of bounds")
	}
	return int(i)*m.columns + int(j), nil
}

// numpyFloat is a number that is numpy's own, which rounds otherwise than Python's: it can be rounded and nothing else.
type numpyFloat float64

// Attr of it is none.
func (numpyFloat) Attr(string) (py.Value, bool) { return nil, false }

// TypeName of it.
func (numpyFloat) TypeName() string { return "numpy.float64" }

// round is numpy's: of the number times a power of ten, the nearest whole one, of two as near the even one.
func (x numpyFloat) round(digits int64) float64 {
	power := math.Pow(10, float64(digits))
	return math.RoundToEven(float64(x)*power) / power
}

// zeros is numpy.zeros of one or two dimensions.
func zeros(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) != 1 || len(named) > 0 {
		return nil, fmt.Errorf("numpy.zeros like this is not understood")
	}
	sizes := []py.Value{args[0]}
	switch args[0].(type) {
	case *py.List, py.Tuple:
		var err error
		if sizes, err = iterate(args[0]); err != nil {
			return nil, err
		}
	}
	var n []int
	all := int64(1)
	for _, s := range sizes {
		k, ok := py.Int(s)
		if !ok || k < 0 || k > 1<<16 || all*k > 1<<20 {
			return nil, fmt.Errorf("numpy.zeros of this size is not understood")
		}
		all *= k
		n = append(n, int(k))
	}
	switch len(n) {
	case 1:
		return &array{values: make([]float64, n[0]), kind: fractions, numpy: true}, nil
	case 2:
		return &matrix{n[0], n[1], make([]float64, n[0]*n[1])}, nil
	}
	return nil, fmt.Errorf("numpy.zeros of %d dimensions is not understood", len(n))
}

// assignment is scipy.optimize.linear_sum_assignment: which column each row takes, for the least sum. Of several that are as good it
// is scipy's, whose algorithm this is: shortest augmenting paths, with the columns looked at in scipy's order.
func assignment(_ *budget, v py.Value) (py.Value, error) {
	m, ok := v.(*matrix)
	if !ok {
		return nil, fmt.Errorf("linear_sum_assignment of a %s is not understood", py.TypeName(v))
	}
	if len(m.values) > 1<<14 {
		return nil, fmt.Errorf("linear_sum_assignment of %d costs is not understood", len(m.values))
	}
	rows, columns, costs := m.rows, m.columns, m.values
	turned := columns < rows
	if turned {
		costs = make([]float64, len(m.values))
		for i := range rows {
			for j := range columns {
				costs[j*rows+i] = m.values[i*columns+j]
			}
		}
		rows, columns = columns, rows
	}
	columnOf, rowOf, err := assign(rows, columns, costs)
	if err != nil {
		return nil, err
	}
	a, b := &array{kind: wholes}, &array{kind: wholes}
	if turned {
		for j, i := range rowOf {
			if i >= 0 {
				a.values, b.values = append(a.values, float64(j)), append(b.values, float64(i))
			}
		}
	} else {
		for i, j := range columnOf {
			a.values, b.values = append(a.values, float64(i)), append(b.values, float64(j))
		}
	}
	return py.Tuple{a, b}, nil
}

// assign gives every row a column; there are no more rows than columns.
func assign(rows, columns int, costs []float64) (columnOf, rowOf []int, err error) {
	u, v := make([]float64, rows), make([]float64, columns)
	columnOf, rowOf = filledWith(rows, -1), filledWith(columns, -1)
	for row := range rows {
		shortest := make([]float64, columns)
		for j := range shortest {
			shortest[j] = math.Inf(1)
		}
		path, left := filledWith(columns, -1), make([]int, columns)
		for k := range left {
			left[k] = columns - k - 1
		}
		seenRow, seenColumn := make([]bool, rows), make([]bool, columns)
		least, end, i := 0.0, -1, row
		for end < 0 {
			at, lowest := -1, math.Inf(1)
			seenRow[i] = true
			for k, j := range left {
				if r := least + costs[i*columns+j] - u[i] - v[j]; r < shortest[j] {
					path[j], shortest[j] = i, r
				}
				if shortest[j] < lowest || shortest[j] == lowest && rowOf[j] < 0 {
					at, lowest = k, shortest[j]
				}
			}
			if least = lowest; at < 0 || math.IsInf(least, 1) {
				return nil, nil, raise("ValueError", "cost matrix is infeasible")
			}
			j := left[at]
			if rowOf[j] < 0 {
				end = j
			} else {
				i = rowOf[j]
			}
			seenColumn[j] = true
			left[at] = left[len(left)-1]
			left = left[:len(left)-1]
		}
		u[row] += least
		for i, seen := range seenRow {
			if seen && i != row {
				u[i] += least - shortest[columnOf[i]]
			}
		}
		for j, seen := range seenColumn {
			if seen {
				v[j] -= least - shortest[j]
			}
		}
		for j := end; ; {
			i := path[j]
			rowOf[j] = i
			columnOf[i], j = j, columnOf[i]
			if i == row {
				break
			}
		}
	}
	return columnOf, rowOf, nil
}

func filledWith(n, v int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func init() {
	known["numpy.zeros"] = native(zeros)
	known["scipy.optimize.linear_sum_assignment"] = one("linear_sum_assignment", assignment)
}
