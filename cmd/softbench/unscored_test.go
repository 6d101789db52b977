package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
)

// TestUnscoredIsSaid: documents that no metric is over are counted wherever a run's
// numbers are shown, and are not rows of the harness's format, which would stop at them.
func TestUnscoredIsSaid(t *testing.T) {
	model, docs := filepath.Join(golden.Dir(t), "tiny"), filepath.Join(golden.Dir(t), "docs")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	run := func(code int, line string) string {
		t.Helper()
		var out bytes.Buffer
		args := strings.Fields(strings.NewReplacer("$M", model, "$D", docs).Replace(line))
		if got := execute(t.Context(), args, streams{strings.NewReader(""), &out, &out}); got != code {
			t.Fatalf("%s: exit code %d, want %d: %s", line, got, code, out.String())
		}
		return out.String()
	}
	table := run(exitOK, "run arc_easy --model $M --data $D --allow-unscored --max-length 6 --out some")
	if !strings.Contains(table, "3 documents have no score") {
		t.Errorf("the table does not count the documents without a score: %s", table)
	}
	run(exitOK, "run arc_easy --model $M --data $D --allow-unscored --max-length 1 --out none")

	run(exitOK, "report some -o page.html --offline")
	page, err := os.ReadFile("page.html")
	if err != nil || !strings.Contains(string(page), "ocuments without a score") || !strings.Contains(string(page), `data-from="/runs/0/manifest/tasks/0/unscored">3<`) {
		t.Errorf("%v: the page does not count the documents without a score", err)
	}

	run(exitOK, "export some --format lm-eval -o harness")
	results, _ := filepath.Glob("harness/some/results_*.json")
	samples, _ := filepath.Glob("harness/some/samples_arc_easy_*.jsonl")
	if len(results) != 1 || len(samples) != 1 {
		t.Fatalf("%v, %v", results, samples)
	}
	var file struct {
		Samples map[string]map[string]int `json:"n-samples"`
	}
	text, err := os.ReadFile(results[0])
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if n := file.Samples["arc_easy"]; err != nil || n["original"] != 13 || n["effective"] != 10 {
		t.Errorf("%v, n-samples %v; want 13 original, 10 effective", err, n)
	}
	rows, err := os.ReadFile(samples[0])
	if err != nil || bytes.Count(rows, []byte("\n")) != 10 || bytes.Contains(rows, []byte(`"nan"`)) {
		t.Errorf("%v: %d rows, want the 10 with a score: %.300s", err, bytes.Count(rows, []byte("\n")), rows)
	}

	run(exitOK, "gate some --baseline some.json --update")
	run(exitOK, "gate some --baseline some.json")
	for line, want := range map[string]string{
		"gate none --baseline none.json --update": "could never fail",
		"gate none --baseline some.json":          "metric acc is missing",
		"compare none none":                       "no metric is in both",
	} {
		if said := run(exitMisuse, line); !strings.Contains(said, want) {
			t.Errorf("%s: %s; want %q", line, said, want)
		}
	}
	if _, err := os.Stat("none.json"); err == nil {
		t.Error("a baseline without a metric was written")
	}
}
