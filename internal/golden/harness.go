package golden

import (
	"os"
	"path/filepath"
	"testing"
)

// HarnessEnv names the environment variable that says where lm-evaluation-harness' task files are.
const HarnessEnv = "SOFTBENCH_HARNESS"

// Harness returns the directory lm_eval/tasks of lm-evaluation-harness 0.4.13: $SOFTBENCH_HARNESS, else
// that of a virtual environment .venv in or beside the repository. The files are not the project's own and
// not in it, so a test that reads them skips where there are none.
func Harness(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv(HarnessEnv); dir != "" {
		if _, err := os.Stat(filepath.Join(dir, "mmlu")); err != nil {
			t.Fatalf("%s=%s holds no task files: %v", HarnessEnv, dir, err)
		}
		return dir
	}
	for _, venv := range []string{".venv", "../.venv", "../venv"} {
		found, _ := filepath.Glob(filepath.Join(Root(t), venv, "lib", "python3*", "site-packages", "lm_eval", "tasks"))
		if len(found) > 0 {
			return found[0]
		}
	}
	t.Skipf("lm-evaluation-harness' task files are absent: %s is not set, and there is no .venv with lm-eval 0.4.13", HarnessEnv)
	return ""
}
