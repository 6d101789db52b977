package html

import (
	"math"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/softbench/softbench/reports/text"
)

// chart is one interactive chart: ECharts' options, in which colours are names
// of the style's variables, and what the page's script has to add to them,
// functions not being JSON.
type chart struct {
	ID     string         `json:"id"`               // of the figure
	Unit   string         `json:"unit,omitempty"`   // of the values: percent, points or none
	Across bool           `json:"across,omitempty"` // the values' axis is the horizontal one
	Step   float64        `json:"step,omitempty"`   // of the horizontal axis's labels; 0: ECharts' choice
	Option map[string]any `json:"option"`
}

func css(name string) string { return "var(--" + name + ")" }

// common are the options of all charts.
func common(legend bool) []charts.GlobalOpts {
	top := "12"
	if legend {
		top = "40"
	}
	return []charts.GlobalOpts{
		charts.WithAnimation(false),
		charts.WithColorsOpts(opts.Colors{css("run0"), css("run1")}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(legend), Top: "0", Left: "0", Type: "scroll", TextStyle: &opts.TextStyle{Color: css("ink")}}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item", BackgroundColor: css("raised"), BorderColor: css("rule")}),
		charts.WithGridOpts(opts.Grid{Left: "8", Right: "28", Top: top, Bottom: "28", ContainLabel: opts.Bool(true)}),
	}
}

func axisLabel(color string) *opts.AxisLabel {
	return &opts.AxisLabel{Show: opts.Bool(true), Color: css(color)}
}

func splitLine(show bool) *opts.SplitLine {
	return &opts.SplitLine{Show: opts.Bool(show), LineStyle: &opts.LineStyle{Color: css("grid")}}
}

func axisLine() *opts.AxisLine {
	return &opts.AxisLine{Show: opts.Bool(true), LineStyle: &opts.LineStyle{Color: css("muted")}}
}

func axisType(log bool) string {
	if log {
		return "log"
	}
	return "value"
}

// forestChart has a row for each estimate, the first on top, around a reference.
func forestChart(id string, rows []estimate, axis, unit string, reference float64) chart {
	names := make([]string, len(rows))
	dots, bars := charts.NewScatter(), charts.NewLine()
	dots.SetGlobalOptions(append(common(false),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: axis, NameLocation: "middle", NameGap: 28, AxisLabel: axisLabel("muted"), SplitLine: splitLine(true)}),
		charts.WithYAxisOpts(opts.YAxis{Type: "category", Inverse: opts.Bool(true), AxisLabel: axisLabel("ink"), SplitLine: splitLine(false),
			AxisLine: &opts.AxisLine{Show: opts.Bool(false)}}))...)
	for i, r := range rows {
		names[i] = r.label
		color := css(r.class)
		if r.hasInterval {
			bars.AddSeries("interval", []opts.LineData{{Name: r.detail, Value: []any{r.lo, i}}, {Name: r.detail, Value: []any{r.hi, i}}},
				charts.WithLineChartOpts(opts.LineChart{Symbol: "rect", SymbolSize: []int{2, 10}, ShowSymbol: opts.Bool(true)}),
				charts.WithLineStyleOpts(opts.LineStyle{Color: color, Width: 2}), charts.WithItemStyleOpts(opts.ItemStyle{Color: color}))
		}
		dots.AddSeries("value", []opts.ScatterData{{Name: r.detail, Value: []any{r.value, i}, SymbolSize: 10}},
			charts.WithItemStyleOpts(opts.ItemStyle{Color: color}))
	}
	// The reference is a line of its own.
	bars.AddSeries("reference", []opts.LineData{},
		charts.WithMarkLineNameXAxisItemOpts(opts.MarkLineNameXAxisItem{XAxis: reference}),
		charts.WithMarkLineStyleOpts(opts.MarkLineStyle{Symbol: []string{"none"}, Label: &opts.Label{Show: opts.Bool(false)},
			LineStyle: &opts.LineStyle{Color: css("muted"), Type: "dashed"}}))
	dots.YAxisList[0].Data = names
	dots.Overlap(bars)
	return chart{ID: id, Unit: unit, Across: true, Option: dots.JSON()}
}

// lineChart is curves over a numeric axis, labelled in steps where step is not 0.
func lineChart(id string, curves []curve, xAxis, yAxis string, step float64, log, legend bool) chart {
	c := charts.NewLine()
	var end any // where the axis ends
	if last := lastX(curves); last > 0 {
		end = last
		if step > 0 {
			end = step * math.Ceil(last/step)
		}
	}
	c.SetGlobalOptions(append(common(legend),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Max: end, Name: xAxis, NameLocation: "middle", NameGap: 28, AxisLabel: axisLabel("muted"), SplitLine: splitLine(false), AxisLine: axisLine()}),
		charts.WithYAxisOpts(opts.YAxis{Type: axisType(log), Name: yAxis, Scale: opts.Bool(true), AxisLabel: axisLabel("muted"), SplitLine: splitLine(true)}))...)
	for i, s := range curves {
		addLine(c, s, s.x, symbols[shape(i, len(symbols))])
	}
	if yAxis != "" {
		c.GridList[0].Top = "64" // its name stands above it
	}
	return chart{ID: id, Step: step, Option: c.JSON()}
}

// symbols tell the curves of a chart apart without colour.
var symbols = []string{"circle", "rect", "triangle", "diamond"}

