package chart

import (
	"math"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/softbench/softbench/reports/text"
)

// Interactive is one interactive chart: ECharts' options, in which colours are names
// of the style's variables, and what the page's script has to add to them,
// functions not being JSON.
type Interactive struct {
	ID     string         `json:"id"`                // of the figure
	Unit   Unit           `json:"unit,omitempty"`    // of the values
	Across bool           `json:"across,omitempty"`  // the values' axis is the horizontal one
	Step   float64        `json:"step,omitempty"`    // of the horizontal axis's labels; 0: ECharts' choice
	From   string         `json:"from,omitempty"`    // where the page has the numbers that the options lack
	OtherX string         `json:"other_x,omitempty"` // the horizontal axis's name where it is logarithmic instead of linear, or the other way round; "": no choice
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

// Options are the interactive forest.
func (f Forest) Options(id string) Interactive {
	names := make([]string, len(f.Rows))
	dots, bars := charts.NewScatter(), charts.NewLine()
	x := opts.XAxis{Type: "value", Name: f.Axis.Name, NameLocation: "middle", NameGap: 28, AxisLabel: axisLabel("muted"), SplitLine: splitLine(true)}
	if f.Axis.Log {
		s := f.scale(8)
		x.Type, x.Min, x.Max = "log", s.min, s.max
	}
	dots.SetGlobalOptions(append(common(false), charts.WithXAxisOpts(x),
		charts.WithYAxisOpts(opts.YAxis{Type: "category", Inverse: opts.Bool(true), AxisLabel: axisLabel("ink"), SplitLine: splitLine(false),
			AxisLine: &opts.AxisLine{Show: opts.Bool(false)}}))...)
	for i, r := range f.Rows {
		names[i] = r.Label
		if low, high, ok := r.interval(); ok {
			addInterval(bars, r.Detail, []int{2, 10}, 2, css(r.Ink), []any{low, i}, []any{high, i})
		}
		dots.AddSeries("value", []opts.ScatterData{{Name: r.Detail, Value: []any{r.Value, i}, SymbolSize: 10}},
			charts.WithItemStyleOpts(opts.ItemStyle{Color: css(r.Ink)}))
	}
	// The reference is a line of its own.
	bars.AddSeries("reference", []opts.LineData{},
		charts.WithMarkLineNameXAxisItemOpts(opts.MarkLineNameXAxisItem{XAxis: f.Reference}),
		charts.WithMarkLineStyleOpts(opts.MarkLineStyle{Symbol: []string{"none"}, Label: &opts.Label{Show: opts.Bool(false)},
			LineStyle: &opts.LineStyle{Color: css("muted"), Type: "dashed"}}))
	dots.YAxisList[0].Data = names
	dots.Overlap(bars)
	return Interactive{ID: id, Unit: f.Axis.Unit, Across: true, Option: dots.JSON()}
}

// addInterval adds a line between two ends, whose symbols are its caps.
func addInterval(c *charts.Line, detail string, caps []int, width float32, color string, from, to []any) {
	c.AddSeries("interval", []opts.LineData{{Name: detail, Value: from}, {Name: detail, Value: to}},
		charts.WithLineChartOpts(opts.LineChart{Symbol: "rect", SymbolSize: caps, ShowSymbol: opts.Bool(true)}),
		charts.WithLineStyleOpts(opts.LineStyle{Color: color, Width: width}), charts.WithItemStyleOpts(opts.ItemStyle{Color: color}))
}

// Options are the interactive lines.
func (l Lines) Options(id string) Interactive {
	c := charts.NewLine()
	xAxis := opts.XAxis{Type: "value", Name: l.X.Name, NameLocation: "middle", NameGap: 28, AxisLabel: axisLabel("muted"), SplitLine: splitLine(false), AxisLine: axisLine()}
	if l.Categories != nil {
		xAxis.Type, xAxis.Data, xAxis.SplitLine = "category", l.Categories, nil
	} else if last := LastX(l.Series); last > 0 { // where the axis ends
		xAxis.Max = last
		if l.X.Step > 0 {
			xAxis.Max = l.X.Step * math.Ceil(last/l.X.Step)
		}
		if l.X.Log {
			xAxis.Type = "log"
		}
	}
	yType := "value"
	if l.Y.Log {
		yType = "log"
	}
	c.SetGlobalOptions(append(common(l.Legend), charts.WithXAxisOpts(xAxis),
		charts.WithYAxisOpts(opts.YAxis{Type: yType, Name: l.Y.Name, Scale: opts.Bool(true), AxisLabel: axisLabel("muted"), SplitLine: splitLine(true)}))...)
	for i := range l.Series {
		l.add(c, i)
	}
	if l.Y.Name != "" {
		c.GridList[0].Top = "64" // its name stands above it
	}
	return Interactive{ID: id, Unit: l.Y.Unit, Step: l.X.Step, Option: c.JSON()}
}

// add adds series i; a gap is a value that ECharts takes for none.
func (l Lines) add(c *charts.Line, i int) {
	s, color := &l.Series[i], css(l.Series[i].Ink)
	place := func(k int) any {
		if l.Categories != nil {
			return l.Categories[k]
		}
		return s.X[k]
	}
	data := make([]opts.LineData, len(s.Y))
	for k, y := range s.Y {
		data[k] = opts.LineData{Value: []any{place(k), "-"}}
		if text.Finite(y) {
			data[k] = opts.LineData{Name: s.Detail[k], Value: []any{place(k), y}}
		}
		if low, high, ok := s.interval(k); ok {
			addInterval(c, s.Detail[k], []int{8, 1}, 1, color, []any{place(k), low}, []any{place(k), high})
		}
	}
	line := opts.LineStyle{Color: color, Width: 2}
	if s.Dots {
		line.Opacity = opts.Float(0)
	}
	c.AddSeries(s.Name, data,
		charts.WithLineChartOpts(opts.LineChart{ShowSymbol: opts.Bool(true), SymbolSize: 7, Symbol: marks[markOf(i)].name}),
		charts.WithLineStyleOpts(line), charts.WithItemStyleOpts(opts.ItemStyle{Color: color}))
}

// Options are the interactive heat map. The page's script makes the shades of weights.
func (h Heat) Options(id string) Interactive {
	c := charts.NewHeatMap()
	data := make([]opts.HeatMapData, 0, len(h.Cells))
	for _, cell := range h.Cells {
		if text.Finite(cell.Value) {
			data = append(data, opts.HeatMapData{Name: cell.Detail, Value: []any{cell.Column, cell.Row, cell.Value}})
		}
	}
	low, colors := float32(0), []string{css("paper-shade"), css("heat")}
	switch h.Unit {
	case Points:
		low, colors = -1, []string{css("down"), css("paper-shade"), css("up")}
	case Weight:
		colors[1] = css("deep")
	}
	y := opts.YAxis{Type: "category", Data: h.Rows, Inverse: opts.Bool(true), AxisLabel: axisLabel("muted")}
	if h.Unit != Weight {
		y.Name, y.NameLocation, y.NameGap = h.Y.Name, "start", 8
	}
	c.SetGlobalOptions(append(common(false),
		charts.WithXAxisOpts(opts.XAxis{Type: "category", Data: h.Columns, AxisLabel: axisLabel("muted"), Name: h.X.Name, NameLocation: "middle", NameGap: 26}), charts.WithYAxisOpts(y),
		charts.WithVisualMapOpts(opts.VisualMap{Type: "continuous", Min: low, Max: 1, Show: opts.Bool(false), InRange: &opts.VisualMapInRange{Color: colors}}))...)
	c.SetXAxis(h.Columns)
	if h.Unit == Weight {
		c.AddSeries("weight", data)
	} else {
		c.GridList[0].Top = "28" // the name of the rows stands above them
		c.AddSeries("share", data, charts.WithItemStyleOpts(opts.ItemStyle{BorderColor: css("paper"), BorderWidth: 1}),
			charts.WithLabelOpts(opts.Label{Show: opts.Bool(true), Color: css("ink")}))
	}
	c.Validate()
	return Interactive{ID: id, Unit: h.Unit, Option: c.JSON()}
}
