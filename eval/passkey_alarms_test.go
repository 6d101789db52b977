package eval

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/passkey"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// TestPasskeyAlarms: two models that are equally good, each with keys of its own
// that it finds hard, are told apart in about 5% of comparisons, however much the
// keys matter. Taken by length and depth, as they once were, the outcomes of a
// shared key count as independent, and it is 13 to 36%.
func TestPasskeyAlarms(t *testing.T) {
	sims, draws := 200, 300
	if os.Getenv(longTests) != "" {
		sims, draws = 2000, 1000
	}
	m, err := Load(context.Background(), ModelOptions{Model: golden.TinyCheckpoint(t, "tiny"), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	// Every key at five lengths, as the built-in suite of the twins has it.
	grid := passkey.Grid{Lengths: []int{96, 120, 144, 168, 192}, Depths: []float64{0, 0.5, 1}, Trials: 5, Seed: 1}
	trials, err := grid.Build(m.Tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	for _, hard := range []float64{0, 1, 2, 4} { // how much a key's own difficulty matters, in logits
		alarms, outside := 0, 0
		for s := range sims {
			a, b := passkeySide(t, m, trials, hard, uint64(2*s)), passkeySide(t, m, trials, hard, uint64(2*s+1))
			c, err := compare.Compare(a, b, compare.Options{Draws: draws, Seed: uint64(s + 1)})
			if err != nil {
				t.Fatal(err)
			}
			if s == 0 && c.Metrics[0].Clusters != len(grid.Depths)*grid.Trials {
				t.Fatalf("%d clusters, want one for each of %d keys", c.Metrics[0].Clusters, len(grid.Depths)*grid.Trials)
			}
			if c.Metrics[0].P < 0.05 {
				alarms++
			}
			if c.Metrics[0].Low > 0 || c.Metrics[0].High < 0 {
				outside++
			}
		}
		most := 0.05 + 4*math.Sqrt(0.05*0.95/float64(sims))
		for what, n := range map[string]int{"p below 0.05": alarms, "intervals without 0": outside} {
			rate := float64(n) / float64(sims)
			t.Logf("difficulty %g: %s in %.3f of comparisons without a difference", hard, what, rate)
			if rate > most {
				t.Errorf("difficulty %g: %s in %.3f of comparisons without a difference, want 0.05", hard, what, rate)
			}
		}
	}
}

// passkeySide is a run of a model that is right on a trial by the trial's length
// and depth, as any other, and by how it takes to the key.
func passkeySide(t *testing.T, m *Model, trials []passkey.Trial, hard float64, seed uint64) *compare.Side {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 11))
	taste := map[int]float64{}
	run := &rundir.Run{Settings: rundir.Settings{MaxLength: 256}}
	var rows []rundir.Sample
	var outcomes []passkey.Outcome
	docs := passkey.Documents(trials)
	for i, trial := range trials {
		if _, ok := taste[trial.Key]; !ok {
			taste[trial.Key] = hard * r.NormFloat64()
		}
		logit := taste[trial.Key] + 1 - float64(trial.Length-96)/48
		o := passkey.Outcome{Trial: trial, Right: r.Float64() < 1/(1+math.Exp(-logit))}
		o.RightText = o.Right
		outcomes = append(outcomes, o)
		rows = append(rows, passkeyRow(&docs[i], make([]answer.Answer, 1), o, m))
	}
	run.Passkey = cells(outcomes)
	side, err := compare.FromRun("made", run, rows)
	if err != nil {
		t.Fatal(err)
	}
	return side
}
