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
