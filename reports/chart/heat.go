package chart

import (
	"html/template"
	"math"
	"strconv"

	"github.com/softbench/softbench/reports/text"
)

// Heat is a grid of cells, the first row on top, by shade.
type Heat struct {
	X, Y          Axis
	Columns, Rows []string
	Cells         []Cell // those that are not blank
	// Unit of the values: Percent of shares from 0 to 1, Points of their differences from
	// -1 to 1, Weight of attention, whose shades go with the square root, which keeps
	// small ones apart from zero.
	Unit Unit
}

// Cell is one value.
type Cell struct {
	Column, Row int
	Value       float64
	Detail      string // for the interactive chart
}

// Shades is the number of shades of a drawing; the style has the classes fill-map-0 and on.
const Shades = 32

// SVG is the drawing: one path for all cells of a shade, as a path for each cell would
// be most of the page.
func (h Heat) SVG(width float64) template.HTML {
	c := newCanvas(width, width)
	b := box{left: c.size + 8, top: 4, right: width - 6, bottom: width - c.size - 10}
	var shades [Shades]path
	across, down := (b.right-b.left)/float64(len(h.Columns)), (b.bottom-b.top)/float64(len(h.Rows))
	for _, cell := range h.Cells {
		if !text.Finite(cell.Value) {
			continue
		}
		share := max(0, min(math.Abs(cell.Value), 1))
		if h.Unit == Weight {
			share = math.Sqrt(share)
		}
		left, top := b.left+across*float64(cell.Column), b.top+down*float64(cell.Row)
		shades[int(math.Round(share*(Shades-1)))].polygon(left, top+down, left+across, top+down, left+across, top, left, top)
	}
	var frame path
	frame.polygon(b.left, b.top, b.right, b.top, b.right, b.bottom, b.left, b.bottom)
	c.stroke(&frame, "grid", 1, "")
	for level := range shades {
		c.fill(&shades[level], "fill-map-"+strconv.Itoa(level), "")
	}
	c.text("middle", (b.left+b.right)/2, width-4, "muted", h.X.Name)
	x, y := number(c.size), number((b.top+b.bottom)/2)
	c.WriteString(`<g transform="rotate(-90 ` + x + " " + y + `)">`)
	c.text("middle", c.size, (b.top+b.bottom)/2, "muted", h.Y.Name)
	c.WriteString("</g>")
	return c.done()
}
