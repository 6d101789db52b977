package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/metric"
)

// Whoever adds a row is told which document does not name it yet; help names it by itself.
func TestDocsNameEveryRow(t *testing.T) {
	read := func(path string) string {
		text, err := os.ReadFile("../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	help := func(command ...string) string {
		var out bytes.Buffer
		if code := execute(t.Context(), append(command, "--help"), streams{strings.NewReader(""), &out, &out}); code != exitOK {
			t.Fatalf("%v: exit code %d", command, code)
		}
		return strings.Join(strings.Fields(out.String()), " ")
	}
	named := func(name string, where map[string]string) {
		for place, text := range where {
			if !strings.Contains(text, name) {
				t.Errorf("%s does not name %s", place, name)
			}
		}
	}
	readme, config, format := read("README.md"), read("configs/README.md"), read("docs/run-format.md")
	for _, k := range attention.Kinds() {
		named(k.String(), map[string]string{"README.md": readme, "run --help": help("run"), "lab train --help": help("lab", "train")})
	}
	for _, k := range tasks.Kinds {
		if k.Section == "" {
			named("`"+string(k.Name)+"`", map[string]string{"configs/README.md": config, "docs/run-format.md": format})
		}
	}
	for _, m := range metric.Table {
		named("`"+m.Name+"`", map[string]string{"configs/README.md or docs/run-format.md": config + format})
	}
}
