package world

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
)

// TestTasksReadTheQuestions writes a world and reads it as --data, with the built-in tasks: every
// context, choice and gold must come out as the world meant them.
func TestTasksReadTheQuestions(t *testing.T) {
	for _, kind := range []Kind{Plain, Varied} {
		readQuestions(t, kind)
	}
}

func readQuestions(t *testing.T, kind Kind) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "world")
	if err := kind.Write(dir, 9, 5000, 300); err != nil {
		t.Fatal(err)
	}
	for _, form := range Forms {
		task, err := configs.Task(form)
		if err != nil {
			t.Fatal(err)
		}
		docs, _, err := task.Documents(t.Context(), data.Source{Dir: dir}, tasks.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := kind.Questions(9, form, 300)
		if len(docs) != len(want) {
			t.Fatalf("%s: the task reads %d documents, want %d", form, len(docs), len(want))
		}
		hashes := map[string]bool{}
		for i, d := range docs {
			hashes[d.Hash] = true
			if len(d.Requests) != len(want[i].Choices) {
				t.Fatalf("%s: document %d: %d requests, want %d", form, i, len(d.Requests), len(want[i].Choices))
			}
			if form != "lambada_openai" && d.Gold != want[i].Gold {
				t.Fatalf("%s: document %d: gold %d, want %d", form, i, d.Gold, want[i].Gold)
			}
			for k, r := range d.Requests {
				if r.Context != want[i].Context || r.Continuation != " "+want[i].Choices[k] {
					t.Fatalf("%s: document %d: %q + %q, want %q + %q", form, i, r.Context, r.Continuation, want[i].Context, " "+want[i].Choices[k])
				}
			}
		}
		if len(hashes) != len(docs) {
			t.Errorf("%s: %d documents have %d hashes", form, len(docs), len(hashes))
		}
	}
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWriteText(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "world")
	if err := Plain.Write(dir, 4, 20_000, 10); err != nil {
		t.Fatal(err)
	}
	text := trainingText(t, 4, 20_000)
	if string(read(t, dir, "train.txt")) != text {
		t.Error("train.txt is not what Text writes")
	}
	valid := string(read(t, dir, "valid.txt"))
	if n := len(strings.Fields(valid)); n < 2000 || n > 3000 {
		t.Errorf("valid.txt has %d words, want 2000", n)
	}
	if strings.HasPrefix(text, valid[:500]) {
		t.Error("valid.txt begins as train.txt does")
	}

	// The same in shards.
	defer func(n int) { shardWords = n }(shardWords)
	shardWords = 6000
	sharded := filepath.Join(t.TempDir(), "world")
	if err := os.Mkdir(sharded, 0o755); err != nil { // an empty directory may be there
		t.Fatal(err)
	}
	if err := Plain.Write(sharded, 4, 20_000, 10); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(sharded, "train*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	if len(names) != 4 || filepath.Base(names[3]) != "train-00003-of-00004.txt" {
		t.Fatalf("shards %q, want 4", names)
	}
	var joined []byte
	for _, n := range names {
		joined = append(joined, read(t, n)...)
	}
	if string(joined) != text {
		t.Error("the joined shards are not what Text writes")
	}
	if !bytes.Equal(read(t, dir, "piqa", "validation.jsonl"), read(t, sharded, "piqa", "validation.jsonl")) {
		t.Error("the same seed gives other questions")
	}
}

// TestWriteErrors: what cannot be written leaves nothing behind, neither the directory nor a part of it.
func TestWriteErrors(t *testing.T) {
	parent := t.TempDir()
	full := filepath.Join(parent, "full")
	if err := os.MkdirAll(filepath.Join(full, "kept"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(parent, "fresh")
	for _, c := range []struct {
		dir              string
		words, questions int
		want             string
	}{
		{full, 100, 1, "holds files already"},
		{file, 100, 1, "file"},
		{fresh, 0, 1, "0 words"},
		{fresh, 100, 0, "0 questions"},
		{fresh, 100, maxQuestions + 1, "20001 questions"},
	} {
		err := Plain.Write(c.dir, 1, c.words, c.questions)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Write(%s, %d, %d): %v, want one line with %q", c.dir, c.words, c.questions, err, c.want)
		}
	}
	if _, err := os.Stat(fresh); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a failed Write left its directory: %v", err)
	}
	left, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 2 {
		t.Errorf("left behind: %v", left)
	}
}
