package chart

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/text"
)

// all has one chart of each kind, and what each can trip over. A new kind is a row.
func all() map[string]Chart {
	nan, inf := math.NaN(), math.Inf(1)
	xs := []float64{0, 1, 2, 3}
	detail := []string{"one", "two", "three", "<four>"}
	format := Axis{Format: text.Tick, Floor: nan}
	log := Axis{Name: "perplexity", Format: text.Tick, Log: true, Floor: nan}
	return map[string]Chart{
		"lines":           Lines{Series: []Series{{Name: "a<b", Ink: "run0", X: xs, Y: []float64{1, nan, 3, inf}, Detail: detail}}, X: Axis{Name: "layer"}, Y: format},
		"lines, log":      Lines{Series: []Series{{Ink: "run1", X: xs, Y: []float64{0, 1, 1e3, -4}, Detail: detail}}, Y: log},
		"lines, nothing":  Lines{Series: []Series{{Ink: "run1", X: xs, Y: []float64{nan, nan, nan, nan}, Detail: detail}}, Y: log},
		"lines, one":      Lines{Series: []Series{{Ink: "run1", X: xs[:1], Y: []float64{0}, Detail: detail, Plain: true}}, Y: format},
		"lines, no shape": Lines{Y: format},
		"lines, huge":     Lines{Series: []Series{{Ink: "run1", X: xs, Y: []float64{-1e308, 1e308, 0, 1}, Detail: detail}}, Y: format},
		"categories": Lines{Series: []Series{{Ink: "run0", X: xs, Y: []float64{1, 2, 3, 4}, Low: []float64{0, 1, nan, 3}, High: []float64{2, 3, nan, 5}, Detail: detail}},
			Categories: []string{"A", "B", "C", "D"}, Y: Axis{Unit: Percent, Format: text.PercentTick}},
		"band": Lines{Series: []Series{{Ink: "run0", Band: true, X: xs, Y: []float64{1, 2, 3, 4}, Low: []float64{0, 1, 2, 3}, High: []float64{2, 3, 4, 5}, Detail: detail}}, Y: format},
		"dots": Lines{Series: []Series{{Ink: "run0", Dots: true, X: xs, Y: []float64{1, nan, 3, 4}, Detail: detail}}, Y: format},
		"steps": Lines{Series: []Series{{Ink: "run0", Band: true, X: []float64{0, 1, 100, 3000}, Y: []float64{1, 2, 3, 4}, Low: []float64{0, 1, 2, 3}, High: []float64{2, 3, 4, 5}, Detail: detail}},
			X: Axis{Log: true, Ticks: []Tick{{1, "1"}, {100, "100"}, {3000, "3,000"}}}, Y: format},
		"forest":         Forest{Rows: []Estimate{{Label: "task & metric", Value: 0.1, Low: 0, High: 0.2, HasInterval: true, Ink: "better", Detail: "d"}}, Axis: Axis{Name: "points", Unit: Points, Format: text.PointsTick}},
		"forest, empty":  Forest{Axis: Axis{Format: text.Tick}},
		"forest, huge":   Forest{Rows: []Estimate{{Value: 1e308, Low: -1e308, High: inf, HasInterval: true, Ink: "worse"}}, Axis: Axis{Format: func(float64) string { return "same" }}},
		"forest, ratios": Forest{Rows: []Estimate{{Value: 0.4, Low: 0.3, High: 0.5, HasInterval: true, Ink: "worse"}, {Value: 2, Low: 0, High: inf, HasInterval: true, Ink: "better"}, {Value: -1, Ink: "better"}}, Reference: 1, Axis: Axis{Format: text.Tick, Log: true}},
		"heat":           Heat{Columns: []string{"0%", "50%"}, Rows: []string{"64"}, Cells: []Cell{{0, 0, 1, "d"}, {1, 0, -0.5, "e"}}, Unit: Points},
		"heat, weights":  Heat{Columns: []string{"a", "b"}, Rows: []string{"a", "b"}, Cells: []Cell{{0, 0, 1, "d"}, {0, 1, nan, ""}, {1, 1, 7, "e"}}, Unit: Weight, X: Axis{Name: "key"}},
		"heat, no cells": Heat{Columns: []string{"a"}, Rows: []string{"a"}, Unit: Percent},
	}
}

// Every chart is drawn at every width, whatever its numbers: well-formed XML without
// style attributes, no place that is not a number, no colour that the style does not
// have; and as JSON for the interactive chart.
func TestEveryChartIsDrawnBothWays(t *testing.T) { drawnBothWays(t, all()) }

