package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	maxRow     = 64 << 20 // bytes of one document
	maxDepth   = 500      // arrays and objects within each other
	maxValues  = 1 << 20  // values of one document
	maxDigits  = 4300     // of a whole number: Python reads no more
	cutOff     = "the JSON object is cut off"
	jsonSpaces = " \t\n\r"
)

// errCut is text that ends within a value.
var errCut = errors.New(cutOff)

// jsonParser reads JSON as Python's json does: NaN, Infinity and -Infinity are numbers, whole
// numbers have any size, of a key that is there twice the last value stands. A lone surrogate
// ("\ud800"), which Python keeps in a str, is refused: no text of a prompt can hold it.
type jsonParser struct {
	b      []byte
	at     int
	depth  int
	values int
}

// parseJSON reads the first value of b and returns how many bytes it has.
func parseJSON(b []byte) (v any, n int, err error) {
	p := &jsonParser{b: b}
	p.space()
	v, err = p.value()
	return v, p.at, err
}

func (p *jsonParser) space() {
	for p.at < len(p.b) {
		switch p.b[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *jsonParser) invalid(what string) error {
	return fmt.Errorf("not valid JSON at column %d: %s", p.at+1, what)
}

func (p *jsonParser) value() (any, error) {
	if p.values++; p.values > maxValues {
		return nil, fmt.Errorf("the document has more than %d values", maxValues)
	}
	if p.at == len(p.b) {
		return nil, errCut
	}
	switch c := p.b[p.at]; {
	case c == '{' || c == '[':
		if p.depth++; p.depth > maxDepth {
			return nil, fmt.Errorf("arrays and objects stand within each other more than %d deep", maxDepth)
		}
		var v any
		var err error
		if c == '{' {
			v, err = p.object()
		} else {
			v, err = p.array()
		}
		p.depth--
		return v, err
	case c == '"':
		return p.text()
	case c == '-' && p.word("-Infinity"):
		return math.Inf(-1), nil
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for word, v := range map[string]any{"true": true, "false": false, "null": nil, "NaN": math.NaN(), "Infinity": math.Inf(1)} {
		if p.word(word) {
			return v, nil
		}
	}
	if p.cutWord() {
		return nil, errCut
	}
	return nil, p.invalid(fmt.Sprintf("%q is not the beginning of a value", firstRune(p.b[p.at:])))
}

func (p *jsonParser) word(w string) bool {
	if len(p.b)-p.at < len(w) || string(p.b[p.at:p.at+len(w)]) != w {
		return false
	}
	p.at += len(w)
	return true
}

// cutWord says whether the text ends within a word that could stand there.
func (p *jsonParser) cutWord() bool {
	rest := string(p.b[p.at:])
	for _, w := range []string{"true", "false", "null", "NaN", "Infinity", "-Infinity"} {
		if len(rest) < len(w) && w[:len(rest)] == rest {
			return true
		}
	}
	return false
}

func (p *jsonParser) object() (any, error) {
	p.at++
	out := map[string]any{}
	for first := true; ; first = false {
		p.space()
		switch {
		case p.at == len(p.b):
			return nil, errCut
		case p.b[p.at] == '}' && first:
			p.at++
			return out, nil
		case p.b[p.at] != '"':
			return nil, p.invalid("a key in double quotes should stand here")
		}
		key, err := p.text()
		if err != nil {
			return nil, err
		}
		p.space()
		if p.at == len(p.b) {
			return nil, errCut
		}
		if p.b[p.at] != ':' {
			return nil, p.invalid("a colon should stand here")
		}
		p.at++
		p.space()
		if out[key], err = p.value(); err != nil {
			return nil, err
		}
		if more, err := p.more('}'); !more {
			return out, err
		}
	}
}

func (p *jsonParser) array() (any, error) {
	p.at++
	out := []any{}
	p.space()
	if p.at < len(p.b) && p.b[p.at] == ']' {
		p.at++
		return out, nil
	}
	for {
		p.space()
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		if more, err := p.more(']'); !more {
			return out, err
		}
	}
}

// more goes over the comma, or over the end.
func (p *jsonParser) more(end byte) (bool, error) {
	p.space()
	switch {
	case p.at == len(p.b):
		return false, errCut
	case p.b[p.at] == ',':
		p.at++
		return true, nil
	case p.b[p.at] == end:
		p.at++
		return false, nil
	}
	return false, p.invalid(fmt.Sprintf("a comma or %q should stand here", end))
}

func (p *jsonParser) text() (string, error) {
	p.at++
	start := p.at
	for p.at < len(p.b) { // the usual: no escapes
		switch c := p.b[p.at]; {
		case c == '"':
			p.at++
			return string(p.b[start : p.at-1]), nil
		case c == '\\':
			return p.escaped(append(make([]byte, 0, p.at-start+64), p.b[start:p.at]...))
		case c < 0x20:
			return "", p.invalid(fmt.Sprintf("the control character %q stands in a text; it must be escaped", c))
		}
		p.at++
	}
	return "", errCut
}

// escaped reads the rest of a text that has escapes.
func (p *jsonParser) escaped(out []byte) (string, error) {
	for p.at < len(p.b) {
		c := p.b[p.at]
		switch {
		case c == '"':
			p.at++
			return string(out), nil
		case c < 0x20:
			return "", p.invalid(fmt.Sprintf("the control character %q stands in a text; it must be escaped", c))
		case c != '\\':
			out = append(out, c)
			p.at++
			continue
		}
		if p.at+1 == len(p.b) {
			return "", errCut
		}
		switch e := p.b[p.at+1]; e {
		case '"', '\\', '/':
			out = append(out, e)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, err := p.unicode()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
			continue
		default:
			return "", p.invalid(fmt.Sprintf("a backslash before %q is not an escape", firstRune(p.b[p.at+1:])))
		}
		p.at += 2
	}
	return "", errCut
}

// unicode reads \uXXXX, or two of them that are one code point.
func (p *jsonParser) unicode() (rune, error) {
	r, err := p.hex(p.at)
	if err != nil {
		return 0, err
	}
	if !utf16.IsSurrogate(r) {
		p.at += 6
		return r, nil
	}
	if p.at+7 < len(p.b) && p.b[p.at+6] == '\\' && p.b[p.at+7] == 'u' {
		low, err := p.hex(p.at + 6)
		if err != nil {
			return 0, err
		}
		if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
			p.at += 12
			return both, nil
		}
	} else if len(p.b)-p.at < 12 && (len(p.b)-p.at == 6 || len(p.b)-p.at == 7 && p.b[p.at+6] == '\\') {
		return 0, errCut
	}
	return 0, p.invalid(fmt.Sprintf("\\u%04x is half of a surrogate pair, which is not a character", r))
}

func (p *jsonParser) hex(at int) (rune, error) {
	if at+6 > len(p.b) {
		return 0, errCut
	}
	v, err := strconv.ParseUint(string(p.b[at+2:at+6]), 16, 32)
	if err != nil {
		return 0, p.invalid(fmt.Sprintf("%q is not four hexadecimal digits", p.b[at+2:at+6]))
	}
	return rune(v), nil
}

// number reads a number: int64, beyond it json.Number, with a point or exponent float64.
func (p *jsonParser) number() (any, error) {
	start := p.at
	digits := func() int {
		n := p.at
		for p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '9' {
			p.at++
		}
		return p.at - n
	}
	if p.b[p.at] == '-' {
		p.at++
	}
	whole := p.at
	n := digits()
	switch {
	case n == 0 && p.at == len(p.b):
		return nil, errCut
	case n == 0:
		return nil, p.invalid("a digit should stand here")
	case n > 1 && p.b[whole] == '0':
		p.at = whole + 1
		return nil, p.invalid("a number begins with 0")
	}
	real := false
	if p.at+1 < len(p.b) && p.b[p.at] == '.' && p.b[p.at+1] >= '0' && p.b[p.at+1] <= '9' {
		p.at++
		digits()
		real = true
	}
	if p.at < len(p.b) && (p.b[p.at] == 'e' || p.b[p.at] == 'E') {
		back := p.at
		p.at++
		if p.at < len(p.b) && (p.b[p.at] == '+' || p.b[p.at] == '-') {
			p.at++
		}
		if digits() > 0 {
			real = true
		} else {
			p.at = back
		}
	}
	text := string(p.b[start:p.at])
	if real {
		f, _ := strconv.ParseFloat(text, 64) // out of range: infinite, as in Python
		return f, nil
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, nil
	}
	if n > maxDigits {
		return nil, fmt.Errorf("a whole number of %d digits; at most %d are read, as in Python", n, maxDigits)
	}
	b, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, p.invalid("a number that cannot be read")
	}
	return json.Number(b.String()), nil
}

func firstRune(b []byte) rune {
	r, _ := utf8.DecodeRune(b)
	return r
}
