package html

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/softbench/softbench/reports/text"
)

// estimate is a value with its interval, as a chart shows it.
type estimate struct {
	label         string
	value, lo, hi float64
	class         string // ink
	way           string // which direction is better
	hasInterval   bool
	detail        string // for the interactive chart
}

// forest draws one row for each estimate, the first on top, around a reference.
func forest(rows []estimate, axis string, reference float64, ticks func(float64) string) (drawing, error) {
	return draw2(func(width float64) (*plot.Plot, float64, error) {
		p := newPlot(width)
		n := len(rows)
		p.X.Label.Text = axis
		p.Y.Min, p.Y.Max = -0.6, float64(n)-0.4
		p.X.Padding, p.Y.Padding = 2, 10
		var labels []plot.Tick
		for i, r := range rows {
			labels = append(labels, plot.Tick{Value: float64(n - 1 - i), Label: short(r.label, width)})
		}
		p.Y.Tick.Marker = plot.ConstantTicks(labels)
		p.Y.Tick.Length, p.Y.LineStyle.Width = 0, 0
		p.Y.Tick.Label.Color = ink("ink")
		p.X.Min, p.X.Max = span(rows, reference)
		round(&p.X, min(int(width/68), 8), ticks)
		p.Add(vertical{reference, ink("muted")})
		for i, r := range rows {
			y := float64(n - 1 - i)
			if r.hasInterval {
				p.Add(bar{x0: r.lo, x1: r.hi, y0: y, y1: y, style: draw.LineStyle{Color: ink(r.class), Width: 2}, caps: 4})
			}
			dots, err := plotter.NewScatter(plotter.XYs{{X: r.value, Y: y}})
			if err != nil {
				return nil, 0, err
			}
			dots.GlyphStyle = draw.GlyphStyle{Color: ink(r.class), Radius: 4, Shape: draw.CircleGlyph{}}
			p.Add(dots)
		}
		return p, 46 + 22*float64(n), nil
	})
}

// short cuts a label to what a narrow drawing has room for.
func short(label string, width float64) string {
	label = text.Visible(label)
	limit := int(width / 14)
	if r := []rune(label); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return label
}

// bar is an interval with caps.
type bar struct {
	x0, x1, y0, y1 float64
	style          draw.LineStyle
	caps           vg.Length
}

func (b bar) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	from, to := vg.Point{X: x(b.x0), Y: y(b.y0)}, vg.Point{X: x(b.x1), Y: y(b.y1)}
	c.StrokeLine2(b.style, from.X, from.Y, to.X, to.Y)
	for _, at := range []vg.Point{from, to} {
		if b.y0 == b.y1 {
			c.StrokeLine2(b.style, at.X, at.Y-b.caps, at.X, at.Y+b.caps)
		} else {
			c.StrokeLine2(b.style, at.X-b.caps, at.Y, at.X+b.caps, at.Y)
		}
	}
}

func (b bar) DataRange() (x0, x1, y0, y1 float64) {
	return min(b.x0, b.x1), max(b.x0, b.x1), min(b.y0, b.y1), max(b.y0, b.y1)
}

// vertical is a line over the whole height.
type vertical struct {
	x     float64
	color color.Color
}

func (v vertical) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	c.StrokeLine2(draw.LineStyle{Color: v.color, Width: 1, Dashes: []vg.Length{3, 3}}, x(v.x), c.Min.Y, x(v.x), c.Max.Y)
}
