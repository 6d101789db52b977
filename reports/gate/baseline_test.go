package gate

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/softbench/softbench/reports/compare"
)

// A baseline is read as it was made, to the last bit, with documents that have no
// score too; written twice it is the same file; and its lines are short.
func TestBaselineRoundTrip(t *testing.T) {
	run := madeSide(1, 0.6)
	run.Task("quiz").Documents[7].Values[1] = compare.Value{}
	run.Task("pages").Documents[2].Values[0] = compare.Value{}
	run.Task("last").Documents[0].Values[0].Value = -math.Pi * 1e-7
	made, err := Make(run, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "baseline.json")
	if err := made.Write(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(made, read); d != "" {
		t.Errorf("read otherwise than made (-made +read):\n%s", d)
	}
	again, err := read.encode()
	if err != nil || !bytes.Equal(again, text) {
		t.Errorf("written again it is another file (error %v)", err)
	}
	for i, l := range strings.Split(string(text), "\n") {
		if len(l) > 240 {
			t.Errorf("line %d has %d characters", i+1, len(l))
		}
	}
	// Ten thousand documents of an accuracy: a byte and a bit each.
	big, err := Make(madeSide(1, 0.6, madeTask{name: "quiz", n: 10_000, metrics: madeTasks[0].metrics[:1]}), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = big.encode(); err != nil || len(text) > 13_000 {
		t.Errorf("10000 documents take %d bytes (error %v)", len(text), err)
	}
}

// One changed answer changes one line of results, and what follows from it.
func TestBaselineDiffIsSmall(t *testing.T) {
	lines := func(s *compare.Side) []string {
		b, err := Make(s, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := b.encode()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(text), "\n")
	}
	one := madeTask{name: "quiz", n: 500, metrics: madeTasks[0].metrics[:1]}
	was, run := lines(madeSide(1, 0.6, one)), madeSide(1, 0.6, one)
	v := &run.Tasks[0].Documents[300].Values[0].Value
	*v = 1 - *v
	now, differ := lines(run), 0
	if len(was) != len(now) {
		t.Fatalf("%d lines, then %d", len(was), len(now))
	}
	for i := range was {
		if was[i] != now[i] {
			differ++
		}
	}
	if differ != 3 { // checksum, value, the line of results
		t.Errorf("%d lines differ", differ)
	}
}

// Whatever single character of a baseline is changed: it is refused, or it says
// the same but for an allowed drop.
func TestAnyEditIsFound(t *testing.T) {
	b, err := Make(madeSide(1, 0.6, madeTask{name: "quiz", n: 70, metrics: madeTasks[0].metrics[:1]},
		madeTask{name: "pages", n: 9, weight: true, metrics: madeTasks[2].metrics[:1]}), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := b.encode()
	if err != nil {
		t.Fatal(err)
	}
	want, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	refused, drops, step := 0, 0, 1
	if testing.Short() {
		step = 3
	}
	for i := 0; i < len(text); i += step {
		for _, c := range []byte{'0', '1', '9', 'z', '-', '"', ' ', 0} {
			edited := bytes.Clone(text)
			if edited[i] = c; c == 0 { // removed
				edited = append(edited[:i], edited[i+1:]...)
			}
			if bytes.Equal(edited, text) {
				continue
			}
			got, err := Parse(edited)
			if err != nil {
				if refused++; strings.Contains(err.Error(), "\n") {
					t.Fatalf("at %d: an error of several lines: %v", i, err)
				}
				continue
			}
			for k := range got.Tasks {
				for m := range got.Tasks[k].Metrics {
					if d := &got.Tasks[k].Metrics[m].AllowedDrop; *d != want.Tasks[k].Metrics[m].AllowedDrop {
						*d = want.Tasks[k].Metrics[m].AllowedDrop
						drops++
					}
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%q in place of %q at %d was not found", c, text[i], i)
			}
		}
	}
	if refused < 1000 || drops < 5 {
		t.Errorf("%d edits refused, %d drops changed: this test shows little", refused, drops)
	}
}

// The usual edits are refused with what is wrong and where.
func TestEditedBaselineSaysWhatIsWrong(t *testing.T) {
	b, err := Make(madeSide(1, 0.6), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	clean, err := b.encode()
	if err != nil {
		t.Fatal(err)
	}
	right := string(clean[bytes.Index(clean, []byte(`"right": [`)):][:40])
	flipped := strings.Map(func(r rune) rune {
		switch r {
		case '0':
			return '1'
		case '1':
			return '0'
		}
		return r
	}, right)
	for _, c := range []struct{ name, old, new, says string }{
		{"empty", string(clean), "", "line 1: unexpected end"},
		{"not JSON", "{", "<<<<<<< HEAD\n{", "line 1: invalid character '<'"},
		{"cut", `"tasks"`, "", "line"},
		{"another file", string(clean), `{"schema": 1}`, "it has no softbench_baseline version"},
		{"a list", string(clean), `[]`, "the file: array stands where another kind of value belongs"},
		{"no object", string(clean), `null`, "it has no softbench_baseline version"},
		{"newer", `"softbench_baseline": 1`, `"softbench_baseline": 2`, "baseline format 2, this version of softbench reads 1"},
		{"results", right, flipped, "task quiz: metric acc: its value is"},
		{"value", `"value": 0.`, `"value": 0.9`, "task quiz: metric acc: its value is 0.9"},
		{"value is text", `"value": 0.`, `"value": "x", "value": 0.`, "value: string stands where"},
		{"n", `"n": 60`, `"n": 59`, "n is 59, but 60 documents have a result"},
		{"documents", `"documents": 60`, `"documents": 61`, "60 results for 61 documents"},
		{"a result that is none", right, strings.ReplaceAll(right, "1", "x"), "is 'x': want 0, 1 or -"},
		{"a number that is none", `"numbers": [` + "\n" + `      "-`, `"numbers": [` + "\n" + `      "NaN -`, `"NaN" is not a finite number`},
		{"drop below 0", `"allowed_drop": 0.01`, `"allowed_drop": -0.01`, "allowed_drop -0.01: want 0 or more"},
		{"drop is NaN", `"allowed_drop": 0.01`, `"allowed_drop": NaN`, "line 36: invalid character 'N'"},
		{"drop is huge", `"allowed_drop": 0.01`, `"allowed_drop": 1e999`, "line 36: tasks.metrics.allowed_drop: number 1e999 stands where"},
		{"drop is null", `"allowed_drop": 0.01`, `"allowed_drop": null`, "no value or no allowed_drop"},
		{"drop twice", `"allowed_drop": 0.01`, `"allowed_drop": 0.01, "allowed_drop": 1`, `line 36: "allowed_drop" is there twice`},
		{"unknown key", `"allowed_drop": 0.01`, `"allowed_dorp": 0.01`, `unknown field "allowed_dorp"`},
		{"settings", `"max_length": "256"`, `"max_length": "512"`, "the baseline was edited: only allowed_drop"},
		{"direction", `"higher_is_better": true`, `"higher_is_better": false`, "the baseline was edited"},
		{"name", `"name": "acc"`, `"name": "acc2"`, "the baseline was edited"},
		{"no name", `"name": "acc"`, `"name": ""`, `metric "" is there twice, or has no name`},
		{"name twice", `"name": "acc_norm"`, `"name": "acc"`, `metric "acc" is there twice`},
		{"task twice", `"name": "last"`, `"name": "quiz"`, `task "quiz" is there twice`},
		{"formula", `"formula": "mean"`, `"formula": "median"`, `formula "median" is not known`},
		{"something behind", "\n ]\n}\n", "\n ]\n}\n{}", "invalid character '{' after top-level value"},
	} {
		text := strings.Replace(string(clean), c.old, c.new, 1)
		if text == string(clean) {
			t.Errorf("%s: nothing was edited", c.name)
			continue
		}
		_, err := Parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.says)
		}
	}
	// A baseline of a version that kept no answers is read, and answers that were
	// edited are found.
	var lines []string
	for _, l := range strings.Split(string(clean), "\n") {
		if !strings.Contains(l, `"answers_sha256"`) {
			lines = append(lines, l)
		}
	}
	if _, err := Parse([]byte(strings.Join(lines, "\n"))); err == nil || !strings.Contains(err.Error(), "the baseline was edited") {
		t.Errorf("without its answers: %v", err)
	}
	old, err := Make(madeSide(1, 0.6), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range old.Tasks {
		old.Tasks[i].Answers = ""
	}
	before, err := old.encode()
	if err != nil || bytes.Contains(before, []byte("answers_sha256")) {
		t.Errorf("%v: %s", err, before)
	}
	if got, err := Parse(before); err != nil || got.Tasks[0].Answers != "" {
		t.Errorf("a baseline of before: %v", err)
	}
	// A drop, the user's to change, counts as given.
	b, err = Parse(bytes.Replace(clean, []byte(`"allowed_drop": 0.01`), []byte(`"allowed_drop": 0.125`), 1))
	if err != nil || b.Tasks[0].Metrics[0].AllowedDrop != 0.125 || b.Tasks[0].Metrics[1].AllowedDrop != 0.01 {
		t.Errorf("an edited drop: %+v, %v", b, err)
	}
}

// A renewed baseline keeps its allowed drops; a policy's come first; the summary
// says what changed, what is new and what is gone.
func TestRenew(t *testing.T) {
	old := baselineOf(t, madeSide(1, 0.6), nil)
	old.Tasks[0].Metrics[0].AllowedDrop = 0.125
	run := madeSide(2, 0.6)
	run.Tasks = append(run.Tasks[:3], madeSide(2, 0.6, madeTask{name: "fresh", n: 3, metrics: madeTasks[0].metrics[:1]}).Tasks...)
	b, err := Make(run, policyOf(t, "metrics:", "- {metric: last/acc, allowed_drop: 0.5}", "- {metric: last/perplexity, allowed_drop: 10%}"), old)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"quiz/acc": 0.125, "quiz/acc_norm": 0.01, "last/acc": 0.5,
		"last/perplexity": round(b.metric("last", "perplexity").Value / 10), "fresh/acc": 0.01} {
		task, metric, _ := strings.Cut(name, "/")
		if got := b.metric(task, metric).AllowedDrop; got != want {
			t.Errorf("%s: %v allowed, want %v", name, got, want)
		}
	}
	var out strings.Builder
	if err := b.WriteSummary(&out, "b.json", old); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"b.json: 7 metrics of 4 tasks\n", "fresh acc: new, ", "passkey acc: no longer there\n", "last perplexity: "} {
		if !strings.Contains(out.String(), s) {
			t.Errorf("the summary does not say %q:\n%s", s, out.String())
		}
	}
	if _, err := Make(run, policyOf(t, "metrics:", "- {metric: quizz/acc, allowed_drop: 0.5}"), old); err == nil || !strings.Contains(err.Error(), `"quizz/acc" matches no metric`) {
		t.Errorf("a rule that matches nothing: error %v", err)
	}
}

// FuzzBaseline: no text makes the reader fail otherwise than by an error of one
// line, and what it accepts says the same when written and read again.
func FuzzBaseline(f *testing.F) {
	for seed := range uint64(2) {
		b, err := Make(madeSide(seed, 0.6), nil, nil)
		if err != nil {
			f.Fatal(err)
		}
		text, err := b.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"softbench_baseline":1,"checksum":"","tasks":[{"name":"a","documents":2,"metrics":[{"name":"m","value":0.5,"n":2,"formula":"mean","allowed_drop":0,"numbers":["0 1"],"weights":["1 1"]}]}]}`))
	run := madeSide(0, 0.6)
	f.Fuzz(func(t *testing.T, text []byte) {
		reads(t, text, run)
		// The same with its checksum made right, so that more than that is read.
		var file baselineFile
		if json.Unmarshal(text, &file) == nil {
			file.Checksum = file.checksum()
			if text, err := json.Marshal(&file); err == nil {
				reads(t, text, run)
			}
		}
	})
}

func reads(t *testing.T, text []byte, run *compare.Side) {
	b, err := Parse(text)
	if err != nil {
		if strings.Contains(err.Error(), "\n") {
			t.Fatalf("an error of several lines: %q", err)
		}
		return
	}
	again, err := b.encode()
	if err != nil {
		t.Fatalf("cannot be written again: %v", err)
	}
	read, err := Parse(again)
	if err != nil {
		t.Fatalf("cannot be read again: %v", err)
	}
	if d := cmp.Diff(b, read, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("says something else the second time:\n%s", d)
	}
	if r, err := Check(run, b, nil); err == nil && r.Decision == "" {
		t.Fatalf("no decision: %+v", r)
	}
}
