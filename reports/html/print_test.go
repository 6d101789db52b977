package html

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/softbench/softbench/reports/compare"
	"github.com/softbench/softbench/reports/rundir"
)

// manyTasks is a page about two runs of so many tasks, of which the later run is better.
func manyTasks(t testing.TB, tasks int) Page {
	runs := []Run{madeRun("a model with a long name, of its last step", 1, 30, 0), madeRun("another model with a long name, of its last step", 2, 30, 0.5)}
	for i := range runs {
		of := append([]rundir.TaskResult(nil), runs[i].Manifest.Tasks...)
		samples := append([]rundir.Sample(nil), runs[i].Samples...)
		for k := range tasks - 5 {
			name := fmt.Sprintf("task_with_a_name_%c%c", 'a'+k/26, 'a'+k%26)
			task := of[0]
			task.Name = name
			runs[i].Manifest.Tasks = append(runs[i].Manifest.Tasks, task)
			for _, s := range samples {
				if s.Task == "arc_easy" {
					s.Task = name
					runs[i].Samples = append(runs[i].Samples, s)
				}
			}
			runs[i].Manifest.Settings.Tasks = append(runs[i].Manifest.Settings.Tasks, rundir.TaskSettings{Name: name, Version: "1.0", Digest: strings.Repeat("d", 64), Documents: 30, Data: strings.Repeat("e", 64)})
		}
	}
	return Page{Runs: runs, Comparison: comparedWith(t, compare.Options{Draws: 100}, runs...)}
}

// warned is a page about two runs with so many warnings.
func warned(t testing.TB, n int) Page {
	p := twoRuns(t)
	for k := range n {
		p.Comparison.Warnings = append(p.Comparison.Warnings, fmt.Sprintf("warning %d of a page that has many of them, each so long that it goes over the end of its line, as those of real runs do", k))
	}
	return p
}

// Printed on A4, the first page is the summary, whole and alone: what was found, of what, and
// the chart of it where that has room. The rest begins on the second.
func TestTheSummaryIsOnePage(t *testing.T) {
	chromium := openBrowser(t)
	for _, tool := range []string{"pdftotext", "pdfinfo"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s (poppler-utils) in PATH: what is printed cannot be read", tool)
		}
	}
	for name, c := range map[string]struct {
		page        Page
		first, next []string // words of the first page, and of the second and not the first
	}{
		"one":             {deepRuns(t, 1, 30), []string{"share of documents, with its 95% interval", "context of 2 048 tokens"}, []string{"Scores with 95% intervals"}},
		"two":             {twoRuns(t), []string{"percentage points", "perplexity of A over that of B, log axis", "B: llama"}, []string{"B minus A; shares in percentage points"}},
		"four":            {deepRuns(t, 4, 60), []string{"percentage points", "D: llama"}, []string{"D minus A; shares in percentage points"}},
		"long":            {manyTasks(t, 30), []string{"B: llama"}, []string{"Paired by document"}},
		"warned":          {warned(t, 40), []string{"warning 0 of a page", "There are more warnings, at the end.", "B: llama"}, []string{"Paired by document", "percentage points"}},
		"warned a little": {warned(t, 2), []string{"percentage points", "warning 1 of a page"}, []string{"B minus A; shares in percentage points"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, chromium, write(t, c.page), 1280, "dark")
			verdicts := eval[[]string](b, `[document.querySelector("h1"), ...document.querySelectorAll(".verdicts li, .who li")].map((e) => e.innerText)`)
			var pdf []byte
			if err := chromedp.Run(b.ctx, chromedp.ActionFunc(func(ctx context.Context) (err error) {
				pdf, _, err = cdppage.PrintToPDF().WithPaperWidth(210 / 25.4).WithPaperHeight(297 / 25.4).WithPrintBackground(true).Do(ctx)
				return err
			})); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "page.pdf")
			if err := os.WriteFile(path, pdf, 0o644); err != nil {
				t.Fatal(err)
			}
			if dir := os.Getenv("SOFTBENCH_SCREENSHOTS"); dir != "" {
				_ = os.WriteFile(filepath.Join(dir, "printed-"+name+".pdf"), pdf, 0o644)
			}
			read := func(tool string, arguments ...string) string {
				out, err := exec.Command(tool, arguments...).Output()
				if err != nil {
					t.Fatalf("%s: %v", tool, err)
				}
				return spaces.ReplaceAllString(string(out), " ")
			}
			if info := read("pdfinfo", path); !strings.Contains(info, "Page size: 59") || !strings.Contains(info, "(A4)") {
				t.Errorf("%s", info)
			}
			first, second := read("pdftotext", "-raw", "-l", "1", path, "-"), read("pdftotext", "-raw", "-f", "2", "-l", "2", path, "-")
			for _, v := range append(verdicts, c.first...) {
				if v = strings.TrimSpace(spaces.ReplaceAllString(v, " ")); !strings.Contains(first, v) {
					t.Errorf("the first page lacks %q:\n%s", v, first)
				}
			}
			if name == "warned" && (strings.Contains(first, "warning 39 ") || !strings.Contains(read("pdftotext", "-raw", path, "-"), "warning 39 of a page")) {
				t.Errorf("the last warning is not at the end alone")
			}
			for _, want := range c.next {
				if strings.Contains(first, want) || !strings.Contains(second, want) {
					t.Errorf("%q does not begin the second page:\n%s", want, second)
				}
			}
		})
	}
}

var spaces = regexp.MustCompile(`[\s\x{202f}\x{a0}]+`)
