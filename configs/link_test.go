package configs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
)

// A suite or a task whose file, or directory, is a symbolic link finds what it names beside itself:
// beside the link, and where nothing is there, beside what the link leads to.
func TestLinkedSuites(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"deep/real/suite.yaml": "name: s\ntasks: [./task.yaml]\n",
		"deep/real/task.yaml":  "name: own\nkind: rolling_perplexity\ntext: \"{{.text}}\"\ndataset: {files: {test: ../docs/t.jsonl}}\n",
		"deep/docs/t.jsonl":    "{\"text\": \"words\"}\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		"suite.yaml": "deep/real/suite.yaml", "task.yaml": "deep/real/task.yaml",
		"configs": "deep/real", "twice.yaml": "configs/suite.yaml",
	} {
		if err := os.Symlink(filepath.FromSlash(to), filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	for _, name := range []string{"deep/real/suite.yaml", "suite.yaml", "task.yaml", "configs/suite.yaml", "configs/task.yaml", "twice.yaml"} {
		s, err := Resolve(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		docs, _, err := s.Tasks[0].Task.Documents(t.Context(), data.Source{}, tasks.Options{})
		if err != nil || len(docs) != 1 {
			t.Errorf("%s: %d documents, %v", name, len(docs), err)
		}
	}
}
