package text

import (
	"math"
	"os"
	"strings"
	"testing"
)

// The digits before the point are those of the number as shown: what rounds up to 100 has
// six significant digits there too, in every table.
func TestDecimalRoundsBeforeItCounts(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0000", 9.99994: "9.9999", 9.999996: "10.0000", 99.99994: "99.9999", 99.99999: "100.000", -99.99999: "-100.000",
		999.9999: "1000.00", 123456.4: "123456", 999999.7: "1.0000e+06", 1.23456789e9: "1.2346e+09", math.NaN(): "-", math.Inf(1): "-",
	} {
		if got := Decimal(f); got != want {
			t.Errorf("%v is shown as %s, want %s", f, got, want)
		}
	}
	if got := Signed(99.99999); got != "+100.000" {
		t.Errorf("a difference is shown as %s", got)
	}
	if got := Range(1, math.Inf(1)); got != "-" {
		t.Errorf("an interval without end is shown as %s", got)
	}
}

// A table is as wide as it may be, and loses the columns of the lowest rank first.
func TestGrid(t *testing.T) {
	g := &Grid{}
	g.Column("task", Left, Keep)
	g.Column("n", Right, 2)
	g.Column("interval", Right, 1)
	g.Row("日本", "12", "[1, 2]")
	for width, want := range map[int]string{
		0:  "task   n  interval\n日本  12    [1, 2]\n",
		10: "task   n\n日本  12\n",
		3:  "task\n日本\n",
	} {
		var b strings.Builder
		g.Fit(width).Write(&b)
		if b.String() != want {
			t.Errorf("at width %d the table is\n%swant\n%s", width, b.String(), want)
		}
	}
	if got := Wrap("one two three", 7); got != "one two\nthree\n" {
		t.Errorf("wrapped as %q", got)
	}
}

// Where there is little room titles are short, then a folding column becomes headings when its rank
// is reached, and an empty cell of it means the one before.
func TestGridFolds(t *testing.T) {
	g := &Grid{}
	g.Fold("task", 2)
	g.Column("metric", Left, Keep)
	g.Column("a long title", Left, 3)
	g.Short("short")
	g.Column("n", Right, 1)
	g.Row("quiz", "acc", "[1, 2]", "12")
	g.Row("", "f1", "[3, 4]", "12")
	g.Row("pages", "bpb", "[5, 6]", "9")
	for width, want := range map[int]string{
		0:  "task   metric  a long title   n\nquiz   acc     [1, 2]        12\n       f1      [3, 4]        12\npages  bpb     [5, 6]         9\n",
		26: "task   metric  short    n\nquiz   acc     [1, 2]  12\n       f1      [3, 4]  12\npages  bpb     [5, 6]   9\n",
		22: "task   metric  short\nquiz   acc     [1, 2]\n       f1      [3, 4]\npages  bpb     [5, 6]\n",
		17: "  metric  short\nquiz\n  acc     [1, 2]\n  f1      [3, 4]\npages\n  bpb     [5, 6]\n",
		9:  "  metric\nquiz\n  acc\n  f1\npages\n  bpb\n",
	} {
		var b strings.Builder
		g.Fit(width).Write(&b)
		if b.String() != want {
			t.Errorf("at width %d the table is\n%swant\n%s", width, b.String(), want)
		}
	}
	var b strings.Builder
	List(&b, [][2]string{{"a", "one two three four five six seven"}, {"bc", "x"}}, 1, 30)
	if want := " a   one two three four five\n     six seven\n bc  x\n"; b.String() != want {
		t.Errorf("the list is\n%swant\n%s", b.String(), want)
	}
}

// COLUMNS says how wide a file may be, whatever is behind it; what is no number says nothing.
func TestTerminalWidth(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for columns, want := range map[string]int{"": 0, "80": 80, "0": 0, "-3": 0, "wide": 0} {
		t.Setenv("COLUMNS", columns)
		if got := TerminalWidth(f); got != want {
			t.Errorf("COLUMNS=%s: %d, want %d", columns, got, want)
		}
	}
	if got := TerminalWidth(&strings.Builder{}); got != 0 {
		t.Errorf("what is no file is %d wide", got)
	}
}

// A divergence is 0 only where it is exactly that.
func TestNats(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 1e-9: "1.00e-09", 0.00012345: "1.23e-04", 0.012345: "0.0123", 12.3456: "12.3456", math.Inf(1): "-"} {
		if got := Nats(x); got != want {
			t.Errorf("%v is shown as %s, want %s", x, got, want)
		}
	}
	if got := NatsRange(0, 0.5); got != "[0, 0.5000]" {
		t.Errorf("an interval is shown as %s", got)
	}
}
