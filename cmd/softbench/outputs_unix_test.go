//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/softbench/softbench/internal/golden"
)

// softbench runs a command line in this process.
func softbench(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var o, e bytes.Buffer
	code = execute(ctx, args, streams{strings.NewReader(""), &o, &e})
	return code, o.String(), e.String()
}

func ok(t *testing.T, args ...string) {
	t.Helper()
	if code, _, errs := softbench(t, args...); code != exitOK {
		t.Fatalf("%q: exit code %d: %s", args, code, errs)
	}
}

// outputFile is an option that names a file to write.
type outputFile struct {
	option string // as in options_test.go
	args   func(path string) []string
	reads  bool // it is read first: only a file will do
}

var outputFiles = []outputFile{
	{"report --output", func(p string) []string { return []string{"report", "r/a", "r/b", "--offline", "-o", p} }, false},
	{"compare --report", func(p string) []string { return []string{"compare", "r/a", "r/b", "--offline", "--report", p} }, false},
	{"export --output", func(p string) []string { return []string{"export", "r/a", "--format", "csv", "-o", p} }, false},
	{"export --output", func(p string) []string { return []string{"export", "r/a", "r/b", "--format", "latex", "-o", p} }, false},
	{"gate --junit", func(p string) []string { return []string{"gate", "r/a", "--baseline", "base.json", "--junit", p} }, false},
	{"gate --markdown", func(p string) []string { return []string{"gate", "r/a", "--baseline", "base.json", "--markdown", p} }, false},
	{"gate --report", func(p string) []string { return []string{"gate", "r/a", "--baseline", "base.json", "--report", p} }, false},
	{"gate --baseline", func(p string) []string { return []string{"gate", "r/a", "--update", "--baseline", p} }, true},
	{"lab report --output", func(p string) []string { return []string{"lab", "report", "training", "-o", p} }, false},
}

var outputDirectories = []struct {
	option string
	args   func(path string) []string
	wrote  string // a file that is there then; * stands for any name
}{
	{"run --out", func(p string) []string {
		return []string{"run", "mine.yaml", "--model", "tiny", "--data", "docs", "--out", p}
	}, "run.json"},
	{"run --out", func(p string) []string {
		return []string{"run", "mine.yaml", "--model", "tiny", "--data", "docs", "--shard", "1/2", "--out", p}
	}, "journal"},
	{"compare --runs", func(p string) []string {
		return []string{"compare", "tiny", "r/a", "--suite", "mine.yaml", "--data", "docs", "--runs", p}
	}, "*/run.json"},
	{"export --output", func(p string) []string { return []string{"export", "r/a", "--format", "lm-eval", "-o", p} }, "a/results_*.json"},
	{"export --figures", func(p string) []string { return []string{"export", "r/a", "--figures", p} }, "scores-chart.pdf"},
	{"lab world --out", func(p string) []string {
		return []string{"lab", "world", "--out", p, "--words", "3000", "--questions", "3", "--vocab", "280"}
	}, "train.txt"},
	{"lab train --out", func(p string) []string { return append(smallTraining("book.txt"), "--out", p) }, "report.html"},
}

func smallTraining(text string) []string {
	return []string{"lab", "train", "--data", text, "--vocab", "280", "--hidden", "16", "--intermediate", "24", "--layers", "1", "--heads", "2",
		"--context", "16", "--batch", "2", "--steps", "1", "--warmup", "1", "--diagnostics-every", "0", "--diagnostics-samples", "1"}
}

