package rundir

import (
	"fmt"
	"strconv"

	"github.com/softbench/softbench/reports/text"
)

// GroupResult is a group of tasks, with its metrics over all its tasks.
type GroupResult struct {
	Name    string        `json:"name"`
	Alias   string        `json:"alias,omitempty"`
	Members []string      `json:"members"` // tasks and groups directly in it
	Tasks   []string      `json:"tasks"`   // all tasks in it
	Metrics []GroupMetric `json:"metrics"`
}

// GroupMetric is a metric over a group's tasks that have it.
type GroupMetric struct {
	Metric        // N: documents
	Weighted bool `json:"weighted"`          // each task by its documents; else all tasks the same
	Tasks    int  `json:"tasks"`             // over which it is
	Without  int  `json:"without,omitempty"` // tasks of the group that do not have it
}

// groupsTable shows groups' metrics, a row each; nil where there are none.
func groupsTable(r *Run) *text.Grid {
	g := &text.Grid{}
	g.Fold("group", 4)
	g.Column("tasks", text.Right, 1)
	g.Column("n", text.Right, 2)
	g.Column("metric", text.Left, text.Keep)
	g.Column("value", text.Right, text.Keep)
	g.Column("± stderr", text.Right, 3)
	g.Column("95% interval", text.Right, 5)
	some := false
	for _, gr := range r.Groups {
		for _, m := range gr.Metrics {
			some = true
			g.Row(text.Printable(gr.Name), strconv.Itoa(m.Tasks), strconv.Itoa(m.N), text.Printable(m.Name)+" "+text.Arrow(m.HigherIsBetter),
				text.Decimal(m.Value), text.Decimal(m.Stderr), text.Range(m.Low, m.High))
		}
	}
	if !some {
		return nil
	}
	return g
}

// groupNotes say which groups' metrics are not over all their tasks, or are means of tasks.
func groupNotes(r *Run) (out []string) {
	for _, g := range r.Groups {
		for _, m := range g.Metrics {
			if m.Without > 0 {
				out = append(out, fmt.Sprintf("%s: %s is over %d of its %d tasks; the others do not have it", text.Printable(g.Name), text.Printable(m.Name), m.Tasks, m.Tasks+m.Without))
			}
			if !m.Weighted {
				out = append(out, fmt.Sprintf("%s: %s is the mean of the tasks, each the same whatever its documents", text.Printable(g.Name), text.Printable(m.Name)))
			}
		}
	}
	return out
}
