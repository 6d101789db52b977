package hub

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/eval/hub/hubtest"
)

// The cache is huggingface_hub's both ways: it finds nothing wrong in what we wrote and
// loads it offline, and we find what it wrote, down to the last link, without a request.
func TestHuggingFaceHub(t *testing.T) {
	python := os.Getenv("SOFTBENCH_PYTHON")
	if python == "" {
		t.Skip("SOFTBENCH_PYTHON does not name a Python with huggingface_hub")
	}
	script := func(t *testing.T, offline string, args ...string) {
		t.Helper()
		cmd := exec.Command(python, append([]string{filepath.Join("testdata", "check_cache.py")}, args...)...)
		cmd.Env = append(os.Environ(), "HF_HUB_OFFLINE="+offline, "HF_HUB_DISABLE_XET=1", "HF_HUB_DISABLE_PROGRESS_BARS=1", "HF_HUB_DISABLE_TELEMETRY=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		t.Log(strings.TrimSpace(string(out)))
	}
	t.Run("we write", func(t *testing.T) {
		h := hubtest.New(t)
		commit := h.Add("models/org/name", "main", files())
		if _, err := get(client(t), Main, asked...); err != nil {
			t.Fatal(err)
		}
		script(t, "1", append([]string{"read", "org/name", commit}, asked...)...)
	})
	t.Run("it writes", func(t *testing.T) {
		h := hubtest.New(t)
		commit := h.Add("models/org/name", "main", files())
		script(t, "0", "write", "org/name")
		h.Requests()
		c := client(t)
		dirs, err := c.Cache.Snapshots(model, Main)
		if err != nil || len(dirs) != 1 || filepath.Base(dirs[0]) != commit {
			t.Fatal(dirs, err)
		}
		whole(t, dirs[0], files(), asked)
		if _, err := get(c, Main, asked...); err != nil {
			t.Fatal(err)
		}
		for _, r := range h.Requests() {
			if strings.Contains(r.Path, "/resolve/") {
				t.Errorf("asked again for %s", r.Path)
			}
		}
	})
}
