package eval

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks/data"
)

// TestOrderChangesNoBit scores the requests of several tasks in shuffled orders,
// with any batch size and number of threads, and each alone, where nothing is
// shared: every loglikelihood keeps its bits.
func TestOrderChangesNoBit(t *testing.T) {
	for _, dtype := range []string{"float32", "bfloat16"} {
		t.Run(dtype, func(t *testing.T) {
			load := func(threads int) *Model {
				m, err := Load(context.Background(), ModelOptions{Model: golden.TinyCheckpoint(t, "tiny"), DType: dtype, Attention: "softpick", Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(m.Close)
				return m
			}
			models := []*Model{load(1), load(2), load(5)}
			requests := goldenRequests(t, models[0])
			score := func(m *Model, order []int, batch int) []answer.Answer {
				picked := make([]lm.Request, len(order))
				for i, k := range order {
					picked[i] = requests[k]
				}
				results, _, err := m.LM.Score(context.Background(), picked, nil, lm.RunOptions{BatchTokens: batch})
				if err != nil {
					t.Fatal(err)
				}
				return results
			}
			alone := make([]answer.Answer, len(requests))
			for k := range requests {
				alone[k] = score(models[0], []int{k}, 512)[0]
			}
			rng := rand.New(rand.NewPCG(3, 4))
			for _, batch := range []int{1, 2, 63, 64, 65, 1000, 8192} {
				order := rng.Perm(len(requests))
				order = order[:len(order)-rng.IntN(len(order)/2)] // what else is in a run changes nothing either
				m := models[rng.IntN(len(models))]
				for i, got := range score(m, order, batch) {
					want := alone[order[i]]
					if math.Float64bits(got.LogLikelihood) != math.Float64bits(want.LogLikelihood) || !reflect.DeepEqual(got, want) {
						t.Errorf("%d tokens a batch, request %d in place %d: %+v, alone %+v", batch, order[i], i, got, want)
					}
				}
			}
		})
	}
}

// goldenRequests are all requests of a few tasks' golden documents: with shared
// contexts, equal ones, and some that are longer than the context.
func goldenRequests(t *testing.T, m *Model) (out []lm.Request) {
	t.Helper()
	for _, name := range []string{"arc_easy", "lambada_openai", "winogrande"} {
		suite, err := configs.Resolve(name)
		if err != nil {
			t.Fatal(err)
		}
		w, err := Gather(context.Background(), []*configs.Suite{suite}, data.Source{Dir: filepath.Join(golden.Dir(t), "docs")}, m, GatherOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range w.Tasks[0].Docs {
			for _, q := range d.Requests {
				out = append(out, lm.Request{Context: q.Context, Continuation: q.Continuation})
			}
		}
	}
	if len(out) < 50 {
		t.Fatalf("only %d requests", len(out))
	}
	return out
}
