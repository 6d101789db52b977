package tasks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/metric"
)

// documents reads a task's YAML and JSON lines from texts.
func documents(t *testing.T, yaml, jsonl string, o tasks.Options) ([]tasks.Doc, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "d.jsonl"), []byte(jsonl), 0o644); err != nil {
		t.Fatal(err)
	}
	task, err := tasks.Parse([]byte(yaml), filepath.Join(dir, "t.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	docs, _, err := task.Documents(context.Background(), data.Source{}, o)
	return docs, err
}

const own = "name: own\nkind: multiple_choice\ndataset: {files: {test: d.jsonl}, train: test}\n"

// Every form of gold, with every type a dataset may keep it in.
func TestGold(t *testing.T) {
	const c = `"c":["x","y","z"],"k":["A","B","3"]`
	for _, g := range []struct{ gold, doc, want string }{
		{"2", `{` + c + `}`, "2"},
		{"label", `{"label":1,` + c + `}`, "1"},
		{"label", `{"label":"2",` + c + `}`, "2"},
		{"label", `{"label":true,` + c + `}`, "1"},
		{"label", `{"label":false,` + c + `}`, "0"},
		{"label", `{"label":1.0,` + c + `}`, "1"},
		{"{field: [a, label]}", `{"label":1,` + c + `}`, "1"},
		{"{field: [a, label]}", `{"a":0,"label":1,` + c + `}`, "0"},
		{"{field: key, among: k}", `{"key":"B",` + c + `}`, "1"},
		{"{field: key, among: k}", `{"key":3,` + c + `}`, "2"},
		{"{field: key, among: [one, two]}", `{"key":"two",` + c + `}`, "1"},
		{"{value: \"{{.key | strip}}\", among: k}", `{"key":" A ",` + c + `}`, "0"},
		{"{text: \"{{.right}}\"}", `{"right":"y",` + c + `}`, "1"},
		{"{index: 0}", `{` + c + `}`, "0"},
		{"label", `{"label":3,` + c + `}`, `d.jsonl:1: unknown answer key 3 in "label"; the keys are 0 to 2 (document 0)`},
		{"label", `{"label":-1,` + c + `}`, `unknown answer key -1`},
		{"label", `{"label":"",` + c + `}`, `unknown answer key "" in "label"`},
		{"label", `{"label":"B",` + c + `}`, `unknown answer key "B" in "label"`},
		{"label", `{"label":1.5,` + c + `}`, `unknown answer key 1.5`},
		{"label", `{"label":null,` + c + `}`, `column "label" is null`},
		{"label", `{` + c + `}`, `no column "label"; the columns are: c, k`},
		{"{field: [a, label]}", `{` + c + `}`, `no column "a"`},
		{"{field: key, among: k}", `{"key":"C",` + c + `}`, `unknown answer key "C" in "key"; the keys are ["A" "B" "3"]`},
		{"{field: key, among: [p, q, r, s]}", `{"key":"s",` + c + `}`, `unknown answer key "s"`},
		{"{field: key, among: keys}", `{"key":"s",` + c + `}`, `no column "keys"`},
		{"{text: \"{{.right}}\"}", `{"right":"w",` + c + `}`, `no choice equals the answer "w"`},
		{"5", `{` + c + `}`, `unknown answer key 5`},
	} {
		docs, err := documents(t, own+"context: q\nchoices: c\ngold: "+g.gold+"\n", g.doc+"\n", tasks.Options{})
		if err != nil {
			if !strings.Contains(err.Error(), g.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("gold %s of %s: %v; want %s", g.gold, g.doc, err, g.want)
			}
		} else if got := fmt.Sprint(docs[0].Gold); got != g.want {
			t.Errorf("gold %s of %s is %s; want %s", g.gold, g.doc, got, g.want)
		}
	}
}

// What a document lacks, or has of the wrong kind, is one line with file and line.
func TestBadDocuments(t *testing.T) {
	for _, c := range []struct{ yaml, doc, want string }{
		{"context: \"{{.q}}\"\nchoices: c\ngold: 0\n", `{"c":["x"]}`, `d.jsonl:1: no column "q"; the columns are: c (document 0)`},
		{"context: \"{{.q}}\"\nchoices: c\ngold: 0\n", `{"q":null,"c":["x"]}`, `column "q" is null`},
		{"context: \"{{.q.r}}\"\nchoices: c\ngold: 0\n", `{"q":"text","c":["x"]}`, `no column "q.r"`},
		{"context: \"{{.q | strip}}\"\nchoices: c\ngold: 0\n", `{"q":3,"c":["x"]}`, `the template "{{.q | strip}}"`},
		{"context: \"{{index .c 7}}\"\nchoices: c\ngold: 0\n", `{"c":["x"]}`, `out of range`},
		{"context: q\nchoices: c\ngold: 0\n", `{"c":"x"}`, `column "c": it holds text, not a list`},
		{"context: q\nchoices: c\ngold: 0\n", `{"c":["x",["y"]]}`, `column "c": element 1 is a list, not text`},
		{"context: q\nchoices: c\ngold: 0\n", `{"c":[]}`, `the document has no choices`},
		{"context: q\nchoices: c\ngold: 0\n", `{"c":["x"]`, `d.jsonl:1: the JSON object is cut off`},
		{"context: q\nchoices: c\ngold: 0\n", ``, `d.jsonl: no documents`},
		{"prepare: winogrande\ncontexts: contexts\ncontinuation: x\ngold: 0\n", `{"sentence":"no blank","option1":"a","option2":"b"}`, `the sentence has no blank`},
		{"prepare: winogrande\ncontexts: contexts\ncontinuation: x\ngold: 0\n", `{"sentence":5,"option1":"a","option2":"b"}`, `column "sentence" holds a number, not text`},
		{"prepare: copa\ncontext: x\nchoices: options\ngold: 0\n", `{"premise":"p.","choice1":"a","choice2":"","question":"cause","label":0}`, `choice2 is empty`},
		{"prepare: copa\ncontext: x\nchoices: options\ngold: 0\n", `{"premise":"p.","choice1":"a","choice2":"b","question":"why","label":0}`, `question is "why"`},
		{"prepare: copa\ncontext: x\nchoices: options\ngold: 0\n", `{"premise":"p.","choice1":"a","choice2":"b","question":"cause","label":-1}`, `unknown answer key -1 in "label"`},
		{"prepare: hellaswag\ncontext: x\nchoices: options\ngold: 0\n", `{"activity_label":"a","ctx_a":"b","endings":[]}`, `no column "ctx_b"; the columns are: activity_label, ctx_a, endings`},
	} {
		_, err := documents(t, own+c.yaml, c.doc, tasks.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "task own: ") {
			t.Errorf("%s: %v; want %q", c.doc, err, c.want)
		}
	}
}

func TestTemplates(t *testing.T) {
	const doc = `{"s":"  Ab_cd  ","n":3,"f":1.5,"b":true,"none":null,"list":["p","q"],"o":{"i":"in"}}`
	for template, want := range map[string]string{
		"{{.s}}":                               "  Ab_cd  ",
		"{{.s | strip}}":                       "Ab_cd",
		"{{.s | lstrip}}|{{rstrip .s}}":        "Ab_cd  |  Ab_cd",
		"{{.s | strip | upper}}":               "AB_CD",
		"{{.s | strip | lower | capitalize}}":  "Ab_cd",
		"{{.n}} {{.f}} {{.b}}":                 "3 1.5 true",
		"{{.o.i}}{{$.o.i}}":                    "inin",
		"{{index .list 1}}":                    "q",
		"{{join \", \" .list}}":                "p, q",
		"{{.s | replace \"_\" \"-\" | strip}}": "Ab-cd",
		"{{.s | beforeLast \"_\"}}":            "  Ab",
		"{{.s | afterLast \"_\"}}":             "cd  ",
		"{{.s | beforeLast \"?\"}}":            "",
		"{{.s | strip | afterLast \"?\"}}":     "Ab_cd",
		"{{if .none}}yes{{.none}}{{end}}no":    "no",
		"{{range .list}}<{{.}}>{{end}}":        "<p><q>",
		"{{with .o}}{{.i}}{{end}}":             "in",
		"plain { text } {":                     "plain { text } {",
		"<&\"'>":                               "<&\"'>",
	} {
		y, err := json.Marshal(template) // JSON's quoting is YAML's
		if err != nil {
			t.Fatal(err)
		}
		docs, err := documents(t, own+"context: "+string(y)+"\nchoices: list\ngold: 0\n", doc, tasks.Options{})
		if err != nil || docs[0].Requests[0].Context != want {
			t.Errorf("%s: %+v, %v; want %q", template, docs, err, want)
		}
	}
}

// What a task's file says wrong is one line that names it.
func TestParseErrors(t *testing.T) {
	const base = "name: x\nkind: multiple_choice\ndataset: {path: a/b}\n"
	for yaml, want := range map[string]string{
		base + "contxt: a\n": `t.yaml:4:1: unknown field "contxt"`,
		base + "context: a\nchoices: c\ngold: {fild: x}\n":                   `t.yaml:6:8: unknown field "fild"`,
		base + "context: '{{.a'\n":                                           `the template "{{.a" does not parse: `,
		base + "context: '{{.a | nofunc}}'\n":                                `function "nofunc" not defined`,
		base + "context: a\nchoices: '{{.x}}'\ngold: 0\n":                    `is not a column name`,
		base + "context: a\nchoices: c\n":                                    `needs the key "gold"`,
		base + "choices: c\ngold: 0\n":                                       `needs the key "context"`,
		base + "contexts: c\ngold: 0\n":                                      `needs the key "continuation"`,
		base + "context: a\nchoices: c\ngold: 0\ntext: x\n":                  `the key "text" has no use`,
		base + "context: a\nchoices: c\ngold: 0\nmetrics: perplexity\n":      `metric "perplexity" is not one of multiple_choice`,
		base + "context: a\nchoices: c\ngold: {field: x, index: 3}\n":        `exactly one of index, field, value, text`,
		base + "context: a\nchoices: c\ngold: {index: 0, among: k}\n":        `among goes with field or value`,
		base + "context: a\nchoices: c\ngold: 2.7\n":                         `t.yaml:`,
		base + "context: a\nchoices: c\ngold: 0\nprepare: squad\n":           `the preparations are copa, hellaswag, wikitext, winogrande`,
		"name: x\nkind: yes_no\ndataset: {path: a/b}\n":                      `kind is "yes_no"; the kinds are`,
		"name: x y\nkind: last_word\ndataset: {path: a/b}\n":                 `name is "x y"`,
		"name: x\nkind: last_word\ncontext: a\ncontinuation: b\n":            `dataset needs a path`,
		"name: x\nkind: last_word\ndataset: {path: a/b}\ncontext: a\n":       `needs the key "continuation"`,
		"name: x\nkind: rolling_perplexity\ndataset: {path: a/b}\npage: a\n": `needs the key "text"`,
		"": `t.yaml: the file is empty`,
	} {
		_, err := tasks.Parse([]byte(yaml), "t.yaml")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "t.yaml") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v; want %q", yaml, err, want)
		}
	}
}

