package export

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// madeRun has a task of each kind, n documents each: questions, last words and
// texts. The documents are the same whatever the seed; skill is the share of right
// answers, and what the likelihood of a text grows with.
func madeRun(seed uint64, n int, skill float64) (*rundir.Run, []rundir.Sample) {
	rng := rand.New(rand.NewPCG(seed, 3))
	run := &rundir.Run{
		Schema: rundir.Schema,
		Model:  rundir.Model{Type: "llama", Parameters: 1234},
		Settings: rundir.Settings{Engine: "1", ModelSHA256: strings.Repeat(fmt.Sprintf("%02x", seed), 32), TokenizerSHA256: strings.Repeat("ab", 32),
			Attention: "softmax", DType: "float32", Device: "cpu", ISA: "avx2", MaxLength: 256},
		Process: rundir.Process{Softbench: "v1", Start: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), End: time.Date(2026, 1, 2, 3, 5, 6, 7000, time.UTC), Seconds: 61.5},
	}
	var rows []rundir.Sample
	add := func(name, kind string, document func(d int) []rundir.Sample, metrics ...rundir.Metric) {
		for d := range n {
			for q, s := range document(d) {
				s.Task, s.Kind, s.DocID, s.Request, s.DocHash = name, kind, int32(d), int32(q), fmt.Sprintf("%08x%056x", 2654435761*uint32(d+1), d)
				rows = append(rows, s)
			}
		}
		run.Settings.Tasks = append(run.Settings.Tasks, rundir.TaskSettings{Name: name, Version: "1.0", Digest: name, Documents: n})
		run.Tasks = append(run.Tasks, rundir.TaskResult{Name: name, Kind: kind, Documents: n, Metrics: metrics})
	}
	// The sums have to be those of the rows, in the order in which a side adds
	// them; they are put in below.
	add("quiz", "multiple_choice", func(d int) []rundir.Sample {
		gold, right, rightNorm := int32(d%3), rng.Float64() < skill, rng.Float64() < skill
		var out []rundir.Sample
		for q := range int32(3) {
			ll := -20 * rng.Float64()
			out = append(out, rundir.Sample{Gold: &gold, Context: ptr(fmt.Sprintf("Question: %d \"<&>\" ü\nAnswer:", d)), Choice: ptr(fmt.Sprint("choice ", q)),
				Continuation: ptr(fmt.Sprint(" choice ", q)), LogLikelihood: &ll, IsGreedy: ptr(q == 1), Correct: &right, CorrectNorm: &rightNorm})
		}
		return out
	}, rundir.Metric{Name: "acc", Stderr: 0.03, HigherIsBetter: true}, rundir.Metric{Name: "acc_norm", Stderr: rundir.Number(math.NaN()), HigherIsBetter: true})
	add("last", "last_word", func(d int) []rundir.Sample {
		right := rng.Float64() < skill
		ll := math.Log(skill) * rng.ExpFloat64() * (1 + float64(d%5)*1e-7)
		return []rundir.Sample{{Context: ptr(fmt.Sprintf("Text %d ends with the", d)), Continuation: ptr(" word"), LogLikelihood: &ll, IsGreedy: &right, Correct: &right}}
	}, rundir.Metric{Name: "perplexity", Stderr: 0.5}, rundir.Metric{Name: "acc", Stderr: 0.02, HigherIsBetter: true})
	add("pages", "rolling_perplexity", func(d int) []rundir.Sample {
		words := int64(50 + d%7)
		ll := -float64(words) * (3 - skill + 0.1*rng.NormFloat64())
		return []rundir.Sample{{LogLikelihood: &ll, Words: &words, Bytes: ptr(6 * words)}}
	}, rundir.Metric{Name: "word_perplexity", Stderr: rundir.Number(math.NaN())}, rundir.Metric{Name: "bits_per_byte", Stderr: rundir.Number(math.NaN())})
	state(run, rows)
	return run, rows
}

func ptr[T any](v T) *T { return &v }

// state fills in the metrics that follow from the rows.
func state(run *rundir.Run, rows []rundir.Sample) {
	for i := range run.Tasks {
		t := &run.Tasks[i]
		for k := range t.Metrics {
			m := &t.Metrics[k]
			var sum, weight float64
			for _, r := range rows {
				if r.Task != t.Name || r.Request > 0 {
					continue
				}
				v, w := *r.LogLikelihood, 1.0
				truth := map[string]*bool{"acc": r.Correct, "acc_norm": r.CorrectNorm}
				switch right, ok := truth[m.Name]; {
				case ok && *right:
					v = 1
				case ok:
					v = 0
				case m.Name == "word_perplexity":
					w = float64(*r.Words)
				case m.Name == "bits_per_byte":
					w = float64(*r.Bytes)
				}
				sum += v
				weight += w
			}
			value := sum / weight
			switch m.Name {
			case "perplexity", "word_perplexity":
				value = math.Exp(-value)
			case "bits_per_byte":
				value = -value / math.Ln2
			}
			m.Value, m.N, m.Low, m.High = rundir.Number(value), t.Documents, rundir.Number(value*0.9), rundir.Number(value*1.1)
		}
	}
}

func side(t *testing.T, name string, run *rundir.Run, rows []rundir.Sample) *compare.Side {
	t.Helper()
	s, err := compare.FromRun(name, run, rows)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// threeSides are a base, one that is better at most and one that is worse.
func threeSides(t *testing.T, names ...string) []*compare.Side {
	t.Helper()
	var out []*compare.Side
	for k, skill := range []float64{0.6, 0.75, 0.4} {
		run, rows := madeRun(uint64(k+1), 150, skill)
		out = append(out, side(t, names[k], run, rows))
	}
	return out
}
