package tasks_test

import (
	"context"
	"fmt"
	"github.com/softbench/softbench/tasks/data"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/tasks"
)

// clustersOf numbers the clusters in the order of the documents; 0 for none.
func clustersOf(docs []tasks.Doc) []int {
	number := map[string]int{"": 0}
	var out []int
	for _, d := range docs {
		if _, ok := number[d.Cluster]; !ok {
			number[d.Cluster] = len(number)
		}
		out = append(out, number[d.Cluster])
	}
	return out
}

// Documents about one source are a cluster by themselves where the task does not
// say otherwise, and so are copies of a document.
func TestDefaultClusters(t *testing.T) {
	question := func(doc string) string { return `{` + doc + `,"c":["x","y"],"label":0}` + "\n" }
	lines := func(docs ...string) (out string) {
		for _, d := range docs {
			out += question(d)
		}
		return out
	}
	const choices = "choices: c\ngold: label\n"
	for name, c := range map[string]struct {
		yaml, jsonl string
		want        []int
	}{
		"passage": {`context: "{{.passage}} {{.q}}"` + "\n" + choices,
			lines(`"passage":"P","q":"1"`, `"passage":"Q","q":"2"`, `"passage":"P","q":"3"`), []int{1, 0, 1}},
		"article": {`context: "{{.article | strip}} {{.q}}"` + "\n" + choices,
			lines(`"article":"P","q":"1"`, `"article":"P","q":"2"`, `"article":"R","q":"3"`, `"article":"R","q":"4"`), []int{1, 1, 2, 2}},
		"a column that the prompt does not show": {`context: "{{.q}}"` + "\n" + choices,
			lines(`"passage":"P","q":"1"`, `"passage":"P","q":"2"`, `"passage":"R","q":"3"`), []int{0, 0, 0}},
		"text that all have": {`context: "{{.context}} {{.q}}"` + "\n" + choices,
			lines(`"context":"Answer.","q":"1"`, `"context":"Answer.","q":"2"`), []int{0, 0}},
		"an empty source": {`context: "{{.support}} {{.q}}"` + "\n" + choices,
			lines(`"support":"","q":"1"`, `"support":" ","q":"2"`, `"support":"S","q":"3"`, `"support":"S","q":"4"`), []int{0, 0, 1, 1}},
		"the task's own": {`context: "{{.passage}} {{.q}}"` + "\n" + choices + `cluster: "{{.book}}"` + "\n",
			lines(`"passage":"P","q":"1","book":"a"`, `"passage":"P","q":"2","book":"b"`, `"passage":"Q","q":"3","book":"b"`), []int{1, 2, 2}},
		"none, as the task says": {`context: "{{.passage}} {{.q}}"` + "\n" + choices + `cluster: ""` + "\n",
			lines(`"passage":"P","q":"1"`, `"passage":"P","q":"2"`, `"passage":"Q","q":"3"`), []int{0, 0, 0}},
		"copies, whatever their number": {`context: "{{.q}}"` + "\n" + choices,
			lines(`"id":1,"q":"1"`, `"id":2,"q":"2"`, `"id":3,"q":"1"`), []int{1, 0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			docs, err := documents(t, own+c.yaml, c.jsonl, tasks.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := clustersOf(docs); !slices.Equal(got, c.want) {
				t.Errorf("clusters %v, want %v", got, c.want)
			}
		})
	}
	const text = "name: pages\nkind: rolling_perplexity\ndataset: {files: {test: d.jsonl}}\ntext: \"{{.text}}\"\n"
	docs, err := documents(t, text, `{"text":"a"}`+"\n"+`{"text":"b"}`+"\n"+`{"text":"a"}`+"\n", tasks.Options{})
	if err != nil || !slices.Equal(clustersOf(docs), []int{1, 0, 1}) {
		t.Errorf("pages: %v, %v", clustersOf(docs), err)
	}
}

// The built-in tasks whose data sets ask several questions about one source.
func TestBuiltInClusters(t *testing.T) {
	for name, c := range map[string]struct {
		doc  func(source string, i int) string
		want string
	}{
		"boolq": {func(s string, i int) string {
			return fmt.Sprintf(`{"passage":"%s","question":"q%d","label":1}`, s, i)
		}, "passage"},
		"sciq": {func(s string, i int) string {
			return fmt.Sprintf(`{"support":"%s","question":"q%d","distractor1":"a","distractor2":"b","distractor3":"c","correct_answer":"d"}`, s, i)
		}, "support"},
		"piqa": {func(s string, i int) string {
			return fmt.Sprintf(`{"goal":"%s","sol1":"a%d","sol2":"b","label":0}`, s, i)
		}, "goal"},
		"hellaswag": {func(s string, i int) string {
			return fmt.Sprintf(`{"source_id":"%s","activity_label":"l","ctx_a":"a%d","ctx_b":"b","endings":["a","b"],"label":"0"}`, s, i)
		}, "source_id"},
	} {
		t.Run(name, func(t *testing.T) {
			var jsonl strings.Builder
			for i, source := range []string{"one", "two", "one", "three"} {
				jsonl.WriteString(c.doc(source, i) + "\n")
			}
			task, err := configs.Task(name)
			if err != nil {
				t.Fatal(err)
			}
			docs, err := documentsOf(t, task, jsonl.String())
			if err != nil {
				t.Fatal(err)
			}
			if got := clustersOf(docs); !slices.Equal(got, []int{1, 0, 1, 0}) || task.ClusteredBy(docs) != c.want {
				t.Errorf("clusters %v by %q, want the first and third by %s", got, task.ClusteredBy(docs), c.want)
			}
		})
	}
}

// documentsOf reads JSON lines as the task's own data set.
func documentsOf(t *testing.T, task *tasks.Task, jsonl string) ([]tasks.Doc, error) {
	t.Helper()
	dir := t.TempDir()
	base := filepath.Join(dir, filepath.Base(task.Dataset.Path), task.Dataset.Config)
	if err := os.MkdirAll(base, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(base, task.Splits[0]+".jsonl"), []byte(jsonl), 0o666); err != nil {
		t.Fatal(err)
	}
	docs, _, err := task.Documents(context.Background(), data.Source{Dir: dir}, tasks.Options{})
	return docs, err
}
