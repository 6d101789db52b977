package tasks_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
)

// Few-shot examples never come from the tested split unless the task says so, and then never from the
// document itself or a copy of it.
func TestExamplesAreNotOfTheTestedSplit(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"t.jsonl": `{"q":"one"}` + "\n" + `{"q":"one"}` + "\n" + `{"q":"two"}` + "\n" + `{"q":"three"}` + "\n",
		"r.jsonl": `{"q":"learnt"}` + "\n" + `{"q":"two"}` + "\n" + `{"q":"more"}` + "\n",
	} {
		if name == "t.jsonl" {
			if err := os.WriteFile(filepath.Join(dir, "copy.jsonl"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("t.jsonl", filepath.Join(dir, "link.jsonl")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	const learnt = "learnt x\n\ntwo x\n\none;learnt x\n\ntwo x\n\none;learnt x\n\nmore x\n\ntwo;learnt x\n\ntwo x\n\nthree"
	for _, c := range []struct{ dataset, want, note, err string }{
		{"{files: {test: t.jsonl, train: r.jsonl}}", learnt, `names no split for few-shot examples; they are of "train"`, ""},
		{"{files: {test: t.jsonl, train: r.jsonl}, train: train}", learnt, "", ""},
		{"{files: {test: t.jsonl, validation: r.jsonl}}", learnt, `they are of "validation"`, ""},
		{"{split: validation, files: {validation: t.jsonl, dev: r.jsonl}}", learnt, `they are of "dev"`, ""},
		{"{files: {test: t.jsonl}, train: test}", "two x\n\nthree x\n\none;two x\n\nthree x\n\none;one x\n\none x\n\ntwo;one x\n\none x\n\nthree", `of the tested split "test" itself, as the task says`, ""},
		{"{files: {test: t.jsonl}}", "", "", `beside the tested split "test" the data has none of train, validation, dev`},
		{"{files: {test: t.jsonl}, train: train}", "", "", "the task names no files for the split train"},
		{"{files: {test: t.jsonl, train: t.jsonl}, train: train}", "", "", `t.jsonl is a file of the tested split "test"`},
		{"{files: {test: t.jsonl, train: link.jsonl}}", "", "", `link.jsonl is a file of the tested split "test"`},
		{"{files: {test: t.jsonl, train: copy.jsonl}}", "", "", `copy.jsonl is a copy of`},
		{"{split: validation, files: {validation: t.jsonl}}", "", "", `beside the tested split "validation"`},
	} {
		yaml := "name: own\nkind: multiple_choice\ncontext: \"{{.q}}\"\nchoices: [x, y]\ngold: 0\ndataset: " + c.dataset + "\n"
		task, err := tasks.Parse([]byte(yaml), filepath.Join(dir, "t.yaml"))
		if err != nil {
			t.Fatal(c.dataset, err)
		}
		docs, files, err := task.Documents(context.Background(), data.Source{}, tasks.Options{FewShot: 2})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v; want %q", c.dataset, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.dataset, err)
			continue
		}
		var got []string
		for _, d := range docs {
			got = append(got, d.Requests[0].Context)
		}
		if strings.Join(got, ";") != c.want {
			t.Errorf("%s: %q; want %q", c.dataset, strings.Join(got, ";"), c.want)
		}
		if note := task.ExamplesNote(files); c.note == "" && note != "" || !strings.Contains(note, c.note) {
			t.Errorf("%s: the note %q; want %q", c.dataset, note, c.note)
		}
	}
}
