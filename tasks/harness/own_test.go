package harness

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
)

// own loads a task of our own writing, with Python code beside it, and its documents.
func own(t *testing.T, yaml, code, documents string) (*Task, []tasks.Doc, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"t.yaml": "task: t\ndataset_path: d\ntest_split: test\n" + yaml, "utils.py": code, "d/test.jsonl": documents} {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	x, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := x.Select("t")
	if err != nil {
		return nil, nil, err
	}
	docs, _, err := s.Tasks[0].Documents(context.Background(), data.Source{Dir: dir}, tasks.Options{})
	return s.Tasks[0], docs, err
}

// metricsOf are a task's metrics where the model answers each document so.
func metricsOf(t *testing.T, task *Task, docs []tasks.Doc, answers [][]answer.Answer) map[string]float64 {
	t.Helper()
	var outcomes []tasks.Outcome
	for i := range docs {
		o, err := task.Score(docs[i], answers[i])
		if err != nil {
			t.Fatal(err)
		}
		outcomes = append(outcomes, o)
	}
	out := map[string]float64{}
	for _, m := range task.Metrics(outcomes) {
		out[m.Name] = float64(m.Value)
	}
	return out
}

func near(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for name, w := range want {
		if v, ok := got[name]; !ok || math.Abs(v-w) > 1e-12 {
			t.Errorf("%s is %v (%v), want %v", name, v, ok, w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
}

func said(texts ...string) (out [][]answer.Answer) {
	for _, s := range texts {
		out = append(out, []answer.Answer{{Text: s}})
	}
	return out
}

func TestGenerationOfATaskFile(t *testing.T) {
	task, docs, err := own(t, `doc_to_text: "{{q}}"
doc_to_target: "{{a}}"
generation_kwargs: {until: ["\n"], max_gen_toks: 9, do_sample: false, temperature: 0.0}
filter_list:
  - {name: strict, filter: [{function: regex, regex_pattern: "is (\\w+)"}, {function: take_first}]}
  - {name: loose, filter: [{function: remove_whitespace}, {function: take_first}]}
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true, ignore_case: true}
  - {metric: bleu}
`, "", `{"q": "one?", "a": "Yes"}`+"\n"+`{"q": "two?", "a": "no"}`+"\n")
	if err != nil {
		t.Fatal(err)
	}
	q := docs[0].Requests[0]
	if q.Ask != tasks.Generating || q.Context != "one?" || !slices.Equal(q.Until, []string{"\n"}) || q.Tokens != 9 {
		t.Errorf("the request is %+v", q)
	}
	near(t, metricsOf(t, task, docs, said("it is yes", " no ")), map[string]float64{"exact_match,strict": .5, "bleu,strict": 0, "exact_match,loose": .5, "bleu,loose": 0})
	if !slices.Equal(task.MetricNames, []string{"exact_match,strict", "bleu,strict", "exact_match,loose", "bleu,loose"}) {
		t.Errorf("metrics are called %q", task.MetricNames)
	}
}

// A list of right answers is one of which any counts, as the first document says.
func TestSeveralRightAnswers(t *testing.T) {
	task, docs, err := own(t, "doc_to_text: q\ndoc_to_target: a\nmetric_list: [{metric: exact_match}]\n", "", `{"q": "one?", "a": ["x", "y"]}`+"\n"+`{"q": "two?", "a": ["z"]}`+"\n")
	if err != nil {
		t.Fatal(err)
	}
	if until := docs[0].Requests[0].Until; !slices.Equal(until, []string{"\n\n"}) || docs[0].Requests[0].Tokens != 256 {
		t.Errorf("without settings an answer ends at %q", until)
	}
	near(t, metricsOf(t, task, docs, said("y", "x")), map[string]float64{"exact_match": .5})
}

const scoring = `
from lm_eval.utils import weighted_f1_score
from sklearn.metrics import f1_score

def process_results(doc, results):
    right = results[0].strip() == doc["a"]
    out = {"acc": int(right), "pair": (right, len(results[0]))}
    if right:
        out["more"] = 2.5
    return out

def share(items):
    right, long = zip(*items)
    return sum(right) / sum(long)

def macro(items):
    golds, preds = zip(*items)
    return f1_score(golds, preds, average="macro")

def overlap(references, predictions, k):
    return len(set(references[0]) & set(predictions[0])) * k

def process_docs(dataset):
    return dataset.map(lambda doc: {"q": " ".join(k for k in doc)})
`

func TestProcessResults(t *testing.T) {
	task, docs, err := own(t, `doc_to_text: q
doc_to_target: a
process_results: !function utils.process_results
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: pair, aggregation: !function utils.share, higher_is_better: false}
`, scoring, `{"q": "one?", "a": "yes"}`+"\n"+`{"q": "two?", "a": "no"}`+"\n")
	if err != nil {
		t.Fatal(err)
	}
	near(t, metricsOf(t, task, docs, said(" yes", "none")), map[string]float64{"acc": .5, "pair": 1. / 8, "more": 2.5})
	if o := task.Own["pair"]; o.HigherIsBetter || o.Whole == nil {
		t.Errorf("the metric pair is %+v", o)
	}
}

func TestMetricOfPythonCode(t *testing.T) {
	task, docs, err := own(t, "doc_to_text: q\ndoc_to_target: a\nmetric_list: [{metric: !function utils.overlap, aggregation: mean, higher_is_better: true, k: 3}]\n", scoring, `{"q": "one?", "a": "yes"}`+"\n"+`{"q": "two?", "a": "no"}`+"\n")
	if err != nil {
		t.Fatal(err)
	}
	near(t, metricsOf(t, task, docs, said("ye", "none")), map[string]float64{"overlap": 6})
}

func TestF1OfChoices(t *testing.T) {
	task, docs, err := own(t, `doc_to_text: q
doc_to_target: a
doc_to_choice: [x, y, z]
output_type: multiple_choice
metric_list:
  - {metric: acc}
  - {metric: f1, aggregation: !function utils.macro, average: macro, hf_evaluate: true}
  - {metric: mcc}
`, scoring, `{"q": "one?", "a": 0}`+"\n"+`{"q": "two?", "a": 1}`+"\n"+`{"q": "three?", "a": 2}`+"\n"+`{"q": "four?", "a": 1}`+"\n")
	if err != nil {
		t.Fatal(err)
	}
	choose := func(k int) []answer.Answer {
		out := make([]answer.Answer, 3)
		for i := range out {
			out[i].LogLikelihood = -2
		}
		out[k].LogLikelihood = -1
		return out
	}
	// Of 0: 1 right, 2 taken, 1 both; of 1: 2, 2, 1; of 2: 1, 0, 0.
	near(t, metricsOf(t, task, docs, [][]answer.Answer{choose(0), choose(1), choose(1), choose(0)}),
		map[string]float64{"acc": .5, "f1": (2./3 + 2./4 + 0) / 3, "mcc": (2*4 - 6) / math.Sqrt((16-6)*(16-8))})
}

// Python code sees a document's columns in the order of the file, not of their names.
func TestColumnsInOrder(t *testing.T) {
	_, docs, err := own(t, "doc_to_text: q\ndoc_to_target: a\nprocess_docs: !function utils.process_docs\n", scoring, `{"q": "one?", "c": "3", "a": "yes", "b": "2"}`+"\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := docs[0].Requests[0].Context; got != "q c a b" {
		t.Errorf("the columns are %q", got)
	}
}

func TestRefusedGenerations(t *testing.T) {
	const base = "doc_to_text: q\ndoc_to_target: a\n"
	for yaml, want := range map[string]string{
		"generation_kwargs: {do_sample: true, until: []}\n":                                                         "t.yaml:6: generation_kwargs: do_sample is true: sampling is not supported",
		"generation_kwargs: {temperature: 0.8}\n":                                                                   "temperature is 0.8: sampling is not supported",
		"generation_kwargs: {num_beams: 10}\n":                                                                      "num_beams is 10",
		"filter_list: [{name: a, filter: [{function: regex_pos}]}]\n":                                               `t.yaml:6: filter a: the function "regex_pos" is not known`,
		"filter_list: [{name: a, filter: [{function: !function utils.share}]}]\n":                                   "a filter is a class, not a function",
		"metric_list: [{metric: bleu, aggregation: mean}]\n":                                                        "the metric bleu of generated answers is not understood",
		"metric_list: [{metric: accuracy, hf_evaluate: true}]\n":                                                    "of the package evaluate is not understood",
		"metric_list: [{metric: exact_match, stem: true}]\n":                                                        "exact_match",
		"process_results: yes\nmetric_list: [{metric: acc}]\n":                                                      "process_results must be a !function",
		"process_results: !function utils.process_results\n":                                                        "needs a metric_list",
		"process_results: !function utils.process_results\nmetric_list: [{metric: pair, aggregation: geometric}]\n": "aggregated by geometric is not understood",
		"repeats: 3\n": "repeats: more than one answer",
	} {
		if _, _, err := own(t, base+yaml, scoring, `{"q": "one?", "a": "yes"}`+"\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", strings.TrimSpace(yaml), err, want)
		}
	}
}

// A task that names the columns of tables without a line of names takes rows that have their names, and no such table.
func TestTablesWithoutNames(t *testing.T) {
	for file, want := range map[string]string{"part/x.jsonl": "", "part/x.csv": "give the documents as .jsonl or .parquet"} {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"t.yaml":    "task: t\ndataset_path: org/d\ndataset_kwargs: {data_files: {test: part/x.csv}, column_names: [q, a], header: null}\ntest_split: test\ndoc_to_text: q\ndoc_to_target: a\nmetric_list: [{metric: exact_match}]\n",
			"d/" + file: `{"q": "one?", "a": "yes"}` + "\n",
		} {
			at := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want != "" { // a row, which read as a table's line of names would be none
			if err := os.WriteFile(filepath.Join(dir, "d", filepath.FromSlash(file)), []byte("one?,yes\ntwo?,no\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		x, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		s, err := x.Select("t")
		if err != nil {
			t.Fatal(err)
		}
		docs, _, err := s.Tasks[0].Documents(context.Background(), data.Source{Dir: dir}, tasks.Options{})
		switch {
		case want == "" && (err != nil || docs[0].Requests[0].Context != "one?"):
			t.Errorf("%s: %v", file, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v; want %q", file, err, want)
		}
	}
}

// Files that a task names are looked for under their names; those of a configuration of its own also as its split.
func TestFilesOfAConfiguration(t *testing.T) {
	for yaml, want := range map[string]string{
		"dataset_name: en\n": "",
		"":                   "fits none of the patterns x-00.json.gz", // which of the data set's tasks it is of is not said
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"t.yaml":          "task: t\ndataset_path: org/d\n" + yaml + "dataset_kwargs: {data_files: {test: x-00.json.gz}}\ntest_split: test\ndoc_to_text: q\ndoc_to_target: a\nmetric_list: [{metric: exact_match}]\n",
			"d/en/test.jsonl": `{"q": "one?", "a": "yes"}` + "\n",
		} {
			at := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		x, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		s, err := x.Select("t")
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = s.Tasks[0].Documents(context.Background(), data.Source{Dir: dir}, tasks.Options{})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v; want %q", yaml, err, want)
		}
	}
}
