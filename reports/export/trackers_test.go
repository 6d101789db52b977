package export

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTrackersTakeTheLines: the program of docs/run-format.md gives every line to W&B (offline) and MLflow (in a
// directory), and MLflow has every number of every step then; W&B keeps every step.
func TestTrackersTakeTheLines(t *testing.T) {
	python := os.Getenv("SOFTBENCH_PYTHON")
	if python == "" {
		t.Skip("SOFTBENCH_PYTHON does not name a Python with wandb, mlflow and tensorboard")
	}
	docs, err := os.ReadFile(filepath.Join("..", "..", "docs", "run-format.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(docs), "```python\nimport itertools")
	program, _, _ = strings.Cut("import itertools"+program, "```")
	dir := t.TempDir()
	lines := written(t, func(b *strings.Builder) error { return WriteJSONLines(b, course(t)) })
	program += `
for run in mlflow.search_runs(output_format="list"):
    for line in map(json.loads, open("runs.jsonl")):
        if line["series"] == run.info.run_name:
            for name, value in line.items():
                if "/" in name:
                    kept = {m.step: m.value for m in mlflow.MlflowClient().get_metric_history(run.info.run_id, name)}
                    assert kept[line["_step"]] == value, (name, kept)
                    print("kept")
`
	for name, text := range map[string]string{"runs.jsonl": lines, "log.py": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(python, "log.py")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "WANDB_MODE=offline", "MLFLOW_ALLOW_FILE_STORE=true", "MLFLOW_TRACKING_URI=file://"+dir+"/mlruns")
	out, err := cmd.CombinedOutput()
	if want := strings.Count(lines, "/"); err != nil || strings.Count(string(out), "kept\n") != want {
		t.Fatalf("%v, %d of %d numbers kept:\n%s", err, strings.Count(string(out), "kept\n"), want, out)
	}
	if strings.Contains(string(out), "ignored") || strings.Contains(string(out), "WARN") && strings.Contains(string(out), "step") {
		t.Errorf("W&B dropped a step:\n%s", out)
	}
}

// TestTensorBoardReadsItsFiles: TensorBoard's own reader has every number at its step.
func TestTensorBoardReadsItsFiles(t *testing.T) {
	python := os.Getenv("SOFTBENCH_PYTHON")
	if python == "" {
		t.Skip("SOFTBENCH_PYTHON does not name a Python with wandb, mlflow and tensorboard")
	}
	files := TensorBoard(course(t))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, files[0].Name), files[0].Data, 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "-c", `
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1])
a.Reload()
for tag in sorted(a.Tags()["scalars"]):
    print(tag, *("%d:%.6g" % (e.step, e.value) for e in a.Scalars(tag)))
`, dir).CombinedOutput()
	for _, want := range []string{"passkey/acc@512@0.25 20:0.7 300:0.7 1000:0.7\n", "diagnostics/massive 20:3 300:3 1000:3\n"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("%v: %q is not in\n%s", err, want, out)
		}
	}
}
