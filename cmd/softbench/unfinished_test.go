package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/reports/rundir"
)

// TestReportOfAStoppedRun: a run that was stopped within its second task. Every command says what it is:
// report shows the first task's scores, those the finished run has, and none of the second's; ls runs has its share;
// what wants a finished run names the command that goes on, and that command does.
func TestReportOfAStoppedRun(t *testing.T) {
	model := filepath.Join(golden.Dir(t), "tiny")
	t.Chdir(t.TempDir())
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"first", "second"} {
		put(name+".yaml", "name: "+name+"\nkind: multiple_choice\ndataset: {files: {test: "+name+".jsonl}}\n"+
			"context: \"The capital of {{.country}} is\"\nchoices: cities\ngold: {field: answer}\n")
		var docs strings.Builder
		for i := range 20 {
			docs.WriteString(`{"country": "` + name + strings.Repeat("a", i) + `", "cities": ["Rome", "Paris"], "answer": 1}` + "\n")
		}
		put(name+".jsonl", docs.String())
	}
	sb := func(args ...string) (string, string, int) {
		var out, errs bytes.Buffer
		code := execute(t.Context(), args, streams{strings.NewReader(""), &out, &errs})
		return out.String(), errs.String(), code
	}
	command := []string{"run", "first.yaml", "second.yaml", "--model", model, "--device", "cpu", "--out", "runs/stopped", "--batch-tokens", "1", "--resume"}
	ctx, cancel := context.WithCancel(t.Context())
	second := 0
	_, err := eval.Run(ctx, eval.RunOptions{
		Suites: []string{"first.yaml", "second.yaml"}, Model: eval.ModelOptions{Model: model, Device: "cpu", DType: "auto"}, Out: "runs/stopped",
		BatchTokens: 1, Note: func(string) {}, Command: command, Given: []string{"batch-tokens"},
		Progress: func(p eval.Progress) {
			if p.Task == "second" {
				if second++; second == 40 {
					cancel()
				}
			}
		},
	})
	if state, _ := rundir.StateOf("runs/stopped"); err == nil || state != rundir.Interrupted {
		t.Fatalf("%v, state %v: the run was not stopped", err, state)
	}
	table, _, code := sb("report", "runs/stopped")
	again := "softbench " + strings.Join(command, " ")
	for _, want := range []string{"NOT FINISHED", "To go on with it: " + again, "40 of 40  100.0%  whole", "partly done", "missing: second"} {
		if code != 0 || !strings.Contains(table, want) {
			t.Fatalf("exit code %d, %q is not in\n%s", code, want, table)
		}
	}
	_, said, code := sb("report", "runs/stopped", "-o", "page.html", "--offline")
	if page, err := os.ReadFile("page.html"); code != 0 || err != nil || !strings.Contains(said, "NOT FINISHED") || !bytes.Contains(page, []byte("How far it is")) {
		t.Errorf("exit code %d: %s", code, said)
	}
	list, _, _ := sb("ls", "runs", "runs", "--json")
	var l listing
	if err := json.Unmarshal([]byte(list), &l); err != nil || len(l.Runs) != 1 {
		t.Fatal(err, list)
	}
	if r := l.Runs[0]; r.State != "interrupted" || r.Requests != 80 || r.Done < 41 || r.Done > 79 || len(r.Suites) != 2 || r.Model != "tiny" {
		t.Errorf("listed as %+v", r)
	}
	if text, _, _ := sb("ls", "runs", "runs"); !strings.Contains(text, "% done") {
		t.Errorf("the list has no share:\n%s", text)
	}
	for _, args := range [][]string{{"compare", "runs/stopped", "runs/stopped"}, {"gate", "runs/stopped", "--baseline", "b.json", "--update"}, {"export", "runs/stopped", "--format", "csv"}} {
		out, said, code := sb(args...)
		if code != exitMisuse || out != "" || strings.Count(said, "\n") != 1 || !strings.Contains(said, again) {
			t.Errorf("%s: exit code %d, %q %q", args[0], code, out, said)
		}
	}
	if out, said, code := sb(command...); code != 0 || !strings.Contains(out, "from before the run was resumed") {
		t.Fatalf("exit code %d: %s %s", code, out, said)
	}
	// The scores that were shown of the whole task are those of the finished run.
	whole, _, _ := sb("report", "runs/stopped")
	found := 0
	for _, line := range strings.Split(table, "\n") {
		if strings.HasPrefix(line, "first ") && strings.Contains(line, "↑") {
			found++
			if squeezed := strings.Join(strings.Fields(line), " "); !strings.Contains(strings.Join(strings.Fields(whole), " "), squeezed) {
				t.Errorf("%q is not in\n%s", line, whole)
			}
		}
	}
	if found != 3 || strings.Contains(whole, "NOT FINISHED") {
		t.Errorf("%d scores of the whole task in\n%s", found, table)
	}
	// Among several a stopped one is left out, and the page and a note say so.
	if err := os.Rename("runs/stopped", "runs/done"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	_, err = eval.Run(ctx, eval.RunOptions{Suites: []string{"first.yaml"}, Model: eval.ModelOptions{Model: model, Device: "cpu", DType: "auto"}, Out: "runs/half", BatchTokens: 1, Note: func(string) {}, Progress: func(eval.Progress) { cancel() }})
	if err == nil {
		t.Fatal("the run was not stopped")
	}
	_, said, code = sb("report", "runs/done", "runs/half", "-o", "both.html", "--offline")
	if page, _ := os.ReadFile("both.html"); code != 0 || !strings.Contains(said, "left out: runs/half: the run is not finished") || !bytes.Contains(page, []byte("left out: runs/half")) {
		t.Errorf("exit code %d: %s", code, said)
	}
	if _, said, code = sb("report", "runs/done", "runs/half", "--baseline", "runs/half", "-o", "none.html"); code != exitMisuse || !strings.Contains(said, "runs/half: the run is not finished") {
		t.Errorf("with a baseline that is not finished: exit code %d: %s", code, said)
	}
}

