package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/softbench/softbench/internal/golden"
)

// flagUse says what a flag does where a command has no use for it.
type flagUse struct {
	how  string // used: there is no such place; refused; named: the run says so and goes on
	why  string // of a used one: by what; else what is said, besides the flag's name
	line string // a command line without a use for it: $M a checkpoint, $D its documents
}

func used(by string) flagUse            { return flagUse{"used", by, ""} }
func refused(says, line string) flagUse { return flagUse{"refused", says, line} }
func named(says, line string) flagUse   { return flagUse{"named", says, line} }

const whatIsRead, howItIsWritten = "what is read", "what is written"

// flagUses has a row for every flag of every command, and one under "*" for those that
// mean the same wherever they are.
var flagUses = map[string]flagUse{
	"* json": used(howItIsWritten), "* out": used(howItIsWritten), "* output": used(howItIsWritten), "* title": used(howItIsWritten),
	"* attention": used("every computation"), "* device": used("every computation"), "* dtype": used("every computation"), "* threads": used("every computation, hashing and tokenising"),
	"* max-length": used("every request"), "* batch-tokens": used("every computation"), "* memory": used("every computation"),
	"* allow-unscored": used("every request"), "* strict-length": used("every request"),
	"* adapter": used(whatIsRead), "* quantize": used("every weight of a block's linear layers"),
	"* quantize-include": refused("not given", "run arc_easy --model $M --data $D --limit 1 --quantize-include norms"),
	"* calibrate":        refused("about the methods gptq", "run arc_easy --model $M --data $D --limit 1 --calibrate text.txt"),
	"* strip-prefix":     named("no tensor's name begins with it", "run arc_easy --model $M --data $D --limit 1 --strip-prefix none."),

	"bench model": used(whatIsRead), "bench rounds": used("every measurement"), "bench tokens": used("every measurement"),
	"bench seconds": used("loops and products; on a GPU, which has none of these, a note says so"),

	"run model": used(whatIsRead), "run resume": named("holds no run to go on with", "run arc_easy --model $M --data $D --limit 1 --resume --out new"),
	"run data":         named("passkey grid has none", "run grid.yaml --model $M --data $D"),
	"run download":     named("passkey grid has none", "run grid.yaml --model $M --download"),
	"run skip-missing": named("passkey grid has none", "run grid.yaml --model $M --skip-missing"),
	"run revision":     refused("models of the hub", "run arc_easy --model $M --data $D --revision main"),
	"ls include-path":  refused("about tasks", "ls models --include-path $D"), "ls why": refused("about task files", "ls tasks --why"),
	"run include-path":          named("has none of what is run", "run arc_easy --model $M --data $D --limit 1 --include-path $D"),
	"run limit":                 refused("of tasks' documents", "run grid.yaml --model $M --limit 1"),
	"run fewshot":               refused("of tasks", "run grid.yaml --model $M --fewshot 1"),
	"run fewshot-seed":          named("no task of this run draws any", "run arc_easy --model $M --data $D --limit 1 --fewshot 1 --fewshot-seed 7"),
	"run strip-thinking":        named("no task of this run has any", "run arc_easy --model $M --data $D --limit 1 --strip-thinking"),
	"run apply-chat-template":   refused("no chat template", "run arc_easy --model $M --data $D --limit 1 --apply-chat-template"),
	"run system-instruction":    named("the suite has no tasks", "run grid.yaml --model $M --system-instruction x"),
	"run fewshot-as-multiturn":  named("no chat template is applied", "run arc_easy --model $M --data $D --limit 1 --fewshot-as-multiturn"),
	"run shard":                 refused("exclude each other", "run arc_easy --model $M --data $D --limit 3 --shard 1/2 --merge half --out merged"),
	"run show":                  used("instead of running"),
	"run dry-run":               refused("computes nothing", "run arc_easy --model $M --data $D --limit 3 --merge half --out merged3 --dry-run"),
	"run merge":                 refused("needs --out", "run arc_easy --model $M --data $D --merge half"),
	"run diagnostics-length":    refused("of diagnostics", "run arc_easy --model $M --data $D --diagnostics-length 32"),
	"run diagnostics-threshold": refused("of diagnostics", "run arc_easy --model $M --data $D --diagnostics-threshold 0.5"),
	"run allow-unscored":        named("requests of tasks", "run grid.yaml --model $M --allow-unscored"),
	"run strict-length":         named("requests of tasks", "run grid.yaml --model $M --strict-length"),
	"run batch-tokens":          named("a merge computes nothing", "run arc_easy --model $M --data $D --limit 3 --merge half --out merged --batch-tokens 8"),
	"run memory":                named("a merge computes nothing", "run arc_easy --model $M --data $D --limit 3 --merge half --out merged2 --memory 1GiB"),

	"compare json": used(howItIsWritten), "compare report": used(howItIsWritten), "compare seed": used("bootstrap and sign flips"), "compare effect": used("every metric"),
	"compare intersect": used("whatever one side alone has"),
	"compare kl":        refused("runs keep no distributions", "compare r1 r2 --kl"),
	"compare map":       refused("neither side has results of lm-evaluation-harness", "compare r1 r2 --map a=b"),
	"compare by-document": named("there are none",
		"compare r1 r2 --by-document"),
	"compare echarts": refused("about the page", "compare r1 r2 --echarts page.js"),
	"compare offline": refused("about the page", "compare r1 r2 --offline"),
	"compare revision": refused("models of the hub",
		"compare $M $M --suite arc_easy --data $D --revision main"),

	"export format":  used(howItIsWritten),
	"export figures": used(howItIsWritten), "export width": refused("about figures", "export r1 --format csv --width page"),
	"export intersect":   refused("writes each run as it is", "export r1 r2 --format csv --intersect"),
	"export baseline":    refused("writes each run as it is", "export r1 r2 --format csv --baseline r2"),
	"export metrics":     refused("writes each run as it is", "export r1 r2 --format csv --metrics acc"),
	"export diagnostics": refused("writes each run as it is", "export r1 r2 --format csv --diagnostics"),
	"export spread":      refused("writes each run as it is", "export r1 r2 --format jsonl --spread stderr"),

	"gate baseline": used(whatIsRead), "gate policy": used("judging and renewing"), "gate update": used("the baseline"),
	"gate json": refused("--update makes none", "gate r1 --baseline b.json --update --json"), "gate github": refused("--update makes none", "gate r1 --baseline b.json --update --github"),
	"gate junit": refused("--update makes none", "gate r1 --baseline b.json --update --junit x"), "gate markdown": refused("--update makes none", "gate r1 --baseline b.json --update --markdown x"),
	"gate report": refused("--update makes none", "gate r1 --baseline b.json --update --report x"),

	"gate kl-baseline": used(whatIsRead), "gate kl-max": refused("about --kl-baseline", "gate r1 --baseline b.json --kl-max 1"),
	"gate plan": used("instead of judging"), "gate documents": refused("about --plan", "gate r1 --baseline b.json --documents 5"), "gate drop": refused("about --plan", "gate r1 --baseline b.json --drop 0.1"),

	"report echarts":      refused("no run is given", "report --fetch-assets --echarts page.js"),
	"report offline":      refused("no run is given", "report --fetch-assets --offline"),
	"report title":        refused("no run is given", "report --fetch-assets --title x"),
	"report baseline":     refused("one is given", "report r1 --baseline r1 -o page.html"),
	"report intersect":    refused("what two runs share", "report r1 --intersect -o page.html"),
	"report fetch-assets": used("the user's cache"),

	"quantize method": used("every weight"), "quantize bits": used("every weight"), "quantize group": used("every weight"), "quantize layout": used("every weight"), "quantize act-order": refused("no order of columns", "quantize $M --method rtn --bits 4 --act-order -o few"),

	"stress methods": used("every model"), "stress bits": used("every model"), "stress group": used("every weight"), "stress quantize-include": used("every weight"),
	"stress suite": used(whatIsRead), "stress download": used("what is not here"),
	"stress data":    refused("there is nothing that divergences could be measured on", "stress $M --suite grid.yaml --data $D --methods rtn --bits 8"),
	"stress limit":   refused("of tasks' documents", "stress $M --suite grid.yaml --limit 1 --methods rtn --bits 8"),
	"stress fewshot": refused("of tasks", "stress $M --suite grid.yaml --fewshot 1 --methods rtn --bits 8"),

	"score window": used("what is scored together"), "score flush": used("when answers are written"),
	"serve host": used("listening"), "serve port": used("listening"), "serve token": used("every request"), "serve model-name": used("every request"), "serve max-body": used("every request"), "serve max-requests": used("every request"),

	"tokenize text": used("instead of standard input"), "tokenize no-special": used("every text"),

	"lab study json": refused("--list trains nothing", "lab study study.yaml --out st --list --json"), "lab study threads": refused("--list trains nothing", "lab study study.yaml --out st --list --threads 2"),
	"lab study world": refused("--list trains nothing", "lab study study.yaml --out st --list --world w"), "lab study list": used("instead of training"), "lab study record": used("every training"),

	"lab world preset": used("all numbers"), "lab world own-words": used("the world's vocabulary"), "lab world seed": used("all draws"), "lab world words": used("the world's text"),
	"lab world questions": refused("the small world's text", "lab world --words 0 --own-words 20 --questions 5 --out w"),
	"lab world vocab":     refused("the small world's text", "lab world --words 0 --own-words 20 --vocab 300 --out w"),

	"lab world text": refused("the small world's text", "lab world --words 0 --own-words 20 --text varied --out w"),

	"lab train vocab":     refused("trained on the text", "lab train --data text.txt --tokenizer $M --vocab 300 --out t"),
	"lab train tokenizer": used("the text"),
	"lab train world":     refused("either", "lab train --world w --data text.txt --out t"),
	"lab train data":      refused("either", "lab train --data text.txt --world w --out t"),
	"lab train resume":    used("a state in --out; where there is none, the first line says that it is from step 0"),
	"lab train valid":     used("every measurement"), "lab train preset": used("all numbers"), "lab train log": used(howItIsWritten),
	"lab train save-every": used("every training"), "lab train log-every": used("every training"), "lab train diagnostics-every": used("every training"),
	"lab train diagnostics-samples": used("every diagnostics"), "lab train diagnostics-length": used("every diagnostics"),
}

