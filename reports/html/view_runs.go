package html

import (
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/text"
)

// Pair is a comparison of two of a page's runs, by their places.
type Pair struct {
	A, B       int
	Comparison *compare.Comparison
}

// pairDocument is a pair as the page's JSON has it.
type pairDocument struct {
	A       int              `json:"a"` // place among the runs
	B       int              `json:"b"`
	Metrics []compare.Metric `json:"metrics,omitempty"` // the tasks' first ones
	Better  int              `json:"better"`            // tasks on which B is
	Worse   int              `json:"worse"`
	Noise   int              `json:"no_difference_shown"`
}

func newPairs(pairs []Pair, withMetrics bool) (out []pairDocument) {
	for _, p := range pairs {
		d := pairDocument{A: p.A, B: p.B, Better: p.Comparison.Summary.Better, Worse: p.Comparison.Summary.Worse, Noise: p.Comparison.Summary.Noise}
		if withMetrics {
			for _, m := range p.Comparison.Metrics {
				if m.Primary {
					d.Metrics = append(d.Metrics, m)
				}
			}
		}
		out = append(out, d)
	}
	return out
}

// runsView shows every run against the baseline, and all pairs.
type runsView struct {
	Baseline string // letter
	Text     prose
	Runs     []runView // those that are compared with it
	Rows     []againstRow
	Letters  []runView
	Matrix   []matrixRow
	Notes    []string // what is left out
}

type againstRow struct {
	Task, Metric  string
	Again, Higher bool
	Cells         []againstCell
}

type againstCell struct {
	Difference, Low, High Value
	Class, Verdict        string
}

type matrixRow struct {
	Letter, Name string
	Cells        []matrixCell
}

// matrixCell counts the tasks on which the row's run is better and worse than the column's.
type matrixCell struct {
	Self          bool
	Better, Worse Value
	Known         bool
}

func (b *builder) against() *runsView {
	if len(b.doc.Against) == 0 {
		return nil
	}
	base := b.doc.Against[0].A
	v := &runsView{Baseline: b.runs[base].Letter, Letters: b.runs, Notes: b.doc.NotPaired}
	v.Text = say("Each run's difference from "+v.Baseline+", ", name(b.runs[base].Name), ", by the tasks' first metrics, with intervals and verdicts that allow for all comparisons of this table (Holm). ~ is a difference that may be chance.")
	type id struct{ task, metric string }
	var order []id
	seen := map[id]int{}
	for i := range b.doc.Against {
		p := &b.doc.Against[i]
		v.Runs = append(v.Runs, b.runs[p.B])
		for k := range p.Metrics {
			key := id{p.Metrics[k].Task, p.Metrics[k].Metric}
			if _, ok := seen[key]; !ok {
				seen[key] = len(order)
				order = append(order, key)
				v.Rows = append(v.Rows, againstRow{Task: text.Visible(key.task), Metric: text.Visible(key.metric), Higher: p.Metrics[k].HigherIsBetter})
			}
		}
	}
	for r := range v.Rows {
		for i := range b.doc.Against {
			cell := againstCell{Difference: Value{Text: text.None}}
			for k := range b.doc.Against[i].Metrics {
				m := &b.doc.Against[i].Metrics[k]
				if (id{m.Task, m.Metric}) != order[r] {
					continue
				}
				u := unitOf(m.Metric)
				cell = againstCell{b.numbers.at(u.difference, of(&m.Difference)), b.numbers.at(u.difference, of(&m.LowAdjusted)), b.numbers.at(u.difference, of(&m.HighAdjusted)), "noise", "~"}
				switch {
				case m.Same():
					cell.Verdict = "same"
				case m.Verdict != compare.Noise:
					cell.Class, cell.Verdict = string(m.Verdict), string(m.Verdict)
				}
			}
			v.Rows[r].Cells = append(v.Rows[r].Cells, cell)
		}
	}
	for i := range b.runs {
		row := matrixRow{Letter: b.runs[i].Letter, Name: b.runs[i].Name}
		for j := range b.runs {
			cell := matrixCell{Self: i == j}
			for k := range b.doc.Pairs {
				switch p := &b.doc.Pairs[k]; {
				case p.A == j && p.B == i:
					cell.Better, cell.Worse, cell.Known = b.numbers.at(text.Count, of(&p.Better)), b.numbers.at(text.Count, of(&p.Worse)), true
				case p.A == i && p.B == j:
					cell.Better, cell.Worse, cell.Known = b.numbers.at(text.Count, of(&p.Worse)), b.numbers.at(text.Count, of(&p.Better)), true
				}
			}
			row.Cells = append(row.Cells, cell)
		}
		if len(b.doc.Pairs) > 0 {
			v.Matrix = append(v.Matrix, row)
		}
	}
	return v
}
