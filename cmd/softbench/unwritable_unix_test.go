//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
)

// TestUnwritableCacheSaysWhereElse: a cache that belongs to another user, as in a
// container that runs as no user of its own, ends in a line that names what chooses
// another place, and no option that the command lacks.
func TestUnwritableCacheSaysWhereElse(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("nothing is unwritable for root")
	}
	cache := t.TempDir()
	if err := os.Chmod(cache, 0o500); err != nil {
		t.Fatal(err)
	}
	tiny := filepath.Join(golden.Dir(t), "tiny")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"--runs DIR", []string{"compare", tiny, tiny, "--suite", "arc_easy", "--data", filepath.Join(golden.Dir(t), "docs")}},
		{"--runs DIR", []string{"compare"}},
		{"XDG_CACHE_HOME", []string{"run", "arc_easy", "--model", "twin/softmax"}},
	} {
		cmd := exec.Command("softbench", c.args...)
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache, "HOME="+cache)
		out, _ := cmd.CombinedOutput()
		if text := string(out); cmd.ProcessState.ExitCode() != exitMisuse || strings.Count(text, "\n") != 1 || !strings.Contains(text, c.want) || strings.Contains(text, "--out") {
			t.Errorf("%v: exit code %d, want %d and %q: %s", c.args, cmd.ProcessState.ExitCode(), exitMisuse, c.want, text)
		}
	}
}
