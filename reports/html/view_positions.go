package html

import (
	"slices"

	"github.com/softbench/softbench/reports/chart"
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

type positionCell struct{ Value, Low, High, N, Documents Value }

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
	v := &positionsView{Text: say("How well a token is predicted depends on how much text stands before it in its window. A model that makes use of long context keeps falling to the right. Lower is better. The bands are 95% intervals over documents, each run by itself: a few long documents make them wide, and whether two runs differ is not to be read off them.")}
	for k, name := range names {
		v.Tasks = append(v.Tasks, b.positionTask("positions-"+itoa(k), name))
	}
	return v
}

func (b *builder) positionTask(id, name string) positionTask {
	t := positionTask{Name: text.Visible(name)}
	var curves []chart.Series
	for i, r := range b.doc.Runs {
		at := slices.IndexFunc(r.Positions, func(p positions) bool { return p.Task == name })
		if at < 0 {
			continue
		}
		c := chart.Series{Name: b.runs[i].Letter + " " + b.runs[i].Name, Ink: chart.RunInk(i), Band: true}
		switch {
		case len(b.runs) == 1:
			c.Name = b.runs[i].Name
		case len(b.runs) > 4: // a legend of names would not fit above the chart
			c.Name = b.runs[i].Letter
		}
		for k := range r.Positions[at].Buckets {
			bucket := &r.Positions[at].Buckets[k]
			value := b.numbers.at(text.Figures, of(&bucket.Perplexity))
			c.X, c.Y = append(c.X, float64(bucket.Until)), append(c.Y, float64(bucket.Perplexity))
			c.Low, c.High = append(c.Low, float64(bucket.Low)), append(c.High, float64(bucket.High))
			c.Detail = append(c.Detail, c.Name+", up to "+text.Tick(float64(bucket.Until))+"% of the window: "+value.Text)
		}
		if slices.ContainsFunc(c.Y, text.Finite) {
			curves = append(curves, c)
		}
	}
	t.Rows = b.positionRows(name)
	// Texts shorter than a window leave its end empty: the axis stops there.
	ticks := []chart.Tick{{Value: 0, Label: "0"}}
	for reached := 0.0; reached < chart.LastX(curves); {
		reached += 25
		ticks = append(ticks, chart.Tick{Value: reached, Label: text.Tick(reached)})
	}
	log := chart.Wide(curves...)
	caption := t.Name + ": perplexity of the tokens in each sixteenth of the window"
	if log {
		caption += ", log axis"
	}
	l := chart.Lines{Series: curves, Legend: len(curves) > 1,
		X: chart.Axis{Name: "position in the window, %", Ticks: ticks, Step: 25}, Y: chart.Axis{Name: "perplexity", Format: text.Tick, Log: log, Floor: nan}}
	t.Figure = figure{ID: id, Caption: caption, Drawing: b.draw(id, caption, l, false), Legend: b.legend(len(curves)),
		Label: "Perplexity by position, " + t.Name + "; the table below has the same numbers"}
	return t
}

func (b *builder) positionRows(name string) []positionRow {
	var rows []positionRow
	for i, r := range b.doc.Runs {
		at := slices.IndexFunc(r.Positions, func(p positions) bool { return p.Task == name })
		if at < 0 {
			continue
		}
		for k := range r.Positions[at].Buckets {
			bucket := &r.Positions[at].Buckets[k]
			if k == len(rows) {
				none := Value{Text: text.None}
				empty := positionCell{none, none, none, none, none}
				rows = append(rows, positionRow{b.numbers.at(func(x float64) string { return text.Tick(x) + "%" }, of(&bucket.Until)), slices.Repeat([]positionCell{empty}, len(b.runs))})
			}
			at := b.numbers.at
			rows[k].Cells[i] = positionCell{at(text.Figures, of(&bucket.Perplexity)), at(text.Figures, of(&bucket.Low)), at(text.Figures, of(&bucket.High)), at(text.Count, of(&bucket.Tokens)), at(text.Count, of(&bucket.Documents))}
		}
	}
	return rows
}