// A prompt, a metric or a split that changes must change the digest, by which a gate tells that
// two runs asked the same; a description must not.
func TestDigest(t *testing.T) {
	const base = "name: x\nkind: multiple_choice\ndataset: {path: a/b}\ncontext: a\nchoices: c\ngold: 0\n"
	digest := func(yaml string) string {
		task, err := tasks.Parse([]byte(yaml), "t.yaml")
		if err != nil {
			t.Fatal(err)
		}
		return task.Digest
	}
	if digest(base) != digest(base+"description: other\n") {
		t.Error("a description changes the digest")
	}
	if digest(base) != digest(strings.ReplaceAll(base, "a/b}", "a/b, split: test}")) {
		t.Error("naming the default split changes the digest")
	}
	if digest(base) != digest(strings.ReplaceAll(base, "a/b}", "a/b, train: test}")) {
		t.Error("naming the tested split for examples changes the digest: runs of before would not pair")
	}
	seen := []string{digest(base)}
	for _, r := range [][2]string{{"context: a", "context: b"}, {"choices: c", "choices: d"}, {"choices: c", "choices: [c]"}, {"gold: 0", "gold: 1"},
		{"gold: 0", "gold: label"}, {"gold: 0\n", "gold: 0\ndelimiter: ''\n"}, {"gold: 0\n", "gold: 0\nmetrics: acc\n"}, {"a/b}", "a/b, split: train}"},
		{"gold: 0\n", "gold: 0\nprepare: wikitext\n"}} {
		d := digest(strings.Replace(base, r[0], r[1], 1))
		if slices.Contains(seen, d) {
			t.Errorf("%q for %q leaves the digest as it is", r[1], r[0])
		}
		seen = append(seen, d)
	}
}

