package html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/text"
)

type differencesView struct {
	Text, Caption   prose
	First, Last     string // letters
	Effect          bool   // a difference was named, for Needed
	Corrected       bool   // there are several comparisons: interval and p before and after the correction
	Rows            []differenceRow
	Groups          []groupDifference // above the tasks, which are folded then
	GroupsCorrected bool
	Notes           []prose
	Figures         []figure
	Front           bool // the wide ones have room in the summary's page
}

type differenceRow struct {
	Task, Metric                                                    string
	Again, Higher                                                   bool
	N, A, B, Difference, Low, High, P, Adjusted, Detectable, Needed Value
	Raw                                                             interval // before the correction
	Alone                                                           bool     // it shows a difference, and the corrected one does not
	Verdict, Class                                                  string
	metric                                                          *compare.Metric
}

// interval is one as the template shows it.
type interval struct{ Low, High Value }

// verdict writes the page's first lines.
func (b *builder) verdict(v *view) {
	last := len(b.runs) - 1
	if b.doc.Comparison == nil {
		switch {
		case last == 0 && b.doc.Runs[0].Unfinished != nil:
			v.Headline = say("Not finished: ", name(b.runs[0].Name))
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
	case t.Same == t.Tasks:
		v.Headline = say(a, " and ", z, " are the same on ", tasks, noun)
	default:
		v.Headline = say("No difference shown between ", a, " and ", z, " on ", tasks, noun)
	}
	v.Verdicts = append(b.verdictLines(compare.Better), b.verdictLines(compare.Worse)...)
	if t.Noise < t.Tasks || t.Same > 0 && t.Same < t.Tasks {
		v.Lead = append(v.Lead, b.others()...)
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

// others name the tasks that are the same, and those on which a difference may be chance.
func (b *builder) others() (lines []prose) {
	var same, chance []any
	for _, m := range b.doc.Comparison.Metrics {
		switch {
		case !m.Primary || m.Verdict != compare.Noise:
		case m.Same():
			same = append(same, ", ", name(text.Visible(m.Task)))
		default:
			chance = append(chance, ", ", name(text.Visible(m.Task)))
		}
	}
	for _, l := range []struct {
		tasks []any
		says  string
	}{{same, "both are the same"}, {chance, "the difference may be chance"}} {
		const most = 4
		switch {
		case l.tasks == nil:
			continue
		case len(l.tasks) > 2*most:
			lines = append(lines, say("On several more tasks "+l.says+": the table has which."))
			continue
		case len(l.tasks) > 2:
			l.tasks[len(l.tasks)-2] = " and "
		}
		l.tasks[0] = "On "
		lines = append(lines, say(append(l.tasks, " "+l.says+".")...))
	}
	return lines
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
		Corrected: c.Corrected(),
		Caption:   say(last + " minus " + first + "; shares in percentage points, perplexities in their own unit. ~ is a difference that may be chance, same one of equal answers or of rounding alone"),
	}
	d.Text = say("Paired by document: the same questions to both. p is how often chance alone would give a difference as large. ")
	if d.Corrected {
		d.Text = append(d.Text, say("The verdict is by the adjusted p and interval, which allow for there being several comparisons (Holm), the tasks' first metrics being one family and all others another: the adjusted interval, with at least ", whole(&c.Confidence), " confidence, leaves out zero only where the adjusted p shows a difference. Beside it stands the interval of each comparison as if it were the only one. ")...)
	} else {
		d.Text = append(d.Text, say("The interval, with at least ", whole(&c.Confidence), " confidence, leaves out zero only where p shows a difference. ")...)
	}
	d.Text = append(d.Text, say("Detectable is the smallest true difference that this many documents would show in ", whole(&c.Power), " of cases.")...)
	if d.Effect = b.doc.Comparison.Effect > 0; d.Effect {
		effect := b.numbers.at(text.Compact, of(&c.Effect))
		d.Text = append(d.Text, say(" Needed is how many documents show a true difference of ", effect, ", the one asked about (of perplexities and bits, as a part of the value), in ", whole(&c.Power), " of cases.")...)
	}
	var bytes []string
	for k := range b.doc.Comparison.Metrics {
		m := &b.doc.Comparison.Metrics[k]
		if likeNorm(b.doc.Comparison.Metrics, m) {
			bytes = append(bytes, m.Task)
			continue
		}
		u := unitOf(m.Metric)
		at := b.numbers.at
		r := differenceRow{
			Task: text.Visible(m.Task), Metric: text.Visible(m.Metric), Higher: m.HigherIsBetter, metric: m,
			Again: len(d.Rows) > 0 && d.Rows[len(d.Rows)-1].metric.Task == m.Task,
			N:     at(text.Count, of(&m.N)), A: at(u.value, of(&m.A)), B: at(u.value, of(&m.B)),
			Difference: at(u.difference, of(&m.Difference)), Low: at(u.difference, of(&m.LowAdjusted)), High: at(u.difference, of(&m.HighAdjusted)),
			P: at(text.Probability, of(&m.P)), Adjusted: at(text.Probability, of(&m.Adjusted)), Detectable: at(unsigned(u), of(&m.Detectable)),
			Needed: at(documents, of(&m.Needed)),
			Raw:    interval{at(u.difference, of(&m.Low)), at(u.difference, of(&m.High))},
			Alone:  m.Alone(),
			Class:  "noise", Verdict: "~",
		}
		if m.Verdict == compare.Better || m.Verdict == compare.Worse {
			r.Class, r.Verdict = string(m.Verdict), string(m.Verdict)
		}
		if m.Same() {
			r.Verdict = "same"
		}
		d.Rows = append(d.Rows, r)
	}
	for _, n := range append(warningsByTask(b.doc.Comparison.Metrics), b.doc.Comparison.Notes...) {
		d.Notes = append(d.Notes, say(verbatimPlain(n)))
	}
	d.Notes = append(d.Notes, foldedNote(bytes)...)
	b.groupDifferences(d)
	b.forests(d)
	return d
}

// Names of metric's table: of two the second says nothing more where all is ASCII, of the
// other two it is the logarithm.
const (
	accNorm, accBytes           = "acc_norm", "acc_bytes"
	bytePerplexity, bitsPerByte = "byte_perplexity", "bits_per_byte"
)

// likeNorm says whether a metric is acc_bytes and equals the task's acc_norm in every
// number, as where each character is a byte.
func likeNorm(all []compare.Metric, m *compare.Metric) bool {
	return m.Metric == accBytes && slices.ContainsFunc(all, func(n compare.Metric) bool {
		return n.Task == m.Task && n.Metric == accNorm && n.N == m.N && n.A == m.A && n.B == m.B && n.Difference == m.Difference &&
			n.Low == m.Low && n.High == m.High && n.P == m.P
	})
}

// foldedNote says of which tasks acc_bytes has no row of its own.
func foldedNote(tasks []string) []prose {
	if tasks == nil {
		return nil
	}
	return []prose{say("acc_bytes equals acc_norm, and has no row, on " + text.Visible(strings.Join(tasks, ", ")) + ".")}
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

// forests draws shares on one axis, perplexities and bits as ratios on another, and each
// other metric on its own. To the right is always better.
func (b *builder) forests(d *differencesView) {
	var shares, ratios, lone []chart.Estimate
	var others []differenceRow
	for _, r := range d.Rows {
		m := r.metric
		e := chart.Estimate{Label: r.Task + " " + r.Metric, Value: float64(m.Difference), Low: float64(m.LowAdjusted), High: float64(m.HighAdjusted), Ink: r.Class,
			Detail: fmt.Sprintf("%s %s: %s (%s to %s), %s", r.Task, r.Metric, r.Difference.Text, r.Low.Text, r.High.Text, r.Verdict)}
		if unitOf(m.Metric).name == chart.Plain && text.Finite(float64(m.Ratio)) {
			e.Value, e.Low, e.High = float64(m.Ratio), float64(m.RatioLow), float64(m.RatioHigh)
			e.Detail = fmt.Sprintf("%s %s: %s (%s to %s), %s", r.Task, r.Metric, text.Figures(e.Value), text.Figures(e.Low), text.Figures(e.High), r.Verdict)
		} else if !r.Higher {
			e.Value, e.Low, e.High = -e.Value, -e.High, -e.Low
			e.Label += ", lower is better"
		}
		if !text.Finite(e.Value) {
			continue
		}
		e.HasInterval = text.Finite(e.Low) && text.Finite(e.High)
		switch {
		case unitOf(m.Metric).name == share.name:
			shares = append(shares, e)
		case m.Metric == bitsPerByte && slices.ContainsFunc(ratios, func(r chart.Estimate) bool { return r.Label == m.Task+" "+bytePerplexity }):
			// the same ratio
		case text.Finite(float64(m.Ratio)):
			ratios = append(ratios, e)
		default:
			others, lone = append(others, r), append(lone, e)
		}
	}
	lines := printedLines(slices.Concat(b.doc.Comparison.Warnings, b.doc.LeftOut))
	for _, v := range []compare.Verdict{compare.Better, compare.Worse} {
		lines += len(b.verdictLines(v))
	}
	d.Front = len(shares) > 0 && len(shares)+len(ratios)+lines <= summaryRows
	add := func(id, caption string, f chart.Forest) {
		small := len(f.Rows) == 1 && strings.HasPrefix(id, "forest-")
		if small {
			f.Rows[0].Label = "" // the caption says it
		}
		d.Figures = append(d.Figures, figure{ID: id, Caption: caption, Drawing: b.draw(id, caption, f, small), Size: sizeFor(len(f.Rows)), Small: small, Label: caption + "; the table has the same numbers"})
	}
	first, last := b.runs[0].Letter, b.runs[len(b.runs)-1].Letter
	if shares != nil {
		add("forest", "Differences with their intervals: right of the line "+last+" is better", chart.Forest{Rows: shares, Axis: chart.Axis{Name: "percentage points", Unit: chart.Points, Format: text.PointsTick}})
	}
	if ratios != nil {
		add("ratios", "Perplexities as ratios with their intervals, on a logarithmic axis: right of the line "+last+" is better",
			chart.Forest{Rows: ratios, Reference: 1, Axis: chart.Axis{Name: "perplexity of " + first + " over that of " + last + ", log axis", Unit: chart.Plain, Format: text.Tick, Log: true}})
	}
	for k, r := range others {
		add("forest-"+itoa(k), r.Task+" "+r.Metric+": right of the line "+last+" is better", chart.Forest{Rows: lone[k : k+1], Axis: chart.Axis{Unit: chart.Signed, Format: text.SignedTick}})
	}
}

// summaryRows is how many rows of charts and lines of verdicts a page of paper has room for,
// below the headline and above the foot.
const summaryRows = 26

// way says which direction is the better one.
func way(higher bool) string {
	if higher {
		return "higher is better"
	}
	return "lower is better"
}
