package export

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/lmeval"
)

// A run through the harness's files and back has the same scores to the last bit,
// the same answers, and no difference in any document.
func TestHarnessRoundTrip(t *testing.T) {
	run, rows := madeRun(5, 40, 0.6)
	dir := t.TempDir()
	path, err := lmeval.Write(dir, "a model", run, rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := lmeval.Open(context.Background(), path) // checks its hashes over the samples
	if err != nil {
		t.Fatal(err)
	}
	if r.Model != "a model" || r.MaxLength != 256 || len(r.Tasks) != len(run.Tasks) {
		t.Fatalf("model %q, length %d, %d tasks", r.Model, r.MaxLength, len(r.Tasks))
	}
	next := 0
	for i := range run.Tasks {
		want, got := &run.Tasks[i], &r.Tasks[i]
		if got.Name != want.Name || got.Version != "1.0" || len(got.Metrics) != len(want.Metrics) || len(got.Samples) != want.Documents {
			t.Fatalf("%s: version %q, %d metrics, %d samples", got.Name, got.Version, len(got.Metrics), len(got.Samples))
		}
		for k, m := range want.Metrics {
			g := got.Metrics[k]
			if g.Name != m.Name || g.Filter != "none" || g.Value != float64(m.Value) || g.HigherIsBetter != m.HigherIsBetter ||
				!(g.Stderr == float64(m.Stderr) || math.IsNaN(g.Stderr) && math.IsNaN(float64(m.Stderr))) {
				t.Errorf("%s: %+v, want %+v", want.Name, g, m)
			}
		}
		for d := range got.Samples {
			s := &got.Samples[d]
			if s.DocHash != rows[next].DocHash || s.Source != rows[next].DocHash {
				t.Errorf("%s document %d has hash %s and %v, want %s", want.Name, d, s.DocHash, s.Source, rows[next].DocHash)
			}
			for q, a := range s.Responses {
				row := &rows[next+q]
				if a.LogLikelihood != *row.LogLikelihood || row.IsGreedy != nil && a.Greedy != *row.IsGreedy {
					t.Errorf("%s document %d request %d: %+v, want %v", want.Name, d, q, a, *row.LogLikelihood)
				}
				if row.Context != nil && s.Requests[q] != (lmeval.Request{Context: *row.Context, Continuation: *row.Continuation}) {
					t.Errorf("%s document %d request %d: %+v", want.Name, d, q, s.Requests[q])
				}
			}
			next += len(s.Responses)
		}
	}
	if next != len(rows) {
		t.Errorf("%d answers of %d", next, len(rows))
	}
	back, err := compare.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := compare.Compare(side(t, "run", run, rows), back, compare.Options{Draws: 200})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Metrics) != 6 {
		t.Errorf("%d metrics are compared: notes %q", len(c.Metrics), c.Notes)
	}
	for _, m := range c.Metrics {
		if m.N != 40 || m.Difference != 0 || m.P != 1 || m.Verdict != compare.Noise || !m.Identical {
			t.Errorf("%+v", m)
		}
	}
}

// Loglikelihoods come back to the last bit, whatever their size.
func TestHarnessNumbers(t *testing.T) {
	values := []float64{-1, -0.1, -1e-5, -5e-324, -1e16, -1.5e300, -1.0 / 3, math.Copysign(0, -1), -123456789.125, -math.MaxFloat64, 0}
	run, rows := madeRun(1, len(values), 0.5)
	for i := range rows {
		if rows[i].Task == "last" {
			rows[i].LogLikelihood = &values[rows[i].DocID]
		}
	}
	path, err := lmeval.Write(t.TempDir(), "m", run, rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := lmeval.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	for d, s := range r.Tasks[1].Samples {
		if got := s.Responses[0].LogLikelihood; math.Float64bits(got) != math.Float64bits(values[d]) {
			t.Errorf("%v comes back as %v", values[d], got)
		}
	}
}

// Whatever the model is called, its files lie below the directory and its name
// comes back.
func TestHarnessNames(t *testing.T) {
	for _, name := range append(hostile, "..", ".", "", "/", "../../outside", "a/b", `C:\x`, strings.Repeat("ü", 40)) {
		run, rows := madeRun(1, 3, 0.5)
		root := t.TempDir()
		dir := filepath.Join(root, "in", "here")
		path, err := lmeval.Write(dir, name, run, rows, nil)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		files := 0
		if err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				files++
				if in, err := filepath.Rel(dir, p); err != nil || !filepath.IsLocal(in) || strings.Count(in, string(filepath.Separator)) != 1 {
					t.Errorf("%q: file %s", name, p)
				}
			}
			return err
		}); err != nil || files != 4 {
			t.Errorf("%q: %d files, %v", name, files, err)
		}
		r, err := lmeval.Open(context.Background(), path)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if want := string([]rune(name)); r.Model != want && name != "" {
			t.Errorf("%q comes back as %q", name, r.Model)
		}
	}
}

// The files of a small run in full. SOFTBENCH_UPDATE=1 writes them anew.
func TestHarnessGolden(t *testing.T) {
	run, rows := madeRun(2, 2, 0.6)
	dir := t.TempDir()
	path, err := lmeval.Write(dir, "org/model", run, rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "== %s/%s\n%s", filepath.Base(filepath.Dir(path)), e.Name(), text)
	}
	golden(t, "lm-eval.txt", b.String())
}
