package pyfunc

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/softbench/softbench/tasks/py"
)

// texts reads texts beside each other, f-strings among them.
func (p *parser) texts() (node, error) {
	var parts []func(f *frame) (string, error)
	plain := ""
	allPlain := true
	for {
		t := p.peek()
		if t.kind == tokString {
			p.next()
			plain += t.text
			s := t.text
			parts = append(parts, func(*frame) (string, error) { return s, nil })
			continue
		}
		if t.kind != tokFormat {
			break
		}
		p.next()
		allPlain = false
		more, err := p.format(t.text, t.raw, t.line, 0)
		if err != nil {
			return node{}, err
		}
		parts = append(parts, more...)
	}
	if allPlain {
		return constant(plain), nil
	}
	return value(joined(parts)), nil
}

func joined(parts []func(f *frame) (string, error)) expr {
	return func(f *frame) (py.Value, error) {
		var b strings.Builder
		for _, part := range parts {
			s, err := part(f)
			if err != nil {
				return nil, err
			}
			if b.Len()+len(s) > py.MaxItems {
				return nil, fmt.Errorf("a text passes %d bytes", py.MaxItems)
			}
			b.WriteString(s)
		}
		return b.String(), f.charge(b.String())
	}
}

// format reads what stands between an f-string's quotes.
func (p *parser) format(s string, raw bool, line, depth int) (parts []func(f *frame) (string, error), err error) {
	if depth > 2 {
		return nil, p.fail(line, "f-strings within each other are not understood")
	}
	text := func(s string) error {
		if !raw {
			var err error
			if s, err = py.Unescape(s); err != nil {
				return p.fail(line, "%v", err)
			}
		}
		parts = append(parts, func(*frame) (string, error) { return s, nil })
		return nil
	}
	var plain strings.Builder
	for i := 0; i < len(s); {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			if strings.HasPrefix(s[i:], `\N{`) {
				return nil, p.fail(line, `an escape \N is not understood`)
			}
			plain.WriteString(s[i : i+2])
			i += 2
		case strings.HasPrefix(s[i:], "{{") || strings.HasPrefix(s[i:], "}}"):
			plain.WriteByte(s[i])
			i += 2
		case s[i] == '}':
			return nil, p.fail(line, "a } stands alone in an f-string")
		case s[i] != '{':
			plain.WriteByte(s[i])
			i++
		default:
			if err := text(plain.String()); err != nil {
				return nil, err
			}
			plain.Reset()
			end := fieldEnd(s[i+1:])
			if end < 0 {
				return nil, p.fail(line, "a { of an f-string is not closed")
			}
			part, err := p.field(s[i+1:i+1+end], line, depth)
			if err != nil {
				return nil, err
			}
			parts = append(parts, part)
			i += end + 2
		}
	}
	return parts, text(plain.String())
}

// fieldEnd is the place of the } that closes a field; -1: there is none.
func fieldEnd(s string) int {
	depth := 0
	quote := ""
	for i := 0; i < len(s); i++ {
		switch c := s[i : i+1]; {
		case quote != "":
			if c == quote {
				quote = ""
			}
		case c == "'" || c == `"`:
			quote = c
		case c == "{" || c == "[" || c == "(":
			depth++
		case depth > 0 && (c == "}" || c == "]" || c == ")"):
			depth--
		case c == "}":
			return i
		}
	}
	return -1
}

// field reads expression!conversion:spec.
func (p *parser) field(s string, line, depth int) (func(f *frame) (string, error), error) {
	tokens, err := lex(p.m.file, "("+s+"\n)")
	source, conversion, spec := s, "", ""
	level, quote := 0, byte(0)
scan:
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case strings.IndexByte("([{", c) >= 0:
			level++
		case strings.IndexByte(")]}", c) >= 0:
			level--
		case level == 0 && c == '!' && i+1 < len(s) && s[i+1] != '=':
			source, conversion = s[:i], s[i+1:]
			if j := strings.IndexByte(conversion, ':'); j >= 0 {
				conversion, spec = conversion[:j], conversion[j+1:]
			}
			break scan
		case level == 0 && c == ':':
			source, spec = s[:i], s[i+1:]
			break scan
		}
	}
	if strings.HasSuffix(strings.TrimSpace(source), "=") {
		return nil, p.fail(line, "{...=} in an f-string is not understood")
	}
	if source != s || err != nil {
		if tokens, err = lex(p.m.file, "("+source+"\n)"); err != nil {
			return nil, p.fail(line, "an f-string: %v", err)
		}
	}
	for i := range tokens {
		tokens[i].line = line
	}
	in := &parser{m: p.m, tokens: tokens, depth: p.depth + 1, uses: p.uses}
	n, err := in.atomIn()
	if err != nil {
		return nil, err
	}
	specs, err := p.format(spec, false, line, depth+1)
	if err != nil {
		return nil, err
	}
	if conversion != "" && conversion != "r" && conversion != "s" {
		return nil, p.fail(line, "the conversion !%s is not understood", conversion)
	}
	width := joined(specs)
	m := p.m
	return func(f *frame) (string, error) {
		v, err := n.eval(f)
		if err != nil {
			return "", err
		}
		if conversion == "r" {
			if v, err = repr(v); err != nil {
				return "", m.place(line, err)
			}
		}
		w, err := width(f)
		if err != nil {
			return "", err
		}
		out, err := formatted(v, w.(string))
		return out, m.place(line, err)
	}, nil
}