// Nothing joins dots, and a logarithmic axis puts equal factors equally far apart.
func TestDotsAndSteps(t *testing.T) {
	ys := []float64{1, 2, 3}
	drawn := func(s Series, x Axis) string {
		s.Ink, s.X, s.Y, s.Detail = "run0", []float64{10, 100, 1000}, ys, []string{"", "", ""}
		return string(SVG(Lines{Series: []Series{s}, X: x, Y: Axis{Format: text.Tick, Floor: math.NaN()}}, WideWidth))
	}
	line := regexp.MustCompile(`<path d="M([0-9.]+) [0-9.]+L([0-9.]+) [0-9.]+L([0-9.]+) [0-9.]+" class="stroke-run0"`)
	if m := line.FindStringSubmatch(drawn(Series{Dots: true}, Axis{})); m != nil {
		t.Errorf("dots are joined: %s", m[0])
	}
	for _, log := range []bool{false, true} {
		m := line.FindStringSubmatch(drawn(Series{}, Axis{Log: log}))
		if m == nil {
			t.Fatal("no line")
		}
		var at [3]float64
		for i := range at {
			at[i], _ = strconv.ParseFloat(m[1+i], 64)
		}
		if middle := (at[1] - at[0]) / (at[2] - at[0]); log && math.Abs(middle-0.5) > 0.01 || !log && math.Abs(middle-90.0/990) > 0.01 {
			t.Errorf("log %v: 100 is at %v of the way from 10 to 1000", log, middle)
		}
	}
}

// steps is a toy: a chart of its own is a description with two methods.
type steps []float64

func (s steps) Scene(width float64) *Scene {
	c := newCanvas(width, 100)
	var p path
	for i, y := range s {
		p.move(float64(i), 100-y)
		p.line(float64(i+1), 100-y)
	}
	c.stroke(&p, "run0", Line{Width: 1}, 1)
	return c.done()
}

func (s steps) Table() Table {
	t := Table{Columns: []string{"y"}}
	for _, y := range s {
		t.Rows = append(t.Rows, []string{full(y)})
	}
	return t
}

func (s steps) Options(id string) Interactive {
	return Interactive{ID: id, Option: map[string]any{"series": []any{map[string]any{"type": "line", "step": "end", "data": []float64(s)}}}}
}

// A new chart is a type with the methods of Chart and a row in the list of all, and nothing
// else knows of it. docs/extending.md says so.
func TestANewChartIsOneDescription(t *testing.T) {
	drawnBothWays(t, map[string]Chart{"steps": steps{10, 30, 20}})
	if d := Small(steps{10}); d.Wide != "" || !strings.Contains(string(d.Narrow), `d="M0 90H1"`) {
		t.Errorf("drawn as %q", d)
	}
}

func drawnBothWays(t *testing.T, charts map[string]Chart) {
	t.Helper()
	inks := map[string]bool{}
	for _, ink := range Inks {
		inks[ink] = true
	}
	for _, ink := range ShadeInks {
		for level := range Levels + 1 {
			inks[fmt.Sprint(ink, "-", level)] = true
		}
	}
	for name, c := range charts {
		d := Draw(c)
		for _, svg := range []string{string(d.Wide), string(d.Narrow)} {
			if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
				t.Errorf("%s: a place is not a number in %s", name, svg)
			}
			x := xml.NewDecoder(strings.NewReader(svg))
			for {
				token, err := x.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v in %s", name, err, svg)
				}
				e, ok := token.(xml.StartElement)
				if !ok {
					continue
				}
				for _, a := range e.Attr {
					if a.Name.Local == "style" {
						t.Errorf("%s: a style attribute, which the page's policy forbids", name)
					}
					if a.Name.Local != "class" {
						continue
					}
					for _, class := range strings.Fields(a.Value) {
						if _, ink, _ := strings.Cut(class, "-"); !inks[ink] {
							t.Errorf("%s: the style has no class %s", name, class)
						}
					}
				}
			}
		}
		o := c.Options("id")
		if _, err := json.Marshal(o); err != nil || o.ID != "id" || o.Option["series"] == nil {
			t.Errorf("%s: the options are %v: %v", name, o.Option, err)
		}
	}
}

// A point between gaps has a mark even on a plain line; labels that would lie on each
// other are left out.
func TestDrawingDetails(t *testing.T) {
	l := Lines{Series: []Series{{Ink: "run0", Plain: true, X: []float64{0, 1, 2, 3}, Y: []float64{1, math.NaN(), 2, 3}}}, Y: Axis{Format: text.Tick, Floor: math.NaN()}}
	if got := strings.Count(string(SVG(l, NarrowWidth)), "a3.2 3.2"); got != 2 { // a circle has two arcs
		t.Errorf("%d arcs; want the two of the mark of the point that stands alone", got)
	}
	l.Categories = strings.Fields(strings.Repeat("checkpoint ", 40))
	if got := strings.Count(string(SVG(l, NarrowWidth)), ">checkpoint<"); got == 0 || got > 6 {
		t.Errorf("%d labels of 40 side by side", got)
	}
}
