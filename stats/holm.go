package stats

import (
	"fmt"
	"math"
	"slices"
)

// Holm are the p-values adjusted for being a family, in the order given (Holm
// 1979): rejecting those below a level keeps the chance of any false alarm below
// it. The k-th smallest of m (k from 0) times m-k, at least those before it, at
// most 1. NaN, no test, stays NaN and does not count.
// Equal to statsmodels' multipletests(method="holm").
func Holm(ps []float64) ([]float64, error) {
	out := make([]float64, len(ps))
	var order []int
	for i, p := range ps {
		switch {
		case math.IsNaN(p):
			out[i] = p
		case p < 0 || p > 1:
			return nil, fmt.Errorf("stats: p-value %d is %v: not between 0 and 1", i, p)
		default:
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case ps[i] < ps[j]:
			return -1
		case ps[i] > ps[j]:
			return 1
		}
		return 0
	})
	most := 0.0
	for k, i := range order {
		most = max(most, min(1, ps[i]*float64(len(order)-k)))
		out[i] = most
	}
	return out, nil
}
