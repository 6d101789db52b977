package text

import (
	"math"
	"strconv"
	"strings"
)

// Decimal shows four decimals of a number below ten, else six significant
// digits; "-" for one that cannot be given.
func Decimal[N ~float64](n N) string {
	f := float64(n)
	if !Finite(f) {
		return "-"
	}
	// The digits before the point are those of the rounded number: 99.99999 is 100.000.
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(math.Abs(f), 'e', 5, 64), 64)
	switch {
	case err == nil && rounded < 10:
		return strconv.FormatFloat(f, 'f', 4, 64)
	case err == nil && rounded < 1e6:
		whole := len(strconv.FormatInt(int64(rounded), 10))
		return strconv.FormatFloat(f, 'f', 6-whole, 64)
	}
	return strconv.FormatFloat(f, 'e', 4, 64)
}

// Small shows a number that Decimal would round to 0 by its first digit. Below
// the last bits of a sum over documents it is 0.
func Small[N ~float64](n N) (text string, ok bool) {
	if f := math.Abs(float64(n)); f < 5e-5 && f > 1e-9 {
		return strconv.FormatFloat(float64(n), 'e', 0, 64), true
	}
	return "", false
}

// Signed is Decimal with a plus sign before what is above 0, and shows differences
// that are small beside their scores.
func Signed[N ~float64](n N) string {
	text, ok := Small(n)
	if !ok {
		text = Decimal(n)
	}
	switch {
	case text == "-":
	case strings.Trim(text, "-0.") == "": // it is shown as 0, which has no sign
		return strings.TrimPrefix(text, "-")
	case n > 0:
		return "+" + text
	}
	return text
}

// Interval shows an interval of a difference.
func Interval[N ~float64](low, high N) string { return between(low, high, Signed[N]) }

// Range shows an interval of a value.
func Range[N ~float64](low, high N) string { return between(low, high, Decimal[N]) }

func between[N ~float64](low, high N, show func(N) string) string {
	if !Finite(float64(low)) || !Finite(float64(high)) {
		return "-"
	}
	return "[" + show(low) + ", " + show(high) + "]"
}

// Nats shows a divergence: 0 only where it is exactly that, and what is small by its first digits.
func Nats[N ~float64](n N) string {
	switch f := float64(n); {
	case !Finite(f):
		return "-"
	case f == 0:
		return "0"
	case math.Abs(f) < 1e-3:
		return strconv.FormatFloat(f, 'e', 2, 64)
	}
	return Decimal(n)
}

// NatsRange shows an interval of a divergence.
func NatsRange[N ~float64](low, high N) string { return between(low, high, Nats[N]) }

// Compact shows a number in as few digits as it has.
func Compact(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