// addLine adds a curve; a gap is a value that ECharts takes for none.
func addLine[X any](c *charts.Line, s curve, x []X, symbol string) {
	data := make([]opts.LineData, len(s.y))
	for i, y := range s.y {
		data[i] = opts.LineData{Name: s.detail[i], Value: []any{x[i], y}}
		if !text.Finite(y) {
			data[i] = opts.LineData{Value: []any{x[i], "-"}}
		}
	}
	c.AddSeries(s.name, data,
		charts.WithLineChartOpts(opts.LineChart{ShowSymbol: opts.Bool(true), SymbolSize: 7, Symbol: symbol}),
		charts.WithLineStyleOpts(opts.LineStyle{Color: css(s.class), Width: 2}),
		charts.WithItemStyleOpts(opts.ItemStyle{Color: css(s.class)}))
}

// courseChart is one metric over the runs, with its intervals.
func courseChart(id string, runs []runView, s curve, unit string, log bool) chart {
	c := charts.NewLine()
	var names []string
	for _, r := range runs {
		names = append(names, r.Letter)
	}
	c.SetGlobalOptions(append(common(false),
		charts.WithXAxisOpts(opts.XAxis{Type: "category", AxisLabel: axisLabel("muted"), AxisLine: axisLine()}),
		charts.WithYAxisOpts(opts.YAxis{Type: axisType(log), Scale: opts.Bool(true), AxisLabel: axisLabel("muted"), SplitLine: splitLine(true)}))...)
	c.SetXAxis(names)
	for i := range s.y {
		if text.Finite(s.lo[i]) && text.Finite(s.hi[i]) {
			c.AddSeries("interval", []opts.LineData{{Name: s.detail[i], Value: []any{names[i], s.lo[i]}}, {Name: s.detail[i], Value: []any{names[i], s.hi[i]}}},
				charts.WithLineChartOpts(opts.LineChart{Symbol: "rect", SymbolSize: []int{8, 1}, ShowSymbol: opts.Bool(true)}),
				charts.WithLineStyleOpts(opts.LineStyle{Color: css(s.class), Width: 1}), charts.WithItemStyleOpts(opts.ItemStyle{Color: css(s.class)}))
		}
	}
	addLine(c, s, names, symbols[0])
	c.Validate()
	return chart{ID: id, Unit: unit, Option: c.JSON()}
}

// heatChart is a grid of shares from 0 to 1, or of their differences.
func heatChart(id string, g grid, diverging bool) chart {
	c := charts.NewHeatMap()
	lengths, depths := make([]string, len(g.lengths)), make([]string, len(g.depths))
	var data []opts.HeatMapData
	for i, length := range g.lengths {
		lengths[i] = text.Count(float64(length))
		for j, depth := range g.depths {
			depths[j] = depthText(depth)
			cell, ok := g.at[spot{length, depth}]
			if !ok || !text.Finite(cell.value) {
				continue
			}
			value := text.Percent(cell.value)
			if diverging {
				value = text.Points(cell.value) + " points"
			}
			data = append(data, opts.HeatMapData{Name: lengths[i] + " tokens, depth " + depths[j] + ": " + value, Value: []any{j, i, cell.value}})
		}
	}
	unit, low, colors := "percent", float32(0), []string{css("paper-shade"), css("heat")}
	if diverging {
		unit, low, colors = "points", -1, []string{css("down"), css("paper-shade"), css("up")}
	}
	c.SetGlobalOptions(append(common(false),
		charts.WithXAxisOpts(opts.XAxis{Type: "category", AxisLabel: axisLabel("muted"), Name: "depth", NameLocation: "middle", NameGap: 26}),
		charts.WithYAxisOpts(opts.YAxis{Type: "category", Inverse: opts.Bool(true), AxisLabel: axisLabel("muted"), Name: "tokens", NameLocation: "start", NameGap: 8}),
		charts.WithVisualMapOpts(opts.VisualMap{Type: "continuous", Min: low, Max: 1, Show: opts.Bool(false), InRange: &opts.VisualMapInRange{Color: colors}}))...)
	c.SetXAxis(depths)
	c.GridList[0].Top = "28" // the name of the lengths stands above them
	c.YAxisList[0].Data = lengths
	c.XAxisList[0].Data = depths
	c.AddSeries("accuracy", data, charts.WithItemStyleOpts(opts.ItemStyle{BorderColor: css("paper"), BorderWidth: 1}),
		charts.WithLabelOpts(opts.Label{Show: opts.Bool(true), Color: css("ink")}))
	c.Validate()
	return chart{ID: id, Unit: unit, Option: c.JSON()}
}

// mapChart is an attention map; exact zeros are left out. The page's script
// makes the shades, which go with the square root of the weight.
func mapChart(id string, m AttentionMap, tokens []string) chart {
	c := charts.NewHeatMap()
	var data []opts.HeatMapData
	for q, row := range m.Weights {
		for k, w := range row {
			if w != 0 {
				data = append(data, opts.HeatMapData{Name: tokens[q] + " on " + tokens[k] + ": " + text.Figures(w), Value: []any{k, q, w}})
			}
		}
	}
	c.SetGlobalOptions(append(common(false),
		charts.WithXAxisOpts(opts.XAxis{Type: "category", Data: tokens, AxisLabel: axisLabel("muted"), Name: "key", NameLocation: "middle", NameGap: 26}),
		charts.WithYAxisOpts(opts.YAxis{Type: "category", Data: tokens, Inverse: opts.Bool(true), AxisLabel: axisLabel("muted")}),
		charts.WithVisualMapOpts(opts.VisualMap{Type: "continuous", Max: 1, Show: opts.Bool(false), InRange: &opts.VisualMapInRange{Color: []string{css("paper-shade"), css("deep")}}}))...)
	c.SetXAxis(tokens)
	c.AddSeries("weight", data)
	c.Validate()
	return chart{ID: id, Unit: "weight", Option: c.JSON()}
}
