package configs_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
)

// Every embedded file parses, is found under its own name, and says what it is.
func TestBuiltins(t *testing.T) {
	want := []string{"arc_challenge", "arc_easy", "boolq", "copa", "hellaswag", "lambada_openai", "openbookqa", "piqa", "sciq", "text", "wikitext", "winogrande"}
	var names []string
	for _, i := range configs.Tasks() {
		names = append(names, i.Name)
		task, err := configs.Task(i.Name)
		if err != nil || task.Name != i.Name || i.Description == "" || len(task.Digest) != 64 {
			t.Errorf("task %s: %+v, %v", i.Name, task, err)
		}
		s, err := configs.Resolve(i.Name)
		if err != nil || len(s.Tasks) != 1 || s.Tasks[0].Task.Name != i.Name {
			t.Errorf("the task %s as a suite: %+v, %v", i.Name, s, err)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("tasks %q; want %q", names, want)
	}
	names = nil
	for _, i := range configs.Suites() {
		names = append(names, i.Name)
		s, err := configs.Resolve(i.Name)
		if err != nil || s.Name != i.Name || i.Description == "" || len(s.Tasks) == 0 && s.Passkey == nil && s.Diagnostics == nil {
			t.Errorf("suite %s: %+v, %v", i.Name, s, err)
		}
		if slices.Contains(want, i.Name) {
			t.Errorf("%s is a suite and a task", i.Name)
		}
	}
	if !slices.Equal(names, []string{"all", "diagnostics", "passkey", "perplexity", "world", "zero-shot"}) {
		t.Errorf("suites %q", names)
	}
	all, err := configs.Resolve("all")
	if err != nil || len(all.Tasks) != len(want)-1 || all.Passkey == nil {
		t.Errorf("all has %d tasks; every one but text is %d", len(all.Tasks), len(want)-1)
	}
}

// A name nobody knows is one line with the nearest names.
func TestUnknownNames(t *testing.T) {
	for name, want := range map[string]string{
		"zeroshot":       `unknown suite or task "zeroshot"; did you mean zero-shot?`,
		"arc-easy":       `did you mean arc_easy?`,
		"hellaswg":       `did you mean hellaswag?`,
		"lambada":        `did you mean lambada_openai?`,
		"xyzzyxyzzy":     `there are all, diagnostics, passkey`,
		"":               `there are all, diagnostics, passkey`,
		"none.yaml":      `none.yaml: no such file`,
		"./none":         `./none: no such file`,
		".":              `unknown suite or task "."`,
		"../tasks/../..": `is a directory`,
	} {
		_, err := configs.Resolve(name)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v; want %q", name, err, want)
		}
	}
	if _, err := configs.Task("wikitxt"); err == nil || !strings.Contains(err.Error(), `unknown task "wikitxt"; did you mean wikitext?`) {
		t.Errorf("an unknown task: %v", err)
	}
}

// What is not found says where it was looked for: a directory without task files, mistyped, is found by its message.
func TestUnknownNamesSayWhereTheyWereSought(t *testing.T) {
	empty, one := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(one, "a.yaml"), []byte("task: own_sums\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, name, want string }{
		{empty, "nosuch", "--include-path " + empty + " has no task files"},
		{empty, "no*", "no task, group or tag matches no*: --include-path " + empty + " has no task files"},
		{one, "nosuch", "--include-path " + one + " has 1 names of tasks, groups and tags, and not this one"},
		{one, "piqua", "did you mean piqa? (softbench ls shows all; a file's name ends in .yaml); --include-path " + one},
		{one, "own_sum", "did you mean own_sums?"},
		{"", "no*", "is a pattern, which matches tasks of --include-path DIR"},
	} {
		var dirs []string
		if c.dir != "" {
			dirs = append(dirs, c.dir)
		}
		find, err := configs.NewFinder(dirs...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := find.Resolve(c.name); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s in %q: %v; want %q", c.name, c.dir, err, c.want)
		}
	}
}

