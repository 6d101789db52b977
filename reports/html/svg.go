package html

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"image/color"
	"io"
	"slices"
	"strconv"
	"strings"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
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
	p.TextHandler = &anchors{Handler: p.TextHandler}
	p.BackgroundColor = nil
	size := vg.Length(12)
	if width < 400 {
		size = 11
	}
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Handler, a.Tick.Label.Handler = p.TextHandler, p.TextHandler
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
	return rewriteSVG(&raw, width, height, p.TextHandler.(*anchors).drawn)
}

func rewriteSVG(r io.Reader, width, height float64, texts []anchor) (template.HTML, error) {
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
			if t.Name.Local == "text" {
				if len(texts) == 0 {
					return "", errors.New("drawing: a text of an unknown place")
				}
				if err := texts[0].apply(t.Attr); err != nil {
					return "", err
				}
				writeAttr(&out, "text-anchor", texts[0].name())
				texts = texts[1:]
			}
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
