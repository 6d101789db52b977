package html

import (
	_ "embed"
	"slices"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

//go:embed assets/groups.html
var groupsTemplate string

// groupView is a group of tasks: its metrics, and its tasks' rows folded below them.
type groupView struct {
	Name, Caption string
	Runs          []runView
	Many          bool
	Rows          []groupRow
	Members       []scoreRow
	tasks         []string
}

type groupRow struct {
	Task, Metric  string // the group's name stands where a task's does
	Again, Higher bool
	Tasks, N      Value
	Cells         []scoreCell
}

// groups takes the rows of tasks that are in groups out of the table and folds each below the first group that has it: of groups
// within each other the innermost, as a group stands before those in it.
func (b *builder) groups(s *scoresView) {
	var views []*groupView
	for i := range b.doc.Runs {
		for _, g := range b.doc.Runs[i].Manifest.Groups {
			if !slices.ContainsFunc(views, func(v *groupView) bool { return v.Name == text.Visible(g.Name) }) {
				views = append(views, &groupView{Name: text.Visible(g.Name), tasks: g.Tasks, Runs: s.Runs, Many: s.Many, Rows: b.groupRows(g.Name), Caption: text.Visible(g.Name) + ": its tasks with their 95% intervals"})
			}
		}
	}
	if len(views) == 0 {
		return
	}
	var left []scoreRow
	for _, r := range s.Rows {
		var home *groupView
		for _, v := range views {
			if slices.ContainsFunc(v.tasks, func(name string) bool { return text.Visible(name) == r.Task }) && (home == nil || len(v.tasks) < len(home.tasks)) {
				home = v
			}
		}
		if home == nil {
			left = append(left, r)
			continue
		}
		r.Again = len(home.Members) > 0 && home.Members[len(home.Members)-1].Task == r.Task
		home.Members = append(home.Members, r)
	}
	s.Rows = left
	for _, v := range views {
		if len(v.Rows)+len(v.Members) > 0 {
			s.Groups = append(s.Groups, *v)
		}
	}
}

// drawn are the rows that a chart shows: the groups', and those of tasks in no group.
func (s *scoresView) drawn() (rows []scoreRow) {
	for _, g := range s.Groups {
		for _, r := range g.Rows {
			rows = append(rows, scoreRow{Task: r.Task, Metric: r.Metric, Higher: r.Higher, N: r.N, Cells: r.Cells})
		}
	}
	return append(rows, s.Rows...)
}

// groupRows are a group's metrics in all runs.
func (b *builder) groupRows(name string) (rows []groupRow) {
	for i := range b.doc.Runs {
		groups := b.doc.Runs[i].Manifest.Groups
		k := slices.IndexFunc(groups, func(g rundir.GroupResult) bool { return g.Name == name })
		if k < 0 {
			continue
		}
		for m := range groups[k].Metrics {
			g := &groups[k].Metrics[m]
			at := slices.IndexFunc(rows, func(r groupRow) bool { return r.Metric == text.Visible(g.Name) })
			if at < 0 {
				at = len(rows)
				row := groupRow{Task: text.Visible(name), Metric: text.Visible(g.Name), Again: at > 0, Higher: g.HigherIsBetter,
					Tasks: b.numbers.at(text.Count, of(&g.Tasks)), N: b.numbers.at(text.Count, of(&g.N))}
				for range b.runs {
					none := scoreCell{v: nan, lo: nan, hi: nan}
					none.Value.Text = text.None
					row.Cells = append(row.Cells, none)
				}
				rows = append(rows, row)
			}
			u := unitOf(g.Name)
			rows[at].Cells[i] = scoreCell{
				b.numbers.at(u.value, of(&g.Value)), b.numbers.at(u.value, of(&g.Low)), b.numbers.at(u.value, of(&g.High)),
				float64(g.Value), float64(g.Low), float64(g.High),
			}
		}
	}
	return rows
}

// groupDifference is a group's difference as a row.
type groupDifference struct {
	differenceRow
	Tasks Value
}

// groupDifferences are the rows of the comparison's groups.
func (b *builder) groupDifferences(d *differencesView) {
	c := b.doc.Comparison
	at := b.numbers.at
	d.GroupsCorrected = len(c.Groups) > 1
	for k := range c.Groups {
		m := &c.Groups[k]
		u := unitOf(m.Metric.Metric)
		r := groupDifference{Tasks: at(text.Count, of(&m.Tasks)), differenceRow: differenceRow{
			Task: text.Visible(m.Task), Metric: text.Visible(m.Metric.Metric), Higher: m.HigherIsBetter, Again: k > 0 && c.Groups[k-1].Task == m.Task,
			N: at(text.Count, of(&m.N)), A: at(u.value, of(&m.A)), B: at(u.value, of(&m.B)),
			Difference: at(u.difference, of(&m.Difference)), Low: at(u.difference, of(&m.LowAdjusted)), High: at(u.difference, of(&m.HighAdjusted)),
			Adjusted: at(text.Probability, of(&m.Adjusted)), Class: "noise", Verdict: "~",
		}}
		if m.Verdict == compare.Better || m.Verdict == compare.Worse {
			r.Class, r.Verdict = string(m.Verdict), string(m.Verdict)
		}
		if m.Same() {
			r.Verdict = "same"
		}
		d.Groups = append(d.Groups, r)
	}
}
