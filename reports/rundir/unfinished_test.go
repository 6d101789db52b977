package rundir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/lm/answer"
)

func somePlan() *Plan {
	return &Plan{
		Suites: []string{"mine"}, Model: Model{Type: "llama", Parameters: 12345, Attention: "softpick"}, Directory: "m", Softbench: "devel",
		Command: []string{"run", "mine", "--model", "my model", "--out", "it's", "--resume"},
		Parts: []PlannedPart{
			{"arc_easy", "multiple_choice", 3, 6}, {"piqa", "multiple_choice", 2, 4}, {PasskeyTask, PasskeyTask, 4, 4}, {"diagnostics", "diagnostics", 2, 2},
		},
	}
}

// stopped makes the directory of a run of arc_easy, piqa and a grid that was stopped in piqa.
func stopped(t *testing.T, part string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := CreatePart(dir, part, someSettings(), somePlan())
	if err != nil {
		t.Fatal(err)
	}
	addAll(t, w, someRecords())
	task := someRun().Tasks[0]
	if err := w.AddWhole(Whole{Task: &task}); err != nil {
		t.Fatal(err)
	}
	for request := range 2 {
		addAll(t, w, []Record{{Task: "piqa", Doc: 1, Request: request, Answer: answer.Answer{LogLikelihood: -7.125, ContinuationTokens: 2}}})
	}
	addAll(t, w, []Record{{Task: PasskeyTask, Doc: 3, Answer: answer.Answer{Generated: []int32{1}}}})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func unfinished(t *testing.T, dir string) *Unfinished {
	t.Helper()
	u, err := ReadUnfinished(context.Background(), dir)
	if err != nil || u == nil {
		t.Fatal(u, err)
	}
	return u
}

// TestUnfinishedText pins what people see of a run that was stopped: how far each task is, the results
// of the whole one, and none of a task of which a part is missing.
func TestUnfinishedText(t *testing.T) {
	u := unfinished(t, stopped(t, ""))
	golden(t, "unfinished.txt", unfinishedText(u, 0))
	golden(t, "unfinished-40.txt", unfinishedText(u, 40))
	r := u.Run()
	if len(r.Tasks) != 1 || r.Tasks[0].Name != "arc_easy" || r.Passkey != nil || r.Diagnostics != nil {
		t.Errorf("what is whole of it: %+v", r)
	}
}

// TestUnfinished: what there is of a run in every state that a stop leaves.
func TestUnfinished(t *testing.T) {
	t.Run("cut", func(t *testing.T) {
		// Wherever the journal ends, no task is whole before its last request and its results are there.
		dir := stopped(t, "")
		text := readAll(t, filepath.Join(dir, journalName))
		header := strings.IndexByte(string(text), '\n') + 1
		results := strings.Index(string(text), `{"whole":`)
		for n := header; n < len(text); n += 7 {
			overwrite(t, filepath.Join(dir, journalName), text[:n])
			u := unfinished(t, dir)
			end := results + strings.IndexByte(string(text[results:]), '\n') + 1
			if whole := len(u.Run().Tasks) > 0; whole != (n >= end) || u.Parts[0].Whole != whole {
				t.Fatalf("of %d bytes, of which the results end at %d: %+v", n, end, u.Parts)
			}
			lines := strings.Count(string(text[header:n]), "\n")
			if n >= end {
				lines--
			}
			if done, of := u.Counts(); of != 16 || done != lines {
				t.Fatalf("%d bytes: %d of %d", n, done, of)
			}
		}
		overwrite(t, filepath.Join(dir, journalName), text[:header/2])
		_, err := ReadUnfinished(context.Background(), dir)
		oneLine(t, err, "before its first result", "--resume")
	})
	t.Run("part", func(t *testing.T) {
		u := unfinished(t, stopped(t, "2/3"))
		if len(u.Run().Tasks) != 0 || len(u.Missing()) != 4 || !strings.Contains(u.Title(), "part 2/3") {
			t.Errorf("a task of a part of a run is taken as whole: %+v %s", u.Parts, u.Title())
		}
	})
	t.Run("without a plan", func(t *testing.T) {
		dir, _ := interrupted(t, someRecords())
		u := unfinished(t, dir)
		if _, of := u.Counts(); of != 0 || u.Parts[0].Share() != "–" || u.Parts[0].Begun != 3 || u.Parts[0].Is() != "partly done" || u.Parts[1].Requests != 4 {
			t.Errorf("%+v", u.Parts)
		}
		if u.GoOn() != "go on with it with --resume" {
			t.Error(u.GoOn())
		}
	})
	t.Run("version 4", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "run")
		line, err := appendLine(nil, header{journalOf, 4, "", someSettings(), nil})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		record, _ := appendLine(nil, someRecords()[0])
		overwrite(t, filepath.Join(dir, journalName), append(line, record...))
		if u := unfinished(t, dir); u.Parts[0].Done != 1 {
			t.Errorf("%+v", u.Parts)
		}
		w, _, err := Resume(context.Background(), dir, someSettings())
		if err != nil || w.Resumed() != 1 {
			t.Fatal(err)
		}
		w.Close()
	})
	t.Run("running", func(t *testing.T) {
		dir := stopped(t, "")
		w, _, err := ResumePart(context.Background(), dir, "", someSettings(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if u := unfinished(t, dir); u.State != Running || !strings.Contains(u.Title(), "another process is writing") || strings.Contains(unfinishedText(u, 0), "--resume") {
			t.Errorf("%s", unfinishedText(u, 0))
		}
	})
	t.Run("none", func(t *testing.T) {
		if u, err := ReadUnfinished(context.Background(), t.TempDir()); u != nil || err != nil {
			t.Error(u, err)
		}
	})
}

// TestNotFinishedSaysHow: what wants a finished run says in one line how to go on, as a shell takes it.
func TestNotFinishedSaysHow(t *testing.T) {
	dir := stopped(t, "")
	_, err := Read(context.Background(), dir)
	oneLine(t, err, dir, `go on with it: softbench run mine --model 'my model' --out 'it'\''s' --resume`)
	if not, ok := errors.AsType[*NotFinished](err); !ok || not.State != Interrupted {
		t.Errorf("%T", err)
	}
	_, _, err = Open(context.Background(), dir)
	oneLine(t, err, "softbench run mine")
}

// TestWholeRefused: a line that is not the results of one task is damage, not a result.
func TestWholeRefused(t *testing.T) {
	for name, w := range map[string]Whole{
		"none": {}, "both": {Task: &TaskResult{Name: "a"}, Passkey: []Cell{{Length: 1, N: 1}}}, "no name": {Task: &TaskResult{}},
		"more right than trials": {Passkey: []Cell{{Length: 1, N: 1, Right: 2}}},
	} {
		if err := w.check(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
