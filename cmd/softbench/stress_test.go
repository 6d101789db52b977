package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/stress"
)

// TestStress: two models at several settings; what is there is not computed again, settings that
// are added are, and the numbers are those of a test in one go.
func TestStress(t *testing.T) {
	tiny := golden.TinyCheckpoint(t, "tiny")
	cut, docs, other := golden.CutWeights(t, tiny, 0xFFE00000), golden.Dir(t, "docs"), golden.TinyCheckpoint(t, "tiny-nobos")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	run := func(args ...string) (string, string, int) {
		var out, errs bytes.Buffer
		code := execute(t.Context(), append([]string{"stress", tiny, cut, "--suite", "arc_easy,wikitext", "--group", "32"}, args...), streams{strings.NewReader(""), &out, &errs})
		return out.String(), errs.String(), code
	}
	read := func(dir string) (r stress.Result, text string) {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(dir, "stress.json"))
		if err == nil {
			err = json.Unmarshal(data, &r)
		}
		if err != nil {
			t.Fatal(err)
		}
		return r, string(data)
	}
	table, errs, code := run("--data", docs, "--methods", "rtn,nf4", "--bits", "8,4,2")
	if code != 0 || !strings.Contains(table, "rtn:2:32") || !strings.Contains(table, "nothing was calibrated") || !strings.Contains(errs, "nf4 has no 2 bits") {
		t.Fatalf("exit code %d: %s%s", code, errs, table)
	}
	r, text := read("stress")
	if len(r.Models) != 2 || len(r.Models[0].Cells) != 5 || len(r.Claims) != 4 || len(r.Tasks) != 2 || len(r.Files) == 0 {
		t.Errorf("%d models, %d cells, %d claims, %d tasks", len(r.Models), len(r.Models[0].Cells), len(r.Claims), len(r.Tasks))
	}
	for _, m := range r.Models {
		last := 0.0
		for _, c := range m.Cells[1:4] { // 8, 4 and 2 bits
			if !(float64(c.KL.Value) > last) || !(c.Bytes > 0 && c.Bytes < m.Cells[0].Bytes) || !(c.Kurtosis > 0) || !(c.Largest > 0) || c.Tokens < 500 {
				t.Errorf("%s %s: %+v", m.Name, c.Setting, c)
			}
			last = float64(c.KL.Value)
		}
	}
	page, err := os.ReadFile("stress/stress.html")
	if err != nil || !strings.Contains(string(page), `data-from="/models/1/cells/3/kl/value"`) {
		t.Errorf("the page: %v", err)
	}
	times := func() map[string]int64 {
		out := map[string]int64{}
		found, err := filepath.Glob("stress/*/*/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			info, err := os.Stat(f)
			if err != nil {
				t.Fatal(err)
			}
			out[f] = info.ModTime().UnixNano()
		}
		return out
	}
	before := times()
	if again, errs, code := run("--data", docs, "--methods", "rtn,nf4", "--bits", "8,4,2"); code != 0 || again != table {
		t.Errorf("again: exit code %d: %s%s", code, errs, again)
	}
	if _, same := read("stress"); same != text {
		t.Error("the same test again has other numbers")
	}
	if _, errs, code := run("--data", docs, "--methods", "rtn,nf4", "--bits", "8,4,3,2", "--threads", "1", "--batch-tokens", "24"); code != 0 {
		t.Errorf("with another setting: %s", errs)
	}
	after := times()
	for f, at := range before {
		if after[f] != at {
			t.Errorf("%s was written again", f)
		}
	}
	if len(after) <= len(before) {
		t.Error("no run was added")
	}
	if _, errs, code := run("--data", docs, "--methods", "rtn,nf4", "--bits", "8,4,3,2", "--out", "one"); code != 0 {
		t.Error(errs)
	}
	_, parts := read("stress")
	if _, one := read("one"); one != parts {
		t.Error("a test that grew has other numbers than one in one go")
	}
	for want, args := range map[string][]string{
		"holds a test of something else": {"--data", docs, "--limit", "3"},
		"it has none of the bits":        {"--methods", "nf4", "--bits", "2"},
		"want one of [2 3 4 8]":          {"--methods", "rtn", "--bits", "5"},
		"want method:bits[:group]":       {"--methods", "awful"},
		"--methods awq: it is fitted to": {"--methods", "rtn,awq"},
		"a group of 17":                  {"--group", "17"},
		"--quantize-include \"nothing\"": {"--quantize-include", "nothing"},
		"--out is empty":                 {"--out", ""},
		"have different tokenizers":      {other},
	} {
		if _, errs, code := run(args...); code != 2 || !strings.Contains(errs, want) {
			t.Errorf("%v: exit code %d, %q; want %q", args, code, errs, want)
		}
	}
}

