package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/reports/rundir"
)

// A compare that was stopped, and whose documents changed before it is given again,
// computes anew beside what is there.
func TestCompareAfterDocumentsChanged(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	model := filepath.Join(golden.Dir(t), "tiny")
	t.Chdir(t.TempDir())
	task := `name: capitals
kind: multiple_choice
dataset: {files: {test: mine.jsonl}}
context: "The capital of {{.country}} is"
choices: cities
gold: {field: answer}
`
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	documents := strings.Repeat(`{"country": "France", "cities": ["Rome", "Paris"], "answer": 1}`+"\n", 20)
	put("mine.yaml", task)
	put("mine.jsonl", documents)
	compare := func() (string, int) {
		var out, errs bytes.Buffer
		code := execute(t.Context(), []string{"compare", model, model, "--suite", "mine.yaml", "--runs", "kept"}, streams{strings.NewReader(""), &out, &errs})
		return errs.String(), code
	}
	if text, code := compare(); code != 0 {
		t.Fatal(text)
	}
	runs, err := os.ReadDir("kept")
	if err != nil || len(runs) != 1 {
		t.Fatal(runs, err)
	}
	kept := filepath.Join("kept", runs[0].Name())
	if err := os.RemoveAll(kept); err != nil {
		t.Fatal(err)
	}
	// The same run, stopped after its first batch.
	ctx, cancel := context.WithCancel(t.Context())
	_, err = eval.Run(ctx, eval.RunOptions{
		Suites: []string{"mine.yaml"}, Model: eval.ModelOptions{Model: model, Device: "auto", DType: "auto"}, Out: kept, Resume: true,
		BatchTokens: 1, Note: func(string) {}, Progress: func(eval.Progress) { cancel() },
	})
	if state, _ := rundir.StateOf(kept); err == nil || state != rundir.Interrupted {
		t.Fatalf("%v, state %v: the run was not stopped", err, state)
	}
	put("mine.jsonl", strings.Replace(documents, "France", "Italy", 1))
	for range 2 {
		if text, code := compare(); code != 0 {
			t.Fatalf("exit code %d: %s", code, text)
		}
	}
	if state, _ := rundir.StateOf(kept); state != rundir.Interrupted {
		t.Error("what was done before was not left alone")
	}
}
