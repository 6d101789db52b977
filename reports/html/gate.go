package html

import (
	"errors"
	"io"
	"slices"

	"github.com/softbench/softbench/reports/chart"
	"github.com/softbench/softbench/reports/gate"
	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/stats"
)

// gateView is what a gate's template shows.
type gateView struct {
	head
	Headline    prose
	Lead        []prose
	Warnings    []prose
	Rows        []gateRow
	Power       Value
	Why         []prose // of the metrics that did not just pass
	Figure      *figure
	Worse       []gateWorse
	Quarantined []gate.Quarantined
	Notes       []prose
}

type gateRow struct {
	Task, Metric                             string
	Higher                                   bool
	Baseline, Run, Drop, Allowed, Detectable Value
	Difference, Low, High, Confidence, N     Value
	Decision, Class                          string
}

// gateWorse are the documents of a metric that got worse.
type gateWorse struct {
	ID, Task, Metric string
	Rows             []gateDocument
}

type gateDocument struct {
	ID          Value
	Words, Hash string
	Was, Is     Value
}

// gateFailed is the document of a page about a gate that could not judge.
type gateFailed struct {
	Decision string `json:"decision"` // in a word
	Error    string `json:"error"`
}

// decisionClasses are the page's colours of decisions.
var decisionClasses = map[stats.Decision]string{stats.Pass: "better", stats.Regressed: "worse", stats.Inconclusive: "noise"}

// WriteGate writes a gate's decision, and what it rests on, as one HTML file in UTF-8 that needs no
// other and no network. The same result gives the same bytes.
func WriteGate(w io.Writer, r *gate.Result, softbench string) error {
	if len(r.Metrics) == 0 {
		return errors.New("a page about a gate needs at least one metric")
	}
	return writePage(w, "gate", "gate", r, func(tree []byte) (*gateView, error) { return newGateView(r, softbench, tree) })
}

// WriteGateError writes the page of a gate that could not judge, and why: the page of an earlier run
// in its place would look like a decision on this one.
func WriteGateError(w io.Writer, failed error, softbench string) error {
	d := gateFailed{"nothing judged", failed.Error()}
	return writePage(w, "gate", "gate", d, func(tree []byte) (*gateView, error) {
		return &gateView{
			head:     newHead("gate: nothing judged", softbench, Library{}, tree, nil),
			Headline: say("Nothing was judged"), Warnings: []prose{say(verbatimPlain(d.Error))},
		}, nil
	})
}

func newGateView(r *gate.Result, softbench string, tree []byte) (*gateView, error) {
	n := newNumbers(r)
	v := &gateView{
		head:  newHead("gate: "+string(r.Decision)+", "+r.Run, softbench, Library{}, tree, nil),
		Power: n.at(text.Tick, of(&r.Power)), Quarantined: slices.Clone(r.Quarantined),
	}
	v.Headline = say(headlines[r.Decision]+": ", n.at(text.Count, of(&r.Counts.Pass)), " passed, ", n.at(text.Count, of(&r.Counts.Regressed)), " regressed, ",
		n.at(text.Count, of(&r.Counts.Inconclusive)), " inconclusive")
	v.Lead = append(v.Lead, say(name(text.Visible(r.Run)), " against the baseline ", name(text.Visible(r.Baseline)), ". "+outcomes[r.Fails]))
	if line := r.JointLine(); line != "" {
		v.Lead = append(v.Lead, say(verbatimPlain(line)))
	}
	if loud := r.Undecided(); loud != "" {
		v.Warnings = append(v.Warnings, say(verbatimPlain(loud)))
	}
	for _, s := range r.AllWarnings() {
		v.Warnings = append(v.Warnings, say(verbatimPlain(s)))
	}
	for _, s := range r.Notes {
		v.Notes = append(v.Notes, say(verbatimPlain(s)))
	}
	for i := range r.Metrics {
		m := &r.Metrics[i]
		v.Rows = append(v.Rows, newGateRow(m, n))
		if m.Decision != stats.Pass {
			v.Why = append(v.Why, say(name(text.Visible(m.Task+" "+m.Metric)), ": ", verbatimPlain(m.Explain())))
		}
		if len(m.WorseDocuments) > 0 {
			v.Worse = append(v.Worse, newGateWorse(m, n, i))
		}
	}
	for i := range v.Quarantined {
		q := &v.Quarantined[i]
		q.Task, q.Reason, q.Hash = text.Visible(q.Task), text.Visible(q.Reason), text.Visible(q.Hash)
	}
	v.Figure = gateFigure(r)
	return v, n.err
}

