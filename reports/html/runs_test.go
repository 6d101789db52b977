package html

import (
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
)

// Every run stands against the baseline, and all pairs in a folded matrix, whose counts are
// the same seen from either side.
func TestEveryRunAgainstTheBaseline(t *testing.T) {
	p := manyRuns(t, 4, 60)
	var against, pairs []*compare.Comparison
	for b := range p.Runs {
		for a := range p.Runs[:b] {
			c := compared(t, p.Runs[a], p.Runs[b])
			p.Pairs, pairs = append(p.Pairs, Pair{a, b, c}), append(pairs, c)
		}
		if b != 1 {
			c := compared(t, p.Runs[1], p.Runs[b])
			p.Against, against = append(p.Against, Pair{1, b, c}), append(against, c)
		}
	}
	for _, all := range [][]*compare.Comparison{against, pairs} {
		if err := compare.Together(all); err != nil {
			t.Fatal(err)
		}
	}
	page := write(t, p)
	if _, faults := checkNumbers(page); len(faults) > 0 {
		t.Error(faults[0])
	}
	rows := rowsOf(page, "against")
	if !strings.Contains(page, "Every run against B") || !strings.Contains(rows[0], "A|is|C|is|D|is|") {
		t.Errorf("%q", rows[0])
	}
	tasks := p.Comparison.Summary.Tasks
	if len(rows) != 1+tasks+1+4 {
		t.Errorf("%d rows for %d tasks and 4 runs", len(rows), tasks)
	}
	for i := range 4 {
		cells := strings.Split(rows[2+tasks+i], "|")
		for j := range 4 {
			other := strings.Split(rows[2+tasks+j], "|")
			mine, theirs := strings.Split(cells[1+j], " / "), strings.Split(other[1+i], " / ")
			if i == j && cells[1+j] != "" || i != j && (mine[0] != theirs[1] || mine[1] != theirs[0]) {
				t.Errorf("runs %d and %d: %q and %q", i, j, cells[1+j], other[1+i])
			}
		}
	}
}
