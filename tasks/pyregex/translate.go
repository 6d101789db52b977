package pyregex

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What Python's classes hold, as regexp2's class escapes hold others: \w there has combining marks
// and all connectors, \s lacks the four information separators.
const (
	wordClass     = `\p{L}\p{N}_`
	otherClass    = `\p{M}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\p{S}\p{Z}\p{C}\u203f\u2040\u2054\ufe33\ufe34\ufe4d-\ufe4f\uff3f`
	spaceClass    = `\s\u001c-\u001f`
	boundary      = `(?:(?<=[` + wordClass + `])(?![` + wordClass + `])|(?<![` + wordClass + `])(?=[` + wordClass + `]))`
	notBoundary   = `(?:(?<=[` + wordClass + `])(?=[` + wordClass + `])|(?<![` + wordClass + `])(?![` + wordClass + `]))`
	classEscapes  = "dDwWsS"
	plainEscapes  = "afnrtv"
	maxPattern    = 1 << 16
	maxRepetition = 100_000
)

// translator turns a pattern of Python's re into regexp2's syntax. Groups are numbered by both, but
// regexp2 counts named ones after the others: here they lose their names.
type translator struct {
	in     string
	at     int
	out    strings.Builder
	groups int            // opened so far
	names  map[string]int // their numbers
	open   int
}

func (t *translator) fail(format string, args ...any) error {
	return fmt.Errorf("the regular expression %q, at byte %d: %s", shorten(t.in), t.at, fmt.Sprintf(format, args...))
}

