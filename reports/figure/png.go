package figure

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"github.com/softbench/softbench/reports/chart"
)

// writePNG draws a scene at twice the pixels of a screen: 192 to the inch.
func writePNG(w io.Writer, s *chart.Scene, unit float64) error {
	scale := unit * 2 * 96 / 72
	p := &pixels{scale: scale, img: image.NewRGBA(image.Rect(0, 0, int(math.Round(s.Width*scale)), int(math.Round(s.Height*scale))))}
	draw.Draw(p.img, p.img.Bounds(), image.NewUniform(inkOf("paper", 0)), image.Point{}, draw.Src)
	for i := range s.Shapes {
		p.shape(&s.Shapes[i])
	}
	return png.Encode(w, p.img)
}

// inkOf is an ink's colour in the light palette; opacity 0: all of it.
func inkOf(ink string, opacity float64) color.NRGBA {
	c := chart.Light.RGB(ink)
	alpha := 255.0
	if opacity > 0 {
		alpha = 255 * min(opacity, 1)
	}
	return color.NRGBA{c[0], c[1], c[2], uint8(math.Round(alpha))}
}

// pixels is a picture in the making.
type pixels struct {
	img   *image.RGBA
	scale float64
}

func (p *pixels) shape(s *chart.Shape) {
	switch {
	case s.Text != "":
		p.text(s)
	case s.Stroke != "":
		p.fill(strokes(s.Path, s.Line), inkOf(s.Stroke, s.Opacity))
	default:
		if s.Halo > 0 {
			p.fill(strokes(s.Path, chart.Line{Width: s.Halo, Round: true}), inkOf("paper", 0))
		}
		p.fill([][]step{outline(s.Path)}, inkOf(s.Fill, s.Opacity))
	}
}

// fill fills outlines, which may lie over each other, with one colour.
func (p *pixels) fill(outlines [][]step, ink color.NRGBA) {
	box := image.Rectangle{}
	for _, o := range outlines {
		for _, s := range o {
			for k := 0; k < points(s.op); k += 2 {
				x, y := s.points[k]*p.scale, s.points[k+1]*p.scale
				box = box.Union(image.Rect(int(math.Floor(x)), int(math.Floor(y)), int(math.Floor(x))+2, int(math.Floor(y))+2))
			}
		}
	}
	if box = box.Intersect(p.img.Bounds()); box.Empty() {
		return
	}
	r := vector.NewRasterizer(box.Dx(), box.Dy())
	for _, o := range outlines {
		for _, s := range o {
			var at [6]float32
			for k := range at {
				at[k] = float32(s.points[k]*p.scale) - float32([2]int{box.Min.X, box.Min.Y}[k%2])
			}
			switch s.op {
			case 'm':
				r.MoveTo(at[0], at[1])
			case 'l':
				r.LineTo(at[0], at[1])
			case 'c':
				r.CubeTo(at[0], at[1], at[2], at[3], at[4], at[5])
			case 'h':
				r.ClosePath()
			}
		}
	}
	r.Draw(p.img, box, image.NewUniform(ink), image.Point{})
}

// strokes are the outlines of a line: of each of its pieces, and round ends and corners. All
// go around the same way, so that none takes from another.
func strokes(path []chart.Segment, l chart.Line) (out [][]step) {
	half := l.Width / 2
	piece := func(x0, y0, x1, y1 float64) {
		length := math.Hypot(x1-x0, y1-y0)
		if length == 0 {
			return
		}
		nx, ny := (y1-y0)/length*half, -(x1-x0)/length*half
		out = append(out, []step{{'m', [6]float64{x0 + nx, y0 + ny}}, {'l', [6]float64{x1 + nx, y1 + ny}},
			{'l', [6]float64{x1 - nx, y1 - ny}}, {'l', [6]float64{x0 - nx, y0 - ny}}, {op: 'h'}})
	}
	round := func(x, y float64) {
		if l.Round {
			out = append(out, outline([]chart.Segment{{Op: chart.Circle, X: x, Y: y, R: half}}))
		}
	}
	line := func(x0, y0, x1, y1 float64) {
		round(x0, y0)
		round(x1, y1)
		if !l.Dashed {
			piece(x0, y0, x1, y1)
			return
		}
		const dash = 3
		length := math.Hypot(x1-x0, y1-y0)
		for at := 0.0; at < length; at += 2 * dash {
			from, to := at/length, min(1, (at+dash)/length)
			piece(x0+from*(x1-x0), y0+from*(y1-y0), x0+to*(x1-x0), y0+to*(y1-y0))
		}
	}
	var x, y, startX, startY float64
	for _, s := range path {
		switch s.Op {
		case chart.MoveTo:
			startX, startY = s.X, s.Y
		case chart.LineTo:
			line(x, y, s.X, s.Y)
		case chart.Close:
			line(x, y, startX, startY)
			s.X, s.Y = startX, startY
		case chart.Circle:
			const parts = 24
			for k := range parts {
				a, b := 2*math.Pi*float64(k)/parts, 2*math.Pi*float64(k+1)/parts
				line(s.X+s.R*math.Cos(a), s.Y+s.R*math.Sin(a), s.X+s.R*math.Cos(b), s.Y+s.R*math.Sin(b))
			}
		}
		x, y = s.X, s.Y
	}
	return out
}

// text draws a line of glyphs.
func (p *pixels) text(s *chart.Shape) {
	glyphs, width := shape(s.Text)
	at := -anchored(s.Anchor, width*s.Size)
	place := func(x, y float64) [2]float64 { // along the line, and below its baseline
		if s.Turned {
			return [2]float64{s.X + y, s.Y - x}
		}
		return [2]float64{s.X + x, s.Y + y}
	}
	var b sfnt.Buffer
	em := fixed.I(int(face().UnitsPerEm()))
	var line []step
	for _, g := range glyphs {
		segments, err := face().LoadGlyph(&b, g.index, em, nil)
		if err != nil {
			continue // a space
		}
		to := func(q fixed.Point26_6) [2]float64 {
			k := s.Size / float64(em)
			return place(at+float64(q.X)*k, float64(q.Y)*k)
		}
		var last [2]float64
		for i, seg := range segments {
			a := to(seg.Args[0])
			switch seg.Op {
			case sfnt.SegmentOpMoveTo:
				if i > 0 {
					line = append(line, step{op: 'h'})
				}
				line, last = append(line, step{'m', [6]float64{a[0], a[1]}}), a
			case sfnt.SegmentOpLineTo:
				line, last = append(line, step{'l', [6]float64{a[0], a[1]}}), a
			case sfnt.SegmentOpQuadTo: // as a cubic curve
				e := to(seg.Args[1])
				line = append(line, step{'c', [6]float64{last[0] + 2*(a[0]-last[0])/3, last[1] + 2*(a[1]-last[1])/3, e[0] + 2*(a[0]-e[0])/3, e[1] + 2*(a[1]-e[1])/3, e[0], e[1]}})
				last = e
			case sfnt.SegmentOpCubeTo:
				m, e := to(seg.Args[1]), to(seg.Args[2])
				line, last = append(line, step{'c', [6]float64{a[0], a[1], m[0], m[1], e[0], e[1]}}), e
			}
		}
		if len(segments) > 0 {
			line = append(line, step{op: 'h'})
		}
		at += g.advance * s.Size
	}
	p.fill([][]step{line}, inkOf(s.Fill, s.Opacity))
}
