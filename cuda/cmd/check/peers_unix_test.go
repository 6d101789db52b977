//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPeersToTheLastLine runs peers.py over tensors of the processor: a row that disagrees is said and
// not timed, the others go on, and the exit code tells.
func TestPeersToTheLastLine(t *testing.T) {
	python := os.Getenv("SOFTBENCH_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import torch, triton").CombinedOutput(); err != nil {
		t.Skipf("no Python with torch and triton (SOFTBENCH_PYTHON names one): %v %s", err, out)
	}
	path, err := exec.LookPath(python)
	if err != nil {
		t.Skip(err)
	}
	here, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		wrong string
		code  int
		lines []string
	}{
		{"", 0, []string{"torch.matmul (cuBLAS)", "2048 tokens", "4096 tokens", "torch SDPA, FLASH_ATTENTION", "were not timed before it"}},
		{"wrong", 1, []string{"gemm, 512 x 64 x 32 differs by up to 1", "4096 tokens", "torch SDPA, FLASH_ATTENTION"}},
	} {
		cmd := exec.Command(python, "testdata/dry_peers.py", here, c.wrong)
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1", "TRITON_INTERPRET=1")
		text, _ := cmd.CombinedOutput()
		out, code := string(text), cmd.ProcessState.ExitCode()
		if code != c.code {
			t.Errorf("%q: exit code %d, want %d:\n%s", c.wrong, code, c.code, out)
		}
		for _, want := range c.lines {
			if !strings.Contains(out, want) {
				t.Errorf("%q: no %q in\n%s", c.wrong, want, out)
			}
		}
	}
}
