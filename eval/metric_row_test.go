package eval

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/export"
	"github.com/softbench/softbench/reports/gate"
	"github.com/softbench/softbench/reports/html"
	"github.com/softbench/softbench/reports/lmeval"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/metric"
)

// A new metric is one row of metric.Table: it is scored, aggregated, kept in a run, compared,
// gated, exported and shown, without another line of code. docs/extending.md says so.
func TestANewMetricIsOneRow(t *testing.T) {
	words, ok := metric.Find("acc")
	if !ok {
		t.Fatal("no acc")
	}
	toy := *words
	toy.Name, toy.Column, toy.Named = "acc_words", "", true
	toy.Length = func(choice string) int { return max(1, len(strings.Fields(choice))) }
	metric.Table = append(slices.Clone(metric.Table), toy)
	t.Cleanup(func() { metric.Table = metric.Table[:len(metric.Table)-1] })

	task, err := tasks.Parse([]byte("name: toy\nkind: multiple_choice\ndataset: {files: {test: d.jsonl}}\ncontext: '{{.q}}'\nchoices: c\ngold: 0\nmetrics: [acc, acc_words]\n"), "toy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	side := func(name string, second float64) (*compare.Side, html.Run) {
		w := &Work{Tasks: []TaskWork{{Entry: configs.Entry{Task: task}}}}
		j := newJournal()
		for i := range 40 {
			d := tasks.Doc{ID: i, Hash: fmt.Sprint("document ", i), Gold: 1, Requests: []tasks.Request{
				{Context: fmt.Sprint("q", i), Continuation: " one", Choice: "one"}, {Context: fmt.Sprint("q", i), Continuation: " two words", Choice: "two words"}}}
			w.Tasks[0].Docs = append(w.Tasks[0].Docs, d)
			j.records[recordKey{"toy", i, 0}] = rundir.Record{Answer: answer.Answer{LogLikelihood: -2, ContextTokens: 1, ContinuationTokens: 1}}
			j.records[recordKey{"toy", i, 1}] = rundir.Record{Answer: answer.Answer{LogLikelihood: second, ContextTokens: 1, ContinuationTokens: 2}}
		}
		run := &rundir.Run{Schema: rundir.Schema, Settings: rundir.Settings{MaxLength: 64, Tasks: []rundir.TaskSettings{{Name: "toy", Digest: "d"}}}}
		samples, err := w.report(run, j, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := compare.FromRun(name, run, samples)
		if err != nil {
			t.Fatal(err)
		}
		return s, html.Run{Name: name, Manifest: run, Samples: samples}
	}
	// A is wrong by both, B by the sum alone: -3 in two words is better than -2 in one.
	a, runA := side("A", -9)
	b, runB := side("B", -3)
	if m := runB.Manifest.Tasks[0].Metrics; len(m) != 2 || m[0].Value != 0 || m[1].Name != "acc_words" || m[1].Value != 1 || !m[1].HigherIsBetter {
		t.Fatalf("the run's metrics are %+v", m)
	}

	c, err := compare.Compare(a, b, compare.Options{Draws: 500})
	if err != nil {
		t.Fatal(err)
	}
	if m := c.Metrics[1]; m.Metric != "acc_words" || m.Difference != 1 || m.Verdict != compare.Better {
		t.Errorf("compared as %+v", m)
	}
	baseline, err := gate.Make(a, nil, nil)
	if err != nil || len(baseline.Tasks[0].Metrics) != 2 || baseline.Tasks[0].Metrics[1].Formula != metric.Mean {
		t.Errorf("the baseline is %+v: %v", baseline, err)
	}
	dir := t.TempDir()
	if _, err := lmeval.Write(dir, "m", runB.Manifest, runB.Samples, nil); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "samples_toy_*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatalf("exported %v: %v", files, err)
	}
	if text, err := os.ReadFile(files[0]); err != nil || !bytes.Contains(text, []byte(`"acc_words":1.0`)) {
		t.Errorf("the harness's samples lack the metric: %v\n%.600s", err, text)
	}
	var csv bytes.Buffer
	if err := export.WriteCSV(&csv, []*compare.Side{b}); err != nil || !strings.Contains(csv.String(), "acc_words") {
		t.Errorf("the table lacks the metric: %v\n%s", err, csv.String())
	}
	var page bytes.Buffer
	if err := html.Write(&page, html.Page{Runs: []html.Run{runA, runB}, Comparison: c}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`>100.0%<`, `&#43;100.0</data>`, `"acc_words":"better"`, `"acc_words":-1.5`, `"acc_words"]`} { // a share, not a number of its own
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if v, _, ok := rundir.Value(&toy, runB.Samples[:2]); !ok || math.IsNaN(v) || v != 1 {
		t.Errorf("the run's rows give %v, %v", v, ok)
	}
}
