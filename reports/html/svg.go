package html

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The drawings' colours are names, resolved by the page's style for light, dark
// and print. While gonum draws, a name is the colour #0000NN, NN its place here.
var inks = []string{"", "ink", "muted", "grid", "better", "worse", "noise",
	"run0", "run1", "run2", "run3", "run4", "run5", "run6", "run7"}

func ink(name string) color.Color {
	return color.RGBA{B: uint8(slices.Index(inks, name)), A: 255}
}

// runInk is the colour of run i of n: A and B of two, and where there are more
// than the style has, the names repeat.
func runInk(i int) string { return "run" + strconv.Itoa(i%8) }

// drawing is one chart as two drawings, for a wide and a narrow page.
type drawing struct {
	Wide, Narrow template.HTML
}

const (
	wideWidth   = 920 // px, as all lengths of drawings
	narrowWidth = 340
)

// small is the drawing for a figure that stands beside others.
func (d drawing) small() drawing { return drawing{Narrow: d.Narrow} }

// draw2 calls draw for both widths.
func draw2(draw func(width float64) (*plot.Plot, float64, error)) (drawing, error) {
	var d drawing
	for _, at := range []struct {
		width float64
		to    *template.HTML
	}{{wideWidth, &d.Wide}, {narrowWidth, &d.Narrow}} {
		p, height, err := draw(at.width)
		if err != nil {
			return d, err
		}
		if *at.to, err = renderSVG(p, at.width, height); err != nil {
			return d, err
		}
	}
	return d, nil
}

var plain = font.Font{Typeface: "Liberation", Variant: "Sans", Style: stdfont.StyleNormal, Weight: stdfont.WeightNormal}

// newPlot is an empty plot in the page's manner: no frame, small type.
func newPlot(width float64) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	size := vg.Length(12)
	if width < 400 {
		size = 11
	}
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font = font.From(plain, size)
		a.Label.TextStyle.Color = ink("muted")
		a.Label.Padding = 6
		a.Tick.Label.Font = font.From(plain, size)
		a.Tick.Label.Color = ink("muted")
		a.LineStyle = draw.LineStyle{Color: ink("grid"), Width: 1}
		a.Tick.LineStyle = a.LineStyle
		a.Tick.Length = 4
	}
	return p
}

// renderSVG draws p and rewrites it for the page: no style attributes, which
// the page's policy forbids, colours as classes, no text a reader would hear
// twice.
func renderSVG(p *plot.Plot, width, height float64) (_ template.HTML, err error) {
	defer func() {
		if r := recover(); r != nil { // gonum's answer to an axis it cannot scale
			err = fmt.Errorf("drawing: %v", r)
		}
	}()
	c := vgsvg.NewWith(vgsvg.UseWH(vg.Length(width), vg.Length(height)))
	// Room for the last tick's label and for marks on the edge.
	p.Draw(draw.Crop(draw.New(c), 1, -16, 1, -5))
	var raw bytes.Buffer
	if _, err := c.WriteTo(&raw); err != nil {
		return "", err
	}
	return rewriteSVG(&raw, width, height)
}

func rewriteSVG(r io.Reader, width, height float64) (template.HTML, error) {
	var out strings.Builder
	d := xml.NewDecoder(r)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return template.HTML(out.String()), nil
		}
		if err != nil {
			return "", fmt.Errorf("drawing: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local == "svg" {
				fmt.Fprintf(&out, `<svg viewBox="0 0 %g %g" width="%g" height="%g" aria-hidden="true" focusable="false">`, width, height, width, height)
				continue
			}
			out.WriteString("<" + t.Name.Local)
			for _, a := range t.Attr {
				if a.Name.Local == "style" {
					writeStyle(&out, a.Value)
					continue
				}
				writeAttr(&out, a.Name.Local, a.Value)
			}
			out.WriteString(">")
		case xml.EndElement:
			out.WriteString("</" + t.Name.Local + ">")
		case xml.CharData:
			if strings.TrimSpace(string(t)) != "" {
				template.HTMLEscape(&out, t)
			}
		}
	}
}

// writeStyle turns a style into attributes, and the colours into classes.
func writeStyle(out *strings.Builder, style string) {
	var classes []string
	for _, part := range strings.Split(style, ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), ":")
		if !ok || strings.HasPrefix(name, "font-") && name != "font-size" {
			continue // the page's own typeface
		}
		if class := inkClass(value); class != "" && (name == "fill" || name == "stroke") {
			classes = append(classes, name+"-"+class)
			continue
		}
		writeAttr(out, name, value)
	}
	if classes != nil {
		writeAttr(out, "class", strings.Join(classes, " "))
	}
}

