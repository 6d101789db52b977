package lmeval

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	harnessDir  = "testdata/harness/tiny"
	harnessDate = "2026-01-01T00-00-00.000000"
)

// The harness's own files: every task, metric and sample, with the hashes over
// them, and metrics that follow from the samples.
func TestHarnessFiles(t *testing.T) {
	for _, path := range []string{"testdata/harness", harnessDir, filepath.Join(harnessDir, "results_"+harnessDate+".json")} {
		r, err := Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		if r.Version != "0.4.13" || r.Date != harnessDate || r.MaxLength != 256 || r.Tokens == "" || len(r.Tasks) != 4 {
			t.Fatalf("%s: version %q, date %q, length %d, tokens %q, %d tasks", path, r.Version, r.Date, r.MaxLength, r.Tokens, len(r.Tasks))
		}
		for i, want := range []struct {
			name      string
			documents int
			metrics   string
			requests  int
		}{
			{"arc_easy", 13, "acc+ acc_norm+", 2}, {"piqa", 12, "acc+ acc_norm+", 2}, {"lambada_openai", 19, "perplexity- acc+", 1},
			{"wikitext", 5, "word_perplexity- byte_perplexity- bits_per_byte-", 1},
		} {
			task := &r.Tasks[i]
			var metrics []string
			for _, m := range task.Metrics {
				metrics = append(metrics, m.Key()+map[bool]string{true: "+", false: "-"}[m.HigherIsBetter])
			}
			if task.Name != want.name || len(task.Samples) != want.documents || strings.Join(metrics, " ") != want.metrics {
				t.Errorf("%s: %d samples, %q", task.Name, len(task.Samples), metrics)
			}
			for d := range task.Samples {
				s := &task.Samples[d]
				if s.DocID != d || s.Filter != "none" || len(s.Doc) == 0 || len(s.Requests) < want.requests || len(s.Values) != len(task.Metrics) || s.DocHash == "" {
					t.Errorf("%s: sample %+v", task.Name, s)
				}
				if task.Name != "wikitext" && len(s.Responses) != len(s.Requests) {
					t.Errorf("%s document %d: %d answers to %d requests", task.Name, d, len(s.Responses), len(s.Requests))
				}
			}
			for _, m := range task.Metrics {
				var sum, weight float64
				for _, s := range task.Samples {
					for _, v := range s.Values {
						if v.Metric == m.Name {
							sum += v.Value
							weight += v.Weight
						}
					}
				}
				got := sum / weight
				switch {
				case strings.HasSuffix(m.Name, "perplexity"):
					got = math.Exp(-got)
				case m.Name == "bits_per_byte":
					got = -got / math.Ln2
				}
				if math.Abs(got-m.Value) > 1e-9*m.Value {
					t.Errorf("%s %s is %v, its samples give %v", task.Name, m.Name, m.Value, got)
				}
			}
		}
	}
}

