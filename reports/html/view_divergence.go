package html

import (
	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/text"
)

type divergenceView struct {
	Text, Confidence prose
	Rows             []divergenceRow
	Figure           figure
	Parts            []divergencePart
	Warnings         []string
}

// divergenceRow is a number over all tokens.
type divergenceRow struct {
	Name             string
	Value, Low, High Value
}

// divergencePart is a row of the table by position, or by task.
type divergencePart struct {
	Task                                       string
	From, Until, Tokens, Mean, Low, High, Same Value
	Single                                     bool // one place, not from one to another
}

// divergence shows how far B's distributions are from A's; nil where that was not measured.
func (b *builder) divergence() *divergenceView {
	if b.doc.Comparison == nil || b.doc.Comparison.KL == nil {
		return nil
	}
	d, n := b.doc.Comparison.KL, b.numbers
	over := say(n.at(text.Count, of(&d.Tokens)), " tokens of ", n.at(text.Count, of(&d.Documents)), text.Choose(d.Documents, " document", " documents"))
	if d.Clusters > 0 {
		over = append(over, say(" in ", n.at(text.Count, of(&d.Clusters)), " clusters")...)
	}
	v := &divergenceView{
		Text: append(say("How far the second model's distribution of the next token is from the first one's: the Kullback-Leibler divergence over the whole vocabulary, in nats a token, zero where both are the same. Over "), append(over,
			say("; intervals are over "+d.Units+". It shows a change that no score shows, and does not say whether the change is for the worse.")...)...),
		Confidence: say(n.at(func(x float64) string { return text.Tick(x) + "%" }, of(&b.doc.Comparison.Confidence)), " interval"),
		Rows: []divergenceRow{
			b.average("Mean", text.Figures, &d.Mean),
			{Name: "Median", Value: n.at(text.Figures, of(&d.Median))},
			{Name: "Nine tokens in ten are below", Value: n.at(text.Figures, of(&d.P90))},
			{Name: "All but one in a hundred are below", Value: n.at(text.Figures, of(&d.P99))},
			{Name: "All but one in a thousand are below", Value: n.at(text.Figures, of(&d.P999))},
			{Name: "Largest", Value: n.at(text.Figures, of(&d.Max))},
			b.average("Tokens whose most probable one is the same", text.Percent, &d.SameTop),
			b.average("Change of the right token's probability, in points", text.Points, &d.Change),
			b.average("Its root mean square, in points", text.Points, &d.RMSChange),
		},
	}
	for _, w := range d.Warnings {
		v.Warnings = append(v.Warnings, text.Visible(w))
	}
	s := chart.Series{Name: "KL", Ink: chart.RunInk(len(b.runs) - 1)}
	l := chart.Lines{X: chart.Axis{Name: "tokens before"}, Y: chart.Axis{Name: "nats a token", Format: text.Tick, Floor: 0}}
	for k := range d.Positions {
		p := &d.Positions[k]
		row := b.part(p)
		v.Parts = append(v.Parts, row)
		s.X, s.Y = append(s.X, float64(k)), append(s.Y, float64(p.Mean.Value))
		s.Low, s.High = append(s.Low, float64(p.Mean.Low)), append(s.High, float64(p.Mean.High))
		s.Detail = append(s.Detail, p.Places()+" tokens before: "+row.Mean.Text)
		l.Categories = append(l.Categories, text.Tick(float64(p.From)))
	}
	if len(d.Tasks) > 1 {
		for k := range d.Tasks {
			v.Parts = append(v.Parts, b.part(&d.Tasks[k]))
		}
	}
	l.Series = []chart.Series{s}
	v.Figure = figure{
		ID: "divergence-positions", Caption: "Mean divergence by how many tokens stand before, each place from its number to the next one's",
		Label: "Divergence by position; the table below has the same numbers", Drawing: b.draw("divergence-positions", "Mean divergence by how many tokens stand before", l, false),
	}
	return v
}

func (b *builder) average(name string, format func(float64) string, a *compare.Average) divergenceRow {
	return divergenceRow{name, b.numbers.at(format, of(&a.Value)), b.numbers.at(format, of(&a.Low)), b.numbers.at(format, of(&a.High))}
}

func (b *builder) part(p *compare.DivergencePart) divergencePart {
	n, mean := b.numbers, b.average("", text.Figures, &p.Mean)
	row := divergencePart{
		Task: text.Visible(p.Task), Tokens: n.at(text.Count, of(&p.Tokens)), Mean: mean.Value, Low: mean.Low, High: mean.High,
		Same: n.at(text.Percent, of(&p.SameTop.Value)),
	}
	if p.Task == "" {
		row.From, row.Until, row.Single = n.at(text.Count, of(&p.From)), n.at(text.Count, of(&p.Until)), p.From == p.Until
	}
	return row
}
