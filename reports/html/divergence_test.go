package html

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// divergedRuns is a page about two runs whose distributions were compared too.
func divergedRuns(t testing.TB) Page {
	p := twoRuns(t)
	r := rand.New(rand.NewPCG(5, 6))
	var records []rundir.DivergenceRecord
	for _, s := range p.Runs[1].Samples {
		if s.Kind == "passkey" {
			continue
		}
		var tokens []rundir.DivergenceToken
		for k := range 4 {
			tokens = append(tokens, rundir.DivergenceToken{
				Seen: int(s.ContextTokens) + k + 1, KL: math.Exp(2*r.NormFloat64() - 5), First: -float32(r.ExpFloat64()), Other: -float32(r.ExpFloat64()), SameTop: r.IntN(10) > 0,
			})
		}
		records = append(records, rundir.NewDivergenceRecord(s.Task, int(s.DocID), int(s.Request), tokens))
	}
	p.Comparison = comparedWith(t, compare.Options{Draws: 500, Divergences: records}, p.Runs...)
	return p
}

// TestDivergenceIsOnThePage: all its numbers, each from the page's JSON, as table and chart.
func TestDivergenceIsOnThePage(t *testing.T) {
	page := write(t, divergedRuns(t))
	shown, faults := checkNumbers(page)
	for _, f := range faults {
		t.Error(f)
	}
	without, _ := checkNumbers(write(t, twoRuns(t)))
	if shown < without+40 {
		t.Errorf("%d numbers are shown, %d without divergences", shown, without)
	}
	for _, at := range []string{"mean/value", "mean/low", "median", "p90", "p99", "p999", "max", "same_top/value", "probability_change/value", "probability_change_rms/high",
		"positions/0/mean/value", "positions/0/same_top/value", "positions/1/tokens", "tasks/4/mean/high", "tokens", "documents"} {
		if !strings.Contains(page, `data-from="/comparison/kl/`+at+`"`) {
			t.Errorf("kl/%s is not on the page", at)
		}
	}
	if strings.Contains(write(t, twoRuns(t)), `id="divergence"`) {
		t.Error("a page without divergences has their section")
	}
}

func TestDivergenceInABrowser(t *testing.T) {
	b := open(t, openBrowser(t), write(t, divergedRuns(t)), 1280, "dark")
	b.inEveryWindow("divergence", func(b *tab, width int) { checkFigures(b, width, 1) })
}
