package export

import (
	"fmt"
	"math"
	"strconv"

	"github.com/softbench/softbench/reports/compare"
)

// Table is a paper's table: a row for each metric, a column for each run. The
// first run is the baseline of the marks.
type Table struct {
	Runs       []string
	Confidence float64 // in percent, of the marks
	Rows       []Row
	Spread     Spread
}

// Spread is what a table shows behind a value.
type Spread string

const (
	NoSpread Spread = "none"
	Stderr   Spread = "stderr"   // ± the standard error, the clustered one where documents are not independent
	Interval Spread = "interval" // the value's own 95% interval
)

// Choice says what of the runs a table has.
type Choice struct {
	Metrics     []string // metric or task/metric; none: all
	Diagnostics bool     // measures of diagnostics, behind the metrics
	Spread      Spread
}

// Row is one metric.
type Row struct {
	Task, Metric   string
	HigherIsBetter bool
	Share          bool // values are shares, shown in percent
	Measure        bool // of diagnostics: neither way is better
	Cells          []Cell
}

// Cell is a metric of one run.
type Cell struct {
	Value float64
	N     int
	// Of the value alone; NaN where the run has none.
	Stderr, Low, High float64
	Best              bool            // of the row, as shown, and the difference from the first run is shown; ties are all best
	Mark              compare.Verdict // against the first run
}

// Make sets runs side by side. Each is compared with the first, and runs that
// cannot be are refused.
func Make(sides []*compare.Side, o compare.Options, choice Choice) (*Table, error) {
	t := &Table{Spread: choice.Spread}
	for k, s := range sides {
		t.Runs = append(t.Runs, s.Name)
		c, err := compare.Compare(sides[0], s, o)
		if err != nil {
			return nil, fmt.Errorf("%s and %s: %w", sides[0].Name, s.Name, err)
		}
		if len(c.Metrics) == 0 {
			return nil, fmt.Errorf("%s has diagnostics alone, and a table is of the metrics of tasks: softbench report and compare show them", sides[0].Name)
		}
		t.Confidence = c.Confidence
		if k == 0 {
			for i := range c.Metrics {
				m := &c.Metrics[i]
				t.Rows = append(t.Rows, Row{Task: m.Task, Metric: m.Metric, HigherIsBetter: m.HigherIsBetter, Share: m.OnlyA != nil})
			}
		}
		for i := range t.Rows {
			row := &t.Rows[i]
			cell := Cell{Value: math.NaN(), Stderr: math.NaN(), Low: math.NaN(), High: math.NaN()}
			for _, m := range c.Metrics {
				if m.Task == row.Task && m.Metric == row.Metric {
					cell.Value, cell.N, cell.Mark = float64(m.B), m.N, m.Verdict
					cell.spread(s, m)
				}
			}
			row.Cells = append(row.Cells, cell)
		}
	}
	if choice.Diagnostics {
		if err := t.addMeasures(sides); err != nil {
			return nil, err
		}
	}
	if err := t.choose(choice.Metrics); err != nil {
		return nil, err
	}
	for i := range t.Rows {
		t.Rows[i].best()
	}
	return t, nil
}

// best marks the best of two runs or more, by the digits shown, where it is shown to be: a run
// that is better than the first, or the first where all others are worse.
func (r *Row) best() {
	if len(r.Cells) < 2 || r.Measure {
		return
	}
	top := -1
	for k, c := range r.Cells {
		if finite(c.Value) && (top < 0 || (c.Value > r.Cells[top].Value) == r.HigherIsBetter && c.Value != r.Cells[top].Value) {
			top = k
		}
	}
	for k := range r.Cells {
		r.Cells[k].Best = top >= 0 && r.show(k) == r.show(top) && r.shown(k)
	}
}

// show is a cell's value as a table shows it: shares in percent, all values of a
// row with the same number of decimals.
func (r *Row) show(k int) string { return r.decimals(r.Cells[k].Value) }

// decimals is a number of the row as a table shows it.
func (r *Row) decimals(v float64) string {
	switch {
	case !finite(v):
		return "–"
	case r.Share:
		return strconv.FormatFloat(100*v, 'f', 2, 64)
	}
	decimals := 4
	for _, c := range r.Cells {
		if finite(c.Value) && math.Abs(c.Value) >= 10 {
			decimals = 2
		}
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// marked says whether any cell has a mark.
func (t *Table) marked() bool {
	for _, r := range t.Rows {
		for _, c := range r.Cells {
			if c.Mark == compare.Better || c.Mark == compare.Worse {
				return true
			}
		}
	}
	return false
}
