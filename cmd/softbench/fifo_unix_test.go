//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/softbench/softbench/internal/golden"
)

// inputCase is a command line that reads a file, and the file, which a pipe takes the
// place of.
type inputCase struct {
	line string
	file string
	of   string // the flag or argument that names it: "run data", "run ARG"
}

// inputCases are all ways into every command. In a line, $M is a checkpoint, $D
// documents; copies of both are in m and d, runs in r1 and r2, a shard in half, a world
// in w, a training in t, a study's in st.
var inputCases = []inputCase{
	{"run task.yaml --model $M", "task.yaml", "run ARG"},
	{"run suite.yaml --model $M", "task.yaml", "run ARG"},
	{"run task.yaml --model $M", "task.jsonl", "run ARG"},
	{"run arc_easy --model pipe --data $D", "pipe", "run model"},
	{"run arc_easy --model m --data $D", "m/config.json", "run model"},
	{"run arc_easy --model m --data $D", "m/model.safetensors", "run model"},
	{"run arc_easy --model m --data $D", "m/tokenizer.json", "run model"},
	{"run arc_easy --model m --data $D", "m/tokenizer_config.json", "run model"},
	{"run arc_easy --model m --data $D", "m/special_tokens_map.json", "run model"},
	{"run arc_easy --model $M --data $D --adapter a", "a/adapter_config.json", "run adapter"},
	{"run arc_easy --model $M --data $D --adapter a", "a/adapter_model.safetensors", "run adapter"},
	{"compare $M m --data $D --adapter a", "a/adapter_config.json", "compare adapter"},
	{"inspect $M --adapter a", "a/adapter_config.json", "inspect adapter"},
	{"score $M --adapter a", "a/adapter_config.json", "score adapter"},
	{"serve $M --port 0 --adapter a", "a/adapter_config.json", "serve adapter"},
	{"run sciq --model $M --data d", "d/sciq/test.jsonl", "run data"},
	{"run sciq --model $M --data d", "d/sciq/test.parquet", "run data"},
	{"run sciq --model $M --data d", "d/sciq/test.jsonl.gz", "run data"},
	{"run arc_easy --model $M --data $D --limit 3 --out r1 --resume", "r1/run.json", "run out"},
	{"run arc_easy --model $M --data $D --limit 3 --out half --resume", "half/journal", "run out"},
	{"run arc_easy --model $M --data $D --limit 3 --out pipe", "pipe", "run out"},
	{"run arc_easy --model $M --data $D --limit 3 --out new --merge half", "half/journal", "run merge"},

	{"quantize pipe --method nf4 -o few", "pipe", "quantize ARG"},
	{"quantize m --method nf4 -o few", "m/config.json", "quantize ARG"},
	{"quantize m --method nf4 -o few", "m/model.safetensors", "quantize ARG"},

	{"compare pipe r2", "pipe", "compare ARG"},
	{"compare r1 r2", "r1/run.json", "compare ARG"},
	{"compare r1 r2", "r2/samples.parquet", "compare ARG"},
	{"compare r1 m --data $D", "m/config.json", "compare ARG"},
	{"compare r1 m --data $D", "m/tokenizer.json", "compare ARG"},
	{"compare harness r2", "harness/results_2026-01-02T03-04-05.678901.json", "compare ARG"},
	{"compare results.json r2", "results.json", "compare ARG"},
	{"compare r1 $M --suite task.yaml", "task.yaml", "compare suite"},
	{"compare r1 $M --suite sciq --data d", "d/sciq/test.jsonl", "compare data"},
	{"compare r1 $M --data $D --limit 3 --runs pipe", "pipe", "compare runs"},
	{"compare r1 r2 --report page.html --echarts page.js", "page.js", "compare echarts"},

	{"report r1 -o page.html", "r1/run.json", "report ARG"},
	{"report r1 r2 -o page.html", "r2/samples.parquet", "report ARG"},
	{"report pipe -o page.html", "pipe", "report ARG"},
	{"report r1 -o page.html --echarts page.js", "page.js", "report echarts"},

	{"gate r1 --baseline b.json", "r1/samples.parquet", "gate ARG"},
	{"gate pipe --baseline b.json", "pipe", "gate ARG"},
	{"gate r1 --baseline b.json", "b.json", "gate baseline"},
	{"gate r1 --baseline b.json --update", "b.json", "gate baseline"},
	{"gate r1 --kl-baseline b.json", "b.json", "gate kl-baseline"},
	{"gate r1 --baseline b.json --policy policy.yaml", "policy.yaml", "gate policy"},

	{"export r1 --format csv", "r1/run.json", "export ARG"},
	{"export pipe --format csv", "pipe", "export ARG"},
	{"export r1 r2 --format markdown", "r2/samples.parquet", "export ARG"},

	{"inspect pipe", "pipe", "inspect ARG"},
	{"inspect m", "m/config.json", "inspect ARG"},
	{"tokenize pipe --text a", "pipe", "tokenize ARG"},
	{"tokenize m --text a", "m/tokenizer.json", "tokenize ARG"},
	{"score pipe", "pipe", "score ARG"},
	{"score m", "m/tokenizer_config.json", "score ARG"},
	{"bench --model pipe", "pipe", "bench model"},
	{"bench --model m", "m/config.json", "bench model"},

	{"stress m --suite arc_easy --data $D --limit 3 --out new" + oneSetting, "m/config.json", "stress ARG"},
	{"stress $M --suite task.yaml --limit 3 --out new" + oneSetting, "task.yaml", "stress suite"},
	{"stress $M --suite sciq --data d --out new" + oneSetting, "d/sciq/test.jsonl", "stress data"},
	{"stress $M --data text.txt --out new" + oneSetting, "text.txt", "stress data"},
	{"stress $M --suite arc_easy --data $D --limit 3 --out pipe" + oneSetting, "pipe", "stress out"},

	{"run arc_easy --model $M --data $D --limit 3" + byGPTQ, "text.txt", "run calibrate"},
	{"compare r1 $M --data $D --limit 3 --runs new" + byGPTQ, "text.txt", "compare calibrate"},
	{"score $M" + byGPTQ, "text.txt", "score calibrate"},
	{"serve $M --port 0" + byGPTQ, "text.txt", "serve calibrate"},
	{"stress $M --suite arc_easy --data $D --limit 3 --out new --methods gptq --bits 4 --calibrate text.txt", "text.txt", "stress calibrate"},
	{"quantize $M --method gptq --bits 4 --group 32 --calibrate text.txt -o new", "text.txt", "quantize calibrate"},

	{"lab train --data text.txt --out new" + tinyTraining, "text.txt", "lab train data"},
	{"lab train --data $M/tokenizer.json --valid text.txt --out new" + tinyTraining, "text.txt", "lab train valid"},
	{"lab train --data $M/tokenizer.json --tokenizer m --out new" + tinyTraining, "m/tokenizer.json", "lab train tokenizer"},
	{"lab train --data $M/tokenizer.json --tokenizer pipe --out new" + tinyTraining, "pipe", "lab train tokenizer"},
	{"lab train --world w --out new" + tinyTraining, "w/train.txt", "lab train world"},
	{"lab train --world w --out new" + tinyTraining, "w/valid.txt", "lab train world"},
	{"lab train --world w --out new" + tinyTraining, "w/tokenizer.json", "lab train world"},
	{"lab train --world w --out t --resume" + tinyTraining, "t/training/state", "lab train out"},
	{"lab train --world w --out t --resume" + tinyTraining, "t/tokenizer.json", "lab train out"},
	{"lab train --world w --out t --resume" + tinyTraining, "t/training/history.jsonl", "lab train out"},
	{"lab report t", "t/training/settings.json", "lab report ARG"},
	{"lab report t", "t/training/history.jsonl", "lab report ARG"},
	{"lab report pipe", "pipe", "lab report ARG"},
	{"lab study study.yaml --out new", "study.yaml", "lab study ARG"},
	{"lab study study.yaml --out new --world w", "w/train.txt", "lab study world"},
	{"lab study study.yaml --out new --world pipe", "pipe", "lab study world"},
	{"lab study study.yaml --out new --record pipe", "pipe", "lab study record"},
	{"lab study study.yaml --out st --list", "st/trainings/all/seed-1/training/settings.json", "lab study out"},
	{"lab study study.yaml --out st --list", "st/trainings/all/seed-1/training/history.jsonl", "lab study out"},
	{"lab study study.yaml --out st --list", "st/trainings/all/seed-1/finished", "lab study out"},
	{"lab world --out pipe --words 0 --own-words 20", "pipe", "lab world out"},
}

