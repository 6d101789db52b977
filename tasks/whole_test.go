package tasks

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/softbench/softbench/tasks/metric"
	"github.com/softbench/softbench/tasks/textmetric"
)

// The standard errors of bleu, chrf and ter are those of lm-evaluation-harness' own draws.
func TestErrorsOfCorporaEqualTheHarness(t *testing.T) {
	text, err := os.ReadFile("textmetric/testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		More    [][2]string
		Corpora []struct {
			Metric string
			Stderr float64
		}
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Corpora) != 4 {
		t.Errorf("the golden has %d metrics", len(g.Corpora))
	}
	for _, c := range g.Corpora {
		m, err := textmetric.NewCorpus(c.Metric, nil)
		if err != nil {
			t.Fatal(err)
		}
		var parts []any
		for _, p := range g.More[:15] {
			parts = append(parts, m.Counts(p[0], p[1]))
		}
		own := (&Generation{Corpora: []*textmetric.Corpus{m}}).Own()[c.Metric]
		if got := wholeStderr(own.Whole, parts); math.Abs(got-c.Stderr) > 1e-12*c.Stderr {
			t.Errorf("%s's standard error is %v; the harness has %v", c.Metric, got, c.Stderr)
		}
		if own.HigherIsBetter == (c.Metric == "ter") {
			t.Errorf("%s: higher is better: %v", c.Metric, own.HigherIsBetter)
		}
	}
}

// A standard error needs two documents and draws; a metric that never changes has none.
func TestNoErrorOfOneDocument(t *testing.T) {
	w := &metric.Whole{Draws: 10, Of: func(parts []any) (float64, error) { return float64(len(parts)), nil }}
	if got := wholeStderr(w, []any{1}); !math.IsNaN(got) {
		t.Errorf("the error over one document is %v", got)
	}
	if got := wholeStderr(w, []any{1, 2}); got != 0 {
		t.Errorf("the error of a constant is %v", got)
	}
	w.Draws = 0
	if got := wholeStderr(w, []any{1, 2}); !math.IsNaN(got) {
		t.Errorf("without draws the error is %v", got)
	}
}
