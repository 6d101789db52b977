package figure

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"

	"github.com/softbench/softbench/reports/chart"
)

// Width is a figure's, in points (1/72 inch).
type Width float64

// Widths of a paper of two columns.
const (
	Column Width = 234 // 3.25 inch
	Page   Width = 486 // 6.75 inch
)

// typeSize is the size of all type at the figure's width, in points.
const typeSize = 8

// scene is the chart laid out for a width, and how many points one of its px is: type is
// 8 pt then.
func scene(c chart.Drawn, w Width) (s *chart.Scene, unit float64) {
	for _, size := range chart.TypeSizes {
		unit = typeSize / size
		s = c.Scene(math.Round(float64(w) / unit))
		if ok := sizeOf(s); ok == 0 || ok == size {
			break
		}
	}
	return s, float64(w) / s.Width
}

// sizeOf is the size of a scene's type; 0 where it has none.
func sizeOf(s *chart.Scene) float64 {
	for i := range s.Shapes {
		if s.Shapes[i].Text != "" {
			return s.Shapes[i].Size
		}
	}
	return 0
}

// Formats are the names of the formats of a figure, which are its files' endings.
var Formats = []string{"svg", "pdf", "png", "csv"}

// Write writes a figure in a format.
func Write(w io.Writer, c chart.Drawn, format, title string, width Width) error {
	if format == "csv" {
		return writeCSV(w, c.Table())
	}
	s, unit := scene(c, width)
	switch format {
	case "svg":
		_, err := io.WriteString(w, s.Alone(chart.Light, unit)+"\n")
		return err
	case "pdf":
		return writePDF(w, s, unit, title)
	case "png":
		return writePNG(w, s, unit)
	}
	return fmt.Errorf("no format %q: want svg, pdf, png or csv", format)
}

// Lost are the characters of a figure that PDF and PNG show as empty boxes.
func Lost(c chart.Drawn, width Width) []rune {
	s, _ := scene(c, width)
	return Missing(s)
}

func writeCSV(w io.Writer, t chart.Table) error {
	out := csv.NewWriter(w)
	_ = out.Write(t.Columns) // Flush's error has it
	_ = out.WriteAll(t.Rows)
	out.Flush()
	return out.Error()
}

// step is a part of an outline: a line to a point, or a curve with its control points.
type step struct {
	op     byte // m, l, c (three points), h
	points [6]float64
}

// points is how many numbers a step has.
func points(op byte) int { return map[byte]int{'m': 2, 'l': 2, 'c': 6}[op] }

// outline is a path as lines and cubic curves.
func outline(path []chart.Segment) (out []step) {
	const k = 0.5522847498 // of a quarter of a circle
	for _, s := range path {
		x, y, r := s.X, s.Y, s.R
		switch s.Op {
		case chart.MoveTo:
			out = append(out, step{'m', [6]float64{x, y}})
		case chart.LineTo:
			out = append(out, step{'l', [6]float64{x, y}})
		case chart.Close:
			out = append(out, step{op: 'h'})
		case chart.Circle:
			out = append(out, step{'m', [6]float64{x - r, y}},
				step{'c', [6]float64{x - r, y - k*r, x - k*r, y - r, x, y - r}},
				step{'c', [6]float64{x + k*r, y - r, x + r, y - k*r, x + r, y}},
				step{'c', [6]float64{x + r, y + k*r, x + k*r, y + r, x, y + r}},
				step{'c', [6]float64{x - k*r, y + r, x - r, y + k*r, x - r, y}}, step{op: 'h'})
		}
	}
	return out
}
