package py

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Method is the method of a text, a list or a dict; false where there is none, or none that is
// understood.
func Method(v Value, name string) (Func, bool) {
	switch x := v.(type) {
	case string:
		if m, ok := textMethods[name]; ok {
			return func(args []Value, named map[string]Value) (Value, error) {
				out, err := m(x, arguments{name, args, named})
				return out, err
			}, true
		}
	case *List:
		if m, ok := listMethods[name]; ok {
			return func(args []Value, named map[string]Value) (Value, error) {
				return m(x, arguments{name, args, named})
			}, true
		}
	case *Dict:
		if m, ok := dictMethods[name]; ok {
			return func(args []Value, named map[string]Value) (Value, error) {
				return m(x, arguments{name, args, named})
			}, true
		}
	}
	return nil, false
}

// arguments are those of one call.
type arguments struct {
	method string
	args   []Value
	named  map[string]Value
}

func (a arguments) count(least, most int) error {
	if len(a.named) > 0 {
		return fmt.Errorf("%s with named arguments is not understood", a.method)
	}
	if len(a.args) < least || len(a.args) > most {
		return fmt.Errorf("%s takes %d to %d arguments, not %d", a.method, least, most, len(a.args))
	}
	return nil
}

func (a arguments) text(i int) (string, error) {
	s, ok := a.args[i].(string)
	if !ok {
		return "", fmt.Errorf("%s takes text, not %s", a.method, TypeName(a.args[i]))
	}
	return s, nil
}

// texts are all arguments, of which there must be so many, as text.
func (a arguments) texts(n int) ([]string, error) {
	if err := a.count(n, n); err != nil {
		return nil, err
	}
	out := make([]string, n)
	for i := range out {
		s, err := a.text(i)
		if err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}

type textMethod func(s string, a arguments) (Value, error)

var textMethods = map[string]textMethod{
	"strip": stripping(Strip, strings.Trim), "lstrip": stripping(LStrip, strings.TrimLeft), "rstrip": stripping(RStrip, strings.TrimRight),
	"lower": plain(Lower), "upper": plain(Upper), "title": plain(Title), "capitalize": plain(Capitalize),
	"split": split, "rsplit": rsplit, "splitlines": splitlines, "format": format,
	"join": func(s string, a arguments) (Value, error) {
		if err := a.count(1, 1); err != nil {
			return nil, err
		}
		return Join(s, a.args[0])
	},
	"replace": replace,
	"index":   finding(strings.Index, true), "find": finding(strings.Index, false),
	"rindex": finding(strings.LastIndex, true), "rfind": finding(strings.LastIndex, false),
	"count": func(s string, a arguments) (Value, error) {
		t, err := a.texts(1)
		if err != nil {
			return nil, err
		}
		return int64(strings.Count(s, t[0])), nil
	},
	"startswith": edge(strings.HasPrefix), "endswith": edge(strings.HasSuffix),
	"removeprefix": two(strings.TrimPrefix), "removesuffix": two(strings.TrimSuffix),
	"isdigit": every(isDigit), "isdecimal": every(func(r rune) bool { return unicode.Is(unicode.Nd, r) }), "isspace": every(IsSpace),
	"isalpha": every(unicode.IsLetter),
	"partition": func(s string, a arguments) (Value, error) {
		t, err := a.texts(1)
		if err != nil || t[0] == "" {
			return nil, orEmpty(err)
		}
		before, after, ok := strings.Cut(s, t[0])
		if !ok {
			return Tuple{s, "", ""}, nil
		}
		return Tuple{before, t[0], after}, nil
	},
	"rpartition": func(s string, a arguments) (Value, error) {
		t, err := a.texts(1)
		if err != nil || t[0] == "" {
			return nil, orEmpty(err)
		}
		i := strings.LastIndex(s, t[0])
		if i < 0 {
			return Tuple{"", "", s}, nil
		}
		return Tuple{s[:i], t[0], s[i+len(t[0]):]}, nil
	},
}

func orEmpty(err error) error {
	if err == nil {
		return fmt.Errorf("an empty separator")
	}
	return err
}

// IsDigits is str.isdigit.
func IsDigits(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !isDigit(r) }) < 0
}

// isDigit is str.isdigit of a code point: decimal digits, and superscripts and others with a digit's
// value.
func isDigit(r rune) bool {
	if unicode.Is(unicode.Nd, r) {
		return true
	}
	for _, span := range [][2]rune{
		{0xb2, 0xb3}, {0xb9, 0xb9}, {0x1369, 0x1371}, {0x19da, 0x19da}, {0x2070, 0x2070}, {0x2074, 0x2079}, {0x2080, 0x2089},
		{0x2460, 0x2468}, {0x2474, 0x247c}, {0x2488, 0x2490}, {0x24ea, 0x24ea}, {0x24f5, 0x24fd}, {0x24ff, 0x24ff},
		{0x2776, 0x277e}, {0x2780, 0x2788}, {0x278a, 0x2792}, {0x10a40, 0x10a43}, {0x10e60, 0x10e68}, {0x11052, 0x1105a}, {0x1f100, 0x1f10a},
	} {
		if r >= span[0] && r <= span[1] {
			return true
		}
	}
	return false
}

