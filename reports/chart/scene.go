package chart

import (
	"math"
	"strings"
	"unicode"
)

// Scene is a drawing: shapes one over another, in px from its upper left corner. Colours are
// inks, names that a page's style or a palette gives a colour. SVG writes it for a page,
// Alone for itself; package figure makes pictures of it.
type Scene struct {
	Width, Height float64
	Shapes        []Shape
}

// Shape is a path that is filled or stroked, or a line of text.
type Shape struct {
	Path []Segment
	Fill string  // ink; "": not filled
	Halo float64 // how wide a line of the paper's colour is drawn around it first

	Stroke string // ink; "": not stroked
	Line   Line

	Opacity float64 // of the fill or the line; 0: 1

	// A text in Fill: its baseline begins, has its middle or ends at X, Y, as Anchor says
	// (start, middle or end), whatever the typeface. Turned: from below upwards.
	Text, Anchor string
	X, Y, Size   float64
	Turned       bool
}

// Line is how a path is stroked.
type Line struct {
	Width         float64
	Dashed, Round bool
}

// Segment is a step of a path.
type Segment struct {
	Op   SegmentOp
	X, Y float64 // where it leads; a Circle's centre
	R    float64 // a Circle's radius
}

// SegmentOp is what a step does.
type SegmentOp byte

// The steps of a path.
const (
	MoveTo SegmentOp = iota
	LineTo
	Close
	Circle // a whole one, by itself
)

// canvas makes a scene.
type canvas struct {
	Scene
	size float64 // of the type
}

// TypeSizes are the sizes of the type of a narrow drawing and of a wide one. A wide one is shrunk
// to three quarters before its type is below 10 px.
var TypeSizes = [2]float64{11, 13}

func newCanvas(width, height float64) *canvas {
	c := &canvas{Scene: Scene{Width: width, Height: height}, size: TypeSizes[1]}
	if width < 400 {
		c.size = TypeSizes[0]
	}
	return c
}

func (c *canvas) done() *Scene { return &c.Scene }

// stroke draws a path as a line.
func (c *canvas) stroke(p *path, ink string, line Line, opacity float64) {
	if len(*p) > 0 {
		c.Shapes = append(c.Shapes, Shape{Path: *p, Stroke: ink, Line: line, Opacity: opacity})
	}
}

// fill fills a path.
func (c *canvas) fill(p *path, ink string, halo, opacity float64) {
	if len(*p) > 0 {
		c.Shapes = append(c.Shapes, Shape{Path: *p, Fill: ink, Halo: halo, Opacity: opacity})
	}
}

// text writes one line.
func (c *canvas) text(anchor string, x, y float64, ink, line string) {
	if line != "" {
		c.Shapes = append(c.Shapes, Shape{Text: line, Anchor: anchor, X: x, Y: y, Size: c.size, Fill: ink})
	}
}

// turned writes one line upwards.
func (c *canvas) turned(anchor string, x, y float64, ink, line string) {
	if line != "" {
		c.Shapes = append(c.Shapes, Shape{Text: line, Anchor: anchor, X: x, Y: y, Size: c.size, Fill: ink, Turned: true})
	}
}

// width is about how wide a text is.
func (c *canvas) width(line string) float64 {
	em := 0.0
	for _, r := range line {
		switch {
		case strings.ContainsRune(" .,:;'|!ijltfr()[]-\u202f", r):
			em += 0.32
		case strings.ContainsRune("mwMW%@", r):
			em += 0.9
		case unicode.IsUpper(r):
			em += 0.7
		case r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
			em++
		default:
			em += 0.57
		}
	}
	return em * c.size
}

// path is made step by step.
type path []Segment

func (p *path) move(x, y float64)      { *p = append(*p, Segment{MoveTo, x, y, 0}) }
func (p *path) line(x, y float64)      { *p = append(*p, Segment{LineTo, x, y, 0}) }
func (p *path) circle(x, y, r float64) { *p = append(*p, Segment{Circle, x, y, r}) }

// polygon is a closed path through points given as x, y, x, y ...
func (p *path) polygon(at ...float64) {
	for i := 0; i < len(at); i += 2 {
		if i == 0 {
			p.move(at[0], at[1])
		} else {
			p.line(at[i], at[i+1])
		}
	}
	*p = append(*p, Segment{Op: Close})
}

// marks tell the series of a chart apart without colour. The names are ECharts'.
var marks = []struct {
	name string
	draw func(p *path, x, y, r float64)
}{
	{"circle", (*path).circle},
	{"rect", func(p *path, x, y, r float64) {
		r *= 0.9
		p.polygon(x-r, y-r, x+r, y-r, x+r, y+r, x-r, y+r)
	}},
	{"triangle", func(p *path, x, y, r float64) {
		r *= 1.2
		p.polygon(x, y-r, x+r, y+0.75*r, x-r, y+0.75*r)
	}},
	{"diamond", func(p *path, x, y, r float64) {
		r *= 1.25
		p.polygon(x, y-r, x+r, y, x, y+r, x-r, y)
	}},
}

// markOf is the mark of series i: colours repeat after eight series, and the marks
// then go on with the next, so that no two look the same for long.
func markOf(i int) int { return (i + i/8) % len(marks) }

// interval adds a line between two ends with caps.
func (p *path) interval(x0, y0, x1, y1, cap float64) {
	p.move(x0, y0)
	p.line(x1, y1)
	for _, at := range [][2]float64{{x0, y0}, {x1, y1}} {
		if y0 == y1 {
			p.move(at[0], at[1]-cap)
			p.line(at[0], at[1]+cap)
		} else {
			p.move(at[0]-cap, at[1])
			p.line(at[0]+cap, at[1])
		}
	}
}

// box is where the data are: the drawing without its axes.
type box struct{ left, top, right, bottom float64 }

func (b box) x(s *scale, v float64) float64 { return b.left + s.at(v)*(b.right-b.left) }
func (b box) y(s *scale, v float64) float64 { return b.bottom - s.at(v)*(b.bottom-b.top) }

// xAxis labels the places below the box, as many as have room side by side, and
// writes the axis's name.
func (c *canvas) xAxis(b box, s *scale, name string) {
	every := 1
	for ; every < len(s.ticks); every++ {
		fits, end := true, math.Inf(-1)
		for i := 0; i < len(s.ticks); i += every {
			half := c.width(s.ticks[i].Label) / 2
			at := b.x(s, s.ticks[i].Value)
			fits, end = fits && at-half >= end+5, at+half
		}
		if fits {
			break
		}
	}
	var places path
	for i := 0; i < len(s.ticks); i += every {
		at := b.x(s, s.ticks[i].Value)
		places.move(at, b.bottom)
		places.line(at, b.bottom+4)
		c.text("middle", at, b.bottom+6+c.size, "muted", s.ticks[i].Label)
	}
	places.move(b.left, b.bottom)
	places.line(b.right, b.bottom)
	c.stroke(&places, "grid", Line{Width: 1}, 1)
	c.text("middle", (b.left+b.right)/2, b.bottom+12+2*c.size, "muted", name)
}

// below is the room that xAxis takes.
func (c *canvas) below(name string) float64 {
	if name == "" {
		return 10 + c.size
	}
	return 17 + 2*c.size
}
