package twins

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/softbench/softbench/engine/checkpoint"
)

// TestTwins: the embedded checkpoints open, at most 8 MB each, alike but for
// their attention; both have the same tokenizer, and the suite's documents are there.
func TestTwins(t *testing.T) {
	set, err := Unpack(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var opened []*checkpoint.Checkpoint
	for _, dir := range []string{set.Softmax, set.Softpick} {
		info, err := os.Stat(filepath.Join(dir, "model.safetensors"))
		if err != nil || info.Size() > 8<<20 {
			t.Fatalf("%v, %v", info, err)
		}
		ck, err := checkpoint.Open(dir, checkpoint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer ck.Close()
		if ck.DType != "BF16" || ck.Config.Attention.Kind.String() != filepath.Base(dir) {
			t.Errorf("%s: %s in %s", dir, ck.Config.Attention.Kind, ck.DType)
		}
		opened = append(opened, ck)
	}
	a, b := opened[0].Config, opened[1].Config
	if a.Hidden != b.Hidden || a.Layers != b.Layers || a.Heads != b.Heads || a.Vocab != b.Vocab || a.MaxPositions != b.MaxPositions {
		t.Errorf("twins of different shapes: %+v and %+v", a, b)
	}
	x, err := os.ReadFile(filepath.Join(set.Softmax, "tokenizer.json"))
	y, err2 := os.ReadFile(filepath.Join(set.Softpick, "tokenizer.json"))
	if err != nil || err2 != nil || !bytes.Equal(x, y) {
		t.Error("the twins' tokenizers differ")
	}
	for _, f := range []string{"ai2_arc/ARC-Easy/test.jsonl", "hellaswag/validation.jsonl", "piqa/validation.jsonl", "lambada_openai/test.jsonl", "text/valid.jsonl"} {
		data, err := os.ReadFile(filepath.Join(set.Data, filepath.FromSlash(f)))
		if n := bytes.Count(data, []byte("\n")); err != nil || n < 24 {
			t.Errorf("%s: %d documents, %v", f, n, err)
		}
	}
}

var some = fstest.MapFS{
	"softmax/a":  {Data: []byte("one")},
	"softpick/b": {Data: []byte("two")},
	"data/c/d":   {Data: []byte("three")},
}

// TestUnpackAgain: what is whole is left alone; a byte changed, a file missing
// or half of one is repaired; nothing else is left behind.
func TestUnpackAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache", "deep")
	set, err := unpack(some, dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(set.Softpick, "b")
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := unpack(some, dir); err != nil || again != set {
		t.Fatal(again, err)
	}
	if after, err := os.Stat(file); err != nil || !os.SameFile(before, after) {
		t.Error("a whole set was written again")
	}
	for name, harm := range map[string]func() error{
		"changed": func() error { return os.WriteFile(file, []byte("twO"), 0o666) },
		"cut":     func() error { return os.Truncate(file, 1) },
		"missing": func() error { return os.Remove(file) },
		"gone":    func() error { return os.RemoveAll(set.Softpick) },
	} {
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		if again, err := unpack(some, dir); err != nil || again != set {
			t.Fatal(name, again, err)
		}
		if data, err := os.ReadFile(file); err != nil || string(data) != "two" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	changed := fstest.MapFS{"softmax/a": {Data: []byte("other")}}
	if other, err := unpack(changed, dir); err != nil || other == set {
		t.Errorf("other contents in the same place: %v, %v", other, err)
	}
}

// TestUnpackTogether: processes that unpack at once all get whole files.
func TestUnpackTogether(t *testing.T) {
	dir := t.TempDir()
	var wait sync.WaitGroup
	for range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			set, err := unpack(some, dir)
			if err != nil {
				t.Error(err)
				return
			}
			if data, err := os.ReadFile(filepath.Join(set.Data, "c", "d")); err != nil || string(data) != "three" {
				t.Errorf("%q, %v", data, err)
			}
		}()
	}
	wait.Wait()
}

// broken is a file system in which one file cannot be read the second time: the
// writing stops half-way.
type broken struct {
	fs.FS
	opened map[string]int
}

func (b broken) Open(name string) (fs.File, error) {
	if b.opened[name]++; name == "softpick/b" && b.opened[name] > 1 {
		return nil, errors.New("out of order")
	}
	return b.FS.Open(name)
}

// TestNeverHalf: a stop in the middle leaves no set behind.
func TestNeverHalf(t *testing.T) {
	dir := t.TempDir()
	_, err := unpack(broken{some, map[string]int{}}, dir)
	if err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Fatalf("error %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	blocked := filepath.Join(dir, "file")
	if err := os.WriteFile(blocked, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(some, blocked); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("unpacked into a file: %v", err)
	}
}
