package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/softbench/softbench/internal/golden"
)

// TestOffline: where there is no network at all, not even the machine's own, the
// commands do their work: none of them asks for one by itself.
func TestOffline(t *testing.T) {
	dir, work := golden.Dir(t), t.TempDir()
	softbench := func(args ...string) (string, error) {
		cmd := exec.Command("softbench", args...)
		cmd.Dir = work
		cmd.Env = append(os.Environ(), "HF_HOME="+filepath.Join(work, "no-hub"), "XDG_CACHE_HOME="+filepath.Join(work, "cache"))
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
		}
		var out, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &stderr
		err := cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Skip("this system gives no empty network namespace:", err)
		}
		return out.String() + stderr.String(), err
	}
	model, docs := filepath.Join(dir, "tiny"), filepath.Join(dir, "docs")
	for _, args := range [][]string{
		{"run", "arc_easy", "wikitext", "--model", model, "--data", docs, "--out", "a"},
		{"compare", "a", model, "--data", docs, "--dtype", "bfloat16", "--report", "page.html"},
		{"report", "a", "a", "-o", "two.html"},
		{"gate", "a", "--baseline", "b.json", "--update"},
		{"gate", "a", "--baseline", "b.json"},
		{"export", "a", "--format", "csv"},
		{"inspect", model},
		{"quantize", model, "--method", "nf4", "--group", "32", "-o", "few"},
		{"ls"},
	} {
		if out, err := softbench(args...); err != nil {
			t.Errorf("softbench %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	// What does need one says so.
	if out, err := softbench("run", "piqa", "--model", model, "--data", work); err == nil || !strings.Contains(out, "piqa") || !strings.Contains(out, "--download") {
		t.Errorf("without documents: %v, %s", err, out)
	}
	if out, err := softbench("report", "a", "-o", "x.html", "--fetch-assets"); err == nil || strings.Count(out, "\n") != 1 {
		t.Errorf("--fetch-assets without a network: %v, %s", err, out)
	}
}
