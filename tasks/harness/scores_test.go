package harness

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/harness/harnesstest"
)

// What the harness's tasks make of given answers is the harness's own: what filters take, metrics, and standard errors
// where it gives one (testdata/golden/make_scores.py).
func TestScoresEqualTheHarness(t *testing.T) {
	x, err := Open(golden.Harness(t))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{golden.Dir(t, "harness", "scores.json"), golden.Dir(t, "harness", "scored.json")}
	if other := os.Getenv("SOFTBENCH_HARNESS_SCORES"); other != "" {
		names = []string{other} // another list, made by the same script
	}
	type scored struct {
		Task, Shape, Taken string
		Metrics            map[string]*float64
	}
	var list []scored
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var own []scored
		if err := json.Unmarshal(text, &own); err != nil {
			t.Fatal(err)
		}
		list = append(list, own...)
	}
	wrong := 0
	for _, g := range list {
		if err := compareScores(t, x, g.Task, g.Shape, g.Taken, g.Metrics); err != nil {
			wrong++
			t.Errorf("%s: %v", g.Task, err)
		}
	}
	t.Logf("%d tasks, %d wrong", len(list), wrong)
	if len(list) == 0 {
		t.Error("the list is empty")
	}
}

func compareScores(t *testing.T, x *Index, name, shape, taken string, want map[string]*float64) error {
	task, docs, err := documents(t, x, name, 0, shape)
	if err != nil {
		return err
	}
	outcomes := make([]tasks.Outcome, len(docs))
	texts := map[string][]string{}
	var filters []string
	for i := range docs {
		var answers []answer.Answer
		for k := range docs[i].Requests {
			seed := fmt.Sprintf("%s/answer/%d/%d", name, i, k)
			if task.Generation != nil {
				answers = append(answers, answer.Answer{Text: harnesstest.Answer(seed, docs[i].Targets[0])})
				continue
			}
			ll, greedy := harnesstest.LogLikelihood(seed)
			answers = append(answers, answer.Answer{LogLikelihood: ll, Greedy: greedy})
		}
		if outcomes[i], err = task.Score(docs[i], answers); err != nil {
			return err
		}
		for _, f := range outcomes[i].Taken {
			if texts[f.Filter] == nil {
				filters = append(filters, f.Filter)
			}
			texts[f.Filter] = append(texts[f.Filter], f.Text)
		}
	}
	if taken != "" {
		var all []string
		for _, f := range filters {
			all = append(all, texts[f]...)
		}
		if got := pythonJSON(all); hash(got, 16) != taken {
			return fmt.Errorf("filters take otherwise: %.800s", got)
		}
	}
	found := map[string]bool{}
	for _, m := range task.Metrics(outcomes) {
		key := m.Name
		if !strings.Contains(key, ",") {
			key += ",none"
		}
		if task.Generation == nil {
			key = m.Name + "," + keyOf(want, m.Name)
		}
		metric, filter, _ := strings.Cut(key, ",")
		for k, got := range map[string]float64{key: float64(m.Value), metric + "_stderr," + filter: float64(m.Stderr)} {
			w, there := want[k]
			switch {
			case !there && k == key:
				return fmt.Errorf("the harness has no %s", k)
			case !there || w == nil && math.IsNaN(got):
			case w == nil:
				return fmt.Errorf("%s is %v; the harness has none", k, got)
			case math.Abs(got-*w) > 1e-9*max(1, math.Abs(*w)) && !(k != key && metric == "perplexity"): // its bootstrap is another
				return fmt.Errorf("%s is %v; the harness has %v", k, got, *w)
			}
		}
		found[key] = true
	}
	for k := range want {
		if !strings.Contains(k, "_stderr,") && !found[k] {
			return fmt.Errorf("there is no %s", k)
		}
	}
	return nil
}

// keyOf is the filter's name behind a metric in the harness's results.
func keyOf(want map[string]*float64, metric string) string {
	for k := range want {
		if base, filter, _ := strings.Cut(k, ","); base == metric {
			return filter
		}
	}
	return "none"
}
