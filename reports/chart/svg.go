package chart

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// SVG is a chart for a page, at a width in px: colours are classes, as the page's policy
// forbids style attributes. It is hidden from readers of the screen, who have the figure's
// label and the table.
func SVG(c Chart, width float64) template.HTML { return template.HTML(c.Scene(width).svg(nil, 1)) }

// Alone is the scene as an SVG file of its own, in a palette's colours and common typefaces;
// unit is how large a px of the scene is, in points.
func (s *Scene) Alone(p Palette, unit float64) string { return s.svg(p, unit) }

func (s *Scene) svg(p Palette, unit float64) string {
	var b strings.Builder
	w, h := number(s.Width), number(s.Height)
	if p == nil {
		fmt.Fprintf(&b, `<svg viewBox="0 0 %[1]s %[2]s" width="%[1]s" height="%[2]s" aria-hidden="true" focusable="false">`, w, h)
	} else {
		fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%spt" height="%spt" font-family="Helvetica, Arial, 'Liberation Sans', sans-serif">`+"\n"+`<rect width="100%%" height="100%%" fill="%s"/>`+"\n",
			w, h, number(s.Width*unit), number(s.Height*unit), p.Hex("paper"))
	}
	for i := range s.Shapes {
		s.Shapes[i].svg(&b, p)
		if p != nil {
			b.WriteByte('\n')
		}
	}
	b.WriteString("</svg>")
	return b.String()
}

func (s *Shape) svg(b *strings.Builder, p Palette) {
	var class []string
	var more strings.Builder
	ink := func(what, name string) {
		if p == nil {
			class = append(class, what+"-"+name)
		} else {
			fmt.Fprintf(&more, ` %s="%s"`, what, p.Hex(name))
		}
	}
	if s.Fill != "" {
		ink("fill", s.Fill)
	}
	if s.Halo > 0 {
		ink("stroke", "paper")
		fmt.Fprintf(&more, ` stroke-width="%s" paint-order="stroke"`, number(s.Halo))
	}
	if s.Stroke != "" {
		ink("stroke", s.Stroke)
		fmt.Fprintf(&more, ` fill="none" stroke-width="%s"`, number(s.Line.Width))
		if s.Line.Round {
			more.WriteString(` stroke-linejoin="round" stroke-linecap="round"`)
		}
		if s.Line.Dashed {
			more.WriteString(` stroke-dasharray="3 3"`)
		}
	}
	if s.Opacity > 0 && s.Opacity < 1 {
		what := "fill"
		if s.Stroke != "" {
			what = "stroke"
		}
		fmt.Fprintf(&more, ` %s-opacity="%s"`, what, number(s.Opacity))
	}
	classes := ""
	if class != nil {
		classes = ` class="` + strings.Join(class, " ") + `"`
	}
	if s.Text == "" {
		fmt.Fprintf(b, `<path d="%s"%s%s/>`, d(s.Path, s.Stroke != ""), classes, more.String())
		return
	}
	turn := ""
	if s.Turned {
		turn = fmt.Sprintf(` transform="rotate(-90 %s %s)"`, number(s.X), number(s.Y))
	}
	fmt.Fprintf(b, `<text text-anchor="%s" x="%s" y="%s" font-size="%s"%s%s%s>%s</text>`,
		s.Anchor, number(s.X), number(s.Y), number(s.Size), classes, more.String(), turn, template.HTMLEscapeString(s.Text))
}

// d is the d of a path. Short writes a step along an axis with one number, as in the many
// paths of grids and cells that are stroked.
func d(path []Segment, short bool) string {
	var b strings.Builder
	var x, y string
	for _, s := range path {
		toX, toY := number(s.X), number(s.Y)
		switch s.Op {
		case MoveTo:
			b.WriteString("M" + toX + " " + toY)
		case LineTo:
			switch {
			case short && toY == y:
				b.WriteString("H" + toX)
			case short && toX == x:
				b.WriteString("V" + toY)
			default:
				b.WriteString("L" + toX + " " + toY)
			}
		case Close:
			b.WriteByte('Z')
			continue
		case Circle:
			r, across := number(s.R), number(2*s.R)
			fmt.Fprintf(&b, "M%[1]s %[2]sa%[3]s %[3]s 0 1 0 %[4]s 0a%[3]s %[3]s 0 1 0 -%[4]s 0Z", number(s.X-s.R), number(s.Y), r, across)
		}
		x, y = toX, toY
	}
	return b.String()
}

// number writes a length with at most two decimals.
func number(x float64) string { return strconv.FormatFloat(math.Round(100*x)/100+0, 'f', -1, 64) }
