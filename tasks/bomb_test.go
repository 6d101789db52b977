package tasks_test

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
)

// A file of 3 KB with a thousand documents of the same 20 MB is refused before their prompts fill the
// memory.
func TestPromptsAreBounded(t *testing.T) {
	z, err := zip.OpenReader("data/testdata/bombs.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("dictionary.parquet")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "d.parquet"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, yaml := range []string{
		"kind: multiple_choice\ncontext: \"{{.q}}?\"\nchoices: c\ngold: g\n",
		"kind: last_word\ncontext: \"{{.g}}\"\ncontinuation: \"{{.q}}\"\n",
		"kind: rolling_perplexity\ntext: \"{{.q}} \"\n",
	} {
		task, err := tasks.Parse([]byte("name: own\ndataset: {files: {test: d.parquet}}\n"+yaml), filepath.Join(dir, "t.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = task.Documents(t.Context(), data.Source{}, tasks.Options{})
		if err == nil || !strings.Contains(err.Error(), "the prompts of the documents so far are more than 192 MiB") {
			t.Errorf("%s: %v", yaml, err)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.Sys > 1000<<20 {
		t.Errorf("the process took %d MiB", m.Sys>>20)
	}
}

// A template that counts to a large number, calls itself without end or makes a text of texts ends in
// an error, not after hours or without memory.
func TestTemplatesAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("writes some gigabytes of text")
	}
	dir := t.TempDir()
	row := `{"q": "` + strings.Repeat("a", 1<<20) + `", "s": "` + strings.Repeat("b", 40) + `", "n": 4000000000, "c": ["x", "y"]}` + "\n"
	if err := os.WriteFile(filepath.Join(dir, "d.jsonl"), []byte(row), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ template, err string }{
		{`{{range .n}}{{end}}`, "turns of range and template"},
		{`{{define "a"}}{{if .}}{{template "a" (slice . 1)}}{{template "a" (slice . 1)}}{{end}}{{end}}{{template "a" .s}}`, "turns of range and template"},
		{`{{replace "a" .q .q}}`, "the template's output passes"},
		{`{{replace "" .q .q}}`, "the template's output passes"},
		{`{{print` + strings.Repeat(" .q", 300) + `}}`, "the template's output passes"},
		{`{{printf "` + strings.Repeat("%[1]s", 300) + `" .q}}`, "the template's output passes"},
		{`{{range 1000}}{{$.q}}{{end}}`, "the template's output passes"},
		{`{{range $i, $c := .c}}{{if $i}}{{break}}{{end}}{{$c}}{{end}}{{replace "b" "" .s}}{{join "-" .c}}{{print 1 2}}`, ""},
	} {
		task, err := tasks.Parse([]byte("name: own\ndataset: {files: {test: d.jsonl}}\nkind: rolling_perplexity\ntext: '"+c.template+"'\n"), filepath.Join(dir, "t.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		docs, _, err := task.Documents(t.Context(), data.Source{}, tasks.Options{})
		if c.err == "" && (err != nil || docs[0].Text() != "xx-y1 2") || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%.60s: %v; want %q", c.template, err, c.err)
		}
	}
}
