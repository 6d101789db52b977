package compare

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/lmeval"
)

const harnessResults = "../lmeval/testdata/harness/tiny/results_2026-01-01T00-00-00.000000.json"

// Results are taken by any path that leads to them, and are equal to themselves.
func TestResultsByPath(t *testing.T) {
	for _, path := range []string{harnessResults, filepath.Dir(harnessResults), "../lmeval/testdata/harness", "../lmeval/testdata/named", "../lmeval/testdata/named/res.json"} {
		s, err := Open(context.Background(), path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if _, err := Compare(s, s, Options{}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{file: "its name does not end in .json", file + ".json": "no such file", filepath.Dir(file): "no run here"} {
		if _, err := Open(context.Background(), path); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "run.json: not a directory") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A task under a name of its own is taken as its alias where the other side has that,
// or as what the user says.
func TestRename(t *testing.T) {
	named, err := Open(context.Background(), "../lmeval/testdata/named")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := Open(context.Background(), harnessResults)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(a *Side, o *Options)
		note   string
		err    string
	}{
		"alias":  {func(*Side, *Options) {}, "task my_arc of tiny is taken as arc_easy", ""},
		"mapped": {func(a *Side, o *Options) { a.Tasks[0].Alias = ""; o.Map = map[string]string{"my_arc": "arc_easy"} }, "task my_arc of tiny is taken as arc_easy", ""},
		"another version": {func(a *Side, o *Options) {
			a.Tasks[0].MustMatch = map[string]string{"version": "77", "fewshot": "0"}
			o.Map = map[string]string{"my_arc": "arc_easy"}
		}, "taken as arc_easy", ""},
		"alias, version":          {func(a *Side, o *Options) { a.Tasks[0].MustMatch = map[string]string{"version": "77"} }, "", "version is 77"},
		"no alias":                {func(a *Side, o *Options) { a.Tasks[0].Alias = ""; o.Intersect = false }, "", "only A has my_arc"},
		"hint":                    {func(a *Side, o *Options) { a.Tasks[0].Alias = ""; o.Intersect = false }, "", "by --map my_arc="},
		"hint, nothing in common": {func(a *Side, o *Options) { a.Tasks = a.Tasks[:1]; a.Tasks[0].Alias = "" }, "", "by --map my_arc="},
		"hint, version":           {func(a *Side, o *Options) { a.Tasks[0].MustMatch = map[string]string{"version": "77"} }, "", "--map my_arc=arc_easy takes it as a copy"},
		"another document":        {func(a *Side, o *Options) { o.Map = map[string]string{"my_arc": "piqa"} }, "", "no document is in both"},
		"not there":               {func(a *Side, o *Options) { o.Map = map[string]string{"arc": "arc_easy"} }, "", "neither side has results of lm-evaluation-harness for a task arc"},
		"two of a name":           {func(a *Side, o *Options) { o.Map = map[string]string{"my_arc": "lambada_openai"} }, "", "it has a task of that name"},
	} {
		t.Run(name, func(t *testing.T) {
			a := *named
			a.Tasks = append([]Task{}, named.Tasks...)
			o := Options{Intersect: true}
			c.change(&a, &o)
			got, err := Compare(&a, whole, o)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(got.Notes, "\n"), c.note) || got.Metrics[0].Task != "arc_easy" || got.Metrics[0].N != 2 {
				t.Errorf("%q, %+v", got.Notes, got.Metrics[0])
			}
			if a.Tasks[0].Name != "my_arc" {
				t.Error("the side itself was changed")
			}
		})
	}
}

// A metric that the results state as NaN is left out with a note; the others stay.
func TestMetricNotANumber(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Dir(harnessResults))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, filepath.Base(harnessResults))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(b), `"perplexity,none": `) + len(`"perplexity,none": `)
	end := at + strings.Index(string(b[at:]), ",")
	if err := os.WriteFile(path, []byte(string(b[:at])+"NaN"+string(b[end:])), 0o666); err != nil {
		t.Fatal(err)
	}
	if !lmeval.Is(path) {
		t.Fatal("no results")
	}
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if task := s.Task("lambada_openai"); task == nil || len(task.Metrics) != 1 || task.Metrics[0].Name != "acc" || !strings.Contains(strings.Join(s.Notes, "; "), "perplexity is left out: it is stated as NaN") {
		t.Errorf("%+v, %q", task, s.Notes)
	}
}