// The same documents from Parquet ask the same of a model as from JSON lines.
func TestParquetAsksTheSame(t *testing.T) {
	for _, c := range []struct{ task, name, file string }{
		{"arc_easy", "ai2_arc/ARC-Easy/test.parquet", "arc.parquet"},
		{"hellaswag", "hellaswag/data/validation-00000-of-00001.parquet", "hellaswag.parquet"},
	} {
		dir := t.TempDir()
		b, err := os.ReadFile(filepath.Join("data", "testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(c.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		task, err := configs.Task(c.task)
		if err != nil {
			t.Fatal(err)
		}
		parquet, _, err := task.Documents(context.Background(), data.Source{Dir: dir}, tasks.Options{})
		if err != nil {
			t.Fatal(err)
		}
		jsonl, _, err := task.Documents(context.Background(), data.Source{Dir: filepath.Join("testdata", "data")}, tasks.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprintf("%+v", parquet) != fmt.Sprintf("%+v", jsonl) {
			t.Errorf("%s asks otherwise from Parquet", c.task)
		}
	}
}

// Few-shot: the first of the training split in order, never the document itself, even where the
// evaluated split is the training split; too few are an error.
func TestFewShot(t *testing.T) {
	const yaml = own + "context: \"{{.q}}\"\nchoices: c\ngold: g\n"
	const docs = `{"q":"one","c":["a","b"],"g":0}` + "\n" + `{"q":"two","c":["a","b"],"g":1}` + "\n" + `{"q":"three","c":["a","b"],"g":1}` + "\n"
	got, err := documents(t, yaml, docs, tasks.Options{FewShot: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"two b\n\nthree b\n\none", "one a\n\nthree b\n\ntwo", "one a\n\ntwo b\n\nthree"} {
		if got[i].Requests[1].Context != want {
			t.Errorf("document %d has the context %q; want %q", i, got[i].Requests[1].Context, want)
		}
	}
	if _, err := documents(t, yaml, docs, tasks.Options{FewShot: 3}); err == nil || !strings.Contains(err.Error(), "3 few-shot examples asked for, but the split has 2") {
		t.Errorf("three examples from three documents: %v", err)
	}
	limited, err := documents(t, yaml, docs, tasks.Options{FewShot: 1, Limit: 1})
	if err != nil || len(limited) != 1 || limited[0].Requests[0].Context != "two b\n\none" {
		t.Errorf("a limit changes the examples: %+v, %v", limited, err)
	}
	wiki, err := configs.Task("wikitext")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := wiki.Documents(context.Background(), data.Source{Dir: "testdata/data"}, tasks.Options{FewShot: 1}); err == nil || !strings.Contains(err.Error(), "takes no few-shot examples") {
		t.Errorf("few-shot perplexity: %v", err)
	}
}

// acc_norm counts code points, acc_bytes bytes; ties go to the lowest index; an empty choice is last.
func TestScore(t *testing.T) {
	docs, err := documents(t, own+"context: q\nchoices: c\ngold: 1\n", `{"c":["ééééé","abcdefgh","","x"]}`, tasks.Options{})
	if err != nil {
		t.Fatal(err)
	}
	task, err := configs.Task("arc_easy")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lls               [4]float64
		acc, norm, bytes_ int
	}{
		{[4]float64{-10, -12, -20, -30}, 0, 1, 0},   // -2 -1.5; -1 -1.5
		{[4]float64{-10, -10, -10, -10}, 0, 1, 0},   // ties: the first; -2 -1.25; -1 -1.25
		{[4]float64{-5, -8, -1, -1}, 2, 0, 0},       // norm: -1 -1 -Inf -1, bytes: -0.5 -1 -Inf -1
		{[4]float64{-50, -8, -0.5, -0.25}, 3, 3, 3}, // the short one
		{[4]float64{-1, -1, 0, -1}, 2, 2, 2},        // 0/0 is NaN, which numpy's argmax takes
	} {
		var results []answer.Answer
		for i, ll := range c.lls {
			results = append(results, answer.Answer{LogLikelihood: ll, Truncated: i})
		}
		o, err := task.Score(docs[0], results)
		if err != nil {
			t.Fatal(err)
		}
		if o.Chosen("acc") != c.acc || o.Chosen("acc_norm") != c.norm || o.Chosen("acc_bytes") != c.bytes_ || o.Truncated != 6 {
			t.Errorf("%v: chosen %d, %d, %d, truncated %d; want %d, %d, %d, 6", c.lls, o.Chosen("acc"), o.Chosen("acc_norm"), o.Chosen("acc_bytes"), o.Truncated, c.acc, c.norm, c.bytes_)
		}
	}
}

// Metrics against values worked out by hand.
func TestMetrics(t *testing.T) {
	rolling := []tasks.Outcome{
		{Document: metric.Document{Gold: -1, Words: 2, Bytes: 10, Answers: []answer.Answer{{LogLikelihood: -6}}}},
		{Document: metric.Document{Gold: -1, Words: 1, Bytes: 20, Answers: []answer.Answer{{LogLikelihood: -2}}}},
	}
	for name, want := range map[string]float64{"word_perplexity": math.Exp(8.0 / 3), "byte_perplexity": math.Exp(8.0 / 30), "bits_per_byte": 8.0 / 30 / math.Ln2, "perplexity": math.Exp(4)} {
		m, ok := tasks.Aggregate(name, rolling)
		if !ok || math.Abs(float64(m.Value)-want) > 1e-12 || m.HigherIsBetter || m.N != 2 || !(m.Low <= m.Value && m.Value <= m.High && m.Stderr > 0) {
			t.Errorf("%s: %+v; want %v", name, m, want)
		}
	}
	answered := func(gold int, answers []answer.Answer) tasks.Outcome {
		return tasks.Outcome{Document: metric.Document{Gold: gold, Choices: []string{"a", "b"}, Answers: answers}}
	}
	acc := []tasks.Outcome{
		answered(0, make([]answer.Answer, 2)), answered(1, make([]answer.Answer, 2)), answered(1, []answer.Answer{{LogLikelihood: -1}, {}}), answered(0, make([]answer.Answer, 2)),
	}
	m, ok := tasks.Aggregate("acc", acc)
	if !ok || m.Value != 0.75 || math.Abs(float64(m.Stderr)-0.25) > 1e-15 || !m.HigherIsBetter || m.Low < 0.3 || m.Low > 0.302 || m.High < 0.954 || m.High > 0.956 {
		t.Errorf("acc: %+v; want 0.75 ± 0.25 in [0.301, 0.954]", m)
	}
	if _, ok := tasks.Aggregate("word_perplexity", nil); ok {
		t.Error("a metric of no outcomes")
	}
	if _, ok := tasks.Aggregate("nonsense", acc); ok {
		t.Error("an unknown metric")
	}
	// One document has no standard error, which JSON shows as null and reads back.
	m, _ = tasks.Aggregate("word_perplexity", rolling[:1])
	b, err := json.Marshal(m)
	if err != nil || !math.IsNaN(float64(m.Stderr)) || !strings.Contains(string(b), `"stderr":null,"low":null,"high":null,"n":1`) {
		t.Errorf("one document: %s, %v", b, err)
	}
	var back metric.Result
	if err := json.Unmarshal(b, &back); err != nil || back.Value != m.Value || !math.IsNaN(float64(back.Stderr)) {
		t.Errorf("reads back as %+v, %v", back, err)
	}
}

// Any text below --data: one document a .txt file, words and bytes of the text itself.
func TestText(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("One two\nthrée."), 0o644); err != nil {
		t.Fatal(err)
	}
	task, err := configs.Task("text")
	if err != nil {
		t.Fatal(err)
	}
	docs, files, err := task.Documents(context.Background(), data.Source{Dir: dir}, tasks.Options{})
	if err != nil || len(docs) != 1 || docs[0].Text() != "One two\nthrée." || docs[0].Words != 3 || docs[0].Bytes != 15 || files[0].Rows != 1 {
		t.Errorf("%+v, %+v, %v", docs, files, err)
	}
}

// No text of a task's file makes the parser panic or write an error of several lines.
func FuzzTask(f *testing.F) {
	for _, i := range configs.Tasks() {
		b, err := os.ReadFile(filepath.Join("..", "configs", "tasks", i.Name+".yaml"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(own + "context: '{{.a | lstrip'\nchoices: [a, {b: c}]\ngold: {field: [x], among: [y]}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		task, err := tasks.Parse(b, "f.yaml")
		if (task == nil) == (err == nil) {
			t.Fatal("neither a task nor an error, or both")
		}
		if err != nil && (strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "f.yaml")) {
			t.Fatalf("an error of several lines or without the file: %q", err)
		}
	})
}
