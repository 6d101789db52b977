//go:build unix

package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const killedStudy = `name: killed
question: Is it the same?
preset: toy
world: {own_words: 30}
settings: {hidden: 32, intermediate: 48, layers: 1, heads: 2, head_dim: 16, context: 64, batch: 8, steps: 40, warmup: 2, mix: "chain=1,repeat=1"}
grid: {attention: [softmax, softpick]}
seeds: [1, 2]
diagnostics: {every: 4, samples: 4}
exam: {tasks: [retrieval/span_32.yaml], quantise: ["rtn:4:row"]}
show: [loss, copying, exam.span_32, "exam.kl.rtn:4:row"]
claims:
  - {claim: Few sinks, measure: sink_rate, where: {attention: softpick}, at_most: 0.5}
`

// TestKilledStudy: a study that is killed with SIGKILL, again and again, and called
// again each time ends with the page, to the byte, of one that was not, and with a
// record that has every training and every exam once.
func TestKilledStudy(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "killed.yaml")
	if err := os.WriteFile(file, []byte(killedStudy), 0o666); err != nil {
		t.Fatal(err)
	}
	study := func(out string) *exec.Cmd {
		return exec.Command("softbench", "lab", "study", file, "--out", filepath.Join(dir, out), "--record", filepath.Join(dir, out+".jsonl"), "--threads", "2")
	}
	if out, err := study("whole").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	kills := 0
	for round := range 30 {
		cmd := study("killed")
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Some lines further than it was, and a little into what follows.
		lines := bufio.NewScanner(stderr)
		for seen := 0; seen < 6 && lines.Scan(); {
			if strings.Contains(lines.Text(), ": step ") {
				seen++
			}
		}
		time.Sleep(time.Duration(round%7) * 5 * time.Millisecond)
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err == nil {
			break // it was at its end
		}
		kills++
	}
	if kills < 3 {
		t.Errorf("%d kills only", kills)
	}
	if out, err := study("killed").CombinedOutput(); err != nil {
		t.Fatalf("after %d kills: %v: %s", kills, err, out)
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(read("killed/study.html"), read("whole/study.html")) {
		t.Error("the pages differ")
	}
	// The record has a clock in it (seconds), and trainings in the order they ended.
	for _, name := range []string{"killed.jsonl", "whole.jsonl"} {
		record := string(read(name))
		if n, exams := strings.Count(record, "\n"), strings.Count(record, `"exam":`); n != 8 || exams != 4 {
			t.Errorf("%s: %d lines, %d exams; want 4 trainings and 4 exams", name, n, exams)
		}
	}
	t.Logf("%d kills", kills)
}