// oneSetting is the least that stress tries.
const oneSetting = " --methods rtn --bits 4"

const byGPTQ = " --quantize gptq:4 --calibrate text.txt"

// noInput are the flags with a text that names nothing to be read.
var noInput = strings.Fields(`device dtype attention memory strip-prefix revision shard title format output junit markdown report map preset mix text effect quantize quantize-include method methods group system-instruction host token model-name max-body metrics spread figures width layout`)

// noInputOf are those of one command whose name reads elsewhere: the --baseline of report and export is one of their arguments.
var noInputOf = []string{"report baseline", "export baseline"}

// TestNothingWaitsForAPipe: where a file is meant, only a file is read: a pipe without
// a writer is refused by name, by every command.
func TestNothingWaitsForAPipe(t *testing.T) {
	model, docs := filepath.Join(golden.Dir(t), "tiny"), filepath.Join(golden.Dir(t), "docs")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HF_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	expand := func(line string) []string {
		return strings.Fields(os.Expand(line, func(name string) string { return map[string]string{"M": model, "D": docs}[name] }))
	}
	run := func(line string) (string, int) {
		t.Helper()
		var out bytes.Buffer
		type end struct {
			text string
			code int
		}
		done := make(chan end, 1)
		go func() {
			code := execute(t.Context(), expand(line), streams{strings.NewReader(""), &out, &out})
			done <- end{out.String(), code}
		}()
		select {
		case e := <-done:
			return e.text, e.code
		case <-time.After(time.Minute):
			t.Fatalf("%s: it waits", line)
			return "", 0
		}
	}
	put := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS("m", os.DirFS(model)); err != nil {
		t.Fatal(err)
	}
	put("task.yaml", "name: capitals\nkind: multiple_choice\ndataset: {files: {test: task.jsonl}}\ncontext: \"{{.q}}\"\nchoices: c\ngold: {field: a}\n")
	put("task.jsonl", `{"q": "?", "c": ["a", "b"], "a": 0}`+"\n")
	put("suite.yaml", "name: s\ntasks: [task.yaml]\n")
	put("study.yaml", "name: s\nquestion: q\nseeds: [1]\ndiagnostics: {every: 1, samples: 1}\n"+
		"settings: {hidden: 16, intermediate: 16, layers: 1, heads: 2, context: 16, batch: 1, steps: 2, warmup: 1}\n")
	put("a/adapter_config.json", `{"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": ["q_proj"]}`)
	put("policy.yaml", "version: 1\n")
	put("text.txt", strings.Repeat("a text of some words to train on\n\n", 200))
	for _, line := range []string{
		"run arc_easy --model $M --data $D --limit 3 --out r1", "run arc_easy --model $M --data $D --limit 3 --out r2",
		"run arc_easy --model $M --data $D --limit 3 --out half --shard 1/2", "gate r1 --baseline b.json --update",
		"lab world --out w --words 3000 --questions 2 --vocab 280", "lab train --world w --out t --save-every 1" + tinyTraining, "lab study study.yaml --out st --world w",
	} {
		if text, code := run(line); code != 0 {
			t.Fatalf("%s: %s", line, text)
		}
	}
	covered := map[string]bool{}
	for _, c := range inputCases {
		covered[c.of] = true
		for _, kind := range []string{"pipe", "device"} {
			aside := ""
			if _, err := os.Lstat(c.file); err == nil {
				aside = c.file + ".aside"
				if err := os.Rename(c.file, aside); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.MkdirAll(filepath.Dir(c.file), 0o777); err != nil {
				t.Fatal(err)
			}
			var err error
			if kind == "pipe" {
				err = syscall.Mkfifo(c.file, 0o666)
			} else {
				err = os.Symlink("/dev/zero", c.file)
			}
			if err != nil {
				t.Fatal(err)
			}
			text, code := run(c.line)
			last := text[strings.LastIndex(strings.TrimSuffix(text, "\n"), "\n")+1:]
			if code != exitMisuse || !strings.HasPrefix(last, "softbench: ") || !strings.Contains(last, filepath.Base(c.file)) {
				t.Errorf("%s with a %s for %s: exit code %d\n%s", c.line, kind, c.file, code, text)
			}
			if err := os.Remove(c.file); err != nil {
				t.Errorf("%s: the %s is gone: %v", c.line, kind, err)
			}
			if aside != "" {
				if err := os.Rename(aside, c.file); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.RemoveAll("new"); err != nil {
				t.Fatal(err)
			}
		}
	}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.TrimPrefix(cmd.CommandPath(), "softbench ")
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			switch f.Value.Type() {
			case "string", "stringSlice", "stringToString":
			default:
				return
			}
			if slices.Contains(noInput, f.Name) || slices.Contains(noInputOf, path+" "+f.Name) {
				return
			}
			if !covered[path+" "+f.Name] {
				t.Errorf("%s --%s: no case puts a pipe where it reads", path, f.Name)
			}
		})
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newRoot(streams{}))
}

