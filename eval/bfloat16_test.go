package eval

import (
	"context"
	"math"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/tasks/data"
)

// TestBFloat16StaysNear: over real documents, bfloat16 moves a token's
// loglikelihood by less than 0.02 on average, and an accuracy by no more than
// its standard error. The checkpoint is the golden trained one, stored in
// bfloat16 as those are that bfloat16 is the default for.
func TestBFloat16StaysNear(t *testing.T) {
	set := golden.ReadTaskSet(t, "real")
	source := data.Source{Dir: set.DataDir(t)}
	for _, isa := range eachISA() {
		t.Run(isa, func(t *testing.T) {
			t.Setenv("SOFTBENCH_ISA", isa)
			compareDTypes(t, golden.TinyCheckpoint(t, "tiny"), source, set.Tasks)
		})
	}
}

func compareDTypes(t *testing.T, dir string, source data.Source, wanted []golden.Task) {
	models := map[string]*Model{}
	for _, dtype := range []string{"float32", "bfloat16"} {
		m, err := Load(context.Background(), ModelOptions{Model: dir, DType: dtype, Threads: 2, AllowUnscored: true})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		models[dtype] = m
	}
	for _, want := range wanted {
		if want.Task == "wikitext" {
			continue // long; its tokens are the same
		}
		suite, err := configs.Resolve(want.Task)
		if err != nil {
			t.Fatal(err)
		}
		w, err := Gather(context.Background(), []*configs.Suite{suite}, source, models["float32"], GatherOptions{Limit: want.Limit})
		if err != nil {
			t.Fatal(err)
		}
		exact, _ := scoreDocs(t, models["float32"], w.Tasks[0])
		near, _ := scoreDocs(t, models["bfloat16"], w.Tasks[0])
		var moved float64
		tokens, same := 0, true
		for i := range exact {
			for k, r := range exact[i].Answers {
				if r.Unscored != "" { // longer than the context
					continue
				}
				d := near[i].Answers[k].LogLikelihood - r.LogLikelihood
				moved += math.Abs(d)
				tokens += r.ContinuationTokens
				same = same && d == 0
			}
		}
		if mean := moved / float64(tokens); !(mean < 0.02) || same {
			t.Errorf("%s: bfloat16 moves a token by %v on average (0 would mean that it was not used)", want.Task, mean)
		} else {
			t.Logf("%s: mean |Δ| %.4f a token", want.Task, mean)
		}
		a, b := w.Tasks[0].Task.Metrics(exact), w.Tasks[0].Task.Metrics(near)
		for i := range a {
			if a[i].Name == "acc" && math.Abs(float64(a[i].Value-b[i].Value)) > float64(a[i].Stderr) {
				t.Errorf("%s: acc %v in float32, %v in bfloat16, standard error %v", want.Task, a[i].Value, b[i].Value, a[i].Stderr)
			}
		}
	}
}
