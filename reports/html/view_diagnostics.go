package html

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

type diagnosticsView struct {
	Text    prose
	Figures []figure
	Whole   []wholeRow // the model as a whole
	Changes bool       // the rows have a difference
	Tested  bool       // some were measured text by text: they have intervals and p
	// Corrected says that several measures were tested: their intervals and p are corrected.
	Corrected bool
	Constant  []prose // measures that are one number in every layer
	Rows      []layerRow
	Maps      []mapView
}

type layerRow struct {
	Run    string
	Layer  Value
	Values []Value
}

type mapView struct {
	ID, Name    string
	layer, head int
	Caption     prose
	Drawing     template.HTML
}

// measure is one diagnostic of a layer.
type measure struct {
	name   string
	format func(float64) string
	unit   chart.Unit
	log    bool
	number func(*rundir.DiagnosticsLayer) *rundir.Number
}

// measures in the order of the table.
var measures = []measure{
	{"Sink rate", text.Percent, chart.Percent, false, func(l *rundir.DiagnosticsLayer) *rundir.Number { return &l.SinkRate }},
	{"Sparsity: weights that are exactly zero", text.Percent, chart.Percent, false, func(l *rundir.DiagnosticsLayer) *rundir.Number { return &l.Sparsity }},
	{"Dead heads", text.Percent, chart.Percent, false, func(l *rundir.DiagnosticsLayer) *rundir.Number { return &l.DeadHeads }},
	{"Mass: mean sum of a query's weights", text.Figures, "", false, func(l *rundir.DiagnosticsLayer) *rundir.Number { return &l.Mass }},
	{"Kurtosis of the residual stream, log axis (a Gaussian has 3)", text.Figures, "", true, func(l *rundir.DiagnosticsLayer) *rundir.Number { return &l.Kurtosis }},
}

func (b *builder) diagnostics() *diagnosticsView {
	v := &diagnosticsView{}
	layers := 0
	for i, r := range b.doc.Runs {
		v.Maps = append(v.Maps, b.maps(i)...)
		d := r.Manifest.Diagnostics
		if d == nil {
			continue
		}
		if v.Text == nil {
			v.Text = say("Measured on ", b.numbers.at(text.Count, of(&d.Samples)), " texts of ", verbatim(d.Task), ", each of ", b.numbers.at(text.Count, of(&d.Length)), " tokens. A head is a sink on a text where its mean weight on the first token exceeds ", b.numbers.at(text.Tick, of(&d.Threshold)), ".")
		}
		layers = max(layers, len(d.Layers))
		for k := range d.Layers {
			l := &d.Layers[k]
			row := layerRow{Run: b.runs[i].Letter, Layer: b.numbers.at(text.Count, of(&l.Layer))}
			if len(b.runs) == 1 {
				row.Run = b.runs[i].Name
			}
			for _, m := range measures {
				row.Values = append(row.Values, b.numbers.at(m.format, of(m.number(l))))
			}
			v.Rows = append(v.Rows, row)
		}
	}
	if v.Text == nil && v.Maps == nil {
		return nil
	}
	// The same head of all runs side by side.
	slices.SortStableFunc(v.Maps, func(x, y mapView) int {
		return cmp.Or(cmp.Compare(x.layer, y.layer), cmp.Compare(x.head, y.head))
	})
	b.wholeModel(v)
	b.diagnosticsOverSteps(v)
	for k, m := range measures {
		if c := b.constant(m); c != nil {
			v.Constant = append(v.Constant, c)
			continue
		}
		if f, ok := b.measure("layers-"+itoa(k), m, layers); ok {
			v.Figures = append(v.Figures, f)
		}
	}
	return v
}

// wholeMeasures are of the model as a whole; key is a measure's name in a comparison.
var wholeMeasures = []struct {
	key, name      string
	unit           chart.Unit
	format, change func(float64) string
	number         func(*rundir.Diagnostics) field
}{
	{"sink_rate", "Sink rate", chart.Percent, text.Percent, text.Points, func(d *rundir.Diagnostics) field { return of(&d.SinkRate) }},
	{"sparsity", "Sparsity", chart.Percent, text.Percent, text.Points, func(d *rundir.Diagnostics) field { return of(&d.Sparsity) }},
	{"near_sparsity", "Sparsity with the nearly zero", chart.Percent, text.Percent, text.Points, func(d *rundir.Diagnostics) field { return of(&d.NearSparsity) }},
	{"dead_heads", "Dead heads", chart.Percent, text.Percent, text.Points, func(d *rundir.Diagnostics) field { return of(&d.DeadHeads) }},
	{"mass", "Mass", chart.Plain, text.Figures, text.PlusFigures, func(d *rundir.Diagnostics) field { return of(&d.Mass) }},
	{"kurtosis", "Kurtosis", chart.Plain, text.Figures, text.PlusFigures, func(d *rundir.Diagnostics) field { return of(&d.Kurtosis) }},
	{"min", "Smallest activation", chart.Plain, text.Figures, text.PlusFigures, func(d *rundir.Diagnostics) field { return of(&d.Min) }},
	{"max", "Largest activation", chart.Plain, text.Figures, text.PlusFigures, func(d *rundir.Diagnostics) field { return of(&d.Max) }},
	{"massive", "Massive activations", chart.Plain, text.Count, text.PlusCount, func(d *rundir.Diagnostics) field { return of(&d.Massive) }},
}

