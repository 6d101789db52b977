package text

import (
	"math"
	"strconv"
	"strings"
)

// Finite says whether x is a number that can be shown.
func Finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// None stands where there is no number.
const None = "–"

const minus = "−"

func signed(s string) string { return strings.ReplaceAll(s, "-", minus) }

// Percent is a share. As all formats of pages it rounds; the page's JSON has the number
// in full.
func Percent(x float64) string { return Decimals(100*x, 1) + "%" }

// Points is a difference of two shares, in percentage points.
func Points(x float64) string {
	s := Decimals(100*x, 1)
	if strings.Trim(s, "0.+−-") != "" && x > 0 {
		s = "+" + s
	}
	return s
}

// Figures keeps four significant figures.
func Figures(x float64) string {
	switch a := math.Abs(x); {
	case !Finite(x):
		return None
	case a != 0 && (a < 1e-5 || a >= 1e6):
		return signed(strconv.FormatFloat(x, 'e', 2, 64))
	case a >= 1000:
		return Count(x)
	case a >= 100:
		return Decimals(x, 1)
	case a >= 10:
		return Decimals(x, 2)
	case a < 1e-3 && a > 0:
		return Decimals(x, 6)
	case a < 0.1 && a > 0:
		return Decimals(x, 4)
	}
	return Decimals(x, 3)
}

// Tick labels a place on an axis, exactly but for the last bits: no zeros behind
// the point, and None cut off that are not zeros.
func Tick(x float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 7, 64), 64)
	switch a := math.Abs(rounded); {
	case err != nil || !Finite(x):
		return None
	case a != 0 && (a < 1e-5 || a >= 1e6):
		return signed(strconv.FormatFloat(rounded, 'e', -1, 64))
	case a >= 1000 && a == math.Trunc(a):
		return Count(rounded)
	}
	return signed(strconv.FormatFloat(rounded, 'f', -1, 64))
}

// PercentTick is Tick of a share.
func PercentTick(x float64) string { return Tick(100*x) + "%" }

// PointsTick is Tick of a difference of shares, in percentage points.
func PointsTick(x float64) string { return SignedTick(100 * x) }

// SignedTick is Tick of a difference.
func SignedTick(x float64) string {
	if x > 0 {
		return "+" + Tick(x)
	}
	return Tick(x)
}

// PlusFigures is Figures of a difference.
func PlusFigures(x float64) string {
	s := Figures(x)
	if x > 0 {
		s = "+" + s
	}
	return s
}

// PlusCount is Count of a difference.
func PlusCount(x float64) string {
	s := Count(x)
	if x > 0 {
		s = "+" + s
	}
	return s
}

// Decimals never gives a negative zero.
func Decimals(x float64, n int) string {
	if !Finite(x) {
		return None
	}
	s := strconv.FormatFloat(x, 'f', n, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return signed(s)
}

// Count writes an integer in groups of three.
func Count(x float64) string {
	s := strconv.FormatFloat(math.Abs(x), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	if x < 0 {
		s = minus + s
	}
	return s
}

// Probability is a p-value: three decimals, and "<0.001" below.
func Probability(x float64) string {
	if x < 0.001 {
		return "<0.001"
	}
	return Decimals(x, 3)
}

// Visible makes control characters seen, and keeps a name on one line.
func Visible(s string) string { return visible(s, "") }

// VisibleLines does so for a text of several lines: line ends and tabs stay.
func VisibleLines(s string) string { return visible(s, "\n\t") }

func visible(s, stays string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(stays, r):
			return r
		case r < ' ':
			return '\u2400' + r
		case r == 0x7f:
			return '\u2421'
		case r >= 0x80 && r < 0xa0, r == 0xFFFE, r == 0xFFFF:
			return '\uFFFD'
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // text direction overrides
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
