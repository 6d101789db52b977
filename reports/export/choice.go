package export

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/softbench/softbench/internal/spelling"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/text"
)

// shown says whether cell k, the best of its row, is shown to be better than what it stands beside.
func (r *Row) shown(k int) bool {
	if k > 0 && r.Cells[k].Mark == compare.Better {
		return true
	}
	if k > 0 {
		return false
	}
	worse := false
	for i := 1; i < len(r.Cells); i++ {
		switch c := &r.Cells[i]; {
		case c.Mark == compare.Worse:
			worse = true
		case finite(c.Value) && r.show(i) != r.show(0):
			return false
		}
	}
	return worse
}

// spread takes a value's own standard error and interval, of the documents that the run has. Where
// the table is of fewer, they are not of its value and are left out.
func (c *Cell) spread(s *compare.Side, m compare.Metric) {
	t := s.Task(m.Task)
	if t == nil {
		return
	}
	for k := range t.Metrics {
		if t.Metrics[k].Name != m.Metric || t.Scored(k) != m.N {
			continue
		}
		info := stated(t, k)
		c.Stderr, c.Low, c.High = info.Stderr, info.Low, info.High
		if info.Clusters > 0 {
			c.Stderr = info.ClusteredStderr
		}
	}
}

// addMeasures adds the diagnostics of the runs, a row for each measure that a run has.
func (t *Table) addMeasures(sides []*compare.Side) error {
	of := make([]map[string]number, len(sides))
	var names []string
	for k, s := range sides {
		of[k] = map[string]number{}
		for _, n := range numbersOf(s) {
			if n.task != DiagnosticsTask {
				continue
			}
			of[k][n.metric] = n
			if !slices.Contains(names, n.metric) {
				names = append(names, n.metric)
			}
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("--diagnostics: no run has any: run the suite diagnostics first")
	}
	for _, name := range names {
		row := Row{Task: DiagnosticsTask, Metric: name, Measure: true}
		row.Share = slices.Contains([]string{"sink_rate", "sparsity", "near_sparsity", "dead_heads"}, name)
		for k := range sides {
			n, ok := of[k][name]
			if !ok {
				n.value = math.NaN()
			}
			row.Cells = append(row.Cells, Cell{Value: n.value, N: n.n, Stderr: math.NaN(), Low: math.NaN(), High: math.NaN()})
		}
		t.Rows = append(t.Rows, row)
	}
	return nil
}

// choose keeps the rows that are named, in their order.
func (t *Table) choose(names []string) error {
	if len(names) == 0 {
		return nil
	}
	var known []string
	for _, r := range t.Rows {
		for _, name := range []string{r.Task + "/" + r.Metric, r.Metric} {
			if !slices.Contains(known, name) {
				known = append(known, name)
			}
		}
	}
	var rows []Row
	for _, name := range names {
		found := false
		for _, r := range t.Rows {
			if r.Metric != name && r.Task+"/"+r.Metric != name {
				continue
			}
			found = true
			if !slices.ContainsFunc(rows, func(x Row) bool { return x.Task == r.Task && x.Metric == r.Metric }) {
				rows = append(rows, r)
			}
		}
		if !found {
			err := fmt.Sprintf("--metrics %q: the runs have no such metric", name)
			if near := spelling.Nearest(name, known); len(near) > 0 {
				err += ", did you mean " + strings.Join(near, " or ") + "?"
			}
			return fmt.Errorf("%s", err)
		}
	}
	t.Rows = rows
	return nil
}

// behind is what stands behind a value: plus and to are the marks of the format.
func (r *Row) behind(k int, spread Spread, plus, to string) string {
	c := &r.Cells[k]
	number := func(v float64) string { return r.decimals(v) }
	switch {
	case spread == Stderr && finite(c.Value) && finite(c.Stderr):
		return plus + number(c.Stderr)
	case spread == Interval && finite(c.Value) && finite(c.Low) && finite(c.High):
		return " [" + number(c.Low) + to + number(c.High) + "]"
	}
	return ""
}

// spreadNote says what stands behind values; "" where nothing does.
func (t *Table) spreadNote(plus string) string {
	switch t.Spread {
	case Stderr:
		return plus + ": standard error of the value"
	case Interval:
		return "in brackets: the value's own " + text.Compact(95) + "% interval, not that of a difference"
	}
	return ""
}
