package chart

import (
	"cmp"
	"math"

	"github.com/softbench/softbench/reports/text"
)

// Heat is a grid of cells, the first row on top, by shade.
type Heat struct {
	X, Y          Axis
	Columns, Rows []string
	Cells         []Cell // those that are not blank
	// Unit of the values: Percent of shares from 0 to 1, Points of their differences from
	// -1 to 1, whose cells say their value; Weight of attention, whose shades go with the
	// square root, which keeps small ones apart from zero, and whose names are tokens.
	Unit Unit
	// Bare drawings of weights have no tokens on their axes, as on a page that has the
	// tokens in its table.
	Bare bool
}

// Cell is one value.
type Cell struct {
	Column, Row int
	Value       float64
	Detail      string // for the interactive chart
}

// ink is the shade of a value.
func (h Heat) ink(value float64) string {
	share := max(0, min(math.Abs(value), 1))
	switch {
	case h.Unit == Weight:
		return Shade("deep", math.Sqrt(share))
	case h.Unit != Points:
		return Shade("heat", share)
	case value < 0:
		return Shade("down", share)
	}
	return Shade("up", share)
}

// label is what a cell says.
func (h Heat) label(value float64) string {
	s := text.Decimals(100*value, 0)
	if h.Unit == Points && value > 0 && s != "0" {
		s = "+" + s
	}
	return s
}

// Scene is the drawing.
func (h Heat) Scene(width float64) *Scene {
	columns, rows := float64(max(1, len(h.Columns))), float64(max(1, len(h.Rows)))
	c := newCanvas(width, width)
	b := box{left: c.size + 8, top: 4, right: width - 6}
	names := !h.Bare || h.Unit != Weight
	below := c.size + 10
	if names {
		b.left += 4 + c.longest(h.Rows, width/3)
		if h.Unit == Weight {
			below += 4 + c.longest(h.Columns, width/3)
		} else {
			below += 4 + c.size
		}
	}
	across := (b.right - b.left) / columns
	down := across // square cells of weights
	if h.Unit != Weight {
		down = min(across, 2.6*c.size)
	}
	b.bottom = b.top + down*rows
	c.Height = b.bottom + below

	var frame path
	frame.polygon(b.left, b.top, b.right, b.top, b.right, b.bottom, b.left, b.bottom)
	c.stroke(&frame, "grid", Line{Width: 1}, 1)
	shades, order := h.shades(b, across, down)
	for _, ink := range order {
		c.stroke(shades[ink], ink, Line{Width: down + seam}, 1)
	}
	if h.Unit != Weight {
		for _, cell := range h.Cells {
			if label := h.label(cell.Value); text.Finite(cell.Value) && c.width(label) < across {
				c.text("middle", b.left+across*(float64(cell.Column)+0.5), b.top+down*(float64(cell.Row)+0.5)+0.35*c.size, "ink", label)
			}
		}
	}
	if names {
		every := math.Ceil(1.1 * c.size / max(down, 1e-9))
		for i := 0.0; i < rows && int(i) < len(h.Rows); i += every {
			c.text("end", b.left-6, b.top+down*(i+0.5)+0.35*c.size, "muted", c.fitting(h.Rows[int(i)], width/3))
		}
		if h.Unit == Weight {
			for i := 0.0; i < columns && int(i) < len(h.Columns); i += math.Ceil(1.1 * c.size / max(across, 1e-9)) {
				c.turned("end", b.left+across*(i+0.5)+0.35*c.size, b.bottom+6, "muted", c.fitting(h.Columns[int(i)], width/3))
			}
		} else {
			every := 1
			for c.longest(h.Columns, width)+4 > across*float64(every) && every < len(h.Columns) {
				every++
			}
			for i := 0; i < len(h.Columns); i += every {
				c.text("middle", b.left+across*(float64(i)+0.5), b.bottom+4+c.size, "muted", h.Columns[i])
			}
		}
	}
	c.text("middle", (b.left+b.right)/2, c.Height-4, "muted", h.X.Name)
	c.turned("middle", c.size, (b.top+b.bottom)/2, "muted", h.Y.Name)
	return c.done()
}

// seam is by how much rows lie over one another, in px: else the paper shines through where a
// row ends within a pixel.
const seam = 0.4

// shades are the cells as one path for each shade, with the shades in their order: strokes as wide
// as a row, one for neighbours of one shade. A shape for each cell would be most of the page.
func (h Heat) shades(b box, across, down float64) (paths map[string]*path, order []string) {
	paths = map[string]*path{}
	type end struct{ row, column int }
	ends := map[string]end{} // of the last stroke of a shade
	for _, cell := range h.Cells {
		if !text.Finite(cell.Value) {
			continue
		}
		ink := h.ink(cell.Value)
		if paths[ink] == nil {
			paths[ink] = &path{}
			order = append(order, ink)
		}
		p := paths[ink]
		left, y := b.left+across*float64(cell.Column), b.top+down*(float64(cell.Row)+0.5)
		if at, ok := ends[ink]; ok && at == (end{cell.Row, cell.Column}) {
			(*p)[len(*p)-1].X = left + across
		} else {
			p.move(left, y)
			p.line(left+across, y)
		}
		ends[ink] = end{cell.Row, cell.Column + 1}
	}
	return paths, order
}

// longest is the width of the longest of names, at most so much.
func (c *canvas) longest(names []string, most float64) (widest float64) {
	for _, n := range names {
		widest = max(widest, c.width(n))
	}
	return min(widest, most)
}

// fitting cuts a name to a width.
func (c *canvas) fitting(name string, most float64) string {
	r := []rune(name)
	for len(r) > 1 && c.width(name) > most {
		r = r[:len(r)-1]
		name = string(r) + "…"
	}
	return name
}

// Table has a row for each cell that is not blank.
func (h Heat) Table() Table {
	t := Table{Columns: []string{cmp.Or(h.Y.Name, "row"), cmp.Or(h.X.Name, "column"), "value"}}
	if h.Unit == Weight { // tokens repeat: their places tell them apart
		t.Columns = []string{"query", "key", "query token", "key token", "weight"}
	}
	for _, c := range h.Cells {
		row := []string{h.Rows[c.Row], h.Columns[c.Column], full(c.Value)}
		if h.Unit == Weight {
			row = append([]string{full(float64(c.Row)), full(float64(c.Column))}, row...)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
