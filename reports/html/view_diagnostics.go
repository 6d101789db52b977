package html

import (
	"cmp"
	"html/template"
	"slices"

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
	Rows    []layerRow
	Maps    []mapView
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
	Tokens      []string
	Rows        []mapRow
}

type mapRow struct {
	Token  string
	Values []Value
}

// measure is one diagnostic of a layer.
type measure struct {
	field, name string
	format      func(float64) string
	unit        chart.Unit
	log         bool
	of          func(rundir.DiagnosticsLayer) rundir.Number
}

// measures in the order of the table.
var measures = []measure{
	{"sink_rate", "Sink rate", text.Percent, chart.Percent, false, func(l rundir.DiagnosticsLayer) rundir.Number { return l.SinkRate }},
	{"sparsity", "Sparsity: weights that are exactly zero", text.Percent, chart.Percent, false, func(l rundir.DiagnosticsLayer) rundir.Number { return l.Sparsity }},
	{"dead_heads", "Dead heads", text.Percent, chart.Percent, false, func(l rundir.DiagnosticsLayer) rundir.Number { return l.DeadHeads }},
	{"mass", "Mass: mean sum of a query's weights", text.Figures, "", false, func(l rundir.DiagnosticsLayer) rundir.Number { return l.Mass }},
	{"kurtosis", "Kurtosis of the residual stream, log axis (a Gaussian has 3)", text.Figures, "", true, func(l rundir.DiagnosticsLayer) rundir.Number { return l.Kurtosis }},
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
		get := func(format func(float64) string, path ...any) Value {
			return b.numbers.at(format, append([]any{"runs", i, "manifest", "diagnostics"}, path...)...)
		}
		if v.Text == nil {
			v.Text = say("Measured on ", get(text.Count, "samples"), " texts of ", verbatim(d.Task), ", each of ", get(text.Count, "length"), " tokens. A head is a sink on a text where its mean weight on the first token exceeds ", get(text.Tick, "threshold"), ".")
		}
		layers = max(layers, len(d.Layers))
		for k := range d.Layers {
			row := layerRow{Run: b.runs[i].Letter, Layer: get(text.Count, "layers", k, "layer")}
			if len(b.runs) == 1 {
				row.Run = b.runs[i].Name
			}
			for _, m := range measures {
				row.Values = append(row.Values, get(m.format, "layers", k, m.field))
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
	for k, m := range measures {
		if f, ok := b.measure("layers-"+itoa(k), m, layers); ok {
			v.Figures = append(v.Figures, f)
		}
	}
	return v
}

// wholeMeasures are of the model as a whole.
var wholeMeasures = []struct {
	field, name    string
	format, change func(float64) string
}{
	{"sink_rate", "Sink rate", text.Percent, text.Points}, {"sparsity", "Sparsity", text.Percent, text.Points}, {"near_sparsity", "Sparsity with the nearly zero", text.Percent, text.Points}, {"dead_heads", "Dead heads", text.Percent, text.Points},
	{"mass", "Mass", text.Figures, text.PlusFigures}, {"kurtosis", "Kurtosis", text.Figures, text.PlusFigures}, {"min", "Smallest activation", text.Figures, text.PlusFigures}, {"max", "Largest activation", text.Figures, text.PlusFigures}, {"massive", "Massive activations", text.Count, text.PlusCount},
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
	for _, m := range wholeMeasures {
		row := wholeRow{Name: m.name, Change: Value{Text: text.None}}
		if c := b.doc.Comparison; c != nil {
			k := slices.IndexFunc(c.Diagnostics, func(d compare.Change) bool { return d.Name == m.field })
			if k >= 0 {
				at := func(format func(float64) string, field string) Value {
					return b.numbers.at(format, "comparison", "diagnostics", k, field)
				}
				row.Change, v.Changes = at(m.change, "difference"), true
				if c.Diagnostics[k].N > 0 {
					row.Between, row.Low, row.High, row.P = true, at(m.change, "low_adjusted"), at(m.change, "high_adjusted"), at(text.Probability, "p_adjusted")
				}
			}
		}
		known := false
		for i, r := range b.doc.Runs {
			value := Value{Text: text.None}
			if r.Manifest.Diagnostics != nil {
				value, known = b.numbers.at(m.format, "runs", i, "manifest", "diagnostics", m.field), true
			}
			row.Values = append(row.Values, value)
		}
		if known {
			v.Whole = append(v.Whole, row)
		}
	}
}

func (b *builder) measure(id string, m measure, layers int) (figure, bool) {
	var curves []chart.Series
	for i, r := range b.doc.Runs {
		if r.Manifest.Diagnostics == nil {
			continue
		}
		c := chart.Series{Name: b.runs[i].Letter + " " + b.runs[i].Name, Ink: chart.RunInk(i)}
		for _, l := range r.Manifest.Diagnostics.Layers {
			y := float64(m.of(l))
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
	return figure{ID: id, Caption: m.name, Drawing: b.draw(id, l, true), Size: "short", Small: true, Label: m.name + " by layer; the table below has the same numbers"}, true
}

func (b *builder) maps(i int) []mapView {
	var out []mapView
	for k, m := range b.doc.Runs[i].Maps {
		v := mapView{ID: "map-" + itoa(i) + "-" + itoa(k), Name: b.runs[i].Letter + ", layer " + itoa(m.Layer) + ", head " + itoa(m.Head), layer: m.Layer, head: m.Head}
		at := func(field string) Value {
			return b.numbers.at(text.Count, "runs", i, "attention_maps", k, field)
		}
		whose := b.runs[i].Letter + ", layer "
		if len(b.runs) == 1 {
			whose = "Layer "
		}
		v.Caption = say(whose, at("layer"), ", head ", at("head"))
		for _, t := range m.Tokens {
			v.Tokens = append(v.Tokens, text.Visible(t))
		}
		for q, row := range m.Weights {
			r := mapRow{Token: v.Tokens[q]}
			for j := range row {
				r.Values = append(r.Values, b.numbers.at(text.Figures, "runs", i, "attention_maps", k, "weights", q, j))
			}
			v.Rows = append(v.Rows, r)
		}
		if len(m.Tokens) > 1 {
			v.Drawing = b.draw(v.ID, m.chart(v.Tokens), true).Narrow
			out = append(out, v)
		}
	}
	return out
}
