//go:build unix

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
	"time"
)

// standIns are a folder as first-run is carried in it, with programs in the place of cuda-check,
// compute-sanitizer and ncu: they write what they were asked down, and cuda-check ends with the
// number in the file code, or talks without end where that holds none.
func standIns(t *testing.T) (dir string, run func(seconds string) *exec.Cmd) {
	t.Helper()
	dir = t.TempDir()
	script, err := os.ReadFile("../../first-run")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"first-run": string(script),
		"cuda-check": `#!/usr/bin/env bash
while [ $# -gt 0 ]; do [ "$1" != -out ] || out=$2; shift; done
code=$(cat "$HERE/code")
[ "$code" != none ] || while :; do echo talking; sleep 0.05; done
[ -z "${out:-}" ] || echo '{"left": 0}' >"$out/checks.json"
exit "$code"
`,
		"tools/compute-sanitizer": "#!/usr/bin/env bash\necho \"compute-sanitizer $*\" >>\"$HERE/asked\"\n",
		"tools/ncu":               "#!/usr/bin/env bash\necho \"ncu $*\" >>\"$HERE/asked\"\n",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	tools := firstRunTools(t, dir)
	return dir, func(seconds string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(dir, "first-run"), filepath.Join(dir, "state"), seconds)
		cmd.Env = []string{"PATH=" + tools, "HERE=" + dir}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		return cmd
	}
}

func outcome(t *testing.T, cmd *exec.Cmd) (string, int) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if exit := (&exec.ExitError{}); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func ends(t *testing.T, dir, code string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "code"), []byte(code), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestFirstRunRemembersFailures: what failed fails the command at the next time too.
func TestFirstRunRemembersFailures(t *testing.T) {
	dir, run := standIns(t)
	ends(t, dir, "1")
	for i := range 2 {
		if out, code := outcome(t, run("600")); code != 1 || !strings.Contains(out, "something failed") {
			t.Errorf("command %d: exit code %d, want 1, and\n%s", i+1, code, out)
		}
	}
	if out, code := outcome(t, run("soon")); code != 2 || out != "first-run: soon is no number of seconds\n" {
		t.Errorf("exit code %d, want 2, and %q", code, out)
	}
}

// TestFirstRunAsksItsTools: every kernel under both sanitizers and every profile, of the children
// that run the cases too.
func TestFirstRunAsksItsTools(t *testing.T) {
	dir, run := standIns(t)
	ends(t, dir, "0")
	if out, code := outcome(t, run("600")); code != 0 || !strings.Contains(out, "first-run: all done") {
		t.Fatalf("exit code %d, want 0, and\n%s", code, out)
	}
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(asked)), "\n")
	if len(lines) != 17 {
		t.Errorf("%d commands, want 10 of compute-sanitizer and 7 of ncu:\n%s", len(lines), asked)
	}
	for _, line := range lines {
		if !strings.Contains(line, "--target-processes all") || !strings.Contains(line, filepath.Join(dir, "cuda-check")) {
			t.Errorf("children are not looked at, or nothing is: %s", line)
		}
	}
}

// TestFirstRunInterrupted: Ctrl-C ends it, and the step is not taken for done.
func TestFirstRunInterrupted(t *testing.T) {
	dir, run := standIns(t)
	ends(t, dir, "none")
	cmd := run("600")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 400 {
		if text, _ := os.ReadFile(filepath.Join(dir, "state", "conformance.log")); len(text) > 0 {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) // the group of a terminal's foreground
	_ = cmd.Wait()
	out, code := said.String(), cmd.ProcessState.ExitCode()
	if code != 130 || !strings.Contains(out, "conformance was interrupted") {
		t.Errorf("exit code %d, want 130, and\n%s", code, out)
	}
	ends(t, dir, "0")
	if out, code := outcome(t, run("600")); code != 0 || strings.Contains(out, "done before") {
		t.Errorf("after it: exit code %d, want 0, and\n%s", code, out)
	}
}