// TestCommandAgain: the command that goes on with a run is the one that began it, word by word.
func TestCommandAgain(t *testing.T) {
	var got []string
	cmd := newRun(streams{}, func(o *runOptions, _ context.Context) error { got = o.run.Command; return nil })
	cmd.SetArgs([]string{"a", "b c", "--model", "-m", "--limit", "0.1", "--merge", "x,y", "--download=false", "--skip-missing", "--resume"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	want := "a|b c|--download=false|--limit|0.1|--merge|x|--merge|y|--model=-m|--skip-missing|--resume"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("%s, want %s", s, want)
	}
}

// TestDownloadCommand: where documents of several tasks are not here, all are named at once, with
// the command that downloads them as a shell takes it: the user's own words, and no other.
func TestDownloadCommand(t *testing.T) {
	model, empty := filepath.Join(golden.Dir(t), "tiny"), filepath.Join(t.TempDir(), "it's empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HF_HOME", empty)
	t.Setenv("HF_DATASETS_CACHE", empty)
	t.Setenv("HF_HUB_CACHE", empty)
	said := func(args ...string) string {
		var out bytes.Buffer
		args = append([]string{"run", "arc_easy", "piqa"}, args...)
		if code := execute(t.Context(), append(args, "--model", model, "--data", empty), streams{strings.NewReader(""), &out, &out}); code != exitMisuse {
			t.Errorf("%q: exit code %d", args, code)
		}
		s := out.String()
		if note, rest, found := strings.Cut(s, "\n"); found && strings.HasPrefix(note, "note: ") {
			s = rest // that --resume begins a run
		}
		if !strings.Contains(s, "no documents for 2 of 2 tasks: arc_easy (") || !strings.Contains(s, "piqa (") || strings.Count(s, "\n") != 1 {
			t.Errorf("%q: %s", args, s)
		}
		return strings.TrimSuffix(s, "\n")
	}
	again := "softbench run arc_easy piqa --data '" + strings.ReplaceAll(empty, "'", `'\''`) + "' "
	for given, want := range map[string]string{
		"--limit=5":                     again + "--limit 5 --model " + model + " --download",
		"--limit=5 --download=false":    again + "--limit 5 --model " + model + " --download",
		"--resume --out=" + empty + "2": again + "--model " + model + " --out '" + strings.ReplaceAll(empty, "'", `'\''`) + "2' --resume --download",
	} {
		args := []string{}
		for _, a := range strings.Split(given, " --") {
			args = append(args, "--"+strings.TrimPrefix(a, "--"))
		}
		if s := said(args...); !strings.HasSuffix(s, "; those of the hub are downloaded by: "+want) {
			t.Errorf("%s: %s\nwant %s", given, s, want)
		}
	}
}
