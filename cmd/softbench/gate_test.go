package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/reports/gate"
	"github.com/softbench/softbench/stats"
)

func readDocs(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(golden.Root(t), "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced are a page's blocks of a language, in order.
func fenced(text, language string) (blocks []string) {
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)\n```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// TestDocumentedGate runs the commands of docs/ci.md, in their order, with the
// suite and the policy that it shows; only model and documents come from directories
// instead of the hub.
func TestDocumentedGate(t *testing.T) {
	docs := readDocs(t)
	blocks := fenced(docs, "yaml")
	if len(blocks) != 5 {
		t.Fatalf("%d YAML blocks, want a suite, a policy, a quarantine and two pipelines", len(blocks))
	}
	suite, quarantine := blocks[0], blocks[2]
	blocks = append(blocks[1:2], blocks[3:]...)
	for _, policy := range []string{blocks[0], quarantine} {
		if _, err := gate.ParsePolicy([]byte(policy), "docs/ci.md"); err != nil {
			t.Errorf("the policy: %v", err)
		}
	}
	for _, b := range blocks[1:] {
		var v any
		if err := yaml.UnmarshalWithOptions([]byte(b), &v, yaml.Strict()); err != nil {
			t.Errorf("a pipeline is not YAML: %v", err)
		}
	}
	var commands []string
	for _, b := range append(fenced(docs, "sh"), blocks[1:]...) {
		for _, l := range strings.Split(b, "\n") {
			l, _, _ = strings.Cut(l, "  #")
			if m := regexp.MustCompile(`^(?:- |run: )?(softbench (?:run|gate) .*)$`).FindStringSubmatch(strings.TrimSpace(l)); m != nil {
				commands = append(commands, m[1])
			}
		}
	}
	if len(commands) != 6 { // GitHub's are the action's, whose tests run them
		t.Fatalf("%d commands: %q", len(commands), commands)
	}

	source, checkpoint := golden.Dir(t, "docs"), golden.Dir(t, "tiny")
	dir := t.TempDir()
	t.Chdir(dir)
	for _, err := range []error{
		os.Mkdir("ci", 0o777),
		os.CopyFS("checkpoint", os.DirFS(checkpoint)),
		os.WriteFile("ci/suite.yaml", []byte(suite), 0o666),
		os.WriteFile("ci/gate.yaml", []byte(blocks[0]), 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range commands {
		local := strings.NewReplacer("--download", "--data "+source, "--data data", "--data "+source, `--model "$MODEL" --revision "$REVISION"`, "--model checkpoint")
		args := strings.Fields(local.Replace(c))[1:]
		if args[0] == "run" { // the pipelines write one name, on machines of their own
			if err := os.RemoveAll("runs/new"); err != nil {
				t.Fatal(err)
			}
		}
		var out, errs bytes.Buffer
		if code := execute(context.Background(), args, streams{strings.NewReader(""), &out, &errs}); code != exitOK {
			t.Fatalf("%s: exit code %d: %s", c, code, &errs)
		}
	}
	for _, file := range []string{"ci/baseline.json", "gate.xml", "gate.md"} {
		if info, err := os.Stat(file); err != nil || info.Size() == 0 {
			t.Errorf("the commands left no %s (error %v)", file, err)
		}
	}
}

// TestDocumentedPower computes the table of docs/ci.md.
func TestDocumentedPower(t *testing.T) {
	docs := readDocs(t)
	_, table, ok := strings.Cut(docs, "| documents |")
	if !ok {
		t.Fatal("no table")
	}
	head, table, _ := strings.Cut(table, "\n")
	var shares []float64
	for _, m := range regexp.MustCompile(`c = (\d+)%`).FindAllStringSubmatch(head, -1) {
		c, _ := strconv.ParseFloat(m[1], 64)
		shares = append(shares, c/100)
	}
	rows := 0
	for _, l := range strings.Split(table, "\n")[1:] {
		cells := strings.Split(strings.Trim(l, "| "), " | ")
		n, err := strconv.Atoi(cells[0])
		if err != nil {
			break
		}
		rows++
		for i, c := range shares {
			if got := fmt.Sprintf("%.1f", 100*found(n, c)); got != cells[1+i] {
				t.Errorf("%d documents, c = %v: found from %s on, the table says %s", n, c, got, cells[1+i])
			}
		}
	}
	if rows != 6 || len(shares) != 4 {
		t.Errorf("%d rows of %d", rows, len(shares))
	}
}

// found is the smallest drop in accuracy that a gate calls a regression with 80%
// power, with 0.01 allowed and a share c of the documents changed.
func found(n int, c float64) float64 {
	return stats.DetectableAccuracyDrop(n, c, 0.01, 0.05, stats.BeyondAllowed)
}
