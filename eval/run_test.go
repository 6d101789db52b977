package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softbench/softbench/reports/rundir"
)

func mustRun(t *testing.T, o RunOptions) *rundir.Run {
	t.Helper()
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func encode(t *testing.T, r *rundir.Run) []byte {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestRunIsInvariant: batch size, threads and whether a run is kept change
// neither samples nor manifest, down to the byte.
func TestRunIsInvariant(t *testing.T) {
	suites := goldenSuites(t)
	var samples []byte
	var manifest string
	for i, v := range []struct{ batch, threads int }{{512, 1}, {1, 3}, {8192, 3}, {8192, 1}} {
		o := goldenRun(t, suites...)
		o.BatchTokens, o.Model.Threads = v.batch, v.threads
		o.Out = filepath.Join(t.TempDir(), "run")
		r := mustRun(t, o)
		gotSamples, gotManifest, files := outcome(t, o.Out)
		if files != "attention_maps.parquet diagnostics.parquet diagnostics_samples.parquet run.json samples.parquet " {
			t.Errorf("the directory holds %s", files)
		}
		if r.Process.BatchTokens != v.batch || r.Process.Threads != v.threads {
			t.Errorf("ran with %d tokens a batch and %d threads, want %v", r.Process.BatchTokens, r.Process.Threads, v)
		}
		if i == 0 {
			samples, manifest = gotSamples, gotManifest
			continue
		}
		if !bytes.Equal(gotSamples, samples) || gotManifest != manifest {
			t.Errorf("%v differs from 512 tokens a batch on one thread", v)
		}
	}
	o := goldenRun(t, suites...)
	if got, want := decode(t, encode(t, mustRun(t, o))), decode(t, []byte(manifest)); !cmp.Equal(got, want) {
		t.Errorf("a run that is not kept gives another manifest (-want +got):\n%s", cmp.Diff(want, got))
	}
}

// decode is a manifest without its process.
func decode(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, "process")
	if len(fields) == 0 {
		t.Fatal("an empty manifest")
	}
	return fields
}

// TestMetricsAreOfTheSamples recomputes accuracies and perplexities from the
// rows on disk, by hand: the manifest's numbers are theirs.
func TestMetricsAreOfTheSamples(t *testing.T) {
	o := goldenRun(t, "arc_easy", "lambada_openai", "wikitext")
	o.Out = filepath.Join(t.TempDir(), "run")
	r := mustRun(t, o)
	rows, err := rundir.ReadSamples(context.Background(), o.Out)
	if err != nil {
		t.Fatal(err)
	}
	docs, right := map[int32][]float64{}, 0
	gold := map[int32]int32{}
	var lastWord, rolling, words, scored float64
	for _, s := range rows {
		switch s.Task {
		case "arc_easy":
			docs[s.DocID] = append(docs[s.DocID], *s.LogLikelihood)
			gold[s.DocID] = *s.Gold
		case "lambada_openai":
			lastWord += *s.LogLikelihood
			scored++
		case "wikitext":
			rolling += *s.LogLikelihood
			words += float64(*s.Words)
		}
	}
	for id, lls := range docs {
		best := 0
		for k := range lls {
			if lls[k] > lls[best] {
				best = k
			}
		}
		if int32(best) == gold[id] {
			right++
		}
	}
	for _, want := range []struct {
		task, metric string
		value        float64
	}{
		{"arc_easy", "acc", float64(right) / float64(len(docs))},
		{"lambada_openai", "perplexity", math.Exp(-lastWord / scored)},
		{"wikitext", "word_perplexity", math.Exp(-rolling / words)},
	} {
		if got := metricOf(t, r, want.task, want.metric); !(math.Abs(got-want.value) <= 1e-12*want.value) {
			t.Errorf("%s %s: %v in the manifest, %v from its samples", want.task, want.metric, got, want.value)
		}
	}
}

func metricOf(t *testing.T, r *rundir.Run, task, metric string) float64 {
	t.Helper()
	for _, k := range r.Tasks {
		for _, m := range k.Metrics {
			if k.Name == task && m.Name == metric {
				return float64(m.Value)
			}
		}
	}
	t.Fatalf("no %s of %s", metric, task)
	return 0
}

// TestResumeOfACompleteRun computes nothing and changes nothing, and refuses
// other settings.
func TestResumeOfACompleteRun(t *testing.T) {
	o := goldenRun(t, "arc_easy")
	o.Out = filepath.Join(t.TempDir(), "run")
	mustRun(t, o)
	before, err := os.ReadFile(filepath.Join(o.Out, "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	// As a process leaves it that dies after its last step but one.
	if err := os.WriteFile(filepath.Join(o.Out, "journal"), []byte("{}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	o.Resume = true
	o.Progress = func(Progress) { t.Error("something was computed") }
	var notes []string
	o.Note = func(s string) { notes = append(notes, s) }
	r := mustRun(t, o)
	if len(notes) != 1 || !strings.Contains(notes[0], "complete") {
		t.Errorf("notes %q, want one that the run is complete", notes)
	}
	after, err := os.ReadFile(filepath.Join(o.Out, "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(o.Out, "journal")); err == nil {
		t.Error("the journal is left")
	}
	if !bytes.Equal(before, after) || len(r.Tasks) != 1 {
		t.Error("the manifest changed")
	}
	o.Limit = 2
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "limit") || !strings.Contains(err.Error(), "arc_easy") {
		t.Errorf("another --limit: %v, want an error that names it", err)
	}
	o.Resume = false
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("a run into another's directory: %v", err)
	}
}

// TestSettings: what was asked for is in the manifest, a task of two suites is
// run once, and a passkey length that does not fit is noted, not run.
func TestSettings(t *testing.T) {
	suites := goldenSuites(t)
	twice := filepath.Join(t.TempDir(), "twice.yaml")
	if err := os.WriteFile(twice, []byte("name: twice\ntasks: [piqa, arc_easy]\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	o := goldenRun(t, "arc_easy", twice, suites[len(suites)-1])
	o.Limit = 3
	var notes []string
	o.Note = func(s string) { notes = append(notes, s) }
	r := mustRun(t, o)
	if len(r.Tasks) != 2 || r.Tasks[0].Name != "arc_easy" || r.Tasks[1].Name != "piqa" {
		t.Errorf("tasks %v, want arc_easy and piqa once each", r.Tasks)
	}
	for i, s := range r.Settings.Tasks {
		if s.Limit != 3 || s.Documents != 3 || r.Tasks[i].Documents != 3 {
			t.Errorf("%s: limit %d, %d documents, want 3", s.Name, s.Limit, s.Documents)
		}
	}
	if p := r.Settings.Passkey; p == nil || len(p.Lengths) != 2 || len(r.Passkey) != 6 || p.Seed != 7 {
		t.Errorf("passkey settings %+v with %d cells, want two lengths and six cells", p, len(r.Passkey))
	}
	if len(r.Notes) != 2 || !strings.Contains(r.Notes[0], "--limit") || !strings.Contains(r.Notes[1], "4096") || !slices.Equal(notes, r.Notes) {
		t.Errorf("notes %q, told %q: want one of what --limit is not about, and one that names the length that does not fit", r.Notes, notes)
	}

	o = goldenRun(t, "arc_easy")
	zero := mustRun(t, o).Settings.Tasks[0]
	o.FewShot = 1
	one := mustRun(t, o).Settings.Tasks[0]
	if zero.FewShot != 0 || one.FewShot != 1 || one.Data == zero.Data {
		t.Errorf("one example: settings %+v, without: %+v; the requests' hash must differ too", one, zero)
	}
}

// TestClustersInTheRun: questions about one passage are a cluster of the run's
// intervals and of its samples, without a word in the task; the standard error
// stays that of independent documents, as lm-evaluation-harness has it.
func TestClustersInTheRun(t *testing.T) {
	dir := t.TempDir()
	var lines strings.Builder
	for i := range 12 {
		fmt.Fprintf(&lines, `{"passage": "Passage %d is about a thing.", "question": "is question %d about it", "label": %d}`+"\n", i/3, i, i%2)
	}
	path := filepath.Join(dir, "super_glue", "boolq", "validation.jsonl")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	o := goldenRun(t, "boolq")
	o.Data, o.Out = dir, filepath.Join(t.TempDir(), "run")
	task := mustRun(t, o).Tasks[0]
	m := task.Metrics[0]
	want := math.Sqrt(float64(m.Value) * (1 - float64(m.Value)) / 11)
	if task.ClusteredBy != "passage" || m.Clusters != 4 || m.ClusteredStderr == nil || math.Abs(float64(m.Stderr)-want) > 1e-12 {
		t.Errorf("clustered by %q: %+v, want four clusters and the standard error %v", task.ClusteredBy, m, want)
	}
	rows, err := rundir.ReadSamples(context.Background(), o.Out)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, r := range rows {
		seen[r.Cluster]++
	}
	if len(seen) != 4 || seen[""] > 0 {
		t.Errorf("the samples have the clusters %v", seen)
	}
}

// TestProgressAfterResume: the first that a run which goes on tells counts what an earlier process did, is
// of as many tokens as the whole run, and names the task it is in.
func TestProgressAfterResume(t *testing.T) {
	options := func(out string, told func(Progress)) RunOptions {
		o := goldenRun(t, "arc_easy", "lambada_openai")
		o.Out, o.BatchTokens, o.Progress = out, 1, told
		return o
	}
	var whole []Progress
	if _, err := Run(t.Context(), options(filepath.Join(t.TempDir(), "whole"), func(p Progress) { whole = append(whole, p) })); err != nil {
		t.Fatal(err)
	}
	last := whole[len(whole)-1]
	if last.Tokens != last.Of || last.Left != 0 {
		t.Errorf("at the end %+v", last)
	}
	ctx, cancel := context.WithCancel(t.Context())
	dir := filepath.Join(t.TempDir(), "stopped")
	n := 0
	if _, err := Run(ctx, options(dir, func(Progress) {
		if n++; n == 2*len(whole)/3 {
			cancel()
		}
	})); err == nil {
		t.Fatal("the run was not stopped")
	}
	var rest []Progress
	o := options(dir, func(p Progress) { rest = append(rest, p) })
	o.Resume = true
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	first := rest[0]
	if first.Of != last.Of || first.Tokens < last.Of/2 || first.Task == "" && first.Phase != Observing {
		t.Errorf("a run of %d tokens goes on with %+v", last.Of, first)
	}
	if end := rest[len(rest)-1]; end.Tokens != end.Of || end.Of != last.Of || end.Left != 0 {
		t.Errorf("at the end %+v", end)
	}
}
