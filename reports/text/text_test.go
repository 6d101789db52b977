package text

import (
	"math"
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
