package rundir

import (
	"math"
	"strings"
	"testing"

	"github.com/rivo/uniseg"

	"github.com/softbench/softbench/reports/text"
)

// wideRun has what a table can trip over: wide names, huge and missing numbers,
// characters that take two places, control characters.
func wideRun() *Run {
	nan := Number(math.NaN())
	r := someRun()
	r.Settings.MaxLength, r.Process.Resumed = 256, 1
	r.Tasks = append(r.Tasks,
		TaskResult{Name: "日本語の課題", Documents: 12345, Truncated: 3, Metrics: []Metric{
			{Name: "perplexity", Value: 31234.56789, Stderr: 123.456, Low: 30999.94, High: 999999.7, N: 12345},
			{Name: "bits_per_byte", Value: 1.23456789e9, Stderr: nan, Low: nan, High: nan, N: 12345},
			{Name: "acc", Value: 9.99996, Stderr: 0.00004, Low: 99.99999, High: 100, N: 12345, HigherIsBetter: true},
		}},
		TaskResult{Name: "evil\x1b[31m\nname\u202e", Documents: 1, Metrics: []Metric{{Name: "acc", Value: nan, Stderr: nan, Low: nan, High: nan, N: 1}}})
	r.Passkey = append(r.Passkey, Cell{Length: 32768, Depth: 0.125, N: 10, Right: 5, Accuracy: 0.5}, Cell{Length: 32768, Depth: 1, Accuracy: nan})
	r.Diagnostics = &Diagnostics{Task: "wikitext", Samples: 2, Length: 64, Threshold: 0.3, SinkRate: 0.25, Sparsity: nan, Mass: 1, Kurtosis: 3.1, Min: -12.5, Max: 40.25, Massive: 7}
	return r
}

func TestTable(t *testing.T) {
	golden(t, "table-wide.txt", tableText(wideRun(), 0))
	golden(t, "table-60.txt", tableText(wideRun(), 60))
	var b strings.Builder
	if err := WriteTable(&b, wideRun()); err != nil || b.String() != tableText(wideRun(), 0) {
		t.Errorf("what is not a terminal gets another table: %v", err)
	}
}

// TestTableIsAligned: the columns of the metrics end or begin where their titles
// do, as a terminal counts; nothing controls the terminal.
func TestTableIsAligned(t *testing.T) {
	text := tableText(wideRun(), 0)
	if strings.ContainsAny(text, "\x1b\r\t\u202e") {
		t.Errorf("a control character is in %q", text)
	}
	var b strings.Builder
	metricsTable(wideRun()).Write(&b)
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 8 {
		t.Fatalf("%d lines, want a title and seven metrics:\n%s", len(lines), b.String())
	}
	width := uniseg.StringWidth(lines[0])
	for _, l := range lines {
		if got := uniseg.StringWidth(l); got != width {
			t.Errorf("a line of %d cells, the title has %d: %q", got, width, l)
		}
	}
}

// TestTableFits: whatever the width, values stay, and from 50 cells on no line
// is wider than the terminal.
func TestTableFits(t *testing.T) {
	for width := 1; width < 120; width++ {
		r := someRun()
		shown := tableText(r, width)
		for _, m := range r.Tasks[0].Metrics {
			if !strings.Contains(shown, m.Name) || !strings.Contains(shown, text.Decimal(m.Value)) {
				t.Errorf("width %d: no %s in\n%s", width, m.Name, shown)
			}
		}
		for _, l := range strings.Split(shown, "\n") {
			if got := uniseg.StringWidth(l); got > width && width >= 50 {
				t.Errorf("width %d: a line of %d: %q", width, got, l)
			}
		}
		// The interval stays as long as it has room beside a metric and its value, below the task.
		if strings.Contains(shown, "interval") != (width >= 46) {
			t.Errorf("width %d: the interval is there, or not, against its width:\n%s", width, shown)
		}
	}
}

// TestGroupsAndDiagnosticsFit: neither is wider than the terminal, at 80 cells the groups keep their intervals, and
// every measure of the diagnostics is there with its value.
func TestGroupsAndDiagnosticsFit(t *testing.T) {
	r := someRun()
	r.Groups = []GroupResult{{Name: "a_group_of_tasks_with_a_long_name", Members: []string{"arc_easy"}, Tasks: []string{"arc_easy"}, Metrics: []GroupMetric{
		{Metric: Metric{Name: "acc_norm", Value: 0.5, Stderr: 0.25, Low: 0.1, High: 0.9, N: 1000, HigherIsBetter: true}, Tasks: 57, Without: 2},
	}}}
	r.Diagnostics = &Diagnostics{Task: "wikitext", Samples: 128, Length: 512, Threshold: 0.3, SinkRate: 0.99, Kurtosis: 33333.5, Min: -12345.5, Max: 54321.25, Massive: 123}
	for width := 46; width < 120; width++ {
		shown := tableText(r, width)
		for _, l := range strings.Split(shown, "\n") {
			if got := uniseg.StringWidth(l); got > width && width >= 50 {
				t.Errorf("width %d: a line of %d: %q", width, got, l)
			}
		}
		if n := strings.Count(shown, "95% interval"); n != 2 {
			t.Errorf("width %d: %d tables with intervals, want those of tasks and groups:\n%s", width, n, shown)
		}
		for _, row := range diagnosticsRows(r.Diagnostics) {
			if at := strings.Index(strings.Join(strings.Fields(shown), " "), row[0]); at < 0 || !strings.Contains(strings.Join(strings.Fields(shown), " ")[at:], row[1]) {
				t.Errorf("width %d: no %s of %s in\n%s", width, row[0], row[1], shown)
			}
		}
	}
}

func TestDiff(t *testing.T) {
	a, b := someSettings(), someSettings()
	b.DType = "bfloat16"
	b.Tasks = append(b.Tasks, TaskSettings{Name: "piqa"})
	b.Tasks[0].FewShot = 5
	a.Tasks = append([]TaskSettings{{Name: "copa"}}, a.Tasks...)
	b.Passkey = nil
	got := strings.Join(Differences(a, b), "\n")
	want := strings.Join([]string{
		`dtype: "float32", now "bfloat16"`,
		`passkey: {"lengths":[96],"depths":[0,0.5],"trials":2,"seed":7}, now null`,
		`task copa: there, now not`,
		`task arc_easy fewshot: 2, now 5`,
		`task piqa: not there, now there`,
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// The order of the tasks changes no number.
	c := someSettings()
	c.Tasks = append(c.Tasks, TaskSettings{Name: "piqa"})
	d := someSettings()
	d.Tasks = append([]TaskSettings{{Name: "piqa"}}, d.Tasks...)
	if diff := Diff(c, d); len(diff) > 0 {
		t.Errorf("another order of tasks: %v", diff)
	}
}

func TestNumber(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0000", 0.5: "0.5000", 9.99996: "10.0000", 9.9999: "9.9999", 10: "10.0000", -12.34567: "-12.3457",
		99.99999: "100.000", 100: "100.000", 99999.97: "100000", 999999.4: "999999", 999999.7: "1.0000e+06", 1e300: "1.0000e+300",
		math.Inf(1): "-", math.NaN(): "-",
	} {
		if got := text.Decimal(Number(f)); got != want {
			t.Errorf("%v is shown as %s, want %s", f, got, want)
		}
	}
}
