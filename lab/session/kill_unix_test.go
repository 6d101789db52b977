//go:build unix

package session

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/lab/train"
)

const killVariable = "SOFTBENCH_TEST_KILL_DIR"

// TestKilled: a training that is killed with SIGKILL, again and again, in steps,
// in diagnostics and in saves, and resumed each time has the bytes of one that was not;
// after every kill what is on disk is whole.
func TestKilled(t *testing.T) {
	options := func(dir, out string) Options {
		o := small(t, dir, out)
		o.SaveEvery, o.DiagnosticsEvery, o.LogEvery, o.Resume, o.Page = 1, 2, 1, true, textPage
		return o
	}
	if dir := os.Getenv(killVariable); dir != "" {
		o := options(dir, "killed")
		o.Step = func(r train.Report) { fmt.Println("step", r.Step) }
		if _, err := Run(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		return
	}
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	whole, killed := options(dir, "whole"), options(dir, "killed")
	if _, err := Run(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	kills, last := 0, ""
	for round := range 12 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), killVariable+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The second step that this process takes, and a little into what follows.
		lines := bufio.NewScanner(out)
		for steps := 0; steps < 2 && lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "step ") {
				steps++
				last = lines.Text()
			}
		}
		time.Sleep(time.Duration(round) * 3 * time.Millisecond)
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err == nil {
			break // it was at its end
		}
		kills++
		if _, err := ReadCourse(killed.Out); err != nil {
			t.Fatalf("after the kill at %s: %v", last, err)
		}
	}
	if kills < 3 {
		t.Errorf("%d kills only, the last at %s", kills, last)
	}
	if _, err := Run(context.Background(), killed); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.json", "model.safetensors", "tokenizer.json", "report.html"} {
		if !bytes.Equal(read(t, filepath.Join(killed.Out, name)), read(t, filepath.Join(whole.Out, name))) {
			t.Errorf("%s differs", name)
		}
	}
	for _, dir := range []string{killed.Out, filepath.Join(killed.Out, trainingDir)} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				t.Errorf("left behind by a kill: %s", e.Name())
			}
		}
	}
	sameHistory(t, historyOf(t, killed.Out), historyOf(t, whole.Out))
	t.Logf("%d kills, the last at %s", kills, last)
}
