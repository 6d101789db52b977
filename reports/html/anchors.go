package html

import (
	"encoding/xml"
	"fmt"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// anchors is gonum's text handler, which also keeps how each text was aligned.
// gonum places a text by the left edge that it has in gonum's own typeface; in
// the reader's, labels that end at an axis would end before it or in it.
type anchors struct {
	text.Handler
	drawn []anchor // in the order of the drawing
}

// anchor is a text's width in gonum's typeface, and which part of it stays where
// it is whatever the width: -1 the right end, -0.5 the middle, 0 the left end.
type anchor struct {
	width vg.Length
	align text.XAlignment
}

func (a *anchors) Draw(c vg.Canvas, txt string, style text.Style, at vg.Point) {
	if txt != "" {
		width, _, _ := a.Box(txt, style.Font)
		a.drawn = append(a.drawn, anchor{width, style.XAlign})
	}
	a.Handler.Draw(c, txt, style, at)
}

func (a anchor) name() string {
	switch a.align {
	case text.XRight:
		return "end"
	case text.XCenter:
		return "middle"
	}
	return "start"
}

// apply moves x from the left edge to the anchor.
func (a anchor) apply(attrs []xml.Attr) error {
	for i := range attrs {
		if attrs[i].Name.Local != "x" {
			continue
		}
		x, err := strconv.ParseFloat(attrs[i].Value, 64)
		if err != nil {
			return fmt.Errorf("drawing: a text at %q", attrs[i].Value)
		}
		attrs[i].Value = strconv.FormatFloat(x-float64(a.align)*float64(a.width), 'f', 2, 64)
	}
	return nil
}