func plain(f func(string) string) textMethod {
	return func(s string, a arguments) (Value, error) { return f(s), a.count(0, 0) }
}

func two(f func(s, t string) string) textMethod {
	return func(s string, a arguments) (Value, error) {
		t, err := a.texts(1)
		if err != nil {
			return nil, err
		}
		return f(s, t[0]), nil
	}
}

func every(is func(rune) bool) textMethod {
	return func(s string, a arguments) (Value, error) {
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return !is(r) }) < 0, a.count(0, 0)
	}
}

func stripping(space func(string) string, of func(s, cutset string) string) textMethod {
	return func(s string, a arguments) (Value, error) {
		if err := a.count(0, 1); err != nil {
			return nil, err
		}
		if len(a.args) == 0 || a.args[0] == nil {
			return space(s), nil
		}
		set, err := a.text(0)
		if err != nil {
			return nil, err
		}
		return of(s, set), nil
	}
}

func edge(is func(s, t string) bool) textMethod {
	return func(s string, a arguments) (Value, error) {
		if err := a.count(1, 1); err != nil {
			return nil, err
		}
		options := []Value{a.args[0]}
		if t, ok := a.args[0].(Tuple); ok {
			options = t
		}
		for _, o := range options {
			t, ok := o.(string)
			if !ok {
				return nil, fmt.Errorf("%s takes text, not %s", a.method, TypeName(o))
			}
			if is(s, t) {
				return true, nil
			}
		}
		return false, nil
	}
}

func finding(find func(s, t string) int, must bool) textMethod {
	return func(s string, a arguments) (Value, error) {
		t, err := a.texts(1)
		if err != nil {
			return nil, err
		}
		i := find(s, t[0])
		if i < 0 && must {
			return nil, fmt.Errorf("%s: the text is not there", a.method)
		}
		if i > 0 {
			i = len([]rune(s[:i]))
		}
		return int64(i), nil
	}
}

func replace(s string, a arguments) (Value, error) {
	if err := a.count(2, 3); err != nil {
		return nil, err
	}
	from, err := a.text(0)
	if err != nil {
		return nil, err
	}
	to, err := a.text(1)
	if err != nil {
		return nil, err
	}
	n := -1
	if len(a.args) == 3 {
		k, ok := Int(a.args[2])
		if !ok {
			return nil, fmt.Errorf("replace takes a whole number of times")
		}
		n = int(max(min(k, MaxItems), -1))
	}
	return Replace(s, from, to, n)
}

// Replace is s.replace(from, to, n), bounded.
func Replace(s, from, to string, n int) (string, error) {
	if times := strings.Count(s, from); len(to) > 0 && times > (MaxItems-len(s))/len(to) {
		return "", errTooLong
	}
	return strings.Replace(s, from, to, n), nil
}

// split is by a text, or by runs of white space.
func split(s string, a arguments) (Value, error) { return splitBy(s, a, false) }

func rsplit(s string, a arguments) (Value, error) { return splitBy(s, a, true) }

func splitBy(s string, a arguments, right bool) (Value, error) {
	if err := a.count(0, 2); err != nil {
		return nil, err
	}
	most := -1
	if len(a.args) == 2 {
		k, ok := Int(a.args[1])
		if !ok {
			return nil, fmt.Errorf("split takes a whole number of times")
		}
		most = int(max(min(k, MaxItems), -1))
	}
	if len(a.args) == 0 || a.args[0] == nil {
		if most >= 0 {
			return nil, fmt.Errorf("split by white space a number of times is not understood")
		}
		return Strings(strings.FieldsFunc(s, IsSpace)), nil
	}
	sep, err := a.text(0)
	if err != nil {
		return nil, err
	}
	if sep == "" {
		return nil, orEmpty(nil)
	}
	if !right || most < 0 {
		if most >= 0 {
			most++
		}
		return Strings(strings.SplitN(s, sep, most)), nil
	}
	var out []string
	for ; most > 0; most-- {
		i := strings.LastIndex(s, sep)
		if i < 0 {
			break
		}
		out = append(out, s[i+len(sep):])
		s = s[:i]
	}
	out = append(out, s)
	slices.Reverse(out)
	return Strings(out), nil
}

func splitlines(s string, a arguments) (Value, error) {
	if err := a.count(0, 0); err != nil {
		return nil, err
	}
	return Strings(Lines(s)), nil
}

// Lines is s.splitlines().
func Lines(s string) []string {
	var out []string
	for s != "" {
		i := strings.IndexFunc(s, func(r rune) bool {
			return r >= '\n' && r <= '\r' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 || r == 0x2029
		})
		if i < 0 {
			return append(out, s)
		}
		out = append(out, s[:i])
		rest := s[i:]
		if strings.HasPrefix(rest, "\r\n") {
			s = rest[2:]
			continue
		}
		s = rest[len(string([]rune(rest)[0])):]
	}
	return out
}
