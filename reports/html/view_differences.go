package html

import (
	"fmt"
	"strings"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/text"
)

type differencesView struct {
	Text, Caption prose
	First, Last   string // letters
	Effect        bool   // a difference was named, for Needed
	Rows          []differenceRow
	Notes         []prose
	Figures       []figure
}

type differenceRow struct {
	Task, Metric                                                    string
	Again, Higher                                                   bool
	N, A, B, Difference, Low, High, P, Adjusted, Detectable, Needed Value
	Verdict, Class                                                  string
	metric                                                          *compare.Metric
}

// verdict writes the page's first lines.
func (b *builder) verdict(v *view) {
	last := len(b.runs) - 1
	if b.doc.Comparison == nil {
		switch {
		case last == 0:
			v.Headline = say("Scores of ", name(b.runs[0].Name))
		case b.doc.NotCompared != "":
			v.Headline = say(name(b.runs[0].Name), " and ", name(b.runs[last].Name), " cannot be compared")
			for _, reason := range strings.Split(strings.TrimPrefix(b.doc.NotCompared, "the runs cannot be compared: "), "; ") {
				v.Warnings = append(v.Warnings, say(verbatimPlain(reason)))
			}
		default:
			v.Headline = say(b.doc.Title)
		}
		return
	}
	a, z := name(b.runs[0].Name), name(b.runs[last].Name)
	t := &b.doc.Comparison.Summary
	better, worse, tasks := b.numbers.at(text.Count, of(&t.Better)), b.numbers.at(text.Count, of(&t.Worse)), b.numbers.at(text.Count, of(&t.Tasks))
	noun := " tasks"
	if t.Tasks == 1 {
		noun = " task"
	}
	switch {
	case t.Tasks == 0:
		v.Headline = say("Diagnostics of ", a, " and ", z)
		for _, n := range b.doc.Comparison.Notes { // which stand below the tasks else
			v.Lead = append(v.Lead, say(verbatimPlain(n)))
		}
	case t.Better > 0 && t.Worse > 0:
		v.Headline = say(z, " is better than ", a, " on ", better, ", worse on ", worse, " of ", tasks, noun)
	case t.Better > 0:
		v.Headline = say(z, " is better than ", a, " on ", better, " of ", tasks, noun+", worse on none")
	case t.Worse > 0:
		v.Headline = say(z, " is worse than ", a, " on ", worse, " of ", tasks, noun+", better on none")
	default:
		v.Headline = say("No difference shown between ", a, " and ", z, " on ", tasks, noun)
	}
	v.Verdicts = append(b.verdictLines(compare.Better), b.verdictLines(compare.Worse)...)
	if t.Noise < t.Tasks && t.Noise > 0 {
		v.Lead = append(v.Lead, b.noiseLine(b.numbers.at(text.Count, of(&t.Noise))))
	}
	for _, w := range b.doc.Comparison.Warnings {
		v.Warnings = append(v.Warnings, say(verbatimPlain(w)))
	}
}

// verdictLine is one task's verdict, by its primary metric.
type verdictLine struct {
	Class, Verdict        string
	Task, Metric, Suffix  string
	Difference, Low, High Value
	Last                  bool // of those with room; more are in the table
}

// mostVerdicts bounds the lines of one verdict on top of the page.
const mostVerdicts = 6

func (b *builder) verdictLines(verdict compare.Verdict) []verdictLine {
	var out []verdictLine
	for k := range b.doc.Comparison.Metrics {
		m := &b.doc.Comparison.Metrics[k]
		if !m.Primary || m.Verdict != verdict {
			continue
		}
		if len(out) == mostVerdicts {
			out[len(out)-1].Last = true
			break
		}
		u := unitOf(m.Metric)
		line := verdictLine{
			Class: string(verdict), Verdict: string(verdict), Task: text.Visible(m.Task), Metric: text.Visible(m.Metric),
			Difference: b.numbers.at(u.difference, of(&m.Difference)), Low: b.numbers.at(u.difference, of(&m.LowAdjusted)), High: b.numbers.at(u.difference, of(&m.HighAdjusted)),
		}
		if u.name == share.name {
			line.Suffix = " points"
		}
		out = append(out, line)
	}
	return out
}

// noiseLine names the tasks on which no difference is shown, or counts them.
func (b *builder) noiseLine(n Value) prose {
	const most = 4
	var tasks []any
	for _, m := range b.doc.Comparison.Metrics {
		if m.Primary && m.Verdict == compare.Noise {
			tasks = append(tasks, ", ", name(text.Visible(m.Task)))
		}
	}
	if len(tasks) > 2*most {
		return say("On the other ", n, " tasks the difference may be chance.")
	}
	if len(tasks) > 2 {
		tasks[len(tasks)-2] = " and "
	}
	tasks[0] = "On "
	return say(append(tasks, " the difference may be chance.")...)
}

