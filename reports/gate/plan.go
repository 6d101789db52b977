package gate

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
	"github.com/softbench/softbench/stats"
)

// changing are the shares of documents whose answers change between two checkpoints that a plan is
// made for: a quantisation or a fine-tune has 2 to 10 %, another training run 20 % and more.
var changing = []float64{0.02, 0.05, 0.1, 0.2}

// Plan says what a gate will find, before anything is run.
type Plan struct {
	Schema  int         `json:"schema"`
	Power   float64     `json:"power"` // in percent
	Drop    *float64    `json:"drop,omitempty"`
	Metrics []PlanEntry `json:"metrics"`
	Notes   []string    `json:"notes,omitempty"`
}

// PlanEntry is what a gate of one accuracy will find.
type PlanEntry struct {
	Task        string        `json:"task,omitempty"`
	Metric      string        `json:"metric,omitempty"`
	N           int           `json:"n"`
	AllowedDrop float64       `json:"allowed_drop"`
	Confidence  float64       `json:"confidence"` // in percent
	Rule        stats.Rule    `json:"regressed_when"`
	Shares      []PlanOfShare `json:"changing"`
}

// PlanOfShare is that where a share of the documents' answers change.
type PlanOfShare struct {
	Changing float64 `json:"share"`
	// Finds is the smallest true drop that is called a regression in Power percent of cases; null
	// where none is.
	Finds rundir.Number `json:"finds"`
	// Needed is how many documents find the plan's Drop; 0 where no number below stats.MostDocuments
	// does, as where the drop is allowed.
	Needed int `json:"needed_for_drop,omitempty"`
}

// MakePlan plans a gate: of a baseline's metrics, or where it is nil of so many documents. drop, not
// nil, is the one that documents are counted for.
func MakePlan(b *Baseline, p *Policy, documents int, drop *float64) (*Plan, error) {
	out := &Plan{Schema: Schema, Power: percent(stats.Power), Drop: drop, Metrics: []PlanEntry{}}
	if b == nil {
		rule := p.rule("", "")
		out.Metrics = append(out.Metrics, planOf(documents, 0.01, levelOf(rule), p.regressed(rule), drop))
		return out, nil
	}
	if why := p.unused(b); len(why) > 0 {
		return nil, &Unfit{why}
	}
	var others []string
	for i := range b.Tasks {
		t := &b.Tasks[i]
		for k := range t.Metrics {
			m := &t.Metrics[k]
			if !p.required(t.Name, m.Name) {
				continue
			}
			n, ok := shares(m)
			if !ok {
				others = append(others, t.Name+" "+m.Name)
				continue
			}
			rule := p.rule(t.Name, m.Name)
			e := planOf(n, p.allowed(t.Name, m.Name, m.Value, m.AllowedDrop), levelOf(rule), p.regressed(rule), drop)
			e.Task, e.Metric = t.Name, m.Name
			out.Metrics = append(out.Metrics, e)
		}
	}
	for i := range b.Groups {
		g := &b.Groups[i]
		for k := range g.Metrics {
			m := g.Metrics[k]
			if !p.required(g.Name, m.Name) {
				continue
			}
			m.Values = b.groupValues(g, &m, g.Weighted[k])
			n, ok := shares(&m)
			if !ok {
				others = append(others, g.Name+" "+m.Name)
				continue
			}
			rule := p.rule(g.Name, m.Name)
			e := planOf(n, p.allowed(g.Name, m.Name, m.Value, m.AllowedDrop), levelOf(rule), p.regressed(rule), drop)
			e.Task, e.Metric = g.Name, m.Name
			out.Metrics = append(out.Metrics, e)
		}
	}
	if len(others) > 0 {
		out.Notes = append(out.Notes, "what these find follows from how far their documents differ, which is known when two runs are: "+strings.Join(others, ", "))
	}
	return out, nil
}

// levelOf is one less the confidence of a rule.
func levelOf(r Rule) float64 {
	if r.Confidence == 0 {
		return 0.05
	}
	return math.Round(1e10*(1-r.Confidence)) / 1e10
}

// shares counts the documents of an accuracy; not ok for another metric.
func shares(m *BaselineMetric) (n int, ok bool) {
	for _, v := range m.Values {
		if !v.Scored {
			continue
		}
		if m.Formula != compare.Mean || v.Weight != 1 || v.Value != 0 && v.Value != 1 {
			return 0, false
		}
		n++
	}
	return n, n > 0
}

func planOf(n int, allowed, level float64, rule stats.Rule, drop *float64) PlanEntry {
	e := PlanEntry{N: n, AllowedDrop: allowed, Confidence: percent(1 - level), Rule: rule}
	for _, c := range changing {
		s := PlanOfShare{Changing: c, Finds: rundir.Number(stats.DetectableAccuracyDrop(n, c, allowed, level, rule))}
		if drop != nil {
			s.Needed = stats.DocumentsForDrop(*drop, c, allowed, level, rule)
		}
		e.Shares = append(e.Shares, s)
	}
	return e
}

// WriteTable writes the plan for a terminal.
func (p *Plan) WriteTable(w io.Writer) error {
	var b strings.Builder
	table := func(title string, cell func(s *PlanOfShare) string) {
		fmt.Fprintf(&b, "%s\n\n", title)
		g := &text.Grid{}
		for _, c := range []string{"task", "metric"} {
			g.Column(c, text.Left, text.Keep)
		}
		g.Column("n", text.Right, text.Keep)
		g.Column("allowed", text.Right, text.Keep)
		for _, c := range changing {
			g.Column("c = "+text.Compact(percent(c))+"%", text.Right, text.Keep)
		}
		for i := range p.Metrics {
			e := &p.Metrics[i]
			cells := []string{text.Printable(e.Task), text.Printable(e.Metric), strconv.Itoa(e.N), text.Decimal(rundir.Number(e.AllowedDrop))}
			for k := range e.Shares {
				cells = append(cells, cell(&e.Shares[k]))
			}
			g.Row(cells...)
		}
		g.Write(&b)
		b.WriteString("\n")
	}
	if len(p.Metrics) > 0 {
		table(fmt.Sprintf("The smallest true drop that is called a regression in %s%% of cases,\nwhere a share c of the documents' answers change:", text.Compact(p.Power)),
			func(s *PlanOfShare) string { return text.Decimal(s.Finds) })
		if p.Drop != nil {
			table(fmt.Sprintf("Documents that find a true drop of %s so often:", text.Decimal(rundir.Number(*p.Drop))), func(s *PlanOfShare) string {
				if s.Needed == 0 {
					return "none"
				}
				return strconv.Itoa(s.Needed)
			})
		}
		b.WriteString("c: about 2 to 10% for a quantisation or a fine-tune, 20% and more for another training\n")
	}
	for _, n := range p.Notes {
		b.WriteString("note: " + text.Printable(n) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
