package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/softbench/softbench/internal/golden"
)

// extremes are what no one means, and what scripts come to by mistake.
var extremes = []string{"0", "-1", "NaN", "Inf", "-Inf", "4611686018427387904", "1000000000000", "2147483648", "1e300", "1e-300", "-1e300", "1,5", ""}

// TestEveryNumber gives every numeric flag of every command every extreme: each is
// taken, or refused with exit code 2 in one line that names the flag before anything
// is done; none ends in a panic, for want of memory, or never.
func TestEveryNumber(t *testing.T) {
	model, docs := golden.TinyCheckpoint(t, "tiny"), golden.Dir(t, "docs")
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HF_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"text.txt":   strings.Repeat("one two three four five six\n", 200),
		"study.yaml": "name: [\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	train := "lab train --data text.txt --out trained --hidden 32 --intermediate 32 --layers 1 --heads 2 --context 16 --vocab 300 --batch 1 --steps 1 --warmup 0 --diagnostics-samples 1"
	// lines are small tasks of the commands that take numbers; $OUT is new each time.
	lines := map[string]string{
		"run":       "run arc_easy diagnostics --data $DOCS --limit 1 --model $MODEL --max-length 32 --diagnostics-length 16 --out $OUT",
		"compare":   "compare $MODEL $MODEL --suite arc_easy --data $DOCS --limit 1 --runs $OUT",
		"score":     "score $MODEL",
		"serve":     "serve $MODEL --port 0",
		"bench":     "bench --model $MODEL --rounds 1 --seconds 0.01 --tokens 16 --dtype float32 --device cpu",
		"lab world": "lab world --words 200 --questions 1 --vocab 300 --out $OUT",
		"lab train": strings.Replace(train, "trained", "$OUT", 1),
		"lab study": "lab study study.yaml --out $OUT", // which is broken: no training is waited for
		"inspect":   "inspect $MODEL",
		"quantize":  "quantize $MODEL --method rtn --bits 4 --group 32 -o $OUT",
		"stress":    "stress $MODEL --suite arc_easy --data $DOCS --limit 1 --methods rtn --bits 4 --out $OUT",
		"tokenize":  "tokenize $MODEL --text a",
		"gate":      "gate --plan --documents 50 --drop 0.2",
	}
	numeric := []string{"int", "int64", "uint64", "float64", "difference"}
	tried := 0
	var trying sync.WaitGroup
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			walk(c)
		}
		name := strings.TrimPrefix(cmd.CommandPath(), "softbench ")
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !slices.Contains(numeric, f.Value.Type()) && f.Name != "memory" {
				return
			}
			line, ok := lines[name]
			if !ok {
				t.Errorf("%s --%s: no line tries it", name, f.Name)
				return
			}
			for _, value := range extremes {
				tried++
				places <- struct{}{}
				trying.Go(func() {
					defer func() { <-places }()
					tryNumber(t, line, model, docs, f.Name, value)
				})
			}
		})
	}
	walk(newRoot(streams{}))
	trying.Wait()
	if tried < 50*len(extremes) {
		t.Errorf("%d tries: the flags of numbers are not found", tried)
	}
}

func tryNumber(t *testing.T, line, model, docs, flag, value string) {
	t.Helper()
	args := strings.Fields(os.Expand(line, func(name string) string {
		return map[string]string{"MODEL": model, "DOCS": docs, "OUT": filepath.Join(t.TempDir(), "out")}[name]
	}))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var errs bytes.Buffer
	in := strings.NewReader(`{"context": "a", "continuation": " b"}` + "\n")
	var out io.Writer = io.Discard
	served := false
	if args[0] == "serve" { // which ends as soon as it has begun
		out = writer(func(line []byte) { served = bytes.Contains(line, []byte("Ctrl-C ends it")); cancel() })
	}
	code := execute(ctx, append(args, "--"+flag+"="+value), streams{in, out, &errs})
	text := errs.String()
	if served && code == exitInterrupted {
		return
	}
	switch {
	case strings.Contains(text, "fault of softbench"), code != exitOK && code != exitMisuse:
		t.Errorf("%s %s --%s=%s: exit code %d, %s", args[0], args[1], flag, value, code, text)
	case code == exitMisuse && (strings.Count(text, "\n") != 1 || !strings.Contains(text, flag) && !strings.Contains(text, "study.yaml") && !strings.Contains(text, "few-shot examples")):
		t.Errorf("%s %s --%s=%s: want one line that names the flag: %s", args[0], args[1], flag, value, text)
	}
}

// writer is told what is written.
type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }
