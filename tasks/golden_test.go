package tasks_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
)

// golden is what testdata/make_golden.py writes: lm-evaluation-harness' own prompts, answers and
// scores, as hashes and numbers.
type golden struct {
	Versions map[string]string
	Shots    int
	Tasks    map[string]struct {
		Split     string
		Documents [][3]string // document hash, digest of its requests, per-document scores
		Metrics   map[string]float64
		FewShot   []string `json:"few_shot"` // digests with few-shot examples
	}
}

func readGolden(t *testing.T, name string) golden {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "golden", name))
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	if g.Versions["lm_eval"] != "0.4.13" {
		t.Fatalf("golden %s was made with lm_eval %q, not 0.4.13", name, g.Versions["lm_eval"])
	}
	return g
}

// sharedData is the directory of real task files, or skips.
func sharedData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("SOFTBENCH_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	dir = filepath.Join(dir, "data")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no real task files at %s; set SOFTBENCH_SHARED to the directory that has data/", dir)
	}
	return dir
}

// digest is make_golden.py's: the hash of all that is asked of a model for one document.
func digest(k tasks.Kind, d tasks.Doc) string {
	var list []any
	if k == tasks.RollingPerplexity {
		list = append(list, d.Text())
		d.Requests = nil
	} else {
		list = append(list, int64(d.Gold))
	}
	for _, r := range d.Requests {
		list = append(list, []any{r.Context, r.Continuation, r.Choice})
	}
	// Canonical writes a map; take the list out of {"x":[...]}.
	b := data.Canonical(map[string]any{"x": list})
	sum := sha256.Sum256(b[len(`{"x":`) : len(b)-1])
	return hex.EncodeToString(sum[:8])
}

// fake is make_golden.py's: loglikelihoods made up from the document's hash, with ties among them.
func fake(d tasks.Doc) []answer.Answer {
	out := make([]answer.Answer, len(d.Requests))
	for i := range out {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", d.Hash, i))
		out[i] = answer.Answer{LogLikelihood: -float64(int(sum[0])+1) / 16, Greedy: sum[0]%2 == 0}
	}
	return out
}

// A prompt, a right answer, a choice's length, a tie, a word count or an aggregate that differs from
// lm-evaluation-harness 0.4.13's on documents written to be awkward fails here.
func TestEqualsHarnessOnOwnDocuments(t *testing.T) {
	compareGolden(t, readGolden(t, "own.json"), filepath.Join("testdata", "data"), 11)
}

// The same on the real documents of every task that ../shared/data has.
func TestEqualsHarnessOnRealDocuments(t *testing.T) {
	dir := sharedData(t)
	compareGolden(t, readGolden(t, "shared.json"), dir, 7)
}

func compareGolden(t *testing.T, g golden, dir string, atLeast int) {
	if len(g.Tasks) < atLeast {
		t.Fatalf("the golden has %d tasks, fewer than %d", len(g.Tasks), atLeast)
	}
	for name, want := range g.Tasks {
		t.Run(name, func(t *testing.T) {
			task, err := configs.Task(name)
			if err != nil {
				t.Fatal(err)
			}
			src := data.Source{Dir: dir}
			docs, files, err := task.Documents(context.Background(), src, tasks.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if files[0].Split != want.Split {
				t.Fatalf("evaluates the split %s; the harness %s", files[0].Split, want.Split)
			}
			if len(docs) != len(want.Documents) {
				t.Fatalf("%d documents; the harness has %d", len(docs), len(want.Documents))
			}
			var outcomes []tasks.Outcome
			for i, d := range docs {
				w := want.Documents[i]
				if d.Hash[:16] != w[0] {
					t.Fatalf("document %d has the hash %s; want %s", i, d.Hash[:16], w[0])
				}
				if got := digest(task.Kind, d); got != w[1] {
					t.Errorf("document %d: requests differ from the harness': %.400q", i, fmt.Sprint(d.Gold, d.Requests))
				}
				o, err := task.Score(d, fake(d))
				if err != nil {
					t.Fatal(err)
				}
				outcomes = append(outcomes, o)
				if got := scores(task.Kind, o); got != w[2] {
					t.Errorf("document %d scores %s; the harness %s", i, got, w[2])
				}
			}
			for metric, value := range want.Metrics {
				m, ok := tasks.Aggregate(metric, outcomes)
				if !ok {
					t.Errorf("no metric %s", metric)
				} else if math.Abs(float64(m.Value)-value) > 1e-12*math.Abs(value) {
					t.Errorf("%s is %v; the harness has %v", metric, m.Value, value)
				}
			}
			if want.FewShot == nil {
				return
			}
			docs, _, err = task.Documents(context.Background(), src, tasks.Options{FewShot: g.Shots})
			if err != nil {
				t.Fatal(err)
			}
			for i, d := range docs {
				if got := digest(task.Kind, d); got != want.FewShot[i] {
					t.Errorf("document %d: few-shot requests differ from the harness': %.900q", i, d.Requests[0].Context)
				}
			}
		})
	}
}

// scores writes an outcome as make_golden.py does.
func scores(k tasks.Kind, o tasks.Outcome) string {
	if k == tasks.RollingPerplexity {
		return fmt.Sprintf("%d/%d", o.Words, o.Bytes)
	}
	names := []string{"acc", "acc_norm", "acc_bytes"}
	if k == tasks.LastWord {
		names = names[:1]
	}
	s := ""
	for _, n := range names {
		v, _, ok := o.Value(n)
		if !ok {
			return "no " + n
		}
		s += fmt.Sprint(v)
	}
	return s
}