// trainingNumbers are used by every training.
const trainingNumbers = "hidden intermediate layers heads head-dim context positions theta tie batch accumulate steps rate warmup decay clip seed init qk-gain adam-beta1 adam-beta2 adam-eps mix"

// aboutACheckpoint are refused by compare where neither side is a checkpoint, and so is
// any flag that is not about the comparison.
const aboutACheckpoint = "suite data download limit fewshot runs allow-unscored attention include-path fewshot-seed apply-chat-template system-instruction fewshot-as-multiturn strip-thinking batch-tokens device dtype max-length memory strict-length strip-prefix threads adapter quantize"

// valueOf is one that each flag takes.
var valueOf = map[string]string{"quantize": "nf4", "memory": "1GiB", "device": "cpu", "dtype": "float32", "attention": "softmax", "limit": "1", "fewshot": "1", "max-length": "64", "batch-tokens": "8", "threads": "1", "fewshot-seed": "7"}

// TestEveryFlag: no flag of any command is silently without use. A new one fails here
// until its row says what it does where a command has no use for it.
func TestEveryFlag(t *testing.T) {
	model, docs := filepath.Join(golden.Dir(t), "tiny"), filepath.Join(golden.Dir(t), "docs")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HF_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	rows := maps.Clone(flagUses)
	for _, f := range strings.Fields(trainingNumbers) {
		rows["lab train "+f] = used("every training")
	}
	for _, f := range strings.Fields(aboutACheckpoint) {
		line := "compare r1 r2 --" + f
		if slices.Contains(strings.Fields("download allow-unscored strict-length apply-chat-template fewshot-as-multiturn strip-thinking"), f) {
			rows["compare "+f] = refused("neither side is one", line)
			continue
		}
		value := valueOf[f]
		if value == "" {
			value = "x"
		}
		rows["compare "+f] = refused("neither side is one", line+" "+value)
	}
	for name, text := range map[string]string{
		"grid.yaml":  "name: grid\npasskey: {lengths: [96], depths: [0], trials: 1, seed: 3}\n",
		"study.yaml": "name: s\n", "text.txt": "one two three\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	run := func(line string) (string, int) {
		t.Helper()
		var out bytes.Buffer
		args := strings.Fields(os.Expand(line, func(name string) string { return map[string]string{"M": model, "D": docs}[name] }))
		code := execute(t.Context(), args, streams{strings.NewReader(""), &out, &out})
		return out.String(), code
	}
	for _, line := range []string{
		"run arc_easy --model $M --data $D --limit 3 --out r1", "run arc_easy --model $M --data $D --limit 3 --out r2",
		"run arc_easy --model $M --data $D --limit 3 --out half --shard 1/1",
	} {
		if text, code := run(line); code != 0 {
			t.Fatalf("%s: %s", line, text)
		}
	}
	left := maps.Clone(rows)
	tried := map[string]bool{}
	check := func(key, flag string) {
		row, ok := rows[key]
		if !ok {
			key = "* " + flag
			row, ok = rows[key]
		}
		delete(left, key)
		switch {
		case !ok:
			t.Errorf("%s: no row says what it does where the command has no use for it", key)
			return
		case row.how == "used" || tried[key]:
			return
		}
		tried[key] = true
		text, code := run(row.line)
		if want := map[string]int{"refused": 2, "named": 0}[row.how]; code != want || !strings.Contains(text, row.why) || (row.how == "refused" && !strings.Contains(text, flag)) {
			t.Errorf("%s: %s: exit code %d, want it %s with %q:\n%s", key, row.line, code, row.how, row.why, text)
		}
	}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.TrimPrefix(cmd.CommandPath(), "softbench ")
		cmd.Flags().VisitAll(func(f *pflag.Flag) { check(path+" "+f.Name, f.Name) })
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newRoot(streams{}))
	if len(left) > 0 {
		t.Errorf("rows of flags that are not there: %v", slices.Sorted(maps.Keys(left)))
	}
}