// What a suite's file says wrong is one line with file, line and column.
func TestSuiteErrors(t *testing.T) {
	for yaml, want := range map[string]string{
		"name: x\ntasks: [piqa]\nlimits: 3\n":         `s.yaml:3:1: unknown field "limits"`,
		"name: x\ntasks:\n  - {task: piqa, few: 3}\n": `s.yaml:3:18: unknown field "few"`,
		"name: x\ntasks: [piqa\n":                     `s.yaml:2:`,
		"name: x\nname: y\ntasks: [piqa]\n":           `s.yaml:2:1: mapping key "name" already defined`,
		"name: x\ntasks: [piqa]\n---\nname: y\n":      `a second YAML document`,
		"":                                            `s.yaml: the file is empty`,
		"- piqa\n":                                    `s.yaml:1:1: `,
		"tasks: [piqa]\n":                             `the suite has no name`,
		"name: x\n":                                   `neither tasks nor passkey`,
		"name: x\ntasks: [piq]\n":                     `s.yaml: unknown task "piq"; did you mean piqa?`,
		"name: x\ntasks: [piqa, {task: piqa, limit: 3}]\n":                    `the task piqa is there twice`,
		"name: x\ntasks: [{limit: 3}]\n":                                      `entry 1 of tasks names no task`,
		"name: x\ntasks: [{task: piqa, limit: -1}]\n":                         `must not be negative`,
		"name: x\ntasks: [{task: piqa, limit: many}]\n":                       `s.yaml:2:29: many stands where a whole number belongs`,
		"name: x\ntasks: [{task: piqa, limit: 2.7}]\n":                        `s.yaml:2:29: 2.7 stands where a whole number belongs`,
		"name: x\ntasks: [{task: piqa, limit: '3'}]\n":                        `s.yaml:2:29: `,
		"name: x\npasskey: {lengths: [99.5], depths: [0], trials: 1}":         `s.yaml:2:21: 99.5 stands where a whole number belongs`,
		"name: x\ntasks: [{task: wikitext, fewshot: 2}]\n":                    `a perplexity task takes no few-shot examples`,
		"name: x\ntasks: [./gone.yaml]\n":                                     `gone.yaml: no such file`,
		"name: x\npasskey: {lengths: [100]}\n":                                `lengths and depths must not be empty`,
		"name: x\npasskey: {lengths: [1], depths: [0], trials: 1}":            `length 1; lengths are in tokens`,
		"name: x\npasskey: {lengths: [99], depth: [0], trials: 1}":            `s.yaml:2:26: unknown field "depth"`,
		"name: x\npasskey: {lengths: [99], depths: [0], trials: 1, seed: -1}": `s.yaml:2:56: -1 stands where a whole number from 0 belongs`,
	} {
		_, err := configs.ParseSuite([]byte(yaml), "s.yaml")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v; want %q", yaml, err, want)
		}
	}
}

// The README's suite and task are run as they stand there: an example that does not work is worse
// than none.
func TestReadmeExamples(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for _, m := range regexp.MustCompile("(?s)```(yaml|jsonl|text)\n(.*?)```").FindAllStringSubmatch(string(b), -1) {
		blocks[m[1]] = append(blocks[m[1]], m[2])
	}
	if len(blocks["yaml"]) != 2 || len(blocks["jsonl"]) != 1 || len(blocks["text"]) != 1 {
		t.Fatalf("the README has %d yaml, %d jsonl and %d text blocks", len(blocks["yaml"]), len(blocks["jsonl"]), len(blocks["text"]))
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"nightly.yaml": blocks["yaml"][0], "capitals.yaml": blocks["yaml"][1], "capitals.jsonl": blocks["jsonl"][0]} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	suite, err := configs.Resolve(filepath.Join(dir, "nightly.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range suite.Tasks {
		got = append(got, fmt.Sprintf("%s %d %d", e.Task.Name, e.Limit, e.FewShot))
	}
	if want := []string{"arc_easy 0 0", "hellaswag 500 0", "piqa 0 5", "capitals 0 0"}; !slices.Equal(got, want) {
		t.Errorf("the suite has %q; want %q", got, want)
	}
	if g := suite.Passkey; g == nil || len(g.Lengths) != 2 || len(g.Depths) != 3 || g.Trials != 10 || g.Seed != 1 {
		t.Errorf("the suite's grid is %+v", g)
	}
	lone, err := configs.Resolve(filepath.Join(dir, "capitals.yaml"))
	if err != nil || len(lone.Tasks) != 1 {
		t.Fatal(lone, err)
	}
	task := lone.Tasks[0].Task
	docs, files, err := task.Documents(context.Background(), data.Source{}, tasks.Options{})
	if err != nil || len(docs) != 2 || len(files) != 1 {
		t.Fatal(docs, files, err)
	}
	if docs[0].Gold != 1 || docs[1].Gold != 0 || len(docs[0].Requests) != 3 {
		t.Errorf("documents %+v", docs)
	}
	if q := docs[0].Requests[1]; q.Context+"\n" != blocks["text"][0] || q.Continuation != " Paris" || q.Choice != "Paris" {
		t.Errorf("the request %+v; the README says %q", q, blocks["text"][0])
	}
}

// No text of a suite or a task makes the parser panic, and no error is more than a line.
func FuzzSuite(f *testing.F) {
	for _, i := range configs.Suites() {
		b, err := os.ReadFile(filepath.Join("suites", i.Name+".yaml"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("name: x\ntasks:\n  - {task: piqa, limit: 3, fewshot: 2}\n  - ./a.yaml\n"))
	f.Add([]byte("a: &a [*a, *a]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := configs.ParseSuite(b, filepath.Join(t.TempDir(), "f.yaml"))
		if (s == nil) == (err == nil) {
			t.Fatal("neither a suite nor an error, or both")
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("an error of several lines: %q", err)
		}
	})
}
