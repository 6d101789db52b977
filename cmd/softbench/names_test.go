package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/softbench/softbench/internal/golden"
)

// tinyTraining are flags of a training that takes no time.
const tinyTraining = " --hidden 16 --intermediate 16 --layers 1 --heads 2 --context 16 --batch 1 --steps 2 --diagnostics-samples 1"

// hostileName begins an escape sequence in one byte and in two, turns the direction of
// writing, and has what has no width.
const hostileName = "a\u009b2J\u202eb\u200b\u2066c\x1b[31m\u00ad\ufeffd"

// unseen are those characters.
const unseen = "\u009b\u202e\u200b\u2066\x1b\u00ad\ufeff"

// TestNamesAreShownAsTheyAre: no command hands a name's control characters to a
// terminal, be it in an error or in what it prints.
func TestNamesAreShownAsTheyAre(t *testing.T) {
	model, docs := filepath.Join(golden.Dir(t), "tiny"), filepath.Join(golden.Dir(t), "docs")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HF_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	run := func(args ...string) (string, int) {
		t.Helper()
		var out bytes.Buffer
		code := execute(t.Context(), args, streams{strings.NewReader(""), &out, &out})
		if strings.ContainsAny(out.String(), unseen) {
			t.Errorf("%q: %q", args, out.String())
		}
		return out.String(), code
	}
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// Files and directories of that name, whose contents have it too.
	put("text.txt", strings.Repeat("a text of some words to train on\n\n", 200))
	named := func(what string) string { return what + hostileName }
	escaped := `a\u009b2J\u202eb\u200b\u2066c\u001b[31md`
	put(named("task")+".yaml", fmt.Sprintf("name: capitals\nkind: multiple_choice\ndataset: {files: {test: \"%s.jsonl\"}}\ncontext: \"{{.q}}\"\nchoices: c\ngold: {field: a}\n", "questions"))
	put("questions.jsonl", fmt.Sprintf(`{"q": "%s", "c": ["%s", "b"], "a": 0}`+"\n", escaped, escaped))
	put("bad.yaml", fmt.Sprintf("name: capitals\n\"%s\": 1\n", escaped))
	put("bad.jsonl", fmt.Sprintf(`{"%s": 1}`+"\n", escaped))
	put("suite.yaml", fmt.Sprintf("name: s\ntasks: [\"%s\"]\n", escaped))
	if err := os.CopyFS(named("model"), os.DirFS(model)); err != nil {
		t.Fatal(err)
	}
	put("study.yaml", fmt.Sprintf("name: \"%s\"\nquestion: q\nseeds: [1]\ndiagnostics: {every: 1, samples: 1}\nclaims: [{claim: \"%s\", measure: sink_rate, at_most: 1}]\n", escaped, escaped)+
		"settings: {hidden: 16, intermediate: 16, layers: 1, heads: 2, context: 16, batch: 1, steps: 2, warmup: 1}\n")
	tiny := strings.Fields(tinyTraining)
	works := func(args ...string) {
		t.Helper()
		if text, code := run(args...); code != 0 {
			t.Errorf("%q: exit code %d: %s", args, code, text)
		}
	}
	works("run", named("task")+".yaml", "--model", named("model"), "--out", named("run"))
	works("run", named("task")+".yaml", "--model", model, "--out", named("other"))
	if err := os.Mkdir(named("suites"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{named("task") + ".yaml", "questions.jsonl"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		put(filepath.Join(named("suites"), name), strings.ReplaceAll(string(text), "questions.jsonl", "quest*.jsonl"))
	}
	works("run", filepath.Join(named("suites"), named("task")+".yaml"), "--model", model)
	works("run", named("task")+".yaml", "--model", model, "--out", named("part"), "--shard", "1/1")
	works("run", named("task")+".yaml", "--model", model, "--out", named("other"), "--resume")
	works("compare", named("run"), named("other"), "--report", named("page"))
	works("compare", named("run"), named("model"), "--suite", named("task")+".yaml", "--runs", named("runs"))
	works("report", named("run"), named("other"), "-o", named("page"))
	works("gate", named("run"), "--baseline", named("base"), "--update")
	works("gate", named("other"), "--baseline", named("base"), "--github")
	works("export", named("run"), named("other"), "--format", "markdown")
	works("export", named("run"), "--format", "lm-eval", "-o", named("export"))
	works("inspect", named("model"))
	works("tokenize", named("model"), "--text", hostileName)
	works("score", named("model"))
	works("quantize", named("model"), "--method", "rtn", "--bits", "4", "--group", "row", "-o", named("few"))
	works("ls")
	works("lab", "world", "--out", named("world"), "--words", "3000", "--questions", "2", "--vocab", "280")
	works(append([]string{"lab", "train", "--world", named("world"), "--out", named("training"), "--log"}, tiny...)...)
	works("lab", "report", named("training"))
	works("lab", "study", "study.yaml", "--world", named("world"), "--out", named("study"))
	works("lab", "study", "study.yaml", "--out", named("study"), "--list")
	for _, args := range [][]string{
		{"run", "bad.yaml", "--model", model}, {"run", "suite.yaml", "--model", model}, {"compare", "suite.yaml", "bad.yaml"},
		{"gate", named("run"), "--baseline", "bad.jsonl"}, {"gate", named("run"), "--baseline", named("base"), "--policy", "bad.yaml"},
		{"lab", "study", "bad.yaml", "--out", "x"}, {"report", "bad.jsonl", "-o", "x"}, {hostileName}, {"lab", hostileName}, {"--" + hostileName}, {"run", "-" + hostileName},
	} {
		if text, code := run(args...); code != exitMisuse {
			t.Errorf("%q: exit code %d: %s", args, code, text)
		}
	}
	// That name for every argument and every flag.
	need := map[string][]string{
		"run": {"arc_easy", "--model", model, "--data", docs, "--limit", "1"}, "compare": {named("run"), model, "--suite", "arc_easy", "--data", docs, "--limit", "1"},
		"report": {named("run"), "-o", "page.html"}, "gate": {named("run"), "--baseline", named("base")}, "export": {named("run"), "--format", "csv"},
		"inspect": {model}, "tokenize": {model, "--text", "a"}, "score": {model}, "quantize": {model, "--method", "rtn", "--bits", "2", "--group", "32", "-o", "few"}, "bench": {"--model", "none"},
		"lab world": {"--out", "w", "--words", "3000", "--questions", "2", "--vocab", "280"}, "lab train": append([]string{"--data", "text.txt", "--out", "t"}, tiny...),
		"lab report": {named("training")}, "lab study": {"study.yaml", "--out", "s", "--list"},
	}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.TrimPrefix(cmd.CommandPath(), "softbench ")
		words := strings.Fields(path)
		if cmd.HasParent() && !cmd.HasSubCommands() {
			run(append(words, hostileName)...)
			run(append(words, hostileName, hostileName)...)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if args, ok := need[path]; ok && f.Value.Type() != "bool" {
				run(append(append(words, args...), "--"+f.Name, hostileName)...)
			}
		})
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newRoot(streams{}))
}