// inkClass is the name behind a colour: #0000NN an ink, #0001NN a shade of an
// attention map.
func inkClass(value string) string {
	n, err := strconv.ParseUint(strings.TrimPrefix(value, "#"), 16, 32)
	switch {
	case err != nil || !strings.HasPrefix(value, "#") || n == 0:
		return ""
	case n < uint64(len(inks)):
		return inks[n]
	case n >= 0x100 && n < 0x100+mapLevels:
		return "map-" + strconv.FormatUint(n-0x100, 10)
	}
	return ""
}

func writeAttr(out *strings.Builder, name, value string) {
	out.WriteString(" " + name + `="` + template.HTMLEscapeString(value) + `"`)
}

// estimate is a value with its interval, as a chart shows it.
type estimate struct {
	label         string
	value, lo, hi float64
	class         string // ink
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
		p.X.Tick.Marker = fewTicks{n: int(width / 85), format: ticks}
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
	label = visible(label)
	limit := int(width / 14)
	if r := []rune(label); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return label
}

// span is the range of all rows and the reference.
func span(rows []estimate, reference float64) (lo, hi float64) {
	lo, hi = reference, reference
	for _, r := range rows {
		lo, hi = min(lo, r.value), max(hi, r.value)
		if r.hasInterval {
			lo, hi = min(lo, r.lo), max(hi, r.hi)
		}
	}
	if lo == hi {
		lo, hi = lo-0.01, hi+0.01
	}
	margin := (hi - lo) * 0.04
	return lo - margin, hi + margin
}

// fewTicks labels about n places with round numbers.
type fewTicks struct {
	n      int
	format func(float64) string
}

func (f fewTicks) Ticks(lo, hi float64) []plot.Tick {
	step := roundStep((hi - lo) / float64(max(f.n, 2)))
	var out []plot.Tick
	for k := math.Ceil(lo / step); k*step <= hi && len(out) < 50; k++ {
		v := k * step
		if math.Abs(v) < step/1e6 {
			v = 0
		}
		out = append(out, plot.Tick{Value: v, Label: f.format(v)})
	}
	return out
}

// powerTicks labels powers of ten.
type powerTicks struct{}

func (powerTicks) Ticks(lo, hi float64) []plot.Tick {
	var out []plot.Tick
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)) && len(out) < 40; e++ {
		v := math.Pow(10, e)
		if v >= lo && v <= hi {
			out = append(out, plot.Tick{Value: v, Label: tick(v)})
		}
	}
	if len(out) < 2 {
		out = append(out, plot.Tick{Value: lo, Label: tick(lo)}, plot.Tick{Value: hi, Label: tick(hi)})
	}
	return out
}

// roundStep is 1, 2 or 5 times a power of ten, at least x.
func roundStep(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, k := range []float64{1, 2, 5} {
		if k*power >= x {
			return k * power
		}
	}
	return 10 * power
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

// curve is one line of a line chart.
type curve struct {
	name   string
	class  string
	x, y   []float64 // a y that is NaN leaves a gap
	lo, hi []float64 // intervals, or nil
	detail []string
	plain  bool // no marks, but for a point that stands alone
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
		p.Y.Tick.Marker = fewTicks{n: 4, format: yFormat}
		if log {
			p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, powerTicks{}
		}
		grid := plotter.NewGrid()
		grid.Vertical.Width = 0
		grid.Horizontal.Color = ink("grid")
		p.Add(grid)
		p.Y.Padding = 8
		shapes := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}}
		for i, c := range curves {
			if err := addCurve(p, c, shapes[i%len(shapes)]); err != nil {
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
		for _, t := range xTicks {
			p.X.Min, p.X.Max = min(p.X.Min, t.Value), max(p.X.Max, t.Value)
		}
		if p.X.Min == p.X.Max {
			p.X.Min, p.X.Max = p.X.Min-0.5, p.X.Max+0.5
		}
		return p, min(width*0.6, 260), nil
	})
}

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
		if !finite(c.y[i]) {
			if err := flush(); err != nil {
				return err
			}
			continue
		}
		run = append(run, plotter.XY{X: c.x[i], Y: c.y[i]})
		if c.lo != nil && finite(c.lo[i]) && finite(c.hi[i]) && c.lo[i] < c.hi[i] {
			p.Add(bar{c.x[i], c.x[i], c.lo[i], c.hi[i], draw.LineStyle{Color: ink(c.class), Width: 1}, 3})
		}
	}
	return flush()
}
