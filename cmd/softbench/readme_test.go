package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
)

// readmeExample is a command of the README with the output shown below it.
func readmeExample(t *testing.T, verb string) (args, shown []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(golden.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(text), "```console\n$ go run ./cmd/softbench "+verb)
	command, rest, ok2 := strings.Cut(block, "\n")
	output, _, ok3 := strings.Cut(rest, "\n```")
	if !ok || !ok2 || !ok3 || output == "" {
		t.Fatalf("the README shows no %s with its output", verb)
	}
	return strings.Fields(verb + command), strings.Split(output, "\n")
}

func readmeRun(t *testing.T, args []string) []string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := execute(context.Background(), args, streams{strings.NewReader(""), &out, &errs}); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// TestReadmeRun runs the README's scoring of the toy model and wants the table it
// shows, digit for digit: in float32 all assembly prints the same. The
// closing line names the machine's and is not compared.
func TestReadmeRun(t *testing.T) {
	t.Chdir(golden.Root(t))
	args, shown := readmeExample(t, "run")
	got := readmeRun(t, args)
	if len(got) != len(shown) {
		t.Fatalf("printed:\n%s\nthe README shows:\n%s", strings.Join(got, "\n"), strings.Join(shown, "\n"))
	}
	for i, want := range shown {
		if got[i] != want && i < len(shown)-1 {
			t.Errorf("printed %q, the README shows %q", got[i], want)
		}
	}
}

// TestReadmeCompare runs the README's first command and wants what it shows. The
// scores of bfloat16 depend a little on the instruction set: the README's are
// avx512bf16's, and where the processor has that they must be equal to the last
// character. Elsewhere accuracies may differ by 0.03, other numbers by 5%.
func TestReadmeCompare(t *testing.T) {
	if testing.Short() {
		t.Skip("runs both twins")
	}
	t.Parallel()
	exact := slices.Contains(kernel.Available(), "avx512bf16")
	args, shown := readmeExample(t, "compare")
	cmd := exec.Command("softbench", args...)
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
	if exact {
		cmd.Env = append(cmd.Env, "SOFTBENCH_ISA=avx512bf16")
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &errs)
	}
	got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if _, err := os.Stat(filepath.Join(cmd.Dir, "twins.html")); err != nil {
		t.Error("no page was written:", err)
	}
	if !exact {
		readmeRowsAreNear(t, got, shown)
		return
	}
	for i := range max(len(got), len(shown)) {
		var g, s string
		if i < len(got) {
			g = got[i]
		}
		if i < len(shown) {
			s = shown[i]
		}
		if g != s {
			t.Errorf("line %d: printed %q, the README shows %q", i+1, g, s)
		}
	}
}

// readmeRowsAreNear compares the numbers of rows that show A and B.
func readmeRowsAreNear(t *testing.T, got, shown []string) {
	rows := 0
	for i := 0; i < len(shown) && i < len(got); i++ {
		want, have := strings.Fields(shown[i]), strings.Fields(got[i])
		at := firstFraction(want)
		if at < 0 || at+1 >= len(want) || !strings.ContainsAny(shown[i], "↑↓") && !strings.Contains(shown[i], "[") {
			continue // words
		}
		rows++
		if len(have) <= at+1 || strings.Join(have[:at], " ") != strings.Join(want[:at], " ") {
			t.Errorf("printed %q, the README shows %q", got[i], shown[i])
			continue
		}
		for k := at; k < at+2; k++ { // A and B
			x, err := strconv.ParseFloat(want[k], 64)
			y, err2 := strconv.ParseFloat(have[k], 64)
			if err != nil || err2 != nil || math.Abs(x-y) > math.Max(0.03, 0.05*math.Abs(x)) {
				t.Errorf("printed %q, the README shows %q: %s and %s", got[i], shown[i], have[k], want[k])
			}
		}
	}
	if rows < 6 {
		t.Errorf("only %d rows with numbers were found in the README", rows)
	}
}

// firstFraction is the first word that is a number with a decimal point, or -1.
func firstFraction(words []string) int {
	for i, w := range words {
		if _, err := strconv.ParseFloat(w, 64); err == nil && strings.Contains(w, ".") {
			return i
		}
	}
	return -1
}

// TestReadmeDependencies: the README says of every module that go.mod asks for
// by itself why it is there, and of no other.
func TestReadmeDependencies(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(golden.Root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	_, table, _ := strings.Cut(read("README.md"), "## Dependencies")
	table, _, _ = strings.Cut(table, "\n\nHow fast")
	said := map[string]bool{}
	for _, row := range strings.Split(table, "\n") {
		if cells := strings.Split(row, "|"); len(cells) == 4 && strings.Contains(cells[1], "/") {
			for _, name := range strings.Split(cells[1], ",") {
				said[strings.TrimSpace(name)] = true
			}
		}
	}
	needs := 0
	for _, line := range strings.Split(read("go.mod"), "\n") {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		module, _, tool := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "tool "), "/cmd/")
		if !tool && (len(fields) != 2 || !strings.HasPrefix(fields[1], "v")) {
			continue // no module, or one with the comment that it is indirect
		}
		name := strings.TrimPrefix(module, "github.com/")
		if !tool {
			name = strings.TrimPrefix(fields[0], "github.com/")
		}
		if needs++; !said[name] {
			t.Errorf("the README does not say why %s is there", name)
		}
		delete(said, name)
	}
	if needs == 0 || len(said) > 0 {
		t.Errorf("go.mod asks for %d modules, and for none of %v", needs, said)
	}
}

// "Equal to the harness" is a promise of float32, wherever it stands, with bfloat16's spread
// beside it.
func TestEqualMeansFloat32(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(golden.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"--help": newRoot(streams{}).Long, "README": string(readme)} {
		for _, want := range []string{"In float32", "bfloat16", "0.06 a request in the mean", "0.38 at most"} {
			if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
				t.Errorf("%s does not say %q beside what equals the harness", name, want)
			}
		}
	}
}

// Where the README or a command's help says that numbers equal the harness's, it says of which
// format, and beside it how far the other one's spread, by the same two figures.
func TestEqualToTheHarnessIsOfFloat32(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(golden.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"README.md": strings.ReplaceAll(string(readme), "\n- ", "\n\n- ")}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		texts[c.CommandPath()] = c.Long
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(streams{}))
	said := map[string]string{}
	claim := regexp.MustCompile(`(equals?|are) lm-evaluation-harness`)
	spread := regexp.MustCompile(`([0-9.]+) a request in the mean(?:,| and) ([0-9.]+) at most`)
	for where, text := range texts {
		for _, paragraph := range strings.Split(text, "\n\n") {
			if !claim.MatchString(paragraph) {
				continue
			}
			figures := spread.FindStringSubmatch(paragraph)
			if !strings.Contains(paragraph, "float32") || !strings.Contains(paragraph, "bfloat16") || figures == nil {
				t.Errorf("%s: numbers are said to be equal, and not in which format and how far apart in the other: %s", where, paragraph)
				continue
			}
			said[where] = figures[1] + " and " + figures[2]
		}
	}
	for where, figures := range said {
		if figures != said["README.md"] {
			t.Errorf("%s says %s where the README says %s", where, figures, said["README.md"])
		}
	}
	if said["README.md"] == "" || said["softbench"] == "" {
		t.Errorf("numbers are said to be equal in %v: the test looks at the wrong texts", said)
	}
}