// TestStressOfAText: without a score the divergences alone are measured.
func TestStressOfAText(t *testing.T) {
	tiny := golden.TinyCheckpoint(t, "tiny")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	if err := os.WriteFile("mine.txt", []byte(strings.Repeat("The tide comes in and the tide goes out, and the boat goes with it.\n", 40)), 0o666); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	args := []string{"stress", tiny, "--methods", "rtn", "--bits", "3", "--data", "mine.txt", "--json"}
	code := execute(t.Context(), args, streams{strings.NewReader(""), &out, &errs})
	var r stress.Result
	if err := json.Unmarshal(out.Bytes(), &r); code != 0 || err != nil || len(r.Models) != 1 || !(r.Models[0].Cells[1].KL.Value > 0) || r.Tasks[0].Scored {
		t.Errorf("exit code %d, %v: %s%s", code, err, errs.String(), out.String())
	}
}

// A test that is told to stop says that the same command goes on with it, and it does.
func TestStressStops(t *testing.T) {
	tiny, docs := golden.TinyCheckpoint(t, "tiny"), golden.Dir(t, "docs")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	run := func(ctx context.Context, out string) (string, int) {
		var errs bytes.Buffer
		args := []string{"stress", tiny, "--suite", "arc_easy,wikitext", "--data", docs, "--methods", "rtn", "--bits", "4", "--group", "32", "--batch-tokens", "1", "--out", out}
		code := execute(ctx, args, streams{strings.NewReader(""), &bytes.Buffer{}, &errs})
		return errs.String(), code
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { // as soon as there is something to keep
		defer stop()
		for {
			select {
			case <-ended:
				return
			case <-time.After(time.Millisecond):
			}
			if info, err := os.Stat("stopped/tiny/stored/journal"); err == nil && info.Size() > 4000 {
				return
			}
		}
	}()
	errs, code := run(ctx, "stopped")
	close(ended)
	if code != exitInterrupted || !strings.Contains(errs, "the same command goes on with it") {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if errs, code := run(t.Context(), "stopped"); code != 0 {
		t.Fatal(errs)
	}
	if errs, code := run(t.Context(), "whole"); code != 0 {
		t.Fatal(errs)
	}
	a, err := os.ReadFile("stopped/stress.json")
	b, err2 := os.ReadFile("whole/stress.json")
	if err != nil || err2 != nil || !bytes.Equal(a, b) {
		t.Errorf("a test that was stopped has other numbers: %v, %v", err, err2)
	}
}

// The page says what weights were fitted to.
func TestStressSaysWhatWasCalibrated(t *testing.T) {
	about := &rundir.Run{}
	about.Model.Quantised = &rundir.Quantised{Calibration: &rundir.Calibration{SHA256: "abc", Sequences: 128, Length: 512}}
	models := []stress.Runs{{Settings: []stress.Run{{Side: &compare.Side{Manifest: about}}}}}
	const says = "gptq, awq-asym: calibrated on the text train.txt (the first 128 sequences of 512 tokens; SHA-256 abc)"
	if note := fittedNote([]string{"rtn:4:64", "gptq:3:64", "gptq:4:64", "awq-asym:3:64"}, "a/train.txt", models); !strings.HasPrefix(note, says) {
		t.Error(note)
	}
	if note := fittedNote([]string{"rtn:4:64", "hqq:3:64"}, "", nil); !strings.Contains(note, "nothing was calibrated") {
		t.Error(note)
	}
}