// A limit and a number of examples that are given count, 0 too.
func TestGivenZeroCounts(t *testing.T) {
	model, docs := filepath.Join(golden.Dir(t), "tiny"), filepath.Join(golden.Dir(t), "docs")
	t.Chdir(t.TempDir())
	if err := os.WriteFile("two.yaml", []byte("name: two\ntasks: [{task: arc_easy, limit: 2, fewshot: 1}]\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string][]string{
		"":                        {`"limit": 2`, `"fewshot": 1`, `"documents": 2`},
		" --limit 0":              {`"limit": 0`, `"fewshot": 1`, `"documents": 13`},
		" --limit 0 --fewshot 0":  {`"limit": 0`, `"fewshot": 0`, `"documents": 13`},
		" --limit 3 --fewshot 02": {`"limit": 3`, `"fewshot": 2`, `"documents": 3`},
	} {
		var out, errs bytes.Buffer
		args := append([]string{"run", "two.yaml", "--model", model, "--data", docs, "--json"}, strings.Fields(line)...)
		if code := execute(t.Context(), args, streams{strings.NewReader(""), &out, &errs}); code != 0 {
			t.Fatalf("%s: %s", line, errs.String())
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("run%s: the manifest does not have %s", line, w)
			}
		}
	}
}

// Two checkpoints are compared on as many documents, and after as many examples, as the
// command line says.
func TestCompareTakesLimit(t *testing.T) {
	model, docs := filepath.Join(golden.Dir(t), "tiny"), filepath.Join(golden.Dir(t), "docs")
	t.Chdir(t.TempDir())
	var out, errs bytes.Buffer
	args := []string{"compare", model, model, "--suite", "arc_easy", "--data", docs, "--limit", "3", "--fewshot", "1", "--runs", "runs", "--json"}
	if code := execute(t.Context(), args, streams{strings.NewReader(""), &out, &errs}); code != 0 || !strings.Contains(out.String(), `"n": 3`) {
		t.Errorf("exit code %d, %s%.600s", code, errs.String(), out.String())
	}
}
