package eval

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks/harness/harnesstest"
)

// TestResultsEqualTheHarness: of tasks of all kinds, in the harness's own form, prompts, loglikelihoods, generated texts, what
// filters take of them, scores, metrics, standard errors and groups' aggregates are those of lm-evaluation-harness with the same
// model in float32 (testdata/golden/make_results.py).
func TestResultsEqualTheHarness(t *testing.T) { resultsEqual(t, false) }

// TestResultsOfItsOwnTasks: the same of the harness's own task files.
func TestResultsOfItsOwnTasks(t *testing.T) { resultsEqual(t, true) }

func resultsEqual(t *testing.T, real bool) {
	include := golden.Dir(t, "results")
	if real {
		include = golden.Harness(t)
	}
	count := 0
	for _, want := range golden.ReadResults(t).Runs {
		if want.Real != real {
			continue
		}
		t.Run(want.Name, func(t *testing.T) {
			compareResults(t, include, want)
			count += len(want.Tasks)
		})
	}
	if count < 20 {
		t.Errorf("only %d tasks are compared", count)
	}
}

// resultsData is where a run's documents are: our own, or values made up by a shape.
func resultsData(t *testing.T, want golden.ResultRun) string {
	if !want.Real {
		t.Chdir(golden.Dir(t)) // to which the files of the tasks are relative
		return ""
	}
	if len(want.Data) == 0 {
		return golden.Dir(t, "docs")
	}
	dir := t.TempDir()
	for _, d := range want.Data {
		at := filepath.Join(dir, filepath.FromSlash(d.Path), d.Config)
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, split := range d.Splits {
			var b strings.Builder
			for i := range 6 {
				b.WriteString(harnesstest.JSON(harnesstest.Value(d.Shape, fmt.Sprintf("%s/%s/%s/%d", d.Path, d.Config, split, i))) + "\n")
			}
			if err := os.WriteFile(filepath.Join(at, split+".jsonl"), []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// resultsModel is tiny/; with a long context for the harness's own tasks, whose answers may be longer than its.
func resultsModel(t *testing.T, wide bool) string {
	from := golden.TinyCheckpoint(t, "tiny")
	if !wide {
		return from
	}
	dir := filepath.Join(t.TempDir(), "wide")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "config.json")
	config, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	longer := strings.Replace(string(config), `"max_position_embeddings": 256`, `"max_position_embeddings": 4096`, 1)
	if longer == string(config) {
		t.Fatal("the checkpoint's context is another")
	}
	if err := os.WriteFile(at, []byte(longer), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func compareResults(t *testing.T, include string, want golden.ResultRun) {
	model := resultsModel(t, want.Real)
	o := RunOptions{
		Suites: []string{want.Name}, IncludePath: []string{include}, Data: resultsData(t, want),
		Model: ModelOptions{Model: model, DType: "float32", Threads: 2},
		Out:   filepath.Join(t.TempDir(), "run"), Note: func(string) {},
	}
	if want.FewShot != nil {
		o.FewShot, o.Given = *want.FewShot, []string{"fewshot"}
	}
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	run, rows, err := rundir.Open(context.Background(), o.Out)
	if err != nil {
		t.Fatal(err)
	}
	byTask := map[string]map[int32][]rundir.Sample{}
	for _, r := range rows {
		if byTask[r.Task] == nil {
			byTask[r.Task] = map[int32][]rundir.Sample{}
		}
		byTask[r.Task][r.DocID] = append(byTask[r.Task][r.DocID], r)
	}
	if len(run.Tasks) != len(want.Tasks) {
		t.Fatalf("%d tasks, the harness has %d", len(run.Tasks), len(want.Tasks))
	}
	for _, w := range want.Tasks {
		if len(byTask[w.Task]) != len(w.Documents) {
			t.Errorf("%s: %d documents, the harness has %d", w.Task, len(byTask[w.Task]), len(w.Documents))
			continue
		}
		for i, g := range w.Documents {
			if err := compareDocument(byTask[w.Task][int32(i)], g); err != nil {
				t.Errorf("%s, document %d: %v", w.Task, i, err)
			}
		}
		for _, r := range run.Tasks {
			if r.Name == w.Task {
				compareResultMetrics(t, w.Task, r.Metrics, w.Metrics, smooth(w.Documents))
			}
		}
	}
	for _, g := range want.Groups {
		found := false
		for _, r := range run.Groups {
			if r.Name == g.Group {
				found = true
				var metrics []rundir.Metric
				for _, m := range r.Metrics {
					metrics = append(metrics, m.Metric)
				}
				compareResultMetrics(t, g.Group, metrics, g.Metrics, false)
			}
		}
		if !found {
			t.Errorf("there is no group %s", g.Group)
		}
	}
}

// smooth says that a score is what a function makes of loglikelihoods, and not which of them is the highest.
func smooth(docs []golden.ResultDocument) bool {
	return slices.ContainsFunc(docs, func(d golden.ResultDocument) bool {
		for _, v := range d.Scores {
			if d.LogLikelihoods != nil && v != math.Trunc(v) {
				return true
			}
		}
		return false
	})
}

func compareDocument(rows []rundir.Sample, want golden.ResultDocument) error {
	r := rows[0]
	if want.Prompt != "" && golden.Hash(*r.Context) != want.Prompt {
		return fmt.Errorf("another prompt: %q", *r.Context)
	}
	if want.Text != nil {
		if *r.Generated != *want.Text {
			return fmt.Errorf("generated %q; the harness %q", *r.Generated, *want.Text)
		}
		if len(r.Filters) == 0 && want.Taken["none"] != *r.Generated {
			return fmt.Errorf("nothing took %q; the harness's %q", *r.Generated, want.Taken["none"])
		}
		for k, filter := range r.Filters {
			if taken, ok := want.Taken[filter]; !ok || r.Filtered[k] != taken {
				return fmt.Errorf("%s took %q; the harness's %q (%v)", filter, r.Filtered[k], taken, ok)
			}
		}
	} else if len(rows) != len(want.LogLikelihoods) {
		return fmt.Errorf("%d requests, the harness has %d", len(rows), len(want.LogLikelihoods))
	}
	for i, ll := range want.LogLikelihoods {
		if got := *rows[i].LogLikelihood; math.Abs(got-ll) > requestTolerance {
			return fmt.Errorf("request %d: loglikelihood %v; the harness has %v", i, got, ll)
		}
		if want.Greedy != "" && *rows[i].IsGreedy != (want.Greedy[i] == '1') {
			return fmt.Errorf("request %d: greedy %v; the harness has %c", i, *rows[i].IsGreedy, want.Greedy[i])
		}
	}
	for name, column := range map[string]*bool{"acc": r.Correct, "acc_norm": r.CorrectNorm, "acc_bytes": r.CorrectBytes} {
		if v, ok := want.Scores[name]; ok && column != nil && *column != (v == 1) {
			return fmt.Errorf("%s is %v; the harness has %v", name, *column, v)
		}
	}
	for k, metric := range r.Metrics {
		tolerance := 1e-8 // as the golden is rounded
		if want.LogLikelihoods != nil {
			tolerance = 1e-4
		}
		if v, ok := want.Scores[metric]; ok && math.Abs(v-r.Scores[k]) > tolerance {
			return fmt.Errorf("%s is %v; the harness has %v", metric, r.Scores[k], v)
		}
	}
	return nil
}

// compareResultMetrics compares metrics and their standard errors. What depends on loglikelihoods through more than which is the
// highest agrees as they do; perplexity's error is of random draws, which are others there.
func compareResultMetrics(t *testing.T, task string, got []rundir.Metric, want map[string]*float64, smooth bool) {
	seen := map[string]bool{}
	for _, m := range got {
		name, filter, _ := strings.Cut(m.Name, ",")
		if filter != "" {
			filter = "," + filter
		}
		tolerance := 1e-9
		if smooth || strings.HasSuffix(name, "perplexity") || name == "bits_per_byte" || name == "brier_score" {
			tolerance = 1e-4
		}
		seen[m.Name] = true
		for key, v := range map[string]float64{m.Name: float64(m.Value), name + "_stderr" + filter: float64(m.Stderr)} {
			w, there := want[key]
			switch {
			case !there && key == m.Name:
				t.Errorf("%s: the harness has no %s", task, key)
			case !there || w == nil && math.IsNaN(v), key == "perplexity_stderr":
			case w == nil:
				t.Errorf("%s: %s is %v; the harness has none", task, key, v)
			case !(math.Abs(v-*w) <= tolerance*max(1, math.Abs(*w))):
				t.Errorf("%s: %s is %v; the harness has %v", task, key, v, *w)
			}
		}
	}
	for key := range want {
		if !strings.Contains(key, "_stderr") && !seen[key] {
			t.Errorf("%s: there is no %s", task, key)
		}
	}
}
