package eval

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/metric"
)

// A new kind of task is one row of tasks.Kinds and its metrics' rows: it is parsed, asked,
// scored, kept in a run and compared, without another line of code. docs/extending.md says so.
func TestANewKindIsOneRow(t *testing.T) {
	// backwards asks how likely a text is and how likely its words are in reverse; the metric is
	// whether the text is likelier as it stands.
	const backwards tasks.Kind = "backwards"
	tasks.Kinds = append(slices.Clone(tasks.Kinds), tasks.KindRow{
		Name: backwards, Harness: "loglikelihood",
		Keys: func(map[string]bool) (need, may []string) { return nil, nil },
		Requests: func(_ *tasks.Task, r data.Row, doc *tasks.Doc) error {
			v, err := r.Get("sentence")
			if err != nil {
				return err
			}
			words := strings.Fields(fmt.Sprint(v))
			reversed := slices.Clone(words)
			slices.Reverse(reversed)
			for _, w := range [][]string{words, reversed} {
				doc.Requests = append(doc.Requests, tasks.Request{Continuation: strings.Join(w, " ")})
			}
			return nil
		},
	})
	metric.Table = append(slices.Clone(metric.Table), metric.Metric{
		Name: "likelier", HigherIsBetter: true, Formula: metric.Mean, Unit: metric.Share, Kinds: []metric.Kind{backwards}, Harness: "mean",
		Value: func(_ *metric.Metric, d metric.Document) (float64, bool) {
			if d.Answers[0].LogLikelihood > d.Answers[1].LogLikelihood {
				return 1, true
			}
			return 0, true
		},
	})
	t.Cleanup(func() {
		tasks.Kinds, metric.Table = tasks.Kinds[:len(tasks.Kinds)-1], metric.Table[:len(metric.Table)-1]
	})

	if _, err := tasks.Parse([]byte("name: toy\nkind: backwards\ntext: t\ndataset: {path: d}\n"), "toy.yaml"); err == nil || !strings.Contains(err.Error(), `"text" has no use`) {
		t.Errorf("a key that the kind has no use for: %v", err)
	}
	dir := t.TempDir()
	var lines strings.Builder
	for i := range 40 {
		fmt.Fprintf(&lines, "{\"sentence\": \"one two %d\"}\n", i)
	}
	if err := os.WriteFile(filepath.Join(dir, "d.jsonl"), []byte(lines.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	task, err := tasks.Parse([]byte("name: toy\nkind: backwards\ndataset: {files: {test: d.jsonl}}\n"), filepath.Join(dir, "toy.yaml"))
	if err != nil || !slices.Equal(task.MetricNames, []string{"likelier"}) || task.TakesExamples() {
		t.Fatalf("the task is %+v: %v", task, err)
	}
	docs, _, err := task.Documents(t.Context(), data.Source{}, tasks.Options{})
	if err != nil || len(docs) != 40 || docs[7].Requests[1].Continuation != "7 two one" {
		t.Fatalf("%d documents: %v", len(docs), err)
	}
	side := func(name string, turned float64) *compare.Side {
		w := &Work{Tasks: []TaskWork{{Entry: configs.Entry{Task: task}, Docs: docs}}}
		j := newJournal()
		for i := range docs {
			for k, ll := range []float64{-3, turned} {
				j.records[recordKey{"toy", i, k}] = rundir.Record{Answer: answer.Answer{LogLikelihood: ll, ContinuationTokens: 3}}
			}
		}
		run := &rundir.Run{Schema: rundir.Schema, Settings: rundir.Settings{MaxLength: 64}}
		samples, err := w.report(run, j, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := compare.FromRun(name, run, samples)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	c, err := compare.Compare(side("A", -2), side("B", -4), compare.Options{Draws: 500})
	if err != nil {
		t.Fatal(err)
	}
	if m := c.Metrics[0]; m.Metric != "likelier" || m.Difference != 1 || m.Verdict != compare.Better {
		t.Errorf("compared as %+v", m)
	}
}
