//go:build unix

package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/softbench/softbench/lab/session"
)

// TestInterruptedTraining: Ctrl-C in the middle of a step that takes seconds ends
// the program soon, with its exit code and one line, and what was done is kept.
func TestInterruptedTraining(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a larger model")
	}
	dir := t.TempDir()
	text, out := filepath.Join(dir, "book.txt"), filepath.Join(dir, "out")
	if err := os.WriteFile(text, []byte(strings.Repeat("The cat sat on the mat. The dog ran to the door.\n\nA bird sang.\n\n", 400)), 0o666); err != nil {
		t.Fatal(err)
	}
	train := func(more ...string) *exec.Cmd {
		return exec.Command("softbench", append([]string{
			"lab", "train", "--data", text, "--vocab", "280", "--out", out, "--log", "--log-every", "1", "--save-every", "1", "--diagnostics-every", "0", "--diagnostics-samples", "1",
			"--hidden", "256", "--intermediate", "688", "--layers", "2", "--heads", "4", "--context", "256", "--batch", "8", "--accumulate", "8",
		}, more...)...)
	}
	// Where the first line comes, and how long a step takes.
	cmd := train()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "step 1 ") {
	}
	time.Sleep(300 * time.Millisecond) // within the second step
	at := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(stderr)
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	took := time.Since(at)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Fatalf("ended with %v: %s", err, rest)
	}
	if text := string(rest); !strings.Contains(text, "softbench: interrupted; what is done is kept") || !strings.HasSuffix(text, "--resume\n") {
		t.Errorf("said %q", text)
	}
	t.Logf("ended %v after the signal", took)
	if took > time.Second {
		t.Errorf("it took %v to end", took)
	}
	c, err := session.ReadCourse(out)
	if err != nil || len(c.Lines) == 0 {
		t.Fatalf("history %+v, %v", c, err)
	}
	for _, name := range []string{"model.safetensors", "report.html", filepath.Join("training", "state")} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
}
