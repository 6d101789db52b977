package html

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/softbench/softbench/reports/text"
)

// curve is one line of a line chart.
type curve struct {
	name   string
	class  string
	x, y   []float64 // a y that is NaN leaves a gap
	lo, hi []float64 // intervals, or nil
	detail []string
	plain  bool // no marks, but for a point that stands alone
	band   bool // lo and hi are drawn as a band, not as intervals
}

// lines draws curves over a common axis, a mark at each point but those of
// plain curves.
func lines(curves []curve, xAxis, yAxis string, xTicks plot.ConstantTicks, yFormat func(float64) string, log bool) (drawing, error) {
	return linesFrom(nan, curves, xAxis, yAxis, xTicks, yFormat, log)
}

// linesFrom is lines whose axis of values begins at floor at the latest.
func linesFrom(floor float64, curves []curve, xAxis, yAxis string, xTicks plot.ConstantTicks, yFormat func(float64) string, log bool) (drawing, error) {
	return draw2(func(width float64) (*plot.Plot, float64, error) {
		p := newPlot(width)
		p.X.Label.Text, p.Y.Label.Text = xAxis, yAxis
		p.X.Tick.Marker = xTicks
		if log {
			p.Y.Scale = plot.LogScale{}
		}
		grid := plotter.NewGrid()
		grid.Vertical.Width = 0
		grid.Horizontal.Color = ink("grid")
		p.Add(grid)
		p.Y.Padding = 8
		for _, c := range curves {
			if err := addBand(p, c); err != nil {
				return nil, 0, err
			}
		}
		shapes := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}}
		for i, c := range curves {
			if err := addCurve(p, c, shapes[shape(i, len(shapes))]); err != nil {
				return nil, 0, err
			}
		}
		if floor < p.Y.Min {
			p.Y.Min = floor
		}
		if p.Y.Min == p.Y.Max {
			p.Y.Min, p.Y.Max = p.Y.Min*0.99-0.005, p.Y.Max*1.01+0.005
			if p.Y.Max == 0.005 { // all zero: shares and counts are not below
				p.Y.Min, p.Y.Max = 0, 1
			}
		}
		if log {
			roundLog(&p.Y, yFormat)
		} else {
			round(&p.Y, 5, yFormat)
		}
		for _, t := range xTicks {
			p.X.Min, p.X.Max = min(p.X.Min, t.Value), max(p.X.Max, t.Value)
		}
		if p.X.Min == p.X.Max {
			p.X.Min, p.X.Max = p.X.Min-0.5, p.X.Max+0.5
		}
		return p, min(width*0.6, 260), nil
	})
}

// shape is the mark of curve i, one of n: colours repeat after eight curves, and
// the marks then go on with the next, so that no two look the same for long.
func shape(i, n int) int { return (i + i/8) % n }

func addCurve(p *plot.Plot, c curve, shape draw.GlyphDrawer) error {
	var run plotter.XYs
	flush := func() error {
		if len(run) == 0 {
			return nil
		}
		line, dots, err := plotter.NewLinePoints(run)
		if err != nil {
			return err
		}
		line.LineStyle = draw.LineStyle{Color: ink(c.class), Width: 1.5}
		dots.GlyphStyle = draw.GlyphStyle{Color: ink(c.class), Radius: 3, Shape: shape}
		if !c.plain || len(run) > 1 {
			p.Add(line)
		}
		if !c.plain || len(run) == 1 {
			p.Add(dots)
		}
		run = nil
		return nil
	}
	for i := range c.x {
		if !text.Finite(c.y[i]) {
			if err := flush(); err != nil {
				return err
			}
			continue
		}
		run = append(run, plotter.XY{X: c.x[i], Y: c.y[i]})
		if c.lo != nil && !c.band && text.Finite(c.lo[i]) && text.Finite(c.hi[i]) && c.lo[i] < c.hi[i] {
			p.Add(bar{c.x[i], c.x[i], c.lo[i], c.hi[i], draw.LineStyle{Color: ink(c.class), Width: 1}, 3})
		}
	}
	return flush()
}

// addBand fills between a curve's lo and hi.
func addBand(p *plot.Plot, c curve) error {
	if !c.band || len(c.x) < 2 {
		return nil
	}
	var edge plotter.XYs
	for i := range c.x {
		edge = append(edge, plotter.XY{X: c.x[i], Y: c.hi[i]})
	}
	for i := len(c.x) - 1; i >= 0; i-- {
		edge = append(edge, plotter.XY{X: c.x[i], Y: c.lo[i]})
	}
	band, err := plotter.NewPolygon(edge)
	if err != nil {
		return err
	}
	shade := color.NRGBAModel.Convert(ink(c.class)).(color.NRGBA)
	shade.A = 48
	band.Color, band.LineStyle.Width = shade, 0
	p.Add(band)
	return nil
}

// wide says whether curves reach so far apart that only a logarithmic axis shows
// them all. All their values have to be above 0.
func wide(curves ...curve) bool {
	lo, hi := math.Inf(1), 0.0
	for _, c := range curves {
		for _, ys := range [][]float64{c.y, c.lo, c.hi} {
			for _, y := range ys {
				if text.Finite(y) {
					lo, hi = min(lo, y), max(hi, y)
				}
			}
		}
	}
	return lo > 0 && hi > 20*lo
}
