package stress

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// made is a run whose answers are right so often, of 120 questions with four choices.
func made(t *testing.T, seed uint64, right float64, q *rundir.Quantised) *compare.Side {
	t.Helper()
	run := &rundir.Run{
		Schema: rundir.Schema, Suites: []string{"quiz"}, Model: rundir.Model{Type: "llama", Parameters: 1000, Stored: "BF16", Quantised: q},
		Settings:    rundir.Settings{ModelSHA256: "m", Tasks: []rundir.TaskSettings{{Name: "quiz", Documents: 120, Data: "d"}}},
		Tasks:       []rundir.TaskResult{{Name: "quiz", Kind: "multiple_choice", Documents: 120, Metrics: []rundir.Metric{{Name: "acc", Value: rundir.Number(right), N: 120, HigherIsBetter: true}}}},
		Diagnostics: &rundir.Diagnostics{Kurtosis: 9, Min: -7, Max: 3},
	}
	r := rand.New(rand.NewPCG(seed, 1))
	n := 0
	var samples []rundir.Sample
	for d := range 120 {
		ok := float64(d%20) < 20*right
		n += map[bool]int{true: 1}[ok]
		for k := range 4 {
			ll, gold, yes := -5-r.Float64(), int32(0), ok
			if (k == 0) == ok && k < 2 {
				ll = -1
			}
			context, choice := "which "+string(rune('a'+d%26))+strings.Repeat("x", d/26), string(rune('a'+k))
			samples = append(samples, rundir.Sample{Task: "quiz", Kind: "multiple_choice", DocID: int32(d), DocHash: context, Request: int32(k), Gold: &gold,
				Context: &context, Choice: &choice, Continuation: &choice, LogLikelihood: &ll, ContinuationTokens: 1, Correct: &yes})
		}
	}
	run.Tasks[0].Metrics[0].Value = rundir.Number(float64(n) / 120)
	s, err := compare.FromRun("made", run, samples)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// divergences are of the same size for every token of the questions.
func divergences(kl float64) (all []rundir.DivergenceRecord) {
	for d := range 120 {
		for k := range 4 {
			all = append(all, rundir.NewDivergenceRecord("quiz", d, k, []rundir.DivergenceToken{{Seen: 3, KL: kl, SameTop: true}}))
		}
	}
	return all
}

func twoModels(t *testing.T, first, second float64) []Runs {
	q := &rundir.Quantised{Method: "rtn", Bits: 2, Group: 64, Parameters: 800, Bytes: 250}
	of := func(name string, right float64) Runs {
		return Runs{name, []Run{{Stored, made(t, 1, 0.8, nil), nil}, {"rtn:2:64", made(t, 2, right, q), divergences(0.25)}}}
	}
	return []Runs{of("A", first), of("B", second)}
}

// TestSummary: every number follows from the runs, and the sentence is judged by the intervals.
func TestSummary(t *testing.T) {
	for _, c := range []struct {
		first, second float64
		want          Verdict
		real          bool
	}{
		{0.3, 0.75, Holds, true}, {0.75, 0.75, DoesNot, false}, {0.3, 0.3, DoesNot, false}, {0.55, 0.55, CannotTell, false}, {0.75, 0.3, DoesNot, true},
	} {
		r, err := Summarise(twoModels(t, c.first, c.second), Options{Draws: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Claims) != 1 || r.Claims[0].Verdict != c.want || r.Claims[0].Real != c.real {
			t.Errorf("%v and %v: %+v, want that it %s, real %v", c.first, c.second, r.Claims, c.want, c.real)
		}
		cell := r.Models[0].Cells[1]
		for what, d := range map[string]float64{
			"kept": float64(cell.Kept.Value) - (c.first-0.25)/0.55, "score": float64(cell.Score.Value) - c.first, "divergence": float64(cell.KL.Value) - 0.25,
			"stored keeps all": float64(r.Models[0].Cells[0].Kept.Low) - 1, "chance": float64(r.Tasks[0].Chance) - 0.25,
			"difference": float64(r.Claims[0].Difference.Value) - (c.second-c.first)/0.55,
		} {
			if !(math.Abs(d) < 1e-12) {
				t.Errorf("%v and %v: %s is off by %v", c.first, c.second, what, d)
			}
		}
		if cell.Bytes != 250 || r.Models[0].Cells[0].Bytes != 1600 || cell.Largest != 7 || cell.Kurtosis != 9 || cell.Tokens != 480 {
			t.Errorf("%+v", cell)
		}
		table := tableText(r, 0)
		for _, want := range []string{r.Headline, "rtn:2:64", "1,600", string(c.want), "documents scored: quiz (120)"} {
			if !strings.Contains(table, want) {
				t.Errorf("the table does not say %q:\n%s", want, table)
			}
		}
		if narrow := tableText(r, 60); strings.Contains(narrow, "same top") || !strings.Contains(narrow, "kept") {
			t.Errorf("on a narrow terminal:\n%s", narrow)
		}
		if !strings.Contains(r.Headline, "at 2 bits B keeps more than half") {
			t.Errorf("headline %q", r.Headline)
		}
	}
}

// A model that is not above chance keeps nothing that could be told, and runs over other
// documents are refused.
func TestSummaryWithoutGrounds(t *testing.T) {
	models := twoModels(t, 0.3, 0.3)
	models[0].Settings[0].Side = made(t, 1, 0.2, nil)
	r, err := Summarise(models, Options{Draws: 200})
	if err != nil {
		t.Fatal(err)
	}
	if c, text := r.Claims[0], r.Models[0].Cells[1]; !math.IsNaN(float64(text.Kept.Low)) || len(text.Warnings) == 0 || c.FirstHalf != CannotSay {
		t.Errorf("%+v", c)
	}
	models[1].Settings[1].Side.Manifest.Settings.Tasks[0].Data = "other"
	if _, err := Summarise(models, Options{}); err == nil || !strings.Contains(err.Error(), "other documents") {
		t.Errorf("%v", err)
	}
	if _, err := Summarise(nil, Options{}); err == nil {
		t.Error("no model gives a summary")
	}
}
