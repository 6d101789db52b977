//go:build unix

package harness

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A pipe with a task file's name is none, and what is read is the whole file, longer than the buffer or not.
func TestReadsRegularFiles(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600); err != nil {
		t.Skip(err)
	}
	long := "task: long\n" + strings.Repeat("# a comment\n", 20_000) + "tag: found\n"
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(long), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.yaml", filepath.Join(dir, "b.yaml")); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		x, err := Open(dir)
		if err == nil {
			if e, ok := x.Find("long"); !ok || len(e.Tags) != 1 || e.Tags[0] != "found" {
				t.Errorf("%+v", e)
			}
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits for the pipe")
	}
	if s, err := readText(filepath.Join(dir, "b.yaml")); err != nil || s != long {
		t.Errorf("%d bytes of %d, %v", len(s), len(long), err)
	}
}

// What is taken for a text at once is one by every form that YAML has for something else.
func TestPlainTextsAtOnce(t *testing.T) {
	for _, s := range []string{"falsey", "nullable", "Yesterday", "offside", "mmlu_abstract_algebra", "été", "否"} {
		if mayBeOther(s) {
			t.Errorf("%q is looked at for long", s)
		}
		if v, err := plainScalar(s); v != s || err != nil {
			t.Errorf("%q is %v, %v", s, v, err)
		}
	}
	for _, s := range []string{"", "~", "null", "NULL", "yes", "No", "on", "OFF", "true", "False", "0x1F", "017", ".5", "-.inf", ".NaN", "+1_000", "1:30"} {
		if v, _ := plainScalar(s); v == s {
			t.Errorf("%q is a text", s)
		}
	}
}
