package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/reports/lmeval"
)

// TestExportIsTheHarness: a run of the same checkpoint on the same documents is written
// as the harness wrote it: every document, prompt and target has the harness's hash, and
// the task's configuration has what its own scripts look up.
func TestExportIsTheHarness(t *testing.T) {
	work := t.TempDir()
	want, err := lmeval.Open(context.Background(), "../../reports/lmeval/testdata/harness")
	if err != nil {
		t.Fatal(err)
	}
	softbench := func(args ...string) string {
		cmd := exec.Command("softbench", args...)
		cmd.Env = append(os.Environ(), "HF_HOME="+filepath.Join(work, "no-hub"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("softbench %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	dir := golden.Dir(t)
	out := filepath.Join(work, "out")
	softbench("run", "arc_easy", "piqa", "lambada_openai", "wikitext", "--model", filepath.Join(dir, "tiny"), "--data", filepath.Join(dir, "docs"), "--dtype", "float32", "--device", "cpu", "--out", filepath.Join(work, "run"))
	path := strings.TrimSpace(softbench("export", filepath.Join(work, "run"), "--format", "lm-eval", "-o", out))
	got, err := lmeval.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Version != want.Version {
		t.Errorf("version %q, want %q", got.Version, want.Version)
	}
	for _, w := range want.Tasks {
		for _, g := range got.Tasks {
			if g.Name != w.Name {
				continue
			}
			if len(g.Samples) != len(w.Samples) {
				t.Fatalf("%s: %d samples, want %d", w.Name, len(g.Samples), len(w.Samples))
			}
			for i := range w.Samples {
				a, b := &g.Samples[i], &w.Samples[i]
				if a.DocHash != b.DocHash || w.Name != "wikitext" && (a.PromptHash != b.PromptHash || a.TargetHash != b.TargetHash) {
					t.Errorf("%s document %d: hashes %s %s %s, want %s %s %s", w.Name, i, a.DocHash, a.PromptHash, a.TargetHash, b.DocHash, b.PromptHash, b.TargetHash)
				}
			}
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Configs map[string]struct {
			Metrics []struct {
				Metric, Aggregation string
				HigherIsBetter      *bool `json:"higher_is_better"`
			} `json:"metric_list"`
		}
		Config map[string]any
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for name, aggregation := range map[string]string{"arc_easy": "mean", "lambada_openai": "perplexity", "wikitext": "weighted_perplexity"} {
		c := file.Configs[name]
		if len(c.Metrics) == 0 || c.Metrics[0].Aggregation != aggregation || c.Metrics[0].HigherIsBetter == nil {
			t.Errorf("%s: metric_list %+v", name, c.Metrics)
		}
	}
	for _, key := range []string{"random_seed", "numpy_seed", "torch_seed", "fewshot_seed", "softbench_seeds"} {
		if _, ok := file.Config[key]; !ok {
			t.Errorf("the configuration lacks %s", key)
		}
	}
	// Documents that are others now are not taken for those that were scored.
	moved := filepath.Join(work, "docs")
	if err := os.CopyFS(moved, os.DirFS(filepath.Join(dir, "docs"))); err != nil {
		t.Fatal(err)
	}
	softbench("run", "piqa", "--model", filepath.Join(dir, "tiny"), "--data", moved, "--dtype", "float32", "--device", "cpu", "--out", filepath.Join(work, "moved"))
	if err := os.RemoveAll(moved); err != nil {
		t.Fatal(err)
	}
	if said := softbench("export", filepath.Join(work, "moved"), "--format", "lm-eval", "-o", filepath.Join(work, "out2")); !strings.Contains(said, "task piqa: its documents cannot be read again") {
		t.Errorf("%q", said)
	}
}
