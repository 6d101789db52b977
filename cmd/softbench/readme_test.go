package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
)

// TestReadme runs the README's first example and wants the table it shows. The
// perplexity's last digits depend on the instruction set, and the closing line
// on the machine: these are not compared.
func TestReadme(t *testing.T) {
	root := golden.Root(t)
	t.Chdir(root)
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(text), "```console\n$ go run ./cmd/softbench ")
	command, rest, ok2 := strings.Cut(block, "\n")
	shown, _, ok3 := strings.Cut(rest, "\n\n")
	if !ok || !ok2 || !ok3 {
		t.Fatal("the README shows no command with its output")
	}
	var out, errs bytes.Buffer
	if code := execute(context.Background(), strings.Fields(command), streams{strings.NewReader(""), &out, &errs}); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	got, _, _ := strings.Cut(out.String(), "\n\n")
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(shown, "\n")
	if len(gotLines) != len(wantLines) {
		t.Fatalf("printed:\n%s\nthe README shows:\n%s", got, shown)
	}
	for i, want := range wantLines {
		if gotLines[i] != want && !strings.Contains(want, "perplexity") {
			t.Errorf("printed %q, the README shows %q", gotLines[i], want)
		}
	}
}
