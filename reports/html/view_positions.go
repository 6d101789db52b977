package html

import (
	"slices"

	"gonum.org/v1/plot"

	"github.com/softbench/softbench/reports/text"
)

type positionsView struct {
	Text  prose
	Tasks []positionTask
}

type positionTask struct {
	Name   string
	Figure figure
	Rows   []positionRow
}

type positionRow struct {
	Until Value
	Cells []positionCell
}

type positionCell struct{ Value, N Value }

// positions shows each rolling task's perplexity over the window.
func (b *builder) positions() *positionsView {
	var names []string
	for _, r := range b.doc.Runs {
		for _, p := range r.Positions {
			if !slices.Contains(names, p.Task) {
				names = append(names, p.Task)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	v := &positionsView{Text: say("How well a token is predicted depends on how much text stands before it in its window. A model that makes use of long context keeps falling to the right. Lower is better.")}
	for k, name := range names {
		v.Tasks = append(v.Tasks, b.positionTask("positions-"+itoa(k), name))
	}
	return v
}

func (b *builder) positionTask(id, name string) positionTask {
	t := positionTask{Name: text.Visible(name)}
	var curves []curve
	for i, r := range b.doc.Runs {
		at := slices.IndexFunc(r.Positions, func(p positions) bool { return p.Task == name })
		if at < 0 {
			continue
		}
		c := curve{name: b.runs[i].Letter + " " + b.runs[i].Name, class: runInk(i)}
		switch {
		case len(b.runs) == 1:
			c.name = b.runs[i].Name
		case len(b.runs) > 4: // a legend of names would not fit above the chart
			c.name = b.runs[i].Letter
		}
		for k, bucket := range r.Positions[at].Buckets {
			value := b.numbers.at(text.Figures, "runs", i, "perplexity_by_position", at, "buckets", k, "perplexity")
			c.x, c.y = append(c.x, float64(bucket.Until)), append(c.y, float64(bucket.Perplexity))
			c.detail = append(c.detail, c.name+", up to "+text.Tick(float64(bucket.Until))+"% of the window: "+value.Text)
		}
		if slices.ContainsFunc(c.y, text.Finite) {
			curves = append(curves, c)
		}
	}
	t.Rows = b.positionRows(name)
	// Texts shorter than a window leave its end empty: the axis stops there.
	ticks := plot.ConstantTicks{{Value: 0, Label: "0"}}
	for reached := 0.0; reached < lastX(curves); {
		reached += 25
		ticks = append(ticks, plot.Tick{Value: reached, Label: text.Tick(reached) + "%"})
	}
	log := wide(curves...)
	caption := t.Name + ": perplexity of the tokens in each sixteenth of the window"
	if log {
		caption += ", log axis"
	}
	d, err := lines(curves, "position in the window", "perplexity", ticks, text.Tick, log)
	b.fail(err)
	t.Figure = figure{ID: id, Caption: caption, Drawing: d, Legend: b.legend(len(curves)),
		Label: "Perplexity by position, " + t.Name + "; the table below has the same numbers"}
	b.charts = append(b.charts, lineChart(id, curves, "position in the window, %", "perplexity", 25, log, len(curves) > 1))
	return t
}

// lastX is the rightmost x with a value.
func lastX(curves []curve) float64 {
	var last float64
	for _, c := range curves {
		for i, y := range c.y {
			if text.Finite(y) {
				last = max(last, c.x[i])
			}
		}
	}
	return last
}

func (b *builder) positionRows(name string) []positionRow {
	var rows []positionRow
	for i, r := range b.doc.Runs {
		at := slices.IndexFunc(r.Positions, func(p positions) bool { return p.Task == name })
		if at < 0 {
			continue
		}
		for k := range r.Positions[at].Buckets {
			get := func(format func(float64) string, field string) Value {
				return b.numbers.at(format, "runs", i, "perplexity_by_position", at, "buckets", k, field)
			}
			if k == len(rows) {
				empty := positionCell{Value{Text: text.None}, Value{Text: text.None}}
				rows = append(rows, positionRow{get(func(x float64) string { return text.Tick(x) + "%" }, "until"), slices.Repeat([]positionCell{empty}, len(b.runs))})
			}
			rows[k].Cells[i] = positionCell{get(text.Figures, "perplexity"), get(text.Count, "tokens")}
		}
	}
	return rows
}
