package compare

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/stats"
)

func sideOf(tasks map[string]int, order ...string) *Side {
	s := &Side{Name: "b"}
	for _, name := range order {
		t := Task{Name: name}
		for d := range tasks[name] {
			t.Documents = append(t.Documents, Document{ID: d, Keys: [keyKinds]string{name + string(rune('a'+d))}})
		}
		s.Tasks = append(s.Tasks, t)
	}
	return s
}

func near(t *testing.T, what string, got rundir.Number, want float64) {
	t.Helper()
	if d := math.Abs(float64(got) - want); !(d < 1e-12) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestDiverge holds every number to one worked out by hand.
func TestDiverge(t *testing.T) {
	token := func(seen int, kl, first, other float64, same bool) rundir.DivergenceToken {
		return rundir.DivergenceToken{Seen: seen, KL: kl, First: float32(math.Log(first)), Other: float32(math.Log(other)), SameTop: same}
	}
	records := []rundir.DivergenceRecord{
		rundir.NewDivergenceRecord("q", 1, 0, []rundir.DivergenceToken{token(3, 0.4, 0.5, 0.25, false)}),
		rundir.NewDivergenceRecord("q", 0, 1, []rundir.DivergenceToken{token(2, 0.1, 0.5, 0.5, true), token(3, 0.3, 0.25, 0.5, true)}),
		rundir.NewDivergenceRecord("q", 0, 0, []rundir.DivergenceToken{token(2, 0.2, 0.5, 0.5, true)}),
		rundir.NewDivergenceRecord("text", 0, 0, []rundir.DivergenceToken{token(1, 0, 0.5, 0.5, true), token(2, 1, 0.5, 0.25, true)}),
	}
	side := sideOf(map[string]int{"q": 2, "text": 1}, "q", "text")
	d, err := Diverge(side, records, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	if d.Tokens != 6 || d.Documents != 3 || d.Units != "documents" || len(d.Tasks) != 2 || d.Tasks[0].Tokens != 4 {
		t.Errorf("%d tokens of %d documents by %s, tasks %+v", d.Tokens, d.Documents, d.Units, d.Tasks)
	}
	near(t, "mean", d.Mean.Value, 2.0/6)
	near(t, "of the task", d.Tasks[0].Mean.Value, 1.0/4)
	near(t, "median", d.Median, 0.25)
	near(t, "90%", d.P90, 0.7)
	near(t, "largest", d.Max, 1)
	near(t, "same", d.SameTop.Value, 5.0/6)
	if math.Abs(float64(d.Change.Value)+0.25/6) > 1e-7 || math.Abs(float64(d.RMSChange.Value)-math.Sqrt(3*0.0625/6)) > 1e-7 {
		t.Errorf("changes of %v and %v", d.Change.Value, d.RMSChange.Value)
	}
	want, err := stats.Ratio(stats.List{Values: []float64{0.6, 0.4, 1}, Weights: []float64{3, 1, 2}}, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "high", d.Mean.High, want.High)
	near(t, "low", d.Mean.Low, 0) // it would be below
	if len(d.Positions) != 2 || d.Positions[0].From != 1 || d.Positions[0].Until != 1 || d.Positions[1].From != 2 || d.Positions[1].Until != 3 || d.Positions[1].Tokens != 5 {
		t.Errorf("positions %+v", d.Positions)
	}
	near(t, "at 2 to 3", d.Positions[1].Mean.Value, 2.0/5)

	turned := slices.Clone(records) // whatever the order they came in
	slices.Reverse(turned)
	again, err := Diverge(side, turned, 0.05)
	if err != nil || math.Float64bits(float64(again.Mean.Value)) != math.Float64bits(float64(d.Mean.Value)) || again.Mean.Low != d.Mean.Low || again.RMSChange.High != d.RMSChange.High {
		t.Errorf("another order gives other numbers: %v", err)
	}
	if _, err := Diverge(side, nil, 0.05); err == nil {
		t.Error("no tokens give divergences")
	}
}

// A single text has no interval by document: it is over the text's windows, and says so.
func TestDivergeOfOneText(t *testing.T) {
	var tokens []rundir.DivergenceToken
	for w, kl := range []float64{1, 2, 4} {
		for seen := 1; seen <= 4; seen++ {
			tokens = append(tokens, rundir.DivergenceToken{Seen: seen, KL: kl + float64(w), SameTop: true})
		}
	}
	d, err := Diverge(sideOf(map[string]int{"text": 1}, "text"), []rundir.DivergenceRecord{rundir.NewDivergenceRecord("text", 0, 0, tokens)}, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	want, err := stats.Mean([]float64{1, 3, 6}, nil, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", d.Mean.Value, want.Value)
	near(t, "high", d.Mean.High, want.High)
	if d.Units != "windows" || d.Documents != 1 || len(d.Warnings) == 0 || !strings.Contains(d.Warnings[0], "a single document") {
		t.Errorf("by %s of %d: %q", d.Units, d.Documents, d.Warnings)
	}
}
