package chart

import (
	"html/template"
	"strconv"

	"github.com/softbench/softbench/reports/text"
)

// Chart is a description that can be drawn in both ways.
type Chart interface {
	Drawn
	// Options are the interactive chart for the figure of that id.
	Options(id string) Interactive
}

// Drawn is what has a drawing and its numbers.
type Drawn interface {
	// Scene is the drawing for a width in px.
	Scene(width float64) *Scene
	Table() Table
}

// Table is a chart's numbers, a row for each point, estimate or cell.
type Table struct {
	Columns []string
	Rows    [][]string
}

// full writes a number as it is; "" for none.
func full(x float64) string {
	if !text.Finite(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// Axis is what is drawn along one side.
type Axis struct {
	Name   string
	Unit   Unit
	Format func(float64) string // labels of the drawing
	Ticks  []Tick               // places with labels; nil: round numbers
	Step   float64              // between the labels of the interactive chart; 0: its choice
	Log    bool
	Floor  float64 // the axis begins here at the latest, where it is not logarithmic; NaN: at its data
}

// Tick is a labelled place on an axis.
type Tick struct {
	Value float64
	Label string
}

// Unit says how the interactive chart writes values.
type Unit string

// The units of values.
const (
	Plain   Unit = ""
	Percent Unit = "percent" // of shares
	Points  Unit = "points"  // of differences of shares
	Signed  Unit = "signed"  // of other differences
	Weight  Unit = "weight"  // of attention
)

// Drawing is one chart as two drawings, for a wide and a narrow page.
type Drawing struct{ Wide, Narrow template.HTML }

// Widths of drawings, in px as all their lengths.
const (
	WideWidth   = 920
	NarrowWidth = 340
)

// Draw is the chart for both widths.
func Draw(c Chart) Drawing { return Drawing{Wide: SVG(c, WideWidth), Narrow: SVG(c, NarrowWidth)} }

// Small is the drawing for a figure that stands beside others.
func Small(c Chart) Drawing { return Drawing{Narrow: SVG(c, NarrowWidth)} }

// Inks are the colours of drawings: variables of the page's style, which also has the
// classes fill-NAME and stroke-NAME.
var Inks = []string{"ink", "muted", "grid", "paper", "better", "worse", "noise",
	"run0", "run1", "run2", "run3", "run4", "run5", "run6", "run7"}

// RunInk is the colour of series i: where there are more than the style has, the names
// repeat.
func RunInk(i int) string { return "run" + strconv.Itoa(i%8) }