// TestInterruptIsHeard: Ctrl-C ends a command whatever it is at: here a template that
// counts for hours, of a task that is run, and of one that is compared.
func TestInterruptIsHeard(t *testing.T) {
	model, docs := filepath.Join(golden.Dir(t), "tiny"), filepath.Join(golden.Dir(t), "docs")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"long.yaml":  "name: long\nkind: multiple_choice\ndataset: {files: {test: long.jsonl}}\ncontext: \"{{range 1000000000000}}{{end}}{{.q}}\"\nchoices: c\ngold: {field: a}\n",
		"long.jsonl": `{"q": "?", "c": ["a", "b"], "a": 0}` + "\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{"run long.yaml --model " + model, "compare r1 " + model + " --suite long.yaml"} {
		if strings.HasPrefix(line, "compare") {
			var out bytes.Buffer
			if code := execute(t.Context(), strings.Fields("run arc_easy --out r1 --model "+model+" --data "+docs), streams{strings.NewReader(""), &out, &out}); code != 0 {
				t.Fatal(out.String())
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(300*time.Millisecond, cancel)
		done := make(chan int, 1)
		var out bytes.Buffer
		go func() { done <- execute(ctx, strings.Fields(line), streams{strings.NewReader(""), &out, &out}) }()
		select {
		case code := <-done:
			if code != exitInterrupted {
				t.Errorf("%s: exit code %d: %s", line, code, out.String())
			}
		case <-time.After(time.Minute):
			t.Errorf("%s: it does not hear", line)
		}
		cancel()
	}
}
