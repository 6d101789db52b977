package tasks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/metric"
)

const generated = "name: g\nkind: generate_until\ndataset: {files: {test: d.jsonl}}\ncontext: \"{{.q}}\"\n"

func parsed(t *testing.T, yaml string) *Task {
	t.Helper()
	task, err := Parse([]byte(yaml), "g.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// What is not greedy decoding, not known or of no use is refused by its name when a task is read.
func TestGenerationRefused(t *testing.T) {
	for want, yaml := range map[string]string{
		`do_sample is true: sampling is not supported`:    "target: a\ngeneration: {do_sample: true}\n",
		`temperature is 0.7: sampling is not supported`:   "target: a\ngeneration: {temperature: 0.7}\n",
		`num_beams is 4: only 1 is supported`:             "target: a\ngeneration: {num_beams: 4}\n",
		`repetition_penalty is 1.1: only 1 is supported`:  "target: a\ngeneration: {repetition_penalty: 1.1}\n",
		`"stop" of a generation is not known`:             "target: a\ngeneration: {stop: x}\n",
		`max_gen_toks is 0; it must be`:                   "target: a\ngeneration: {max_gen_toks: 0}\n",
		`max_gen_toks is there under two names`:           "target: a\ngeneration: {max_gen_toks: 3, max_new_tokens: 3}\n",
		`until is 3; it must be`:                          "target: a\ngeneration: {until: 3}\n",
		`a generate_until task needs the key "target"`:    "",
		`the key "target" has no use`:                     "target: a\ntargets: b\n",
		`the key "gold" has no use`:                       "target: a\ngold: 1\n",
		`"bleurt" is not one of generate_until`:           "target: a\nmetrics: bleurt\n",
		`"acc" is not one of generate_until`:              "target: a\nmetrics: acc\n",
		`metric f1: it has no option "stem"`:              "target: a\nmetrics: [{metric: f1, stem: true}]\n",
		`metric "f1" is there twice`:                      "target: a\nmetrics: [f1, {metric: f1}]\n",
		`the key "metric" is missing`:                     "target: a\nmetrics: [{name: f1}]\n",
		`function "custom" is not known`:                  "target: a\nfilters: [{name: x, filter: [custom]}]\n",
		`two filters have the name "x"`:                   "target: a\nfilters: [{name: x, filter: [strip]}, {name: x, filter: [strip]}]\n",
		`a filter's name is ""`:                           "target: a\nfilters: [{filter: [strip]}]\n",
		`multi_choice_regex needs the key "options"`:      "target: a\nfilters: [{name: x, filter: [multi_choice_regex]}]\n",
		`the key "options" has no use`:                    "target: a\noptions: [a, b]\n",
		`sampler is "best"; the samplers are`:             "target: a\nsampler: best\n",
		`examples are in the task and dataset.train`:      "target: a\nexamples: [{q: 1}]\n",
		`metric "acc" has options, which only metrics of`: "",
	} {
		source := generated + yaml
		switch {
		case strings.HasPrefix(want, "examples are"):
			source = strings.Replace(source, "files: {test: d.jsonl}", "files: {test: d.jsonl}, train: test", 1)
		case strings.HasPrefix(want, `metric "acc" has`):
			source = "name: m\nkind: multiple_choice\ndataset: {path: d}\ncontext: x\nchoices: [a, b]\ngold: 0\nmetrics: [{metric: acc, ignore_case: true}]\n"
		}
		if _, err := Parse([]byte(source), "g.yaml"); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %q", yaml, err, want)
		}
	}
	if _, err := Parse([]byte("name: m\nkind: rolling_perplexity\ndataset: {path: d}\ntext: x\nsampler: random\n"), "m.yaml"); err == nil || !strings.Contains(err.Error(), "takes no worked examples") {
		t.Errorf("a perplexity task with a sampler: %v", err)
	}
}

// The settings that say what greedy decoding does anyway are taken, and its end without any is the
// blank line between examples.
func TestGenerationSettings(t *testing.T) {
	g := parsed(t, generated+"target: a\n").Generation
	if !slices.Equal(g.Until, []string{"\n\n"}) || g.MaxTokens != 256 || !slices.Equal(g.MetricNames(), []string{"exact_match"}) {
		t.Errorf("without settings: %+v, metrics %q", g, g.MetricNames())
	}
	g = parsed(t, generated+"target: a\ngeneration: {until: [a, b], max_new_tokens: 7, do_sample: false, temperature: 0.6, top_p: 0.9, num_beams: 1}\n").Generation
	if !slices.Equal(g.Until, []string{"a", "b"}) || g.MaxTokens != 7 {
		t.Errorf("with settings: %+v", g)
	}
	names := parsed(t, generated+"target: a\nfilters: [{name: none, filter: [strip]}, {name: upper, filter: [uppercase]}]\nmetrics: [exact_match, f1]\n").MetricNames
	if !slices.Equal(names, []string{"exact_match", "f1", "exact_match,upper", "f1,upper"}) {
		t.Errorf("metrics %q", names)
	}
}

// A change of any part of a generation is another task; a task of other kinds is the one it was.
func TestGenerationIsInTheDigest(t *testing.T) {
	seen := map[string]string{}
	for _, yaml := range []string{"target: a\n", "target: b\n", "targets: a\n", "target: a\ngeneration: {max_gen_toks: 9}\n", "target: a\ngeneration: {until: x}\n",
		"target: a\nfilters: [{name: x, filter: [strip]}]\n", "target: a\nfilters: [{name: x, filter: [{function: regex, regex_pattern: a}]}]\n",
		"target: a\nfilters: [{name: x, filter: [{function: regex, regex_pattern: b}]}]\n", "target: a\nmetrics: [{metric: exact_match, ignore_case: true}]\n", "target: a\nmetrics: f1\n",
		"target: a\nsampler: random\n", "target: a\nexamples: [{q: a}]\n"} {
		digest := parsed(t, generated+yaml).Digest
		if other, twice := seen[digest]; twice {
			t.Errorf("%q is the same task as %q", yaml, other)
		}
		seen[digest] = yaml
	}
}

// A document is scored by what each filter takes of its answer.
func TestGenerationIsScored(t *testing.T) {
	task := parsed(t, generated+"targets: right\nfilters: [{name: none, filter: [take_first]}, {name: word, filter: [{function: regex, regex_pattern: '[a-z]+'}]}]\nmetrics: [exact_match, f1]\n")
	doc, err := task.document(data.Row{Values: map[string]any{"q": "?", "right": []any{"no", "cat"}}})
	if err != nil || len(doc.Requests) != 1 || doc.Requests[0].Ask != Generating || doc.Requests[0].Context != "?" || !slices.Equal(doc.Targets, []string{"no", "cat"}) {
		t.Fatalf("%+v: %v", doc, err)
	}
	o, err := task.Score(doc, []answer.Answer{{Text: "A cat. ", Truncated: 2}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"exact_match": 0, "f1": 1, "exact_match,word": 1, "f1,word": 1} {
		if v, weight, ok := o.Value(name); v != want || weight != 1 || !ok {
			t.Errorf("%s is %v (%v); want %v", name, v, ok, want)
		}
	}
	if fmt.Sprint(o.Taken) != "[{none A cat. } {word cat}]" || o.Truncated != 2 {
		t.Errorf("%+v", o)
	}
	if m, ok := metric.Find("acc,word"); ok {
		t.Errorf("%+v has a filter", m)
	}
}

// Examples that the task's own file has, in its order or drawn; and a pool of copies.
func TestExamples(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("d.jsonl", strings.Repeat("{\"q\": \"same\", \"a\": \"s\"}\n", 3)+"{\"q\": \"other\", \"a\": \"o\"}\n")
	prompts := func(yaml string, n int) ([]string, error) {
		task, err := Parse([]byte(generated+"target: \"{{.a}}\"\n"+yaml), filepath.Join(dir, "g.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		docs, _, err := task.Documents(t.Context(), data.Source{}, Options{FewShot: n, FewShotSeed: DefaultFewShotSeed})
		var out []string
		for _, d := range docs {
			out = append(out, d.Requests[0].Context)
		}
		return out, err
	}
	inline := "examples: [{q: one, a: 1}, {q: two, a: 2}, {q: three, a: 3}]\n"
	got, err := prompts(inline, 2)
	if err != nil || got[3] != "one 1\n\ntwo 2\n\nother" {
		t.Errorf("%q: %v", got, err)
	}
	// random.Random(1234).sample(range(3), 2), four times: [1, 0], [0, 2], [2, 0], [2, 0].
	got, err = prompts(inline+"sampler: random\n", 2)
	if err != nil || got[0] != "two 2\n\none 1\n\nsame" || got[1] != "one 1\n\nthree 3\n\nsame" {
		t.Errorf("%q: %v", got, err)
	}
	if _, err = prompts(inline, 4); err == nil || !strings.Contains(err.Error(), "the split has 3") {
		t.Errorf("4 of 3 examples: %v", err)
	}
	own := strings.Replace(generated, "files: {test: d.jsonl}", "files: {test: d.jsonl}, train: test", 1) + "target: \"{{.a}}\"\nsampler: random\n"
	task, err := Parse([]byte(own), filepath.Join(dir, "g.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	docs, _, err := task.Documents(t.Context(), data.Source{}, Options{FewShot: 1, FewShotSeed: DefaultFewShotSeed})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs[:3] { // two draws can both be copies of the document, and then there is a third
		if d.Requests[0].Context != "other o\n\nsame" {
			t.Errorf("an example of %q", d.Requests[0].Context)
		}
	}
	if _, _, err = task.Documents(t.Context(), data.Source{}, Options{FewShot: 2, FewShotSeed: DefaultFewShotSeed}); err == nil || !strings.Contains(err.Error(), "beside the document the split has 1") {
		t.Errorf("two examples of one: %v", err)
	}
}

// Documents that take so much that they are read twice have the examples of the first reading.
func TestDrawsOfLargeDocuments(t *testing.T) {
	dir := t.TempDir()
	var text strings.Builder
	for i := range 30 {
		fmt.Fprintf(&text, "{\"q\": \"%d\", \"a\": [\"a\", \"%s\"]}\n", i, strings.Repeat("x", 4<<20))
	}
	if err := os.WriteFile(filepath.Join(dir, "d.jsonl"), []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	task, err := Parse([]byte(generated+"targets: a\nsampler: random\nexamples: [{q: one, a: [1]}, {q: two, a: [2]}, {q: three, a: [3]}]\n"), filepath.Join(dir, "g.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	contexts := func(limit int) (out []string) {
		docs, _, err := task.Documents(t.Context(), data.Source{}, Options{FewShot: 2, FewShotSeed: DefaultFewShotSeed, Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			out = append(out, d.Requests[0].Context)
		}
		return out
	}
	if few, all := contexts(3), contexts(0); len(all) != 30 || !slices.Equal(all[:3], few) {
		t.Errorf("%q, of few %q", all, few)
	}
}
