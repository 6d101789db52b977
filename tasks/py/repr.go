package py

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// Str is str(v).
func Str(v Value) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return Repr(v)
}

// Repr is repr(v).
func Repr(v Value) (string, error) {
	var b strings.Builder
	if err := repr(&b, v, 0); err != nil {
		return "", err
	}
	return b.String(), nil
}

// maxLevels bounds values within each other.
const maxLevels = 200

func repr(b *strings.Builder, v Value, level int) error {
	if level > maxLevels {
		return fmt.Errorf("a value is nested more than %d levels", maxLevels)
	}
	if b.Len() > MaxItems {
		return errTooLong
	}
	list := func(open string, items []Value, end string) error {
		b.WriteString(open)
		for i, e := range items {
			if i > 0 {
				b.WriteString(", ")
			}
			if err := repr(b, e, level+1); err != nil {
				return err
			}
		}
		b.WriteString(end)
		return nil
	}
	switch x := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[x])
	case int64:
		b.WriteString(strconv.FormatInt(x, 10))
	case *big.Int:
		b.WriteString(x.String())
	case float64:
		b.WriteString(Float(x))
	case string:
		quote(b, x)
	case *List:
		return list("[", x.Items, "]")
	case Tuple:
		if len(x) == 1 {
			return list("(", x, ",)")
		}
		return list("(", x, ")")
	case *Dict:
		keys, err := x.Keys()
		if err != nil {
			return err
		}
		b.WriteString("{")
		for i, k := range keys {
			if i > 0 {
				b.WriteString(", ")
			}
			if err := repr(b, k, level+1); err != nil {
				return err
			}
			b.WriteString(": ")
			if err := repr(b, x.values[i], level+1); err != nil {
				return err
			}
		}
		b.WriteString("}")
	case Range:
		if x.Step == 1 {
			fmt.Fprintf(b, "range(%d, %d)", x.Start, x.Stop)
		} else {
			fmt.Fprintf(b, "range(%d, %d, %d)", x.Start, x.Stop, x.Step)
		}
	case Undefined:
		b.WriteString("Undefined")
	default:
		return fmt.Errorf("a value of type %s has no text of its own", TypeName(v))
	}
	return nil
}

// Float is repr of a float: the shortest digits that read back equal, an exponent below 1e-4 and
// from 1e16 on.
func Float(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quote writes repr of a text: single quotes, double ones where it holds single ones and no double.
func quote(b *strings.Builder, s string) {
	q := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	b.WriteRune(q)
	for _, r := range s {
		switch {
		case r == q || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == ' ' || printable(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			fmt.Fprintf(b, `\U%08x`, r)
		}
	}
	b.WriteRune(q)
}

// printable is str.isprintable of a code point that is not a space.
func printable(r rune) bool { return r != ' ' && unicode.IsPrint(r) }
