package study

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
)

// TestExam: every finished model is asked once, also one that was trained before the
// study had an exam; what it gave is in the record, from which a study without
// models takes it, but not where it was another exam or another training.
func TestExam(t *testing.T) {
	dir := t.TempDir()
	plain := strings.Replace(strings.Replace(tiny, "rate: [1e-2, 0.001]", "rate: [1e-2, 1e+30]", 1), "seeds: [3, 4]", "seeds: [3]", 1)
	asking := strings.Replace(plain, "show: [", "exam: {tasks: [retrieval/span_32.yaml], quantise: ['rtn:4']}\nshow: [exam.span_32, exam.kept.rtn:4, ", 1)
	var mu sync.Mutex
	var asked []string
	examiner := func(_ context.Context, model, world string, x *Exam) (map[string]rundir.Number, error) {
		mu.Lock()
		defer mu.Unlock()
		if _, err := os.Stat(filepath.Join(world, x.Tasks[0])); err != nil {
			t.Errorf("the world has no %s: %v", x.Tasks[0], err)
		}
		asked = append(asked, model)
		return map[string]rundir.Number{"span_32": 0.25, "score": 0.25, "kept.rtn:4": rundir.Number(len(asked)), "score.rtn:4": 1, "kl.rtn:4": 1}, nil
	}
	o := Options{Out: filepath.Join(dir, "out"), Record: filepath.Join(dir, "record.jsonl"), Threads: 2, Examine: examiner}
	run := func(text string, o Options, asks int) []CellResult {
		t.Helper()
		asked = nil
		s := parse(t, text)
		all, err := s.Run(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if len(asked) != asks {
			t.Errorf("%d models are asked, want %d: %v", len(asked), asks, asked)
		}
		r, err := s.Summarise(all)
		if err != nil {
			t.Fatal(err)
		}
		return r.Cells
	}
	run(plain, o, 0)
	first := run(asking, o, 2) // of four, two diverge
	for i, c := range first {
		diverged := strings.Contains(c.Name, "e+30")
		if got := c.Finals[0]; diverged != (got.N == 0) || !diverged && got.Mean != 0.25 {
			t.Errorf("%s: %+v", first[i].Name, got)
		}
	}
	run(asking, o, 0)
	elsewhere := o
	elsewhere.Out = filepath.Join(dir, "elsewhere")
	if again := run(asking, elsewhere, 0); again[0].Finals[1].Mean != first[0].Finals[1].Mean {
		t.Errorf("from the record %+v, want %+v", again[0].Finals[1], first[0].Finals[1])
	}
	other := strings.ReplaceAll(asking, "rtn:4", "rtn:3")
	if cells := run(other, elsewhere, 0); cells[0].Finals[0].N != 0 {
		t.Errorf("another exam's number is taken: %+v", cells[0].Finals[0])
	}
	run(other, o, 2) // its models are here
	text, err := os.ReadFile(o.Record)
	if err != nil || strings.Count(string(text), "\n") != 8 {
		t.Fatalf("a record of %d lines, want 4 trainings and 4 exams: %v", strings.Count(string(text), "\n"), err)
	}
	// With other kernels it is another training.
	lines := strings.SplitAfter(string(text), "\n")
	for i, l := range lines {
		if strings.Contains(l, `"exam"`) {
			lines[i] = strings.Replace(l, `"kernels":"`, `"kernels":"another-`, 1)
		}
	}
	if err := os.WriteFile(o.Record, []byte(strings.Join(lines, "")), 0o666); err != nil {
		t.Fatal(err)
	}
	if cells := run(asking, elsewhere, 0); cells[0].Finals[0].N != 0 {
		t.Errorf("an exam of a model trained with other kernels is taken: %+v", cells[0].Finals[0])
	}
	damaged := strings.Replace(string(text), `"numbers":{`, `"stopped":"x","numbers":{`, 1)
	if err := os.WriteFile(o.Record, []byte(damaged), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := parse(t, asking).Progress(context.Background(), o); err == nil || !strings.Contains(err.Error(), "an exam without numbers, or with a training's lines") {
		t.Errorf("an exam that stopped: %v", err)
	}
}

// TestExamFails: what keeps a model from being asked stops the study, and the same
// call asks again; a study with an exam wants an examiner before it trains.
func TestExamFails(t *testing.T) {
	text := strings.Replace(strings.Replace(tiny, "rate: [1e-2, 0.001]", "rate: [1e-2]", 1), "seeds: [3, 4]", "seeds: [3]", 1)
	s := parse(t, strings.Replace(text, "show:", "exam: {tasks: [retrieval/span_32.yaml], quantise: ['rtn:4']}\nshow:", 1))
	o := Options{Out: filepath.Join(t.TempDir(), "out"), Threads: 1}
	if _, err := s.Run(context.Background(), o); err == nil {
		t.Error("nobody holds the exam, and it is held")
	}
	if _, err := os.Stat(o.Out); err == nil {
		t.Error("trained before the examiner was found missing")
	}
	o.Examine = func(context.Context, string, string, *Exam) (map[string]rundir.Number, error) {
		return nil, errors.New("no paper")
	}
	if _, err := s.Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "exam: no paper") {
		t.Errorf("an exam that fails: %v", err)
	}
	o.Examine = func(context.Context, string, string, *Exam) (map[string]rundir.Number, error) {
		return map[string]rundir.Number{"score": 1}, nil
	}
	all, err := s.Run(context.Background(), o)
	if err != nil || all[0].Examined == nil || all[1].Examined == nil {
		t.Errorf("asked again: %+v %v", all, err)
	}
}
