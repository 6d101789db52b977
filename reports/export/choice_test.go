package export

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// Rows are those chosen, in the order chosen; a name that is none is refused with what is near.
func TestChosenMetrics(t *testing.T) {
	sides := threeSides(t, "one", "two", "three")
	rows := func(choice Choice) (names []string, err error) {
		table, err := Make(sides, compare.Options{Draws: 100}, choice)
		if err != nil {
			return nil, err
		}
		for _, r := range table.Rows {
			names = append(names, r.Task+"/"+r.Metric)
		}
		return names, nil
	}
	for choice, want := range map[string]string{
		"acc": "[quiz/acc last/acc]", "last/acc,quiz/acc": "[last/acc quiz/acc]", "word_perplexity,acc,quiz/acc": "[pages/word_perplexity quiz/acc last/acc]",
	} {
		if got, err := rows(Choice{Metrics: strings.Split(choice, ",")}); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v; want %s", choice, got, err, want)
		}
	}
	if _, err := rows(Choice{Metrics: []string{"quiz/acc_nrom"}}); err == nil || !strings.Contains(err.Error(), `--metrics "quiz/acc_nrom"`) || !strings.Contains(err.Error(), "did you mean quiz/acc") {
		t.Errorf("%v", err)
	}
	if _, err := rows(Choice{Diagnostics: true}); err == nil || !strings.Contains(err.Error(), "no run has any") {
		t.Errorf("%v", err)
	}
	sides[1].Manifest.Diagnostics = &rundir.Diagnostics{Samples: 4, SinkRate: 0.512, Kurtosis: 1234.5, Mass: rundir.Number(math.NaN())}
	table, err := Make(sides, compare.Options{Draws: 100}, Choice{Diagnostics: true, Metrics: []string{"sink_rate", "diagnostics/kurtosis", "mass"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := markdown(t, table); !strings.Contains(got, "| diagnostics | sink\\_rate | – | 51.20 | – |\n| diagnostics | kurtosis | – | 1234.50 | – |\n| diagnostics | mass | – | – | – |") {
		t.Errorf("%s", got)
	}
	if got := latex(t, table); !strings.Contains(got, "diagnostics & sink\\_rate & -- & 51.20 & --") || strings.Contains(got, "arrow") {
		t.Errorf("%s", got)
	}
}

// What stands behind a value is the run's own standard error or interval, in the value's unit.
func TestSpread(t *testing.T) {
	sides := threeSides(t, "one", "two", "three")
	m := &sides[1].Task("quiz").Metrics[0]
	m.Stderr, m.Low, m.High = 0.0312, 0.41, 0.59
	table := func(spread Spread) (md, tex string) {
		made, err := Make(sides, compare.Options{Draws: 100}, Choice{Metrics: []string{"quiz/acc"}, Spread: spread})
		if err != nil {
			t.Fatal(err)
		}
		return markdown(t, made), latex(t, made)
	}
	md, tex := table(Stderr)
	if !strings.Contains(md, " ± 3.12 |") || !strings.Contains(tex, ` $\pm$ 3.12 `) || !strings.Contains(md, "±: standard error") || !strings.Contains(tex, "% $\\pm$: standard error") {
		t.Errorf("%s\n%s", md, tex)
	}
	if md, tex = table(Interval); !strings.Contains(md, ` \[41.00, 59.00\] |`) || !strings.Contains(tex, " [41.00, 59.00] ") || !strings.Contains(tex, `95\% interval`) {
		t.Errorf("%s\n%s", md, tex)
	}
	m.Clusters, m.ClusteredStderr = 9, 0.05
	if md, _ = table(Stderr); !strings.Contains(md, " ± 5.00 |") {
		t.Errorf("with clusters: %s", md)
	}
	m.Stderr, m.Clusters = math.NaN(), 0
	if md, _ = table(Stderr); strings.Contains(md, "NaN") {
		t.Errorf("without one: %s", md)
	}
}