func (p *parser) atomIn() (node, error) {
	n, err := p.atom()
	if err == nil && p.peek().kind != tokNewline {
		err = p.unexpected()
	}
	return n, err
}

func str(v py.Value) (string, error) {
	switch v.(type) {
	case *set, *Dataset, *Func, native:
		return "", fmt.Errorf("the text of a %s is not understood", py.TypeName(v))
	}
	return py.Str(v)
}

func repr(v py.Value) (py.Value, error) {
	s, err := py.Repr(v)
	return s, err
}

// formatted is format(v, spec).
func formatted(v py.Value, spec string) (string, error) {
	if spec == "" {
		return str(v)
	}
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
			return "", fmt.Errorf("the format %q of a value of type %s is not understood", full, py.TypeName(v))
		}
		number = false
		if r := []rune(s); precision >= 0 && precision < len(r) {
			s = string(r[:precision])
		}
		out = s
	default:
		return "", fmt.Errorf("the format %q of a value of type %s is not understood", full, py.TypeName(v))
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

// formatMethod is s.format(...).
func formatMethod(s string, args []py.Value, named map[string]py.Value) (string, error) {
	var b strings.Builder
	next := 0
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "{{") || strings.HasPrefix(s[i:], "}}"):
			b.WriteByte(s[i])
			i += 2
			continue
		case s[i] == '}':
			return "", raise("ValueError", "a } stands alone in a format")
		case s[i] != '{':
			b.WriteByte(s[i])
			i++
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			return "", raise("ValueError", "a { of a format is not closed")
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
		var v py.Value
		n, err := strconv.Atoi(base)
		if base == "" {
			n, err = next, nil
			next++
		}
		if err == nil {
			if n < 0 || n >= len(args) {
				return "", raise("IndexError", "the format asks for more than it is given")
			}
			v = args[n]
		} else {
			var ok bool
			if v, ok = named[base]; !ok {
				return "", raise("KeyError", "%q", base)
			}
		}
		for rest != "" {
			k := strings.IndexByte(rest, ']')
			if rest[0] != '[' || k < 0 {
				return "", fmt.Errorf("the format field %q is not understood", field)
			}
			var key py.Value = rest[1:k]
			if n, err := strconv.ParseInt(rest[1:k], 10, 64); err == nil {
				key = n
			}
			if v, err = index(v, key); err != nil {
				return "", err
			}
			rest = rest[k+1:]
		}
		out, err := formatted(v, spec)
		if err != nil {
			return "", err
		}
		if b.Len()+len(out) > py.MaxItems {
			return "", fmt.Errorf("a text passes %d bytes", py.MaxItems)
		}
		b.WriteString(out)
	}
	return b.String(), nil
}

// percent is s % values, of %s, %d, %r and %%.
func percent(s string, of py.Value) (py.Value, error) {
	values, ok := of.(py.Tuple)
	if !ok {
		values = py.Tuple{of}
	}
	var b strings.Builder
	used := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '%' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if s[i] == '%' {
			b.WriteByte('%')
			continue
		}
		if used == len(values) {
			return nil, raise("TypeError", "not enough arguments for the format")
		}
		v := values[used]
		used++
		_, isInt := v.(int64)
		var out string
		var err error
		switch {
		case s[i] == 's' || s[i] == 'd' && isInt:
			out, err = str(v)
		case s[i] == 'r':
			out, err = py.Repr(v)
		default:
			err = fmt.Errorf("the format %%%c is not understood", s[i])
		}
		if err != nil {
			return nil, err
		}
		b.WriteString(out)
	}
	if used < len(values) {
		return nil, raise("TypeError", "not all arguments are used by the format")
	}
	return b.String(), nil
}
