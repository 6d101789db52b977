//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/softbench/softbench/eval"
	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/reports/html"
)

// TestOutRemovedWhileRunning: a run whose directory goes stops soon after, and says what
// is lost, not that it is kept.
func TestOutRemovedWhileRunning(t *testing.T) {
	model, docs := filepath.Join(golden.Dir(t), "tiny"), filepath.Join(golden.Dir(t), "docs")
	dir := t.TempDir()
	grid := filepath.Join(dir, "grid.yaml")
	if err := os.WriteFile(grid, []byte("name: grid\npasskey: {lengths: [96, 128, 160, 192], depths: [0, 0.5, 1], trials: 100, seed: 3}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, remove := range []string{"run", "run/journal"} {
		var after, total int64
		began := time.Time{}
		_, err := eval.Run(t.Context(), eval.RunOptions{
			Suites: []string{grid, "arc_easy"}, Model: eval.ModelOptions{Model: model, Device: "cpu", DType: "float32", Threads: 1}, Data: docs,
			Out: filepath.Join(dir, "run"), BatchTokens: 16, Note: func(string) {},
			Progress: func(p eval.Progress) {
				if total = p.Of; began.IsZero() {
					began = time.Now()
					if err := os.RemoveAll(filepath.Join(dir, remove)); err != nil {
						t.Error(err)
					}
				}
				if time.Since(began) < 20*time.Second {
					time.Sleep(20 * time.Millisecond) // as slow as a large model
				}
				after = p.Tokens
			},
		})
		if err == nil || !strings.Contains(err.Error(), "removed or replaced") || strings.Contains(err.Error(), "is kept") {
			t.Errorf("%s removed: %v", remove, err)
		}
		if after*2 > total {
			t.Errorf("%s removed: %d of %d tokens were computed after that", remove, after, total)
		}
		if err := os.RemoveAll(filepath.Join(dir, "run")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTrainingRemovedWhileRunning is the same of a training.
func TestTrainingRemovedWhileRunning(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("text.txt", []byte(strings.Repeat("a text of some words to train on\n\n", 300)), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	line := "lab train --data text.txt --out out --hidden 32 --layers 2 --heads 2 --context 32 --batch 4 --steps 100000000 --save-every 100000000 --log-every 100000000 --diagnostics-every 100000000"
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat("out/training/history.jsonl"); err == nil { // the last file of its beginning
				_ = os.RemoveAll("out")
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	var out, errs bytes.Buffer
	code := execute(ctx, strings.Fields(line), streams{strings.NewReader(""), &out, &errs})
	if code != exitMisuse || !strings.Contains(errs.String(), "were removed while it was going on") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

// TestReportWithoutItsCache: a page needs no ECharts of the user's cache, whatever
// stands in its place.
func TestReportWithoutItsCache(t *testing.T) {
	model, docs := filepath.Join(golden.Dir(t), "tiny"), filepath.Join(golden.Dir(t), "docs")
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Chdir(t.TempDir())
	run := func(args ...string) {
		t.Helper()
		var out bytes.Buffer
		if code := execute(t.Context(), args, streams{strings.NewReader(""), &out, &out}); code != 0 {
			t.Errorf("%v: exit code %d: %s", args, code, out.String())
		}
	}
	run("run", "arc_easy", "--model", model, "--data", docs, "--limit", "3", "--out", "r1")
	path := html.Pinned.CachePath(cache)
	for name, place := range map[string]func() error{
		"a directory":             func() error { return os.MkdirAll(path, 0o777) },
		"a pipe":                  func() error { return syscall.Mkfifo(path, 0o666) },
		"a device":                func() error { return os.Symlink("/dev/zero", path) },
		"a link to nothing":       func() error { return os.Symlink("nowhere", path) },
		"a link to itself":        func() error { return os.Symlink(filepath.Base(path), path) },
		"a file for the cache":    func() error { return os.Remove(filepath.Dir(path)) },
		"not readable":            func() error { return os.WriteFile(path, []byte("echarts"), 0) },
		"a directory not entered": func() error { return os.Chmod(filepath.Dir(path), 0) },
		"larger than any":         func() error { return os.WriteFile(path, make([]byte, 17<<20), 0o666) },
	} {
		if name == "not readable" && os.Geteuid() == 0 {
			continue // root reads it, and finds that it is damaged
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := place(); err != nil {
			t.Fatal(name, err)
		}
		if name == "a file for the cache" {
			if err := os.WriteFile(filepath.Dir(path), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		t.Run(name, func(t *testing.T) {
			run("report", "r1", "-o", "page.html")
			run("compare", "r1", "r1", "--report", "page.html")
		})
		_ = os.Chmod(filepath.Dir(path), 0o777)
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "") // no cache at all
	run("report", "r1", "-o", "page.html")
	t.Setenv("HOME", "/proc/nothing")
	run("report", "r1", "-o", "page.html")
}
