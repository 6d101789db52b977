package eval

import (
	"bytes"
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/reports/rundir"
)

// generateRun is a run of the golden's tasks, each with its number of examples.
func generateRun(t *testing.T, task golden.GenerateTask) RunOptions {
	t.Helper()
	return RunOptions{
		Suites: []string{golden.Dir(t, "generate", task.Task+".yaml")}, FewShot: task.FewShot,
		Model: ModelOptions{Model: golden.TinyCheckpoint(t, "tiny"), DType: "float32", Threads: 2},
		Out:   filepath.Join(t.TempDir(), "run"), Note: func(string) {},
	}
}

// TestGenerateParity: the prompts, the texts, what the filters take of them, the scores, the metrics
// and their standard errors are those of lm-evaluation-harness with the same tasks, by every kernel
// set of this machine.
func TestGenerateParity(t *testing.T) {
	for _, isa := range eachISA() {
		t.Run(isa, func(t *testing.T) {
			t.Setenv("SOFTBENCH_ISA", isa)
			for _, task := range golden.ReadGenerate(t).Tasks {
				t.Run(task.Task, func(t *testing.T) { compareGenerated(t, task) })
			}
		})
	}
}

func compareGenerated(t *testing.T, want golden.GenerateTask) {
	o := generateRun(t, want)
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	run, rows, err := rundir.Open(context.Background(), o.Out)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(want.Documents) {
		t.Fatalf("%d rows, the harness has %d documents", len(rows), len(want.Documents))
	}
	for i, g := range want.Documents {
		r := rows[i]
		if *r.Context != g.Prompt {
			t.Errorf("document %d: the prompt is %q; the harness has %q", i, *r.Context, g.Prompt)
			continue
		}
		if *r.Generated != g.Text {
			t.Errorf("document %d: generated %q; the harness %q", i, *r.Generated, g.Text)
			continue
		}
		for k, filter := range r.Filters {
			if r.Filtered[k] != g.Taken[filter] {
				t.Errorf("document %d: %s took %q; the harness's %q", i, filter, r.Filtered[k], g.Taken[filter])
			}
		}
		for k, metric := range r.Metrics {
			if v, ok := g.Scores[metric]; !ok || v != r.Scores[k] {
				t.Errorf("document %d: %s is %v; the harness has %v (%v)", i, metric, r.Scores[k], v, ok)
			}
		}
	}
	for _, m := range run.Tasks[0].Metrics {
		name, filter := m.Name, ""
		if at := bytes.IndexByte([]byte(m.Name), ','); at >= 0 {
			name, filter = m.Name[:at], m.Name[at:]
		}
		for key, got := range map[string]rundir.Number{m.Name: m.Value, name + "_stderr" + filter: m.Stderr} {
			if v, ok := want.Metrics[key]; !ok || math.Abs(v-float64(got)) > 1e-12 {
				t.Errorf("%s is %v; the harness has %v (%v)", key, got, v, ok)
			}
		}
	}
}

// TestGenerationIsInvariant: batches, threads, a bound of memory, shards, an interruption and what
// else is asked change no byte of a run with generated answers.
func TestGenerationIsInvariant(t *testing.T) {
	var suites []string
	for _, task := range golden.ReadGenerate(t).Tasks {
		suites = append(suites, golden.Dir(t, "generate", task.Task+".yaml"))
	}
	o := generateRun(t, golden.GenerateTask{Task: "sums", FewShot: 1})
	o.Suites = append(suites, "arc_easy")
	o.Data = golden.Dir(t, "docs")
	o.Limit = 9
	mustRun(t, o)
	samples, manifest, files := outcome(t, o.Out)
	same := func(what, dir string) {
		t.Helper()
		gotSamples, gotManifest, gotFiles := outcome(t, dir)
		if !bytes.Equal(gotSamples, samples) || gotManifest != manifest || gotFiles != files {
			t.Errorf("%s changes the run", what)
		}
	}
	for what, change := range map[string]func(*RunOptions){
		"one row a batch":    func(o *RunOptions) { o.BatchTokens = 1 },
		"a batch of 37 rows": func(o *RunOptions) { o.BatchTokens, o.Model.Threads = 37, 1 },
		"little memory":      func(o *RunOptions) { o.Memory = 200 << 10 },
	} {
		v := o
		v.Out = filepath.Join(t.TempDir(), "run")
		change(&v)
		mustRun(t, v)
		same(what, v.Out)
	}
	var dirs []string
	for i := range 3 {
		v := o
		v.BatchTokens = 10 + 100*i
		dir, _ := runShard(t, v, Shard{i + 1, 3})
		dirs = append(dirs, dir)
	}
	merged := o
	merged.Out, merged.Merge = filepath.Join(t.TempDir(), "merged"), dirs
	if r := mustRun(t, merged); r.Process.Computed != 0 {
		t.Errorf("the merge computed %d tokens anew", r.Process.Computed)
	}
	same("a merge of shards", merged.Out)

	v := o
	v.Out, v.BatchTokens = filepath.Join(t.TempDir(), "stopped"), 16
	ctx, stop := context.WithCancel(t.Context())
	v.Progress = func(p Progress) {
		if p.Tokens > p.Of/2 {
			stop()
		}
	}
	if _, err := Run(ctx, v); err == nil {
		t.Fatal("the run was not stopped: the test proves nothing")
	}
	v.Progress, v.Resume = nil, true
	if r := mustRun(t, v); r.Process.Resumed == 0 {
		t.Error("nothing of the stopped run was used: the test proves nothing")
	}
	same("an interruption", v.Out)
}

// TestDecodedTokensAreNotShared: a question asked alone shares no token with another, and the tokens of its answer are
// not counted as shared.
func TestDecodedTokensAreNotShared(t *testing.T) {
	o := generateRun(t, golden.GenerateTask{Task: "sums", FewShot: 1})
	o.Limit = 1
	if c := mustRun(t, o).Tokens; c.Distinct != c.Requested || c.Requested == 0 {
		t.Errorf("one question: %d tokens asked, %d of them distinct", c.Requested, c.Distinct)
	}
	o.Limit, o.Out = 3, filepath.Join(t.TempDir(), "run")
	if c := mustRun(t, o).Tokens; c.Distinct >= c.Requested {
		t.Errorf("three questions with the same beginning: %d tokens asked, %d of them distinct", c.Requested, c.Distinct)
	}
}
