//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestRefusalsAreSmall: small files that stand for gigabytes are refused in one line
// by a process that never holds 1 GB.
func TestRefusalsAreSmall(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("name: x\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&laughs, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	deep := strings.Repeat("[", 120_000)
	dir := t.TempDir()
	for i, c := range []struct {
		file, text string
		args       []string
	}{
		{"suite.yaml", laughs.String(), []string{"run", "suite.yaml", "--model", "m"}},
		{"suite.yaml", "tasks: " + deep, []string{"run", "suite.yaml", "--model", "m"}},
		{"task.yaml", "kind: multiple_choice\nchoices: " + deep, []string{"run", "task.yaml", "--model", "m"}},
		{"suite.yaml", strings.Repeat("- ", 200_000), []string{"run", "suite.yaml", "--model", "m"}},
		{"policy.yaml", laughs.String(), []string{"gate", "r", "--baseline", "baseline.json", "--update", "--policy", "policy.yaml"}},
		{"baseline.json", `{"tasks": ` + strings.Repeat("[", 30<<20), []string{"gate", "r", "--baseline", "baseline.json"}},
		{"baseline.json", `{"softbench_baseline": 1, "tasks": [` + strings.Repeat("{},", 10<<20) + "{}]}", []string{"gate", "r", "--baseline", "baseline.json"}},
		{"baseline.json", `{"softbench_baseline": 1, "tasks": [{"metrics": [{"right": [` + strings.Repeat(`"",`, 10<<20) + `""]}]}]}`, []string{"gate", "r", "--baseline", "baseline.json"}},
		{"r/run.json", `{"schema": 2, "tasks": ` + deep, []string{"report", "r", "-o", "page.html"}},
		{"r/run.json", `{"schema": 2, "settings": {}, "tasks": [` + strings.Repeat("{},", 4<<20) + "{}]}", []string{"report", "r", "-o", "page.html"}},
	} {
		if err := os.MkdirAll(filepath.Join(dir, "r"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("softbench", c.args...)
		cmd.Dir = dir
		var errs strings.Builder
		cmd.Stderr = &errs
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != exitMisuse || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%d %s: exit code %d: %.300s", i, c.file, code, errs.String())
		}
		use, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			continue
		}
		peak := int64(use.Maxrss) // KiB, on Darwin bytes
		if runtime.GOOS != "darwin" {
			peak <<= 10
		}
		if peak > 1e9 {
			t.Errorf("%d %s: %d MB at most: %s", i, c.file, peak/1e6, errs.String())
		}
		t.Logf("%d %s: %d MB: %.120s", i, c.file, peak/1e6, errs.String())
	}
}
