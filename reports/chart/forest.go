package chart

import (
	"math"

	"github.com/softbench/softbench/reports/text"
)

// Forest is a row for each estimate, the first on top, around a reference.
type Forest struct {
	Rows      []Estimate
	Axis      Axis
	Reference float64
}

// Estimate is a value with its interval.
type Estimate struct {
	Label            string
	Value, Low, High float64
	HasInterval      bool
	Ink              string
	Detail           string // for the interactive chart
}

// interval is the row's interval; false where it has none.
func (e *Estimate) interval() (low, high float64, ok bool) {
	return e.Low, e.High, e.HasInterval && text.Finite(e.Low) && text.Finite(e.High)
}

// Scene is the drawing.
func (f Forest) Scene(width float64) *Scene {
	const row = 22
	c := newCanvas(width, 46+row*float64(len(f.Rows)))
	s := f.scale(min(int(width/68), 8))
	b := box{left: 10, top: 2, right: width - 14, bottom: 4 + row*float64(len(f.Rows))}
	labels := make([]string, len(f.Rows))
	for i, r := range f.Rows {
		labels[i] = short(r.Label, width)
		b.left = max(b.left, c.width(labels[i])+14)
	}
	b.left = max(b.left, c.width(s.ticks[0].Label)/2)
	b.right = min(b.right, width-2-c.width(s.ticks[len(s.ticks)-1].Label)/2)
	var grid path
	for _, t := range s.ticks {
		grid.move(b.x(&s, t.Value), b.top)
		grid.line(b.x(&s, t.Value), b.bottom)
	}
	c.stroke(&grid, "grid", Line{Width: 1}, 0.6)
	var reference path
	reference.move(b.x(&s, f.Reference), b.top)
	reference.line(b.x(&s, f.Reference), b.bottom)
	c.stroke(&reference, "muted", Line{Width: 1, Dashed: true}, 1)
	c.xAxis(b, &s, f.Axis.Name)
	for i, r := range f.Rows {
		y := b.top + row*(float64(i)+0.5)
		c.text("end", b.left-10, y+0.35*c.size, "ink", labels[i])
		var bar, dot path
		if !s.has(r.Value) {
			continue
		}
		if low, high, ok := r.interval(); ok && s.has(low) && s.has(high) {
			bar.interval(b.x(&s, low), y, b.x(&s, high), y, 4)
		}
		c.stroke(&bar, r.Ink, Line{Width: 2, Round: true}, 1)
		marks[0].draw(&dot, b.x(&s, r.Value), y, 4.5)
		c.fill(&dot, r.Ink, 1.5, 1)
	}
	return c.done()
}

// Table has a row for each estimate.
func (f Forest) Table() Table {
	t := Table{Columns: []string{"estimate", "value", "low", "high"}}
	for _, r := range f.Rows {
		low, high, ok := r.interval()
		if !ok {
			low, high = math.NaN(), math.NaN()
		}
		t.Rows = append(t.Rows, []string{r.Label, full(r.Value), full(low), full(high)})
	}
	return t
}

// scale holds all rows and the reference, in about n round steps.
func (f Forest) scale(n int) scale {
	s := emptyScale(f.Axis.Log)
	s.include(f.Reference)
	for _, r := range f.Rows {
		s.include(r.Value)
		if low, high, ok := r.interval(); ok {
			s.include(low, high)
		}
	}
	switch {
	case f.Axis.Log && math.IsInf(s.min, 0):
		s.min, s.max = 1, 1
		fallthrough
	case f.Axis.Log:
		if s.min == s.max {
			s.min, s.max = s.min/1.01, s.max*1.01
		}
		s.roundLog(f.Axis.Format)
	default:
		if s.min == s.max {
			s.min, s.max = s.min-0.01, s.max+0.01
		}
		s.round(n, f.Axis.Format)
	}
	return s
}

// short cuts a label to what a narrow drawing has room for.
func short(label string, width float64) string {
	limit := int(width / 14)
	if r := []rune(label); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return label
}
