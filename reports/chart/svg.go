package chart

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// canvas writes one drawing: paths and texts, whose colours are classes, as the page's
// policy forbids style attributes. It is hidden from readers of the screen, who have the
// figure's label and the table.
type canvas struct {
	strings.Builder
	size float64 // of the type
}

func newCanvas(width, height float64) *canvas {
	c := &canvas{size: 12}
	if width < 400 {
		c.size = 11
	}
	fmt.Fprintf(c, `<svg viewBox="0 0 %[1]s %[2]s" width="%[1]s" height="%[2]s" aria-hidden="true" focusable="false">`, number(width), number(height))
	return c
}

func (c *canvas) done() template.HTML {
	c.WriteString("</svg>")
	return template.HTML(c.String())
}

// stroke draws a path as a line of a width.
func (c *canvas) stroke(p *path, ink string, width float64, more string) {
	if p.Len() > 0 {
		fmt.Fprintf(c, `<path d="%s" class="stroke-%s" fill="none" stroke-width="%s"%s/>`, p.String(), ink, number(width), more)
	}
}

// fill fills a path.
func (c *canvas) fill(p *path, class, more string) {
	if p.Len() > 0 {
		fmt.Fprintf(c, `<path d="%s" class="%s"%s/>`, p.String(), class, more)
	}
}

// text writes one line. anchor says which part of it is at x whatever the reader's
// typeface: start, middle or end.
func (c *canvas) text(anchor string, x, y float64, ink, line string) {
	if line != "" {
		fmt.Fprintf(c, `<text text-anchor="%s" x="%s" y="%s" font-size="%s" class="fill-%s">%s</text>`,
			anchor, number(x), number(y), number(c.size), ink, template.HTMLEscapeString(line))
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

// number writes a length with at most two decimals.
func number(x float64) string { return strconv.FormatFloat(math.Round(100*x)/100+0, 'f', -1, 64) }

// path is the d of a path.
type path struct{ strings.Builder }

func (p *path) move(x, y float64) { p.WriteString("M" + number(x) + " " + number(y)) }
func (p *path) line(x, y float64) { p.WriteString("L" + number(x) + " " + number(y)) }
func (p *path) close()            { p.WriteByte('Z') }

// polygon is a closed path through points given as x, y, x, y ...
func (p *path) polygon(at ...float64) {
	for i := 0; i < len(at); i += 2 {
		if i == 0 {
			p.move(at[0], at[1])
		} else {
			p.line(at[i], at[i+1])
		}
	}
	p.close()
}

// marks tell the series of a chart apart without colour. The names are ECharts'.
var marks = []struct {
	name string
	draw func(p *path, x, y, r float64)
}{
	{"circle", func(p *path, x, y, r float64) {
		p.move(x-r, y)
		fmt.Fprintf(p, "a%[1]s %[1]s 0 1 0 %[2]s 0a%[1]s %[1]s 0 1 0 -%[2]s 0Z", number(r), number(2*r))
	}},
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
	c.stroke(&places, "grid", 1, "")
	c.text("middle", (b.left+b.right)/2, b.bottom+12+2*c.size, "muted", name)
}

// below is the room that xAxis takes.
func (c *canvas) below(name string) float64 {
	if name == "" {
		return 10 + c.size
	}
	return 17 + 2*c.size
}
