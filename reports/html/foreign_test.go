package html

import (
	"context"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
)

// Results of lm-evaluation-harness have a page: alone, and beside a run or results that
// they cannot be compared with. It was refused, as they have no manifest.
func TestForeignResultsHaveAPage(t *testing.T) {
	side, err := compare.Open(context.Background(), "../lmeval/testdata/harness")
	if err != nil {
		t.Fatal(err)
	}
	harness := Run{Name: side.Name, Stated: &Stated{Format: side.Format, Path: side.Path, Tasks: side.Results()}}
	other := twoRuns(t).Runs[0]
	const refused = "the runs cannot be compared: max_length is 2048 in A and 4096 in B"
	for name, p := range map[string]Page{
		"alone":         {Runs: []Run{harness}},
		"before a run":  {Runs: []Run{harness, other}, NotCompared: refused},
		"behind a run":  {Runs: []Run{other, harness}, NotCompared: refused},
		"two":           {Runs: []Run{harness, harness}, NotCompared: refused},
		"between":       {Runs: []Run{other, harness, twoRuns(t).Runs[1]}, Comparison: twoRuns(t).Comparison},
		"with a course": {Runs: []Run{harness, other, harness}, NotCompared: refused},
	} {
		page := write(t, p)
		for _, want := range []string{"arc_easy", "perplexity", "results of ", "lm-eval", side.Path} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %q", name, want)
			}
		}
	}
}

// What the harness states is shown with the interval of its documents.
func TestForeignResultsHaveIntervals(t *testing.T) {
	side, err := compare.Open(context.Background(), "../lmeval/testdata/harness")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range side.Results() {
		for _, m := range task.Metrics {
			if !(m.Low <= m.Value && m.Value <= m.High && m.Low < m.High) || m.N == 0 {
				t.Errorf("%s %s: %v in [%v, %v] of %d", task.Name, m.Name, m.Value, m.Low, m.High, m.N)
			}
		}
	}
}
