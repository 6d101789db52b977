package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/softbench/softbench/internal/golden"
)

// TestComparisonsShareRuns: eight comparisons at once on one directory of runs all
// work, and agree; one whose unfinished run is of other documents begins another.
func TestComparisonsShareRuns(t *testing.T) {
	docs, tiny := golden.Dir(t, "docs"), golden.Dir(t, "tiny")
	dir := t.TempDir()
	suite := filepath.Join(dir, "mine.yaml")
	other := filepath.Join(dir, "other")
	for _, err := range []error{
		os.WriteFile(suite, []byte("name: mine\ntasks: [{task: arc_easy, limit: 8}]\n"), 0o666), os.CopyFS(other, os.DirFS(tiny)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(other, "config.json")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte(strings.Replace(string(text), "1e-06", "1e-03", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	var tables [8]string
	var all sync.WaitGroup
	for i := range tables {
		all.Go(func() {
			cmd := exec.Command("softbench", "compare", tiny, other, "--suite", suite, "--data", docs, "--runs", filepath.Join(dir, "runs"))
			var errs strings.Builder
			cmd.Stderr = &errs
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("%v: %s", err, errs.String())
			}
			tables[i] = string(out)
		})
	}
	all.Wait()
	for _, table := range tables {
		if table == "" || table != tables[0] {
			t.Errorf("one comparison says\n%s\nanother\n%s", tables[0], table)
		}
	}
	if runs, _ := filepath.Glob(filepath.Join(dir, "runs", "*", "run.json")); len(runs) != 2 {
		t.Errorf("%d runs, want each checkpoint's one", len(runs))
	}
}
