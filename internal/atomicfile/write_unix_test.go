//go:build unix

package atomicfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/softbench/softbench/internal/filelock"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func output(path, s string) error { return Output(context.Background(), path, text(s)) }

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %.40q, want %.40q (%v)", path, got, want, err)
	}
}

// alone says that a directory has these entries and no temporary besides.
func alone(t *testing.T, dir string, want int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != want {
		t.Errorf("%s has %v (%v), want %d entries", dir, entries, err, want)
	}
}

// A file that is there keeps mode, owner, and for an output its other names.
func TestKeeps(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, size := range []int{0, 3, 40} { // of what was there: less and more than what comes
		must(t, os.WriteFile(a, bytes.Repeat([]byte("o"), size), 0o600), os.Chmod(a, 0o640))
		if os.Getuid() == 0 {
			must(t, os.Chown(a, 1234, 4321))
		}
		_ = os.Remove(b)
		before, err := os.Stat(a)
		must(t, err, output(a, "new text"))
		after, err := os.Stat(a)
		must(t, err)
		x, y := before.Sys().(*syscall.Stat_t), after.Sys().(*syscall.Stat_t)
		if after.Mode() != 0o640 || x.Uid != y.Uid || x.Gid != y.Gid {
			t.Errorf("%v %d:%d became %v %d:%d", before.Mode(), x.Uid, x.Gid, after.Mode(), y.Uid, y.Gid)
		}
		must(t, os.Link(a, b), output(a, "newer text"))
		holds(t, a, "newer text")
		holds(t, b, "newer text")
		must(t, output(b, "x"))
		holds(t, a, "x")
		must(t, Write(a, text("its own"))) // of softbench's own files: a copy by links is a snapshot
		holds(t, a, "its own")
		holds(t, b, "x")
	}
	alone(t, dir, 2)
}

// A failed write leaves what was there, however it is written.
func TestFails(t *testing.T) {
	dir := t.TempDir()
	a := filepath.Join(dir, "a")
	must(t, os.WriteFile(a, []byte("old"), 0o600), os.Link(a, filepath.Join(dir, "b")))
	broken := errors.New("broken")
	err := Output(context.Background(), a, func(w io.Writer) error {
		_, _ = io.WriteString(w, strings.Repeat("x", 3<<20))
		return broken
	})
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), a+": ") {
		t.Error(err)
	}
	holds(t, a, "old")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Output(ctx, a, text("new")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	holds(t, a, "old")
	alone(t, dir, 2)
	for _, dirs := range []string{dir, dir + "/", filepath.Join(dir, "new") + "/"} {
		if err := output(dirs, "x"); err == nil || !strings.Contains(err.Error(), "directory") {
			t.Errorf("%s: %v", dirs, err)
		}
	}
}

// Links are followed as the system does, also those to nothing yet.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	must(t, os.MkdirAll(at("deep/er"), 0o777), os.Mkdir(at("other"), 0o777),
		os.Symlink("deep/er", at("way")), os.Symlink("../target", at("deep/er/up")), // deep/target
		os.Symlink(at("other/new"), at("dangling")), os.Symlink("dangling", at("chain")), os.Symlink("ring", at("ring")))
	must(t, output(at("way/up"), "1"))
	holds(t, at("deep/target"), "1")
	must(t, output(at("chain"), "2"))
	holds(t, at("other/new"), "2")
	must(t, output(at("chain"), "3"))
	holds(t, at("other/new"), "3")
	for _, link := range []string{"way/up", "dangling", "chain"} {
		if info, err := os.Lstat(at(link)); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s is no longer a link (%v)", link, err)
		}
	}
	if err := output(at("ring"), "x"); err == nil {
		t.Error("a ring of links was written to")
	}
	must(t, os.Symlink(at("other/folder"), at("promised")), MkdirAll(at("promised/below"), 0o777), MkdirAll(at("promised"), 0o777))
	if info, err := os.Stat(at("other/folder")); err != nil || !info.IsDir() {
		t.Error("the directory that a link promised was not made")
	}
	alone(t, at("other"), 2)
}

// Pipes and descriptors get the bytes; a pipe without a reader is waited for.
func TestStreams(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	long := strings.Repeat("0123456789", 50_000) // more than a pipe holds
	got := make(chan []byte)
	go func() {
		time.Sleep(50 * time.Millisecond)
		b, _ := os.ReadFile(fifo)
		got <- b
	}()
	must(t, output(fifo, long))
	if b := <-got; string(b) != long {
		t.Errorf("%d bytes came through the pipe", len(b))
	}
	r, w, err := os.Pipe()
	must(t, err)
	go func() {
		b, _ := io.ReadAll(r)
		got <- b
	}()
	must(t, output(fmt.Sprintf("/dev/fd/%d", w.Fd()), long), output(fmt.Sprintf("/proc/self/fd/%d", w.Fd()), "!"), w.Close())
	if b := <-got; string(b) != long+"!" {
		t.Errorf("%d bytes came through the descriptor", len(b))
	}
	// Behind what a descriptor has written already, not over it.
	log := filepath.Join(dir, "log")
	must(t, os.WriteFile(log, []byte("before "), 0o600))
	f, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err, output(fmt.Sprintf("/dev/fd/%d", f.Fd()), "after"), f.Close())
	holds(t, log, "before after")
	alone(t, dir, 2)

	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := Output(ctx, fifo, text("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a pipe that nobody reads: %v", err)
	}
	reader, err := os.OpenFile(fifo, os.O_RDWR, 0) // opens it, and never reads
	must(t, err)
	defer reader.Close()
	ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := Output(ctx, fifo, text(long)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a pipe whose reader sleeps: %v", err)
	}
}

// Names of every length the file system takes, and what killed processes left.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{strings.Repeat("n", 255), strings.Repeat("n", 254) + "m", strings.Repeat("世", 85), strings.Repeat("x", 97)} {
		must(t, output(filepath.Join(dir, name), name), output(filepath.Join(dir, name), name))
	}
	alone(t, dir, 4)
	left := filepath.Join(dir, ".r.html.0123456789abcdef.tmp")
	live := filepath.Join(dir, ".r.html.fedcba9876543210.tmp")
	mine := filepath.Join(dir, ".r.html.mine.tmp")
	must(t, os.WriteFile(left, nil, 0o600), os.WriteFile(live, nil, 0o600), os.WriteFile(mine, nil, 0o600))
	f, err := os.Open(live)
	must(t, err)
	switch err := filelock.Try(f); {
	case errors.Is(err, filelock.ErrNone):
		t.Skip("no locks here: what is left behind cannot be told from what is written")
	case err != nil:
		t.Fatal(err)
	}
	must(t, output(filepath.Join(dir, "r.html"), "page"))
	for path, want := range map[string]bool{left: false, live: true, mine: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: there is %v, want %v", filepath.Base(path), err == nil, want)
		}
	}
	must(t, f.Close(), Write(filepath.Join(dir, "r.html"), text("page")))
	if _, err := os.Stat(live); err == nil {
		t.Error("what a process left that has ended was not swept")
	}
}
