package py

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Formatter is Python's formatting of values by format strings, where values may be of types that this
// package does not know.
type Formatter struct {
	Str  func(v Value) (string, error)     // str(v)
	Item func(v, key Value) (Value, error) // v[key]
}

// Value is format(v, spec).
func (f Formatter) Value(v Value, spec string) (string, error) {
	if spec == "" {
		return f.Str(v)
	}
	return formatted(v, spec)
}

// format is the method of texts, of values of this package.
func format(s string, a arguments) (Value, error) {
	for _, v := range append(slices.Collect(maps.Values(a.named)), a.args...) {
		if _, ok := v.(Undefined); ok {
			return nil, errors.New("format of what is undefined is not understood")
		}
	}
	return Formatter{Str, func(v, key Value) (Value, error) {
		out, ok := Index(v, key)
		if !ok {
			return nil, fmt.Errorf("a format asks a %s for what it lacks", TypeName(v))
		}
		return out, nil
	}}.Format(s, a.args, a.named)
}

// formatted is format(v, spec) of a spec that says something.
func formatted(v Value, spec string) (string, error) {
	full := spec
	fill, align := ' ', byte(0)
	if r, n := utf8.DecodeRuneInString(spec); n < len(spec) && strings.IndexByte("<>^", spec[n]) >= 0 {
		fill, align = r, spec[n]
		spec = spec[n+1:]
	} else if strings.IndexByte("<>^", spec[0]) >= 0 {
		align, spec = spec[0], spec[1:]
	}
	sign := byte('-')
	if spec != "" && strings.IndexByte("+- ", spec[0]) >= 0 {
		sign, spec = spec[0], spec[1:]
	}
	if strings.HasPrefix(spec, "0") && align == 0 {
		fill, align = '0', '='
		spec = spec[1:]
	}
	digits := func() int {
		n := 0
		for spec != "" && spec[0] >= '0' && spec[0] <= '9' && n < 1<<16 {
			n = n*10 + int(spec[0]-'0')
			spec = spec[1:]
		}
		return n
	}
	width := digits()
	comma := strings.HasPrefix(spec, ",")
	spec = strings.TrimPrefix(spec, ",")
	precision := -1
	if strings.HasPrefix(spec, ".") {
		spec = spec[1:]
		precision = digits()
	}
	out, err := "", error(nil)
	number := true
	i, isInt := v.(int64)
	f, isFloat := v.(float64)
	if isInt && (spec == "f" || spec == "%") {
		f, isFloat = float64(i), true
	}
	switch {
	case isFloat && (spec == "f" || spec == "%") && !math.IsNaN(f) && !math.IsInf(f, 0):
		if precision < 0 {
			precision = 6
		}
		if spec == "%" {
			f *= 100
		}
		out = strconv.FormatFloat(f, 'f', precision, 64)
		if spec == "%" {
			out += "%"
		}
	case isInt && (spec == "" || spec == "d") && precision < 0:
		out = strconv.FormatInt(i, 10)
	case spec == "" || spec == "s":
		s, ok := v.(string)
		if !ok {
			return "", fmt.Errorf("the format %q of a value of type %s is not understood", full, TypeName(v))
		}
		number = false
		if r := []rune(s); precision >= 0 && precision < len(r) {
			s = string(r[:precision])
		}
		out = s
	default:
		return "", fmt.Errorf("the format %q of a value of type %s is not understood", full, TypeName(v))
	}
	if comma && number {
		whole, rest, _ := strings.Cut(out, ".")
		neg := strings.HasPrefix(whole, "-")
		whole = strings.TrimPrefix(whole, "-")
		for k := len(whole) - 3; k > 0; k -= 3 {
			whole = whole[:k] + "," + whole[k:]
		}
		out = whole
		if rest != "" {
			out += "." + rest
		}
		if neg {
			out = "-" + out
		}
	}
	if number && sign != '-' && !strings.HasPrefix(out, "-") {
		out = string(sign) + out
	}
	missing := width - utf8.RuneCountInString(out)
	if missing <= 0 {
		return out, err
	}
	pad := func(n int) string { return strings.Repeat(string(fill), n) }
	if align == 0 {
		align = '<'
		if number {
			align = '>'
		}
	}
	switch align {
	case '<':
		return out + pad(missing), nil
	case '>':
		return pad(missing) + out, nil
	case '^':
		return pad(missing/2) + out + pad(missing-missing/2), nil
	}
	if !number {
		return "", fmt.Errorf("the format %q of text is not understood", full)
	}
	if out[0] == '-' || out[0] == '+' {
		return out[:1] + pad(missing) + out[1:], nil
	}
	return pad(missing) + out, nil
}

// Format is s.format(*args, **named).
func (f Formatter) Format(s string, args []Value, named map[string]Value) (string, error) {
	var b strings.Builder
	next, numbered := 0, false
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "{{") || strings.HasPrefix(s[i:], "}}"):
			b.WriteByte(s[i])
			i += 2
			continue
		case s[i] == '}':
			return "", raised("ValueError", "a } stands alone in a format")
		case s[i] != '{':
			b.WriteByte(s[i])
			i++
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			return "", raised("ValueError", "a { of a format is not closed")
		}
		field, spec, _ := strings.Cut(s[i+1:i+end], ":")
		if strings.ContainsAny(field, "!{") || strings.Contains(spec, "{") {
			return "", fmt.Errorf("the format field %q is not understood", field)
		}
		i += end + 1
		base, rest := field, ""
		if k := strings.IndexAny(field, ".["); k >= 0 {
			base, rest = field[:k], field[k:]
		}
		var v Value
		n, err := strconv.Atoi(base)
		numbered = numbered || err == nil
		if base == "" {
			n, err = next, nil
			next++
		}
		if numbered && next > 0 {
			return "", raised("ValueError", "a format numbers some fields and not others")
		}
		if err == nil {
			if n < 0 || n >= len(args) {
				return "", raised("IndexError", "the format asks for more than it is given")
			}
			v = args[n]
		} else {
			var ok bool
			if v, ok = named[base]; !ok {
				return "", raised("KeyError", "%q", base)
			}
		}
		for rest != "" {
			k := strings.IndexByte(rest, ']')
			if rest[0] != '[' || k < 0 {
				return "", fmt.Errorf("the format field %q is not understood", field)
			}
			var key Value = rest[1:k]
			if n, err := strconv.ParseInt(rest[1:k], 10, 64); err == nil {
				key = n
			}
			if v, err = f.Item(v, key); err != nil {
				return "", err
			}
			rest = rest[k+1:]
		}
		out, err := f.Value(v, spec)
		if err != nil {
			return "", err
		}
		if b.Len()+len(out) > MaxItems {
			return "", fmt.Errorf("a text passes %d bytes", MaxItems)
		}
		b.WriteString(out)
	}
	return b.String(), nil
}
