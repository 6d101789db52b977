package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/internal/golden"
)

// faultyReader panics, as a fault in any goroutine of a command would.
type faultyReader struct{}

func (faultyReader) Read([]byte) (int, error) { var none []int; return none[7], nil }

// TestFaultIsOneLine: a panic in a goroutine of a command is one line and exit
// code 2, and its trace is in the file that the line names.
func TestFaultIsOneLine(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	model := golden.TinyCheckpoint(t, "tiny")
	var out, errs bytes.Buffer
	code := execute(context.Background(), []string{"score", model}, streams{faultyReader{}, &out, &errs})
	text := errs.String()
	if code != exitMisuse || strings.Count(text, "\n") != 1 || !strings.Contains(text, "this is a fault of softbench") || !strings.Contains(text, "index out of range [7]") {
		t.Fatalf("exit code %d, %q", code, text)
	}
	files, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "softbench-fault-*.txt"))
	if err != nil || len(files) != 1 || !strings.Contains(text, files[0]) {
		t.Fatalf("%v, %v; the line is %q", files, err, text)
	}
	trace, err := os.ReadFile(files[0])
	if err != nil || !strings.Contains(string(trace), "faultyReader.Read") {
		t.Errorf("%v, the trace is %q", err, trace)
	}
}

// TestAbsurdNumbers: numbers that no machine has are refused before anything is
// done, whatever the command, in one line that names the option.
func TestAbsurdNumbers(t *testing.T) {
	model, docs := golden.TinyCheckpoint(t, "tiny"), filepath.Join("..", "..", "testdata", "golden", "docs")
	run := []string{"run", "arc_easy", "--limit", "1", "--model", model, "--data", docs}
	score := []string{"score", model}
	for _, c := range []struct {
		args    []string
		options []string
		values  []string
	}{
		{run, []string{"threads", "max-length", "batch-tokens"}, []string{"-1", "4611686018427387904"}},
		{run, []string{"limit", "fewshot"}, []string{"-1"}},
		{[]string{"run", "diagnostics", "--model", model, "--data", docs}, []string{"diagnostics-threshold"}, []string{"-1", "NaN", "Inf", "2"}},
		{score, []string{"threads", "max-length", "batch-tokens"}, []string{"-1", "100000000000", "4611686018427387904"}},
		{score, []string{"threads"}, []string{"100000"}},
		{[]string{"quantize", model, "--method", "rtn", "--bits", "4", "-o", t.TempDir()}, []string{"threads"}, []string{"-1", "100000"}},
		{[]string{"bench"}, []string{"threads", "tokens", "rounds", "seconds"}, []string{"-1", "4611686018427387904"}},
		{[]string{"bench"}, []string{"seconds"}, []string{"0", "NaN", "Inf"}},
		{[]string{"lab", "world", "--out", t.TempDir()}, []string{"words", "questions", "vocab", "own-words"}, []string{"-1", "4611686018427387904"}},
		{[]string{"lab", "train", "--data", filepath.Join(docs, "none.txt"), "--out", t.TempDir()}, []string{"threads"}, []string{"-1", "100000", "4611686018427387904"}},
	} {
		for _, option := range c.options {
			for _, value := range c.values {
				var errs bytes.Buffer
				code := execute(context.Background(), append(c.args[:len(c.args):len(c.args)], "--"+option, value), streams{strings.NewReader(""), io.Discard, &errs})
				if text := errs.String(); code != exitMisuse || strings.Count(text, "\n") != 1 || strings.Contains(text, "fault of softbench") {
					t.Errorf("%s --%s %s: exit code %d, %q", c.args[0], option, value, code, text)
				}
			}
		}
	}
}

// TestScoreHearsCtrlC: score ends though nothing comes on standard input, and no
// end of it either.
func TestScoreHearsCtrlC(t *testing.T) {
	in, _ := io.Pipe()
	for _, args := range [][]string{{"score", golden.TinyCheckpoint(t, "tiny")}, {"tokenize", golden.TinyCheckpoint(t, "tiny")}} {
		ctx, cancel := context.WithCancel(context.Background())
		code := make(chan int)
		go func() { code <- execute(ctx, args, streams{in, io.Discard, io.Discard}) }()
		cancel()
		select {
		case got := <-code:
			if got != exitInterrupted {
				t.Errorf("%s: exit code %d", args[0], got)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s still reads", args[0])
		}
	}
}

// TestScoreRefuses: what cannot be scored, and what is not text, is one line that
// names the line of standard input; with --allow-unscored a continuation that
// cannot be scored says so in its place.
func TestScoreRefuses(t *testing.T) {
	model := golden.TinyCheckpoint(t, "tiny")
	long := strings.Repeat(" word", 400)
	score := func(in string, flags ...string) (code int, out, errs string) {
		var o, e bytes.Buffer
		code = execute(context.Background(), append([]string{"score", model}, flags...), streams{strings.NewReader(in), &o, &e})
		return code, o.String(), e.String()
	}
	line := func(context, continuation string) string {
		return fmt.Sprintf("{\"context\": %q, \"continuation\": %q}\n", context, continuation)
	}
	for in, want := range map[string]string{
		line("a", " b") + line("a", ""):                            "line 2: its continuation is empty",
		"\n" + line("a", long):                                     "line 2: its continuation alone has",
		"{\"context\": \"a\xff\", \"continuation\": \" b\"}\n":     "line 1: the line is not valid UTF-8",
		line("a", " b") + "{\"context\": \"\xc3\", \"contin\": 1}": "line 2: the line is not valid UTF-8",
		`{"Context": "a", "continuation": " b"}`:                   `line 1: unknown key "Context": want {`, // as Python's keys are
		`{"context": "a", "CONTEXT": "b", "continuation": " b"}`:   `line 1: unknown key "CONTEXT": want {`,
		`{"context": "a", "continuation": " b", "x": 1}`:           `line 1: unknown key "x": want {`,
		`{"context": "a", "continuation": null}`:                   `must both be there`,
		`{"context": "a", "continuation": 3}`:                      `"continuation" is a number, not a text`,
		`{"context": NaN, "continuation": " b"}`:                   `line 1: not JSON: `,
		`["a", " b"]`:                                              `the line is a JSON array, not an object`,
	} {
		code, out, errs := score(in)
		if code != exitMisuse || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, want) {
			t.Errorf("%.40q: exit code %d, %q, %q; want %q", in, code, out, errs, want)
		}
	}
	_, plain, _ := score(line("a", " b"))
	for _, same := range []string{"\ufeff" + line("a", " b"), `{"context": "b", "context": "a", "continuation": " b"}`} {
		if code, out, errs := score(same); code != exitOK || out != plain || plain == "" {
			t.Errorf("%q: exit code %d, %s%s; want %s", same, code, out, errs, plain)
		}
	}
	code, out, errs := score(line("a", "")+line("a", " b")+line("a", long), "--allow-unscored")
	lines := strings.Split(out, "\n")
	if code != exitOK || len(lines) != 4 || lines[0] != `{"loglikelihood":null,"is_greedy":null,"tokens":0,"unscored":"empty"}` ||
		strings.Contains(lines[1], "null") || !strings.Contains(lines[2], `"loglikelihood":null`) || !strings.Contains(lines[2], `"unscored":"too_long"`) {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
}
