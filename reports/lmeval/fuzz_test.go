package lmeval

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever a results file holds, there is no panic, an error is one line, and what
// is read has names that are names and errors that are numbers or absent.
func FuzzResults(f *testing.F) {
	if b, err := os.ReadFile(filepath.Join(harnessDir, "results_"+harnessDate+".json")); err == nil {
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	for _, s := range []string{
		`{"results": {"a": {"acc,none": 0.5, "acc_stderr,none": "N/A"}}, "versions": {"a": 1.0}, "n-shot": {"a": 5}}`,
		`{"results": {"a": {"em,get-answer": 1e308}}, "higher_is_better": {"a": {"em": false}}, "max_length": 1e99}`,
		`{"results": {"g": {"acc,none": 1}, "t": {"acc,none": 1}}, "group_subtasks": {"g": ["t"]}, "configs": {"t": {}}}`,
		`{"results": {"a": {"acc,none": NaN, "acc_stderr,none": -Infinity, "alias": " - b"}}}`, `{"results": {"../a": {"acc,none": 1}}}`, `{"results": []}`, `[]`, `{"results": {"a": null}}`,
		`{"results": {"a": {"x,y": 1}, "a": {"x,y": 2}}}`, "{\"results\": {\"\\u0000\n\": {\"x,y\": 1}}}", ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, _, err := parseResults(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		if len(r.Tasks) == 0 || r.MaxLength < 0 {
			t.Errorf("%+v", r)
		}
		for _, task := range r.Tasks {
			if task.Name == "" || task.Name != filepath.Base(task.Name) || len(task.Metrics) == 0 {
				t.Errorf("task %q with %d metrics", task.Name, len(task.Metrics))
			}
			for _, m := range task.Metrics {
				if math.IsInf(m.Stderr, 0) || strings.HasSuffix(m.Name, "_stderr") {
					t.Errorf("%+v", m)
				}
			}
		}
	})
}

// Whatever a samples file holds, there is no panic, an error is one line that says
// where, and no loglikelihood is NaN or above 0.
func FuzzSamples(f *testing.F) {
	for _, task := range []string{"arc_easy", "lambada_openai", "wikitext"} {
		if b, err := os.ReadFile(filepath.Join(harnessDir, "samples_"+task+"_"+harnessDate+".jsonl")); err == nil {
			lines := bytes.SplitAfter(b, []byte("\n"))
			f.Add(bytes.Join(lines[:min(2, len(lines))], nil))
			f.Add(lines[0][:len(lines[0])*2/3])
		}
	}
	for _, s := range []string{
		`{"doc_id": 0, "filter": "none", "filtered_resps": [["-1.5", "True"]], "metrics": ["acc"], "acc": 1.0}`,
		`{"doc_id": 0, "arguments": [["a", "b"], []], "filtered_resps": ["-3.5"], "acc": true, "word_perplexity": [-1, 2]}`,
		`{"doc_id": 0, "arguments": {"gen_args_0": {"arg_1": 7}}, "filtered_resps": [["nan", "x"]]}`,
		`{"doc_id": 0, "arguments": {"gen_args_1": {}}}`, `{"doc_id": 0}` + "\n\n" + `{"doc_id": 0}`, `{"doc_id": 1e30}`, `{"doc_id": null}`,
		`{"doc_id": 0, "filtered_resps": [["0x1p-2", "True"]], "doc": {"a": 1e999}}`, `{"doc_id": 0, "metrics": ["a", "a"]}`, `"`, "\x00",
		`{"doc_id": 0, "filtered_resps": [["inf", "True"]]}`, `{"doc_id": 0, "acc": -Infinity}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		samples, err := parseSamples(bytes.NewReader(text))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		type place struct {
			doc    int
			filter string
		}
		seen := map[place]bool{}
		for i := range samples {
			s := &samples[i]
			if p := (place{s.DocID, s.Filter}); s.DocID < 0 || seen[p] {
				t.Errorf("document %d is there twice or negative", s.DocID)
			} else {
				seen[p] = true
			}
			for _, r := range s.Responses {
				if math.IsNaN(r.LogLikelihood) {
					t.Errorf("%+v", s)
				}
			}
			for _, v := range s.Values {
				if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) || !(v.Weight >= 0) {
					t.Errorf("%+v", v)
				}
			}
		}
		_ = hashSamples(samples)
	})
}