// place is a directory with runs, a baseline, a training, and what makes others.
func place(t *testing.T) string {
	t.Helper()
	docs, tiny := golden.Dir(t, "docs"), golden.Dir(t, "tiny")
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	t.Setenv("HF_HOME", filepath.Join(dir, "no-hub"))
	t.Setenv(stepSummary, "")
	for _, err := range []error{
		os.Symlink(docs, "docs"), os.Symlink(tiny, "tiny"), os.Mkdir("r", 0o777), os.Mkdir("other", 0o777),
		os.WriteFile("mine.yaml", []byte("name: mine\ntasks: [{task: arc_easy, limit: 4}]\n"), 0o666),
		os.WriteFile("book.txt", []byte(strings.Repeat("The cat sat on the mat. The dog ran to the door.\n\n", 60)), 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, run := range []string{"a", "b"} {
		ok(t, "run", "mine.yaml", "--model", "tiny", "--data", "docs", "--out", "r/"+run)
	}
	ok(t, "gate", "r/b", "--baseline", "base.json", "--update")
	ok(t, append(smallTraining("book.txt"), "--out", "training")...)
	return dir
}

// device makes a device of a test's own: never is the machine's aimed at.
func device(t *testing.T, name string, minor uint32) bool {
	t.Helper()
	if err := unix.Mknod(name, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor))); err != nil {
		return false
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0) // a file system without devices refuses it
	if err != nil {
		_ = os.Remove(name)
		return false
	}
	_ = f.Close()
	return true
}

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOutputFiles writes every output of every command to whatever a name can stand
// for: a device, a pipe, links, files with a mode and other names, long names.
func TestOutputFiles(t *testing.T) {
	place(t)
	for i, o := range outputFiles {
		t.Run(fmt.Sprintf("%d %s", i, o.option), func(t *testing.T) {
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			plain := at("plain")
			ok(t, o.args(plain)...)
			want := content(t, plain)
			same := func(path string) {
				t.Helper()
				if got := content(t, path); got != want {
					t.Errorf("%s holds %d bytes, a plain file %d", filepath.Base(path), len(got), len(want))
				}
			}
			old := "what was there"
			if o.reads { // a baseline is renewed
				old = want
			}

			link, target := at("link"), at("target")
			for _, there := range []bool{false, true} {
				_ = os.Remove(link)
				if there {
					if err := os.WriteFile(target, []byte(old), 0o600); err != nil {
						t.Fatal(err)
					}
				} else if err := os.Symlink(target, at("chain")); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(target, link); err != nil {
					t.Fatal(err)
				}
				ok(t, o.args(link)...)
				if modeOf(t, link)&fs.ModeSymlink == 0 {
					t.Error("a link was replaced")
				}
				same(target)
				if there && modeOf(t, target) != 0o600 {
					t.Errorf("mode 600 became %v", modeOf(t, target))
				}
				if !there {
					_ = os.Remove(target)
				}
			}

			first, second := at("first"), at("second")
			if err := os.WriteFile(first, []byte(old), 0o640); err != nil {
				t.Fatal(err)
			}
			if err := os.Link(first, second); err != nil {
				t.Skip("no hard links here:", err)
			}
			ok(t, o.args(second)...)
			same(first)
			same(second)

			long := at(strings.Repeat("long-", 50) + ".html")
			ok(t, o.args(long)...)
			same(long)
			left := filepath.Join(filepath.Dir(plain), ".plain.0123456789abcdef.tmp")
			if err := os.WriteFile(left, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			ok(t, o.args(plain)...)
			if _, err := os.Stat(left); err == nil {
				t.Error("what a killed process left is still there")
			}

			fifo := at("fifo")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Skip("no pipes here:", err)
			}
			if o.reads {
				if code, _, _ := softbench(t, o.args(fifo)...); code != exitMisuse {
					t.Errorf("a pipe as what is read and written: exit code %d", code)
				}
			} else {
				got := make(chan string)
				go func() {
					b, _ := os.ReadFile(fifo)
					got <- string(b)
				}()
				ok(t, o.args(fifo)...)
				if b := <-got; b != want {
					t.Errorf("%d bytes came through a pipe, a plain file has %d", len(b), len(want))
				}
			}
			if modeOf(t, fifo)&fs.ModeNamedPipe == 0 {
				t.Error("a pipe was replaced")
			}

			null, full := at("null"), at("full")
			if !device(t, null, 3) || !device(t, full, 7) {
				t.Skip("no device can be made here")
			}
			viaLink := at("to-null")
			if err := os.Symlink(null, viaLink); err != nil {
				t.Fatal(err)
			}
			for path, want := range map[string]int{null: exitOK, viaLink: exitOK, full: exitMisuse} {
				if o.reads {
					want = exitMisuse
				}
				if code, _, errs := softbench(t, o.args(path)...); code != want || strings.Count(errs, "\n") > 1 {
					t.Errorf("%s: exit code %d, want %d: %s", filepath.Base(path), code, want, errs)
				}
			}
			for _, path := range []string{null, full} {
				if modeOf(t, path)&fs.ModeCharDevice == 0 {
					t.Errorf("the device %s was replaced", filepath.Base(path))
				}
			}
		})
	}
}

// TestStepSummary: $GITHUB_STEP_SUMMARY is a file, a link or a device like any other.
func TestStepSummary(t *testing.T) {
	place(t)
	if err := os.Symlink("other/summary", "link"); err != nil {
		t.Fatal(err)
	}
	t.Setenv(stepSummary, "link")
	ok(t, "gate", "r/a", "--baseline", "base.json", "--github")
	once := content(t, "other/summary")
	ok(t, "gate", "r/a", "--baseline", "base.json", "--github")
	if once == "" || content(t, "other/summary") != once+once {
		t.Error("the second summary does not stand behind the first")
	}
}

// TestOutputDirectories: what a command writes into a directory goes where links
// lead, and what is not a directory is refused, not waited for and not replaced.
func TestOutputDirectories(t *testing.T) {
	place(t)
	for i, o := range outputDirectories {
		t.Run(fmt.Sprintf("%d %s", i, o.option), func(t *testing.T) {
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			for _, c := range []struct{ link, to string }{{"new", "new"}, {"link", "there"}, {"dangling", "promised"}} {
				switch c.to {
				case "there":
					if err := os.Mkdir(at(c.to), 0o700); err != nil {
						t.Fatal(err)
					}
				}
				if c.link != c.to {
					if err := os.Symlink(c.to, at(c.link)); err != nil {
						t.Fatal(err)
					}
				}
				ok(t, o.args(at(c.link))...)
				if found, _ := filepath.Glob(filepath.Join(at(c.to), o.wrote)); len(found) == 0 {
					t.Errorf("%s: no %s in %s", c.link, o.wrote, c.to)
				}
				if c.link != c.to && modeOf(t, at(c.link))&fs.ModeSymlink == 0 {
					t.Errorf("%s: the link was replaced", c.link)
				}
			}
			if m := modeOf(t, at("there")); m.Perm() != 0o700 {
				t.Errorf("a directory of mode 700 became %v", m)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 5 {
				t.Errorf("left behind: %v (%v)", entries, err)
			}
			if err := syscall.Mkfifo(at("fifo"), 0o600); err != nil {
				t.Skip("no pipes here:", err)
			}
			paths := []string{at("fifo")}
			if device(t, at("null"), 3) {
				paths = append(paths, at("null"))
			}
			for _, path := range paths {
				before := modeOf(t, path)
				code, _, errs := softbench(t, o.args(path)...)
				if code != exitMisuse || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "not a directory") {
					t.Errorf("%s: exit code %d: %s", filepath.Base(path), code, errs)
				}
				if modeOf(t, path) != before {
					t.Errorf("%s was replaced", filepath.Base(path))
				}
			}
		})
	}
}
