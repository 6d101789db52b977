package compare

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/reports/text"
)

// A difference that is small beside its scores is not zero; the last bits of a sum are.
func TestSmallDifferences(t *testing.T) {
	for n, want := range map[rundir.Number]string{
		0: "0.0000", 4e-17: "0.0000", -4e-17: "0.0000", 3.2e-7: "+3e-07", -4.4e-5: "-4e-05", 6e-5: "+0.0001", -0.25: "-0.2500", 1234.5: "+1234.50",
		rundir.Number(math.NaN()): "-",
	} {
		if got := text.Signed(n); got != want {
			t.Errorf("%v is shown as %q; want %q", n, got, want)
		}
	}
	if got := plusMinus(2e-6); got != "±2e-06" {
		t.Errorf("a detectable difference of 2e-6 is shown as %q", got)
	}
}

// The terminal's table in full: a real difference, and noise in a narrow terminal
// with a setting that differs. SOFTBENCH_UPDATE=1 writes the file anew.
func TestTableText(t *testing.T) {
	side := func(name string, seed uint64, p float64) *Side {
		run, rows := madeRun(seed, 60, p)
		return runSide(t, name, run, rows)
	}
	var b strings.Builder
	b.WriteString(tableText(compared(t, side("base", 7, 0.4), side("new\x1b[31m<script>\u202e", 8, 0.8), Options{}), 0))
	b.WriteString("\n----\n")
	same := side("same?", 9, 0.5)
	same.MayDiffer["attention"] = "softpick"
	b.WriteString(tableText(compared(t, side("base", 7, 0.5), same, Options{}), 80))
	b.WriteString("\n----\n")
	b.WriteString(tableText(compared(t, madeSide("one", 1, 0.5), madeSide("two", 2, 0.6), Options{}), 0))
	path := filepath.Join("testdata", "table.txt")
	if os.Getenv("SOFTBENCH_UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the table is\n%s\nwant\n%s", b.String(), want)
	}
	if strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Error("a control character reaches the terminal")
	}
}

// The terminal's table says "corrected" of several comparisons alone, and counts what is the
// same apart from what may be chance.
func TestCorrectedTable(t *testing.T) {
	a, b := madeSide("a", 1, 0.5), madeSide("b", 2, 0.6)
	several := tableText(compared(t, a, b, Options{}), 0)
	for _, s := range []*Side{a, b} {
		s.Tasks = s.Tasks[3:] // one task of one metric
	}
	single := tableText(compared(t, a, b, Options{}), 0)
	if !strings.Contains(several, "interval, corrected") || !strings.Contains(several, "corrected for the number of tasks") || strings.Contains(single, "corrected") {
		t.Errorf("%s\n%s", several, single)
	}
	a = madeSide("a", 3, 0.6)
	b = changed(a, "quiz", func(k int, d *Document) { d.Values[0].Value = float64(k % 2) })
	if text := tableText(compared(t, a, b, Options{}), 0); !strings.Contains(text, "the same on 3, no difference shown on 1\n") {
		t.Errorf("%s", text)
	}
}
