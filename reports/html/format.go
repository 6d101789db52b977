package html

import (
	"math"
	"strconv"
	"strings"
)

var nan = math.NaN()

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// none stands where there is no number.
const none = "–"

const minus = "−"

func signed(s string) string { return strings.ReplaceAll(s, "-", minus) }

// formats, by unit. Each rounds; the page's JSON has the number in full.
func percent(x float64) string { return decimals(100*x, 1) + "%" }

// points is a difference of two shares, in percentage points.
func points(x float64) string {
	s := decimals(100*x, 1)
	if strings.Trim(s, "0.+−-") != "" && x > 0 {
		s = "+" + s
	}
	return s
}

// figures keeps four significant figures.
func figures(x float64) string {
	switch a := math.Abs(x); {
	case !finite(x):
		return none
	case a != 0 && (a < 1e-5 || a >= 1e6):
		return signed(strconv.FormatFloat(x, 'e', 2, 64))
	case a >= 1000:
		return count(x)
	case a >= 100:
		return decimals(x, 1)
	case a >= 10:
		return decimals(x, 2)
	case a < 1e-3 && a > 0:
		return decimals(x, 6)
	case a < 0.1 && a > 0:
		return decimals(x, 4)
	}
	return decimals(x, 3)
}

// tick labels a place on an axis, exactly but for the last bits: no zeros behind
// the point, and none cut off that are not zeros.
func tick(x float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 7, 64), 64)
	switch a := math.Abs(rounded); {
	case err != nil || !finite(x):
		return none
	case a != 0 && (a < 1e-5 || a >= 1e6):
		return signed(strconv.FormatFloat(rounded, 'e', -1, 64))
	case a >= 1000 && a == math.Trunc(a):
		return count(rounded)
	}
	return signed(strconv.FormatFloat(rounded, 'f', -1, 64))
}

func percentTick(x float64) string { return tick(100*x) + "%" }

func plusFigures(x float64) string {
	s := figures(x)
	if x > 0 {
		s = "+" + s
	}
	return s
}

func plusCount(x float64) string {
	s := count(x)
	if x > 0 {
		s = "+" + s
	}
	return s
}

// decimals never gives a negative zero.
func decimals(x float64, n int) string {
	if !finite(x) {
		return none
	}
	s := strconv.FormatFloat(x, 'f', n, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return signed(s)
}

// count writes an integer in groups of three.
func count(x float64) string {
	s := strconv.FormatFloat(math.Abs(x), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	if x < 0 {
		s = minus + s
	}
	return s
}

// probability is a p-value: three decimals, and "<0.001" below.
func probability(x float64) string {
	if x < 0.001 {
		return "<0.001"
	}
	return decimals(x, 3)
}

// visible makes control characters seen, and keeps a name on one line.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
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
