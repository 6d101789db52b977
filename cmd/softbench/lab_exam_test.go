package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/lab/session"
	"github.com/softbench/softbench/lab/study"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/stress"
)

// TestExamIsStress: an exam's numbers are those that 'softbench stress' prints of
// the same model, tasks and quantisations, and it leaves nothing behind.
func TestExamIsStress(t *testing.T) {
	dir := t.TempDir()
	world, model := filepath.Join(dir, "world"), filepath.Join(dir, "model")
	if err := session.World(world, session.WorldOptions{Seed: 1, OwnWords: 30}); err != nil {
		t.Fatal(err)
	}
	files, valid, tok, err := session.WorldFiles(world)
	if err != nil {
		t.Fatal(err)
	}
	s := session.Default()
	s.Hidden, s.Intermediate, s.Heads, s.Layers, s.Context, s.Batch, s.Steps, s.Warmup, s.Mix, s.Init = 64, 64, 2, 1, 64, 8, 30, 2, "chain=1,repeat=1", 0.1
	if _, err := session.Run(t.Context(), session.Options{Settings: s, Files: files, Valid: []string{valid}, Tokenizer: tok, Out: model,
		Threads: 1, SaveEvery: 30, LogEvery: 30, DiagnosticsSamples: 1}); err != nil {
		t.Fatal(err)
	}
	before := filesIn(t, model)
	x := study.Exam{Tasks: []string{"retrieval/span_64.yaml", "retrieval/pairs_32.yaml"}, Quantise: []string{"rtn:4", "hqq:2:64"}}
	var o labStudyOptions
	got, err := o.examine(t.Context(), model, world, &x)
	if err != nil {
		t.Fatal(err)
	}
	if after := filesIn(t, model); after != before {
		t.Errorf("it leaves %s, there was %s", after, before)
	}
	var out, errs bytes.Buffer
	if code := execute(t.Context(), []string{"stress", model, "--suite", filepath.Join(world, "retrieval", "span_64.yaml") + "," + filepath.Join(world, "retrieval", "pairs_32.yaml"),
		"--methods", "rtn,hqq", "--bits", "4,2", "--out", filepath.Join(dir, "stress"), "--json"}, streams{strings.NewReader(""), &out, &errs}); code != exitOK {
		t.Fatal(errs.String())
	}
	var r stress.Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	want := map[string]rundir.Number{}
	for _, c := range r.Models[0].Cells {
		switch q := map[string]string{"rtn:4:64": "rtn:4", "hqq:2:64": "hqq:2:64"}[c.Setting]; {
		case c.Setting == stress.Stored:
			want["score"], want["span_64"], want["pairs_32"] = c.Score.Value, c.Tasks[0].Value, c.Tasks[1].Value
		case q != "":
			want["score."+q], want["kept."+q], want["kl."+q] = c.Score.Value, c.Kept.Value, c.KL.Value
		}
	}
	if len(want) != 9 || !maps.Equal(got, want) {
		t.Errorf("exam %v, stress %v", got, want)
	}
}

func filesIn(t *testing.T, dir string) string {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestExamWantsItsTasks: a file whose task has another name or no accuracy is refused.
func TestExamWantsItsTasks(t *testing.T) {
	cells := []stress.Cell{
		{Score: compare.Average{Value: 0.5}, Tasks: []stress.Score{{Task: "quiz", Metric: "acc", Value: 0.5}, {Task: "page", Metric: "bits_per_byte", Value: 2}}},
		{Score: compare.Average{Value: 0.25}, Kept: compare.Average{Value: 0.125}, KL: compare.Average{Value: 3}},
	}
	for _, file := range []string{"other.yaml", "page.yaml"} {
		if _, err := examNumbers(cells, &study.Exam{Tasks: []string{"quiz.yaml", file}}); err == nil || !strings.Contains(err.Error(), "no task named "+strings.TrimSuffix(file, ".yaml")) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