type wholeRow struct {
	Name   string
	Values []Value
	Change Value // last run minus first, where the comparison has it
	// Its interval and corrected p, of measures that were taken text by text.
	Between      bool
	Low, High, P Value
}

func (b *builder) wholeModel(v *diagnosticsView) {
	if c := b.doc.Comparison; c != nil {
		tests := 0
		for _, d := range c.Diagnostics {
			if d.N > 0 {
				tests++
			}
		}
		v.Corrected = tests > 1
	}
	for _, m := range wholeMeasures {
		row := wholeRow{Name: m.name, Change: Value{Text: text.None}}
		if c := b.doc.Comparison; c != nil {
			k := slices.IndexFunc(c.Diagnostics, func(d compare.Change) bool { return d.Name == m.key })
			if k >= 0 {
				d := &c.Diagnostics[k]
				row.Change, v.Changes = b.numbers.at(m.change, of(&d.Difference)), true
				if d.N > 0 {
					row.Between, v.Tested = true, true
					row.Low, row.High = b.numbers.at(m.change, of(&d.LowAdjusted)), b.numbers.at(m.change, of(&d.HighAdjusted))
					row.P = b.numbers.at(text.Probability, of(&d.Adjusted))
				}
			}
		}
		known := false
		for _, r := range b.doc.Runs {
			value := Value{Text: text.None}
			if r.Manifest.Diagnostics != nil {
				value, known = b.numbers.at(m.format, m.number(r.Manifest.Diagnostics)), true
			}
			row.Values = append(row.Values, value)
		}
		if known {
			v.Whole = append(v.Whole, row)
		}
	}
}

// constant says of a measure that is one number in every layer of all runs, up to the
// rounding of the arithmetic, what it is; nil of others. Drawn, its last bits would be
// stretched over a whole chart.
func (b *builder) constant(m measure) prose {
	var first *rundir.Number
	layers := 0
	for _, r := range b.doc.Runs {
		if r.Manifest.Diagnostics == nil {
			continue
		}
		for k := range r.Manifest.Diagnostics.Layers {
			x := m.number(&r.Manifest.Diagnostics.Layers[k])
			if first == nil {
				first = x
			}
			if !(math.Abs(float64(*x-*first)) <= 1e-5*math.Abs(float64(*first))) {
				return nil
			}
			layers++
		}
	}
	if layers < 2 {
		return nil
	}
	name, _, _ := strings.Cut(m.name, ",")
	return say(name+": ", b.numbers.at(m.format, of(first)), " in every layer.")
}

func (b *builder) measure(id string, m measure, layers int) (figure, bool) {
	var curves []chart.Series
	for i, r := range b.doc.Runs {
		if r.Manifest.Diagnostics == nil {
			continue
		}
		c := chart.Series{Name: b.runs[i].Letter + " " + b.runs[i].Name, Ink: chart.RunInk(i)}
		for k := range r.Manifest.Diagnostics.Layers {
			l := &r.Manifest.Diagnostics.Layers[k]
			y := float64(*m.number(l))
			if m.log && y <= 0 {
				y = nan
			}
			c.X, c.Y = append(c.X, float64(l.Layer)), append(c.Y, y)
			c.Detail = append(c.Detail, b.runs[i].Letter+", layer "+itoa(l.Layer)+": "+m.format(y))
		}
		if slices.ContainsFunc(c.Y, text.Finite) {
			curves = append(curves, c)
		}
	}
	if curves == nil {
		return figure{}, false
	}
	var ticks []chart.Tick
	step := max(1, int(chart.RoundStep(float64(layers)/6)))
	for l := 0; l < layers; l += step {
		ticks = append(ticks, chart.Tick{Value: float64(l), Label: itoa(l)})
	}
	format := text.Tick
	if m.unit == chart.Percent {
		format = text.PercentTick
	}
	l := chart.Lines{Series: curves, X: chart.Axis{Name: "layer", Ticks: ticks}, Y: chart.Axis{Unit: m.unit, Format: format, Log: m.log, Floor: nan}}
	return figure{ID: id, Caption: m.name, Drawing: b.draw(id, m.name, l, true), Size: "short", Small: true, Label: m.name + " by layer; the table below has the same numbers"}, true
}

func (b *builder) maps(i int) []mapView {
	var out []mapView
	for k := range b.doc.Runs[i].Maps {
		m := &b.doc.Runs[i].Maps[k]
		v := mapView{ID: "map-" + itoa(i) + "-" + itoa(k), Name: b.runs[i].Letter + ", layer " + itoa(m.Layer) + ", head " + itoa(m.Head), layer: m.Layer, head: m.Head}
		whose := b.runs[i].Letter + ", layer "
		if len(b.runs) == 1 {
			whose = "Layer "
		}
		v.Caption = say(whose, b.numbers.at(text.Count, of(&m.Layer)), ", head ", b.numbers.at(text.Count, of(&m.Head)))
		if len(m.Tokens) > 1 {
			v.Drawing = chart.Small(m.chart(visibleTokens(m.Tokens))).Narrow
			// The weights stand in the document, once.
			o := m.empty().Options(v.ID)
			o.From = fmt.Sprintf("/runs/%d/attention_maps/%d", i, k)
			b.charts = append(b.charts, o)
			out = append(out, v)
		}
	}
	return out
}