func shorten(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// next is the rune at the current place, and moves on.
func (t *translator) next() (rune, bool) {
	if t.at >= len(t.in) {
		return 0, false
	}
	r, n := utf8.DecodeRuneInString(t.in[t.at:])
	t.at += n
	return r, true
}

// takes moves on over text if it comes next.
func (t *translator) takes(text string) bool {
	if !strings.HasPrefix(t.in[t.at:], text) {
		return false
	}
	t.at += len(text)
	return true
}

func translate(pattern string) (out string, groups int, err error) {
	if len(pattern) > maxPattern {
		return "", 0, fmt.Errorf("a regular expression of %d bytes; it may have %d", len(pattern), maxPattern)
	}
	if !utf8.ValidString(pattern) {
		return "", 0, fmt.Errorf("the regular expression %q is not UTF-8", shorten(pattern))
	}
	t := &translator{in: pattern, names: map[string]int{}}
	for t.at < len(t.in) {
		if err := t.part(); err != nil {
			return "", 0, err
		}
	}
	return t.out.String(), t.groups, nil
}

func (t *translator) part() error {
	r, _ := t.next()
	switch r {
	case '\\':
		return t.escape(false)
	case '[':
		return t.class()
	case '(':
		t.open++
		return t.group()
	case ')':
		if t.open--; t.open < 0 {
			return t.fail("unbalanced parenthesis")
		}
	case '{':
		return t.repetition()
	case '*', '+', '?':
		if t.at < len(t.in) && t.in[t.at] == '+' {
			return t.fail("the possessive repetition %q is not supported", string(r)+"+")
		}
	}
	t.out.WriteRune(r)
	return nil
}

// repetition is {n}, {n,}, {,m} or {n,m}; anything else is a brace.
func (t *translator) repetition() error {
	body, _, closed := strings.Cut(t.in[t.at:], "}")
	from, to, comma := strings.Cut(body, ",")
	number := func(s string) bool {
		n, err := strconv.Atoi(s)
		return s == "" || err == nil && n >= 0 && s[0] != '+' && s[0] != '-'
	}
	if !closed || from == "" && !comma || !number(from) || !number(to) || strings.Contains(to, ",") || from == "" && to == "" && !comma {
		t.out.WriteString(`\{`)
		return nil
	}
	for _, s := range []string{from, to} {
		if n, _ := strconv.Atoi(s); n > maxRepetition {
			return t.fail("a repetition of %s times; at most %d are supported", s, maxRepetition)
		}
	}
	t.at += len(body) + 1
	if t.at < len(t.in) && t.in[t.at] == '+' {
		return t.fail("the possessive repetition {%s}+ is not supported", body)
	}
	if from == "" {
		body = "0" + body
	}
	t.out.WriteString("{" + body + "}")
	return nil
}

// group is what follows an opening parenthesis.
func (t *translator) group() error {
	if !t.takes("?") {
		t.groups++
		t.out.WriteString("(")
		return nil
	}
	for _, plain := range []string{":", "=", "!", "<=", "<!", ">"} {
		if t.takes(plain) {
			t.out.WriteString("(?" + plain)
			return nil
		}
	}
	switch {
	case t.takes("#"):
		_, rest, closed := strings.Cut(t.in[t.at:], ")")
		if !closed {
			return t.fail("a comment without an end")
		}
		t.open--
		t.at = len(t.in) - len(rest)
		return nil
	case t.takes("P<"):
		name, _, closed := strings.Cut(t.in[t.at:], ">")
		if !closed || !identifier(name) {
			return t.fail("%q is not the name of a group", shorten(name))
		}
		if _, twice := t.names[name]; twice {
			return t.fail("the group %q is there twice", name)
		}
		t.at += len(name) + 1
		t.groups++
		t.names[name] = t.groups
		t.out.WriteString("(")
		return nil
	case t.takes("P="):
		name, _, closed := strings.Cut(t.in[t.at:], ")")
		n, known := t.names[name]
		if !closed || !known {
			return t.fail("there is no group %q before", shorten(name))
		}
		t.at += len(name) + 1
		t.open--
		fmt.Fprintf(&t.out, `(?:\%d)`, n)
		return nil
	case t.takes("("):
		name, _, closed := strings.Cut(t.in[t.at:], ")")
		n, known := t.names[name]
		if !known {
			var err error
			n, err = strconv.Atoi(name)
			known = err == nil && n > 0
		}
		if !closed || !known {
			return t.fail("%q is not a group to depend on", shorten(name))
		}
		t.at += len(name) + 1
		fmt.Fprintf(&t.out, "(?(%d)", n)
		return nil
	}
	return t.flags()
}

// flags are (?im) for all of the pattern, which Python allows at its beginning only, and (?i-m:...).
func (t *translator) flags() error {
	start := t.at
	for t.at < len(t.in) && strings.IndexByte("aiLmsux-", t.in[t.at]) >= 0 {
		t.at++
	}
	flags := t.in[start:t.at]
	if flags == "" || t.at == len(t.in) {
		return t.fail("an extension that Python's re does not know")
	}
	if i := strings.IndexAny(flags, "aLx"); i >= 0 {
		return t.fail("the flag %q is not supported", flags[i:i+1])
	}
	ours := strings.ReplaceAll(flags, "u", "")
	switch {
	case t.takes(":"):
		if ours == "" || ours == "-" {
			t.out.WriteString("(?:")
			return nil
		}
		t.out.WriteString("(?" + ours + ":")
		return nil
	case t.takes(")"):
		if start != len("(?") || strings.Contains(flags, "-") {
			return t.fail("flags for the whole expression stand at its beginning")
		}
		t.open--
		if ours != "" {
			t.out.WriteString("(?" + ours + ")")
		}
		return nil
	}
	return t.fail("an extension that Python's re does not know")
}

func identifier(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// class is what follows an opening bracket.
func (t *translator) class() error {
	t.out.WriteByte('[')
	if t.takes("^") {
		t.out.WriteByte('^')
	}
	for first := true; ; first = false {
		r, ok := t.next()
		switch {
		case !ok:
			return t.fail("a character class without an end")
		case r == ']' && !first:
			t.out.WriteByte(']')
			return nil
		case r == '\\':
			if err := t.escape(true); err != nil {
				return err
			}
			continue
		case r == '[' || r == ']' || r == '^':
			t.out.WriteByte('\\') // an opening bracket would be a class to subtract
		}
		t.out.WriteRune(r)
	}
}

// escape is what follows a backslash.
func (t *translator) escape(inClass bool) error {
	r, ok := t.next()
	if !ok {
		return t.fail("a backslash at the end")
	}
	switch {
	case strings.ContainsRune(classEscapes, r):
		t.out.WriteString(classOf(r, inClass))
	case strings.ContainsRune(plainEscapes, r):
		t.out.WriteString(`\` + string(r))
	case r == 'b' && inClass:
		t.out.WriteString(`\u0008`)
	case r == 'b':
		t.out.WriteString(boundary)
	case r == 'B' && !inClass:
		t.out.WriteString(notBoundary)
	case r == 'A' && !inClass:
		t.out.WriteString(`\A`)
	case r == 'Z' && !inClass:
		t.out.WriteString(`\z`)
	case r == 'x':
		return t.code(2)
	case r == 'u':
		return t.code(4)
	case r == 'U':
		return t.code(8)
	case r >= '0' && r <= '9':
		return t.digits(r, inClass)
	case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
		return t.fail(`Python's re has no escape \%c here`, r)
	default:
		literal(&t.out, r)
	}
	return nil
}

func classOf(r rune, inClass bool) string {
	class := map[rune]string{'w': wordClass, 'W': otherClass, 's': spaceClass, 'S': `\S`, 'd': `\d`, 'D': `\D`}[r]
	switch {
	case inClass:
		return class
	case r == 'W':
		return `[^` + wordClass + `]`
	case r == 'S':
		return `[^` + spaceClass + `]`
	}
	return `[` + class + `]`
}

// literal writes a rune that stands for itself.
func literal(out *strings.Builder, r rune) {
	if r < 0x80 {
		fmt.Fprintf(out, `\u%04x`, r)
		return
	}
	out.WriteRune(r)
}

// code is a code point of so many hexadecimal digits.
func (t *translator) code(digits int) error {
	if t.at+digits > len(t.in) {
		return t.fail("an escape of %d hexadecimal digits that is cut off", digits)
	}
	n, err := strconv.ParseUint(t.in[t.at:t.at+digits], 16, 32)
	if err != nil || n > utf8.MaxRune || n >= 0xd800 && n < 0xe000 {
		return t.fail("%q is not a character's code", t.in[t.at:t.at+digits])
	}
	t.at += digits
	literal(&t.out, rune(n))
	return nil
}

// digits are a reference to a group, or an octal code.
func (t *translator) digits(first rune, inClass bool) error {
	start := t.at - 1
	octal := func(n int) bool {
		for i := start; i < start+n; i++ {
			if i >= len(t.in) || t.in[i] < '0' || t.in[i] > '7' {
				return false
			}
		}
		return true
	}
	n := 0
	switch {
	case octal(3):
		n = 3
	case first == '0' || inClass:
		if !octal(1) {
			return t.fail("an escape that is not octal")
		}
		n = 1
		if octal(2) {
			n = 2
		}
	}
	if n > 0 {
		v, _ := strconv.ParseUint(t.in[start:start+n], 8, 32)
		if v > 0o377 {
			return t.fail("the octal escape is above 0o377")
		}
		t.at = start + n
		literal(&t.out, rune(v))
		return nil
	}
	if t.at < len(t.in) && t.in[t.at] >= '0' && t.in[t.at] <= '9' {
		t.at++
	}
	group, _ := strconv.Atoi(t.in[start:t.at])
	if group > t.groups {
		return t.fail("there is no group %d before", group)
	}
	fmt.Fprintf(&t.out, `(?:\%d)`, group)
	return nil
}