// Files that were changed, cut or are something else: one line that says which,
// where and why.
func TestBrokenFiles(t *testing.T) {
	results, arc := "results_"+harnessDate+".json", "samples_arc_easy_"+harnessDate+".jsonl"
	for name, c := range map[string]struct {
		file, old, new string // old "": cut off at 3/4
		want           []string
	}{
		"results cut off":     {results, "", "", []string{results, "not a results file", "line "}},
		"no results":          {results, `"results": {`, `"outcome": {`, []string{results, "it has no results"}},
		"results no object":   {results, `"piqa": {`, `"piqa": [], "x": {`, []string{results, "task piqa"}},
		"a task twice":        {results, `"piqa": {`, `"arc_easy": {`, []string{results, `"arc_easy" twice`}},
		"shots in words":      {results, `"n-shot": {` + "\n" + `    "arc_easy": 0`, `"n-shot": {"arc_easy": "none"`, []string{results, "arc_easy", "n-shot"}},
		"not UTF-8":           {results, `"arc_easy"`, "\"\xff\"", []string{results, "UTF-8"}},
		"samples cut off":     {arc, "", "", []string{arc, "line 10", "cut off"}},
		"a document twice":    {arc, `"doc_id": 1,`, `"doc_id": 0,`, []string{arc, "line 2", "document 0 is there twice, first on line 1"}},
		"no number":           {arc, `"doc_id": 1,`, `"doc_nr": 1,`, []string{arc, "line 2", "doc_id"}},
		"a negative number":   {arc, `"doc_id": 1,`, `"doc_id": -1,`, []string{arc, "line 2", "doc_id"}},
		"NaN as text":         {arc, `"filtered_resps": [["-0.06285429000854492"`, `"filtered_resps": [["nan"`, []string{arc, "line 1", "request 0 is NaN"}},
		"above 0":             {arc, `"filtered_resps": [["-0.06285429000854492"`, `"filtered_resps": [["0.5"`, []string{arc, "line 1", "request 0 is 0.5"}},
		"a metric twice":      {arc, `"metrics": ["acc", "acc_norm"]`, `"metrics": ["acc", "acc"]`, []string{arc, "line 1", `"acc" is there twice`}},
		"other samples":       {arc, `"doc_hash": "3`, `"doc_hash": "4`, []string{arc, "not the samples that the results file was written with"}},
		"arguments of a sort": {arc, `"arguments": {`, `"arguments": 7, "x": {`, []string{arc, "line 1", "arguments"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			entries, err := os.ReadDir(harnessDir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				b, err := os.ReadFile(filepath.Join(harnessDir, e.Name()))
				if err != nil {
					t.Fatal(err)
				}
				if text := string(b); e.Name() == c.file {
					if !strings.Contains(text, c.old) {
						t.Fatalf("%s has no %q", c.file, c.old)
					}
					if b = []byte(strings.Replace(text, c.old, c.new, 1)); c.old == "" {
						b = b[:len(b)*3/4]
					}
				}
				if err := os.WriteFile(filepath.Join(dir, e.Name()), b, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			_, err = Open(context.Background(), dir)
			if err == nil {
				t.Fatal("read")
			}
			for _, w := range append(c.want, dir) {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is not one line", err)
			}
		})
	}
}

// What Python writes and reads though JSON has no such number is read as Python does:
// an error that is not a number is absent, as "N/A" is, a metric keeps its value, and
// where nobody looks nothing is wrong.
func TestNotNumbers(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(harnessDir, "results_"+harnessDate+".json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		field, value   string
		stderr, metric float64 // NaN where not a number
	}{
		{`"perplexity_stderr,none": `, "NaN", math.NaN(), 0}, {`"perplexity_stderr,none": `, `"N/A"`, math.NaN(), 0}, {`"perplexity_stderr,none": `, "Infinity", math.NaN(), 0},
		{`"perplexity_stderr,none": `, "-Infinity", math.NaN(), 0}, {`"perplexity_stderr,none": `, "null", math.NaN(), 0}, {`"perplexity_stderr,none": `, "0.25", 0.25, 0},
		{`"perplexity,none": `, "Infinity", 0, math.Inf(1)}, {`"perplexity,none": `, "NaN", 0, math.NaN()}, {`"date": `, "NaN", 0, 0}, {`"max_length": `, "Infinity", 0, 0},
		{`"tokenizer_pad_token": `, "[\"NaN\", Infinity], \"other\": ", 0, 0},
	} {
		at := strings.Index(string(text), c.field)
		if at < 0 {
			t.Fatalf("no %s", c.field)
		}
		at += len(c.field)
		end := at + strings.IndexAny(string(text[at:]), ",\n")
		if strings.HasSuffix(c.value, ": ") {
			end = at
		}
		r, _, err := parseResults([]byte(string(text[:at]) + c.value + string(text[end:])))
		if err != nil {
			t.Errorf("%s%s: %v", c.field, c.value, err)
			continue
		}
		for _, task := range r.Tasks {
			if task.Name != "lambada_openai" {
				continue
			}
			m := task.Metrics[0]
			if m.Name != "perplexity" {
				t.Fatalf("%+v", task.Metrics)
			}
			if strings.Contains(c.field, "stderr") && m.Stderr != c.stderr && !(math.IsNaN(m.Stderr) && math.IsNaN(c.stderr)) {
				t.Errorf("%s%s: the error is %v", c.field, c.value, m.Stderr)
			}
			if c.metric != 0 && m.Value != c.metric && !(math.IsNaN(m.Value) && math.IsNaN(c.metric)) {
				t.Errorf("%s%s: the value is %v", c.field, c.value, m.Value)
			}
		}
	}
}

// What --output_path res.json writes is found by that name, by its file's and by its
// directory; a file of a name of its own finds its samples by their hash.
func TestNamedResults(t *testing.T) {
	const named = "testdata/named"
	for _, path := range []string{named, named + "/res.json", named + "/res_" + harnessDate + ".json"} {
		if !Is(path) {
			t.Errorf("%s holds no results", path)
		}
		r, err := Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		if r.Date != harnessDate || len(r.Tasks) != 2 || r.Tasks[0].Name != "my_arc" || r.Tasks[0].Alias != "arc_easy" || r.Tasks[1].Alias != "" || len(r.Tasks[0].Samples) != 2 {
			t.Errorf("%s: %+v", path, r)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(named)); err != nil {
		t.Fatal(err)
	}
	renamed := filepath.Join(dir, "mine.json")
	if err := os.Rename(filepath.Join(dir, "res_"+harnessDate+".json"), renamed); err != nil {
		t.Fatal(err)
	}
	// A later evaluation's samples are not these results'.
	b, err := os.ReadFile(filepath.Join(dir, "samples_my_arc_"+harnessDate+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(b), `"doc_hash": "`, `"doc_hash": "0`, 1)
	if err := os.WriteFile(filepath.Join(dir, "samples_my_arc_2027-01-01T00-00-00.000000.jsonl"), []byte(other), 0o666); err != nil {
		t.Fatal(err)
	}
	if r, err := Open(context.Background(), renamed); err != nil || len(r.Tasks) != 2 || len(r.Tasks[0].Samples) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := os.Remove(filepath.Join(dir, "samples_my_arc_"+harnessDate+".jsonl")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), renamed); err == nil || !strings.Contains(err.Error(), "not the samples that the results file was written with") {
		t.Error(err)
	}
	for _, name := range []string{"res_2026-01-01T00-00-00.000000.json", "out_2026-01-01T00-00-00.000000.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(context.Background(), dir); err == nil || !strings.Contains(err.Error(), "results of several names") {
		t.Error(err)
	}
}

// The names of tasks become names of files: none leads elsewhere.
func TestTaskNamesAreNames(t *testing.T) {
	for _, name := range []string{"../a", "/etc/a", `a\\b`, "a/b", ""} {
		_, _, err := parseResults([]byte(`{"results": {"` + name + `": {"acc,none": 1}}}`))
		if err == nil || !strings.Contains(err.Error(), "not the name of a task") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// What is found where: the latest of several results, one model below, not two.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	write := func(path string) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := find(dir); err == nil || Is(dir) {
		t.Errorf("results in an empty directory: %v", err)
	}
	write("one/results_2026-01-01T00-00-00.000000.json")
	write("one/results_2026-02-01T00-00-00.000000.json")
	write("one/samples_a_2026-03-01T00-00-00.000000.jsonl")
	if file, err := find(dir); err != nil || filepath.Base(file) != "results_2026-02-01T00-00-00.000000.json" {
		t.Errorf("%s, %v", file, err)
	}
	write("two/results_2026-01-01T00-00-00.000000.json")
	if _, err := find(dir); err == nil || !strings.Contains(err.Error(), "several models") {
		t.Errorf("%v", err)
	}
	if _, err := find(filepath.Join(dir, "one/samples_a_2026-03-01T00-00-00.000000.jsonl")); err == nil || !strings.Contains(err.Error(), ".json") {
		t.Errorf("%v", err)
	}
}

// Samples as older versions of the harness wrote them: lists for arguments, no
// names of metrics, no hashes, answers as numbers.
func TestOlderSamples(t *testing.T) {
	s, err := parseSample([]byte(`{"doc_id": 3, "doc": {"n": 1, "x": 2.5}, "target": "1",
		"arguments": [["Q", " a"], ["Q", " b"]], "resps": [[[-1.5, true]], [[-2, false]]], "filtered_resps": [[-1.5, true], [-2, false]],
		"acc": true, "acc_norm": 0.0, "byte_perplexity": [-7.5, 12], "exact": "no"}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Requests) != 2 || s.Requests[1] != (Request{"Q", " b"}) || len(s.Responses) != 2 || s.Responses[0] != (Response{-1.5, true}) || s.Responses[1] != (Response{-2, false}) {
		t.Errorf("%+v", s)
	}
	want := []Value{{"acc", 1, 1, false}, {"acc_norm", 0, 1, false}, {"byte_perplexity", -7.5, 12, true}}
	if len(s.Values) != len(want) {
		t.Fatalf("%+v", s.Values)
	}
	for i := range want {
		if s.Values[i] != want[i] {
			t.Errorf("%+v, want %+v", s.Values[i], want[i])
		}
	}
}
