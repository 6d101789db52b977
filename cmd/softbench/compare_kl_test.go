package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/golden"
	"github.com/softbench/softbench/reports/compare"
)

// TestCompareKL: over any text or a suite, with the page; exactly 0 from itself; and what is no
// checkpoint, or has another tokenizer, is refused by name.
func TestCompareKL(t *testing.T) {
	tiny := golden.TinyCheckpoint(t, "tiny")
	cut, other := golden.CutWeights(t, tiny, 0xFFE00000), golden.TinyCheckpoint(t, "tiny-nobos")
	docs := golden.Dir(t, "docs")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	if err := os.WriteFile("mine.txt", []byte(strings.Repeat("The tide comes in and the tide goes out, and the boat goes with it.\n", 40)), 0o666); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, string, int) {
		var out, errs bytes.Buffer
		code := execute(t.Context(), append([]string{"compare"}, args...), streams{strings.NewReader(""), &out, &errs})
		return out.String(), errs.String(), code
	}
	kl := func(args ...string) *compare.Divergence {
		t.Helper()
		out, errs, code := run(append(args, "--kl", "--json")...)
		var c compare.Comparison
		if err := json.Unmarshal([]byte(out), &c); code != 0 || err != nil || c.KL == nil {
			t.Fatalf("%v: exit code %d, %v: %s", args, code, err, errs)
		}
		return c.KL
	}
	text := kl(tiny, cut, "--data", "mine.txt", "--runs", "kept")
	if text.Documents != 1 || text.Units != "windows" || text.Tokens < 500 || !(text.Mean.Low > 0 && text.Mean.Low < text.Mean.Value) {
		t.Errorf("of a text: %+v", text)
	}
	if again := kl(tiny, cut, "--data", "mine.txt", "--runs", "others", "--threads", "1", "--batch-tokens", "16"); again.Mean != text.Mean || again.P999 != text.P999 || again.RMSChange != text.RMSChange {
		t.Errorf("in other batches: %+v, %+v", again, text)
	}
	if same := kl(tiny, tiny, "--suite", "arc_easy,wikitext", "--data", docs, "--runs", "kept"); same.Mean.Value != 0 || same.Max != 0 || same.SameTop.Value != 1 || len(same.Tasks) != 2 {
		t.Errorf("from itself: %+v", same)
	}
	out, errs, code := run(tiny, cut, "--kl", "--suite", "arc_easy", "--data", docs, "--runs", "kept", "--report", "page.html")
	page, err := os.ReadFile("page.html")
	if code != 0 || err != nil || !strings.Contains(out, "KL(A||B), nats a token, over ") || !strings.Contains(out, "same top token") || !strings.Contains(string(page), `data-from="/comparison/kl/mean/value"`) {
		t.Errorf("exit code %d, %v: %s%s", code, err, errs, out)
	}
	kept, err := filepath.Glob("kept/*")
	if err != nil {
		t.Fatal(err)
	}
	aRun := ""
	for _, dir := range kept {
		if !strings.HasPrefix(filepath.Base(dir), ".kl-") {
			aRun = dir
		}
	}
	for want, args := range map[string][]string{
		"have different tokenizers":                     {tiny, other, "--data", "mine.txt"},
		"and " + filepath.ToSlash(aRun) + " is not one": {tiny, aRun},
	} {
		_, errs, code := run(append(args, "--kl", "--runs", "refused")...)
		if code != 2 || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: exit code %d, %q; want %q", args, code, errs, want)
		}
	}
	if err := processorAlone("--kl", "cuda"); err == nil || !strings.Contains(err.Error(), "--device cpu") || processorAlone("--kl", "auto") != nil {
		t.Errorf("a GPU: %v", err)
	}
	if _, err := os.Stat("refused"); err == nil {
		t.Error("something was written of what was refused")
	}
}