var (
	headlines = map[stats.Decision]string{stats.Pass: "Passed", stats.Regressed: "Regressed", stats.Inconclusive: "Inconclusive"}
	outcomes  = map[bool]string{true: "The job fails.", false: "The job does not fail."}
)

func newGateRow(m *gate.Metric, n *numbers) gateRow {
	u := unitOf(m.Metric)
	return gateRow{
		Task: text.Visible(m.Task), Metric: text.Visible(m.Metric), Higher: m.HigherIsBetter,
		Baseline: n.at(u.value, of(&m.Baseline)), Run: n.at(u.value, of(&m.Run)), Drop: n.at(u.difference, of(&m.Drop)),
		Allowed: n.at(u.value, of(&m.AllowedDrop)), Detectable: n.at(u.value, of(&m.Detectable)),
		Difference: n.at(u.difference, of(&m.Difference)), Low: n.at(u.difference, of(&m.Low)), High: n.at(u.difference, of(&m.High)),
		Confidence: n.at(text.Tick, of(&m.Confidence)), N: n.at(text.Count, of(&m.N)),
		Decision: m.Outcome(), Class: decisionClasses[m.Decision],
	}
}

func newGateWorse(m *gate.Metric, n *numbers, i int) gateWorse {
	out := gateWorse{ID: "worse-" + itoa(i), Task: text.Visible(m.Task), Metric: text.Visible(m.Metric)}
	for k := range m.WorseDocuments {
		d := &m.WorseDocuments[k]
		out.Rows = append(out.Rows, gateDocument{
			ID: n.at(text.Count, of(&d.ID)), Words: text.Visible(d.Words), Hash: text.Visible(d.Hash), Was: n.at(text.Figures, of(&d.Was)), Is: n.at(text.Figures, of(&d.Now)),
		})
	}
	return out
}

// gateFigure draws each metric's drop; nil where nothing is allowed of any.
func gateFigure(r *gate.Result) *figure {
	f := gateForest(r)
	if len(f.Rows) == 0 {
		return nil
	}
	return &figure{
		ID: "forest", Caption: "Drops with their intervals, in allowed drops: all of it left of the line passes, all of it right of the line is a regression",
		Drawing: chart.Draw(f), Size: sizeFor(len(f.Rows)), Label: "Drops with their intervals, in allowed drops; the table has the same numbers",
	}
}

// gateForest has each metric's drop in allowed drops, so that all stand on one axis; those of which
// nothing is allowed are left out.
func gateForest(r *gate.Result) chart.Forest {
	f := chart.Forest{Reference: 1, Axis: chart.Axis{Name: "drop, in allowed drops", Format: text.Tick}}
	for i := range r.Metrics {
		m := &r.Metrics[i]
		allowed := float64(m.AllowedDrop)
		if allowed == 0 {
			continue
		}
		low, high := float64(m.Low)/allowed, float64(m.High)/allowed
		if m.HigherIsBetter { // a drop is the other way round
			low, high = -high, -low
		}
		f.Rows = append(f.Rows, chart.Estimate{
			Label: text.Visible(m.Task + " " + m.Metric), Value: float64(m.Drop) / allowed, Low: low, High: high, HasInterval: text.Finite(low) && text.Finite(high),
			Ink: decisionClasses[m.Decision],
		})
	}
	return f
}
