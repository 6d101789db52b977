package study

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

func (f *claimFile) resolve(s *Study) (Claim, error) {
	c := Claim{Text: f.Claim, Measure: f.Measure}
	if f.Claim == "" {
		return c, errors.New("want the claim as a sentence")
	}
	if _, err := s.findMeasure(f.Measure); err != nil {
		return c, err
	}
	var err error
	if c.Where, err = s.values("where", f.Where); err != nil {
		return c, err
	}
	if c.Against, err = s.values("against", f.Against); err != nil {
		return c, err
	}
	given := 0
	for _, limit := range []struct {
		value                   *float64
		against, ratio, atLeast bool
	}{
		{f.AtLeast, false, false, true}, {f.AtMost, false, false, false},
		{f.DifferenceAtLeast, true, false, true}, {f.DifferenceAtMost, true, false, false},
		{f.RatioAtLeast, true, true, true}, {f.RatioAtMost, true, true, false},
	} {
		if limit.value == nil {
			continue
		}
		given++
		if limit.against != (c.Against != nil) {
			return c, errors.New("at_least and at_most are of one cell, difference_... and ratio_... want against")
		}
		if c.Limit, c.Ratio, c.AtLeast = *limit.value, limit.ratio, limit.atLeast; c.Ratio && !(c.Limit > 0) || math.IsInf(c.Limit, 0) || math.IsNaN(c.Limit) {
			return c, errors.New("the limit is not a number, or a ratio's not above zero")
		}
	}
	if given != 1 {
		return c, errors.New("want exactly one of at_least, at_most, difference_at_least, difference_at_most, ratio_at_least, ratio_at_most")
	}
	if len(c.cells(s)) == 0 {
		return c, errors.New("no cell of the grid is meant")
	}
	for _, cell := range c.cells(s) {
		if c.Against != nil && c.opposite(s, cell) < 0 {
			return c, fmt.Errorf("%s has no cell to set against", s.Cells[cell].Name)
		}
	}
	return c, nil
}

// values reads settings of the grid, in its order.
func (s *Study) values(what string, from map[string]any) ([]Value, error) {
	var out []Value
	for name, v := range from {
		want := Value{name, text(v)}
		if !slices.ContainsFunc(s.Cells, func(c Cell) bool { return slices.Contains(c.Values, want) }) {
			return nil, fmt.Errorf("%s: the grid has no %s=%s", what, name, want.Text)
		}
		out = append(out, want)
	}
	slices.SortFunc(out, func(a, b Value) int { return s.place(a) - s.place(b) })
	return out, nil
}

func (s *Study) place(v Value) int {
	return slices.IndexFunc(s.Cells[0].Values, func(x Value) bool { return x.Setting == v.Setting })
}

func has(c *Cell, values []Value) bool {
	return !slices.ContainsFunc(values, func(v Value) bool { return !slices.Contains(c.Values, v) })
}

// cells are the indices of the cells that a claim is about.
func (c *Claim) cells(s *Study) (out []int) {
	for i := range s.Cells {
		if has(&s.Cells[i], c.Where) {
			out = append(out, i)
		}
	}
	return out
}

// opposite is the cell that one is set against: the values of Against, else the
// cell's own. -1: none, or the cell itself.
func (c *Claim) opposite(s *Study, cell int) int {
	want := slices.Clone(s.Cells[cell].Values)
	for i := range want {
		for _, v := range c.Against {
			if v.Setting == want[i].Setting {
				want[i] = v
			}
		}
	}
	at := slices.IndexFunc(s.Cells, func(x Cell) bool { return slices.Equal(x.Values, want) })
	if at == cell {
		return -1
	}
	return at
}
