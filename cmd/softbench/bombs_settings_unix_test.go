//go:build unix

package main

import (
	"fmt"
	"strings"
)

// laughs are ten lists of ten of the list before.
func laughs() string {
	var b strings.Builder
	b.WriteString("name: x\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

const (
	runSuite  = "run suite.yaml --model $M"
	runTask   = "run task.yaml --model $M"
	runPolicy = "gate r --baseline baseline.json --update --policy policy.yaml"
	runGate   = "gate r --baseline baseline.json"
	brackets  = "[[[[[[[[[[[[[[[["
)

// settingBombs are suites, tasks, policies and baselines.
var settingBombs = []bomb{
	{"suite of aliases", "suite.yaml", fixed(laughs()), runSuite, ""},
	{"suite of brackets", "suite.yaml", repeated("tasks: ", 7500, brackets, ""), runSuite, ""},
	{"suite of dashes", "suite.yaml", repeated("", 200_000, "- ", ""), runSuite, ""},
	{"suite of anchors", "suite.yaml", repeated("tasks: [", 150_000, "&a a, ", "]"), runSuite, ""},
	{"suite of braces", "suite.yaml", repeated("tasks: ", 60_000, "{a: ", ""), runSuite, ""},
	{"suite of complex keys", "suite.yaml", repeated("", 200_000, "? ", ""), runSuite, ""},
	{"suite of quotes", "suite.yaml", repeated("name: \"", 250_000, "\\x41", ""), runSuite, ""},
	{"suite of merges", "suite.yaml", counted("a0: &a0 {x: 1}\n", 10_000, func(i int) string { return fmt.Sprintf("a%d: &a%d {<<: [*a%d, *a%d]}\n", i+1, i+1, i, i) }, ""), runSuite, ""},
	{"suite of documents", "suite.yaml", repeated("", 200_000, "---\n", ""), runSuite, ""},
	{"suite too long", "suite.yaml", repeated("name: x\n", 1<<20, "# comment\n", ""), runSuite, ""},
	{"suite of tasks", "suite.yaml", repeated("name: x\ntasks: [a", 300_000, ",a", "]"), runSuite, ""},
	{"task of brackets", "task.yaml", repeated("kind: multiple_choice\nchoices: ", 7500, brackets, ""), runTask, ""},
	{"task of aliases", "task.yaml", fixed(laughs() + "choices: *a9\n"), runTask, ""},
	{"policy of aliases", "policy.yaml", fixed(laughs()), runPolicy, ""},
	{"policy of brackets", "policy.yaml", repeated("version: 1\ntasks: ", 7500, brackets, ""), runPolicy, ""},
	{"baseline of brackets", "baseline.json", repeated(`{"tasks": `, 2<<20, brackets, ""), runGate, ""},
	{"baseline of objects", "baseline.json", repeated(`{"softbench_baseline": 1, "tasks": [`, 10<<20, "{},", "{}]}"), runGate, ""},
	{"baseline of texts", "baseline.json", repeated(`{"softbench_baseline": 1, "tasks": [{"metrics": [{"right": [`, 10<<20, `"",`, `""]}]}]}`), runGate, ""},
	{"baseline of spaces", "baseline.json", repeated("{", 400<<20/16, "                ", "}"), runGate, ""},
	{"baseline of numbers", "baseline.json", repeated(`{"softbench_baseline": 1, "x": [0`, 15<<20, `,0`, `]}`), runGate, ""},
}
