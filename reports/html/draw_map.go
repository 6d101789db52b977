package html

import (
	"html/template"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mapLevels is the number of shades of an attention map; the style has them, see
// inkClass.
const mapLevels = 32

// cells draws an attention map, the first query on top, with one path for all cells
// of a shade: a path for each cell would be most of the page. Shades go with the
// square root of the weight, which keeps small ones apart from zero; exact zeros
// are left blank.
type cells struct{ m AttentionMap }

func (d cells) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var shades [mapLevels]vg.Path
	for q, row := range d.m.Weights {
		top := float64(len(d.m.Weights) - q)
		for k, w := range row {
			if w == 0 || math.IsNaN(w) {
				continue
			}
			level := int(math.Round(math.Sqrt(max(0, min(w, 1))) * (mapLevels - 1)))
			left, right, over, under := x(float64(k)), x(float64(k+1)), y(top), y(top-1)
			path := &shades[level]
			path.Move(vg.Point{X: left, Y: under})
			path.Line(vg.Point{X: right, Y: under})
			path.Line(vg.Point{X: right, Y: over})
			path.Line(vg.Point{X: left, Y: over})
			path.Close()
		}
	}
	for level, path := range shades {
		if len(path) > 0 {
			c.SetColor(color.RGBA{G: 1, B: uint8(level), A: 255})
			c.Fill(path)
		}
	}
}

// DataRange implements plot.DataRanger.
func (d cells) DataRange() (x0, x1, y0, y1 float64) {
	n := float64(len(d.m.Weights))
	return 0, n, 0, n
}

func drawMap(m AttentionMap) (template.HTML, error) {
	p := newPlot(narrowWidth)
	p.Add(cells{m})
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Label.Text, p.Y.Label.Text = "key", "query"
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks{}, plot.ConstantTicks{}
	return renderSVG(p, narrowWidth, narrowWidth)
}
