package compare

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rivo/uniseg"

	"github.com/softbench/softbench/reports/rundir"
)

// everything is a comparison with tasks, groups, diagnostics and divergences.
func everything(t *testing.T) *Comparison {
	t.Helper()
	with := func(name string, seed uint64, skill float64) *Side {
		s := grouped(name, seed, skill)
		s.Manifest = &rundir.Run{
			Model:       rundir.Model{Type: "llama"},
			Settings:    rundir.Settings{Attention: "softmax", DType: "bfloat16", ModelSHA256: strings.Repeat("a1", 32), Diagnostics: &rundir.DiagnosticsSettings{Task: "text", Samples: 16, Length: 64, Threshold: 0.3, Data: "x"}},
			Diagnostics: &rundir.Diagnostics{Task: "text", Samples: 16, Length: 64, Threshold: 0.3, SinkRate: 0.5, Mass: 1, Kurtosis: 9123, Min: -1234.5, Max: 4321.25},
		}
		r := rand.New(rand.NewPCG(seed, 4))
		for i := range 16 {
			s.DiagnosticsSamples = append(s.DiagnosticsSamples, rundir.DiagnosticsSample{Sample: int32(i), DocID: int32(i), DocHash: fmt.Sprint("document ", i), SinkRate: skill + 0.1*r.Float64(), Mass: 1, Kurtosis: 5000 + 900*r.Float64()})
		}
		return s
	}
	c := compared(t, with("runs/a-long-name-of-a-run-at-step-100000", 1, 0.5), with("b", 2, 0.6), Options{})
	c.KL = &Divergence{Tokens: 100, Documents: 9, Units: "documents", Tasks: []DivergencePart{{Task: "quiz", Tokens: 100}}}
	return c
}

// TestEveryTableFits: at 80 cells and at fewer no line of any table is wider, and what is left out last are the
// differences, which never are, and their intervals.
func TestEveryTableFits(t *testing.T) {
	c := everything(t)
	for width := 60; width <= 130; width++ {
		shown := tableText(c, width)
		for _, l := range strings.Split(shown, "\n") {
			if got := uniseg.StringWidth(l); got > width {
				t.Errorf("at %d a line of %d: %q", width, got, l)
			}
		}
		titles := 0
		for _, l := range strings.Split(shown, "\n") {
			if !strings.Contains(l, "B - A") || strings.Contains(l, "probability") { // of divergences, a row of its own
				continue
			}
			titles++
			if !strings.Contains(l, "interval") {
				t.Errorf("at %d a table has no intervals: %q", width, l)
			}
		}
		if titles != 3 {
			t.Errorf("at %d %d tables with differences, want those of tasks, groups and diagnostics:\n%s", width, titles, shown)
		}
	}
}