func (b *builder) differences() *differencesView {
	if b.doc.Comparison == nil || len(b.doc.Comparison.Metrics) == 0 {
		return nil
	}
	first, last := b.runs[0].Letter, b.runs[len(b.runs)-1].Letter
	c := b.doc.Comparison
	whole := func(percent *float64) Value {
		return b.numbers.at(func(x float64) string { return text.Tick(x) + "%" }, of(percent))
	}
	d := &differencesView{
		First: first, Last: last,
		Text:    say("Paired by document: the same questions to both. p is how often chance alone would give a difference as large; adjusted, it allows for there being several (Holm), the tasks' first metrics being one family and all others another. The interval, with at least ", whole(&c.Confidence), " confidence, is adjusted alike: it leaves out zero only where the adjusted p shows a difference. Detectable is the smallest true difference that this many documents would show in ", whole(&c.Power), " of cases."),
		Caption: say(last + " minus " + first + "; shares in percentage points, perplexities in their own unit. ~ is a difference that may be chance, same one of equal answers or of rounding alone"),
	}
	if d.Effect = b.doc.Comparison.Effect > 0; d.Effect {
		effect := b.numbers.at(text.Compact, of(&c.Effect))
		d.Text = append(d.Text, say(" Needed is how many documents show a true difference of ", effect, ", the one asked about (of perplexities and bits, as a part of the value), in ", whole(&c.Power), " of cases.")...)
	}
	for k := range b.doc.Comparison.Metrics {
		m := &b.doc.Comparison.Metrics[k]
		u := unitOf(m.Metric)
		at := b.numbers.at
		r := differenceRow{
			Task: text.Visible(m.Task), Metric: text.Visible(m.Metric), Higher: m.HigherIsBetter, metric: m,
			Again: len(d.Rows) > 0 && d.Rows[len(d.Rows)-1].metric.Task == m.Task,
			N:     at(text.Count, of(&m.N)), A: at(u.value, of(&m.A)), B: at(u.value, of(&m.B)),
			Difference: at(u.difference, of(&m.Difference)), Low: at(u.difference, of(&m.LowAdjusted)), High: at(u.difference, of(&m.HighAdjusted)),
			P: at(text.Probability, of(&m.P)), Adjusted: at(text.Probability, of(&m.Adjusted)), Detectable: at(unsigned(u), of(&m.Detectable)),
			Needed: at(documents, of(&m.Needed)),
			Class:  "noise", Verdict: "~",
		}
		if m.Verdict == compare.Better || m.Verdict == compare.Worse {
			r.Class, r.Verdict = string(m.Verdict), string(m.Verdict)
		}
		if m.Identical || m.WithinArithmetic {
			r.Verdict = "same"
		}
		d.Rows = append(d.Rows, r)
	}
	for _, n := range append(warningsByTask(b.doc.Comparison.Metrics), b.doc.Comparison.Notes...) {
		d.Notes = append(d.Notes, say(verbatimPlain(n)))
	}
	b.forests(d)
	return d
}

// warningsByTask says each warning once for a task, with the metrics that have
// it where not all do.
func warningsByTask(metrics []compare.Metric) []string {
	var out []string
	for first := 0; first < len(metrics); {
		last := first
		var texts []string
		having := map[string][]string{}
		for ; last < len(metrics) && metrics[last].Task == metrics[first].Task; last++ {
			own := metrics[last].Warnings
			if text := metrics[last].ClusterText(); text != "" {
				own = append([]string{text}, own...)
			}
			for _, w := range own {
				if having[w] == nil {
					texts = append(texts, w)
				}
				having[w] = append(having[w], metrics[last].Metric)
			}
		}
		for _, w := range texts {
			who := metrics[first].Task
			if len(having[w]) < last-first {
				who += " " + strings.Join(having[w], ", ")
			}
			out = append(out, who+": "+w)
		}
		first = last
	}
	return out
}

// documents writes how many are needed, where that can be told.
func documents(n float64) string {
	if n == 0 {
		return text.None
	}
	return text.Count(n)
}

// unsigned writes a size of differences.
func unsigned(u unit) func(float64) string {
	if u.name == share.name {
		return func(x float64) string { return text.Decimals(100*x, 1) }
	}
	return u.value
}

// forests draws shares on one axis, and each other metric on its own, their
// units not being comparable.
func (b *builder) forests(d *differencesView) {
	var shares []chart.Estimate
	var others []differenceRow
	var lone []chart.Estimate
	for _, r := range d.Rows {
		m := r.metric
		value, lo, hi := float64(m.Difference), float64(m.LowAdjusted), float64(m.HighAdjusted)
		if !text.Finite(value) {
			continue
		}
		e := chart.Estimate{Label: r.Task + " " + r.Metric, Value: value, Low: lo, High: hi,
			HasInterval: text.Finite(lo) && text.Finite(hi), Ink: r.Class,
			Detail: fmt.Sprintf("%s %s: %s (%s to %s), %s", r.Task, r.Metric, r.Difference.Text, r.Low.Text, r.High.Text, r.Verdict)}
		if unitOf(m.Metric).name == share.name {
			shares = append(shares, e)
		} else {
			others, lone = append(others, r), append(lone, e)
		}
	}
	add := func(id, caption string, axis chart.Axis, rows []chart.Estimate) {
		small := len(rows) == 1
		if small {
			rows[0].Label = "" // the caption says it
		}
		d.Figures = append(d.Figures, figure{ID: id, Caption: caption, Drawing: b.draw(id, chart.Forest{Rows: rows, Axis: axis}, small), Size: sizeFor(len(rows)), Small: small, Label: caption + "; the table above has the same numbers"})
	}
	last := b.runs[len(b.runs)-1].Letter
	if shares != nil {
		add("forest", "Differences with their intervals: right of the line "+last+" is better", chart.Axis{Name: "percentage points", Unit: chart.Points, Format: text.PointsTick}, shares)
	}
	for k, r := range others {
		add("forest-"+itoa(k), r.Task+" "+r.Metric+", "+way(r.Higher), chart.Axis{Unit: chart.Signed, Format: text.SignedTick}, lone[k:k+1])
	}
}

// way says which direction is the better one.
func way(higher bool) string {
	if higher {
		return "higher is better"
	}
	return "lower is better"
}
