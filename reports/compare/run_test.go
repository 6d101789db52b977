package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
)

// madeRun is a run of n questions with three choices, right with probability p.
// The documents are the same whatever the seed; the answers are not.
func madeRun(seed uint64, n int, p float64) (*rundir.Run, []rundir.Sample) {
	rng := rand.New(rand.NewPCG(seed, 1))
	var rows []rundir.Sample
	right := 0
	for d := range n {
		gold, ok := int32(d%3), rng.Float64() < p
		if ok {
			right++
		}
		for q := range int32(3) {
			ll := -5 - rng.Float64()
			if ok && q == gold || !ok && q == (gold+1)%3 {
				ll = -1
			}
			context, choice, greedy := fmt.Sprintf("Question %d?", d), fmt.Sprintf("option %d", q), false
			continuation := " " + choice
			rows = append(rows, rundir.Sample{
				Task: "arc_easy", Kind: "multiple_choice", DocID: int32(d), DocHash: fmt.Sprintf("%064x", 7*d%n+1), Request: q, Gold: &gold,
				Context: &context, Choice: &choice, Continuation: &continuation, LogLikelihood: &ll, IsGreedy: &greedy,
				ContextTokens: 5, ContinuationTokens: 2, Correct: &ok, CorrectNorm: &ok,
			})
		}
	}
	acc := rundir.Number(float64(right) / float64(n))
	result := rundir.TaskResult{Name: "arc_easy", Kind: "multiple_choice", Documents: n}
	for _, name := range []string{"acc", "acc_norm"} {
		result.Metrics = append(result.Metrics, rundir.Metric{Name: name, Value: acc, Stderr: 0.1, Low: 0, High: 1, N: n, HigherIsBetter: true})
	}
	return &rundir.Run{
		Model: rundir.Model{Type: "llama"},
		Settings: rundir.Settings{TokenizerSHA256: "t", MaxLength: 64, ModelSHA256: strings.Repeat(fmt.Sprintf("%02x", seed), 32), Attention: "softmax", DType: "bfloat16",
			Tasks: []rundir.TaskSettings{{Name: "arc_easy", Version: "1", Digest: "d", Documents: n}}},
		Tasks: []rundir.TaskResult{result},
	}, rows
}

func runSide(t *testing.T, name string, run *rundir.Run, rows []rundir.Sample) *Side {
	t.Helper()
	s, err := FromRun(name, run, rows)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A run's rows may be in any order of documents: the comparison is the same to
// the last digit shown, and so is the fingerprint of the answers.
func TestRowsInAnyOrder(t *testing.T) {
	const n = 60
	r, rows := madeRun(8, n, 0.7)
	b := runSide(t, "b", r, rows)
	r, rows = madeRun(7, n, 0.5)
	first := runSide(t, "a", r, rows)
	want := tableText(compared(t, first, b, Options{}), 0)
	for seed := range uint64(4) {
		r, rows := madeRun(7, n, 0.5)
		rand.New(rand.NewPCG(seed, 2)).Shuffle(n, func(i, j int) {
			for k := range 3 {
				rows[3*i+k], rows[3*j+k] = rows[3*j+k], rows[3*i+k]
			}
		})
		a := runSide(t, "a", r, rows)
		if got := tableText(compared(t, a, b, Options{}), 0); got != want {
			t.Fatalf("in another order\n%s\nwant\n%s", got, want)
		}
		if a.Tasks[0].Fingerprint != first.Tasks[0].Fingerprint {
			t.Error("the fingerprint depends on the order")
		}
	}
}

// What a side is made of has to be a run's: one line says what is not. Runs that
// were read from disk were checked there already, for each row.
func TestBadRuns(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*rundir.Run, []rundir.Sample) []rundir.Sample
		want  string
	}{
		"edited manifest": {func(r *rundir.Run, s []rundir.Sample) []rundir.Sample { r.Tasks[0].Metrics[0].Value = 0.99; return s },
			"arc_easy: acc is stated as 0.99, but the samples give"},
		"a loglikelihood that is not a number": {func(r *rundir.Run, s []rundir.Sample) []rundir.Sample {
			nan := math.NaN()
			s[4].LogLikelihood = &nan
			return s
		}, "arc_easy: document 1 request 1: its loglikelihood is NaN"},
		"an infinite loglikelihood": {func(r *rundir.Run, s []rundir.Sample) []rundir.Sample {
			inf := math.Inf(-1)
			s[0].LogLikelihood = &inf
			return s
		}, "arc_easy: document 0 request 0: its loglikelihood is -Inf"},
		"a document twice": {func(r *rundir.Run, s []rundir.Sample) []rundir.Sample { return append(s, s[:3]...) },
			"arc_easy: document 0 is there twice"},
		"a request twice": {func(r *rundir.Run, s []rundir.Sample) []rundir.Sample { return slices.Insert(s, 1, s[0]) },
			"arc_easy: document 0: request 0 comes after request 0"},
		"no samples": {func(r *rundir.Run, s []rundir.Sample) []rundir.Sample { return nil }, "arc_easy: metric acc has no part in the samples"},
	} {
		t.Run(name, func(t *testing.T) {
			r, rows := madeRun(2, 30, 0.5)
			_, err := FromRun("b", r, c.spoil(r, rows))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line with %q", err, c.want)
			}
		})
	}
}
