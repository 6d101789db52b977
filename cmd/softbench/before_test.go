package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Runs and a baseline of an earlier version are read, compared, gated, exported and shown: what
// they say is what it said of them, but for the intervals, which are of another rule.
func TestRunsOfBefore(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.html")
	exported, err := os.ReadFile("testdata/before/export.csv")
	if err != nil {
		t.Fatal(err)
	}
	// The earlier version left the error and interval of passkey retrieval over all cells empty.
	exported = bytes.ReplaceAll(exported, []byte(",,,,true"), []byte(","))
	if n := bytes.Count(exported, []byte(",\n")); n != 4 {
		t.Fatalf("%d rows of passkey retrieval over all cells", n)
	}
	t.Chdir("testdata/before")
	for _, c := range []struct {
		line string
		code int
		says []string
	}{
		{"compare softmax softpick", exitOK, []string{
			"acc ↑         0.7500   0.8333   +0.0833", "perplexity ↓  8.9916  20.4878  +11.4962", "acc_text ↑    1.0000   0.1250   -0.8750",
			"sink_rate        0.1667    0.0417   -0.1250", "by the first metric of 3 tasks: B better on 0, worse on 1, no difference shown on 2",
		}},
		{"gate softmax --baseline baseline.json", exitOK, []string{"pass: 7 passed, 0 regressed, 0 inconclusive"}},
		{"gate softpick --baseline baseline.json", exitRegressed, []string{"2 regressed, 5 inconclusive"}},
		{"export softmax softpick --format csv", exitOK, strings.Split(strings.TrimSpace(string(exported)), "\n")},
		{"report softmax softpick --offline -o " + page, exitOK, nil},
	} {
		var out, errs bytes.Buffer
		if code := execute(t.Context(), strings.Fields(c.line), streams{strings.NewReader(""), &out, &errs}); code != c.code {
			t.Errorf("%s: exit code %d, want %d: %s", c.line, code, c.code, errs.String())
		}
		for _, want := range c.says {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", c.line, want, out.String())
			}
		}
	}
	if text, err := os.ReadFile(page); err != nil || !bytes.Contains(text, []byte(`data-from="/comparison/summary/worse">1<`)) {
		t.Errorf("the page: %v", err)
	}
}
