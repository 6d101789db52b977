package pyfunc

import (
	"fmt"
	"strings"

	"github.com/softbench/softbench/tasks/py"
	"github.com/softbench/softbench/tasks/pyregex"
)

// external is a module, or a name of one, that is not the task files' own. What is known of it can be used;
// the rest is an error where it is used, as much is imported and not.
type external struct{ name string }

// Attr is of no use: get is.
func (e *external) Attr(string) (py.Value, bool) { return nil, false }

// TypeName of a module.
func (e *external) TypeName() string { return e.name }

func moduleNamed(name string) *external { return &external{name} }

// get is a name of the module.
func (e *external) get(name string) py.Value {
	full := e.name + "." + name
	if v, ok := known[full]; ok {
		return v
	}
	return &external{full}
}

var known map[string]py.Value

func init() {
	const lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	known = map[string]py.Value{
		"string.ascii_lowercase": lower, "string.ascii_uppercase": upper, "string.ascii_letters": lower + upper, "string.digits": digits,
		"string.punctuation": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
		"functools.partial": native(func(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
			if len(args) == 0 {
				return nil, raise("TypeError", "partial takes a function")
			}
			return &partial{args[0], args[1:], named}, nil
		}),
		"ast.literal_eval": one("literal_eval", func(_ *budget, v py.Value) (py.Value, error) {
			s, ok := v.(string)
			if !ok {
				return nil, raise("ValueError", "malformed node or string")
			}
			return py.Literal(s)
		}),
		"re.sub": native(reSub), "re.search": reFind(""), "re.match": reFind(`\A`), "re.fullmatch": reFind("full"), "re.findall": native(reFindAll),
		"re.split": native(reSplit), "re.compile": native(reCompile),
		"re.escape": one("escape", func(_ *budget, v py.Value) (py.Value, error) {
			s, _ := v.(string)
			return pyregex.Escape(s), nil
		}),
		"re.IGNORECASE": reFlag("i"), "re.I": reFlag("i"), "re.DOTALL": reFlag("s"), "re.S": reFlag("s"), "re.MULTILINE": reFlag("m"), "re.M": reFlag("m"),
		"lm_eval.utils.general_detokenize": one("general_detokenize", func(_ *budget, v py.Value) (py.Value, error) {
			s, ok := v.(string)
			if !ok {
				return nil, raise("AttributeError", "general_detokenize of a %s", py.TypeName(v))
			}
			for _, pair := range [][2]string{{" n't", "n't"}, {" )", ")"}, {"( ", "("}, {"\" ", "\""}, {" \"", "\""}} {
				s = strings.ReplaceAll(s, pair[0], pair[1])
			}
			for _, mark := range []string{"'", ".", ","} { // one blank before each, as " (['.,])" takes it
				s = strings.ReplaceAll(s, " "+mark, mark)
			}
			return s, nil
		}),
		"sklearn.metrics.f1_score": native(f1Score), "sklearn.metrics.accuracy_score": native(accuracyScore), "sklearn.metrics.matthews_corrcoef": native(matthews),
		"lm_eval.utils.weighted_f1_score": native(weightedF1),
		"os.path.basename":                pathPart("basename", true), "os.path.dirname": pathPart("dirname", false),
		"pathlib.Path": typeOf{"Path", makePath}, "json.load": native(jsonLoad),
		"datasets.Dataset": &external{"datasets.Dataset"},
		"datasets.Dataset.from_list": one("from_list", func(_ *budget, v py.Value) (py.Value, error) {
			return fromList(v)
		}),
	}
}

// reFlag is a flag of re.
type reFlag string

// Attr of a flag is none.
func (reFlag) Attr(string) (py.Value, bool) { return nil, false }

// TypeName of a flag.
func (reFlag) TypeName() string { return "RegexFlag" }

// patterns are expressions that were compiled, of which a function asks for the same ones with every document; running guards them.
var patterns = map[string]*pyregex.Regexp{}

func compiled(pattern string) (*pyregex.Regexp, error) {
	if re := patterns[pattern]; re != nil {
		return re, nil
	}
	re, err := pyregex.Compile(pattern)
	if err == nil {
		if len(patterns) == 512 { // as Python keeps
			clear(patterns)
		}
		patterns[pattern] = re
	}
	return re, err
}

// rePattern is a compiled pattern.
type rePattern struct{ source string }

// Attr is a method of a pattern.
func (p *rePattern) Attr(name string) (py.Value, bool) {
	f, ok := known["re."+name].(native)
	if !ok {
		return nil, false
	}
	return native(func(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
		return f(b, append([]py.Value{p}, args...), named)
	}), true
}

// TypeName of a pattern.
func (*rePattern) TypeName() string { return "re.Pattern" }

// reMatch is a match.
type reMatch struct{ m pyregex.Match }

// Attr is a method of a match.
func (m *reMatch) Attr(name string) (py.Value, bool) {
	switch name {
	case "group":
		return native(func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			switch len(args) {
			case 0:
				return m.m.Groups[0], nil
			case 1:
				return m.group(args[0])
			}
			return nil, fmt.Errorf("group of several is not understood")
		}), true
	case "groups":
		return native(func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			t := py.Tuple{}
			for i := 1; i < len(m.m.Groups); i++ {
				v, err := m.group(int64(i))
				if err != nil {
					return nil, err
				}
				t = append(t, v)
			}
			return t, nil
		}), true
	case "start", "end":
		return native(func(_ *budget, args []py.Value, _ map[string]py.Value) (py.Value, error) {
			if len(args) > 0 {
				return nil, fmt.Errorf("%s of a group is not understood", name)
			}
			if name == "end" {
				return int64(m.m.End), nil
			}
			return int64(m.m.Start), nil
		}), true
	}
	return nil, false
}

// TypeName of a match.
func (*reMatch) TypeName() string { return "re.Match" }

func (m *reMatch) group(k py.Value) (py.Value, error) {
	i, ok := py.Int(k)
	if !ok {
		return nil, fmt.Errorf("groups by name are not understood")
	}
	if i < 0 || i >= int64(len(m.m.Groups)) {
		return nil, raise("IndexError", "no such group")
	}
	if !m.m.Has[i] {
		return nil, nil
	}
	return m.m.Groups[i], nil
}

// source is a pattern's text with its flags.
func source(args []py.Value, named map[string]py.Value, texts int) (pattern string, rest []string, err error) {
	if len(args) < 1+texts {
		return "", nil, raise("TypeError", "a function of re lacks arguments")
	}
	switch x := args[0].(type) {
	case string:
		pattern = x
	case *rePattern:
		pattern = x.source
	default:
		return "", nil, raise("TypeError", "a pattern is a %s", py.TypeName(args[0]))
	}
	for _, a := range args[1 : 1+texts] {
		s, ok := a.(string)
		if !ok {
			return "", nil, raise("TypeError", "expected string, got %s", py.TypeName(a))
		}
		rest = append(rest, s)
	}
	more := args[1+texts:]
	for k, v := range named {
		if k != "flags" {
			return "", nil, fmt.Errorf("the argument %s of a function of re is not understood", k)
		}
		more = append(more, v)
	}
	for _, v := range more {
		flag, ok := v.(reFlag)
		if !ok {
			return "", nil, fmt.Errorf("this argument of a function of re is not understood")
		}
		pattern = "(?" + string(flag) + ")" + pattern
	}
	return pattern, rest, nil
}

func reCompile(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	pattern, _, err := source(args, named, 0)
	if err != nil {
		return nil, err
	}
	_, err = compiled(pattern)
	return &rePattern{pattern}, err
}

func reFind(how string) native {
	return func(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
		pattern, texts, err := source(args, named, 1)
		if err != nil {
			return nil, err
		}
		if flags := strings.Index(pattern, ")"); how != "" && strings.HasPrefix(pattern, "(?i)") || strings.HasPrefix(pattern, "(?s)") || strings.HasPrefix(pattern, "(?m)") {
			pattern = pattern[:flags+1] + anchored(pattern[flags+1:], how)
		} else {
			pattern = anchored(pattern, how)
		}
		re, err := compiled(pattern)
		if err != nil {
			return nil, err
		}
		m, ok, err := re.Search(texts[0])
		if !ok || err != nil {
			return nil, err
		}
		return &reMatch{m}, nil
	}
}

func anchored(pattern, how string) string {
	switch how {
	case `\A`:
		return `\A(?:` + pattern + `)`
	case "full":
		return `\A(?:` + pattern + `)\Z`
	}
	return pattern
}

func reFindAll(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	pattern, texts, err := source(args, named, 1)
	if err != nil {
		return nil, err
	}
	re, err := compiled(pattern)
	if err != nil {
		return nil, err
	}
	found, err := re.FindAll(texts[0])
	out := &py.List{}
	for _, groups := range found {
		if len(groups) == 1 {
			out.Items = append(out.Items, groups[0])
			continue
		}
		out.Items = append(out.Items, py.Tuple(py.Strings(groups).Items))
	}
	return out, err
}

func reSplit(_ *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	pattern, texts, err := source(args, named, 1)
	if err != nil {
		return nil, err
	}
	re, err := compiled(pattern)
	if err != nil {
		return nil, err
	}
	matches, err := re.Matches(texts[0])
	runes := []rune(texts[0])
	out := &py.List{}
	at := 0
	for _, m := range matches {
		out.Items = append(out.Items, string(runes[at:m.Start]))
		for i := 1; i < len(m.Groups); i++ {
			v, _ := (&reMatch{m}).group(int64(i))
			out.Items = append(out.Items, v)
		}
		at = m.End
	}
	out.Items = append(out.Items, string(runes[at:]))
	return out, err
}

func reSub(b *budget, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if len(args) < 3 {
		return nil, fmt.Errorf("re.sub like this is not understood")
	}
	pattern, texts, err := source(append([]py.Value{args[0], args[2]}, args[3:]...), named, 1)
	if err != nil {
		return nil, err
	}
	re, err := compiled(pattern)
	if err != nil {
		return nil, err
	}
	matches, err := re.Matches(texts[0])
	if err != nil {
		return nil, err
	}
	runes := []rune(texts[0])
	var out strings.Builder
	at := 0
	for _, m := range matches {
		out.WriteString(string(runes[at:m.Start]))
		at = m.End
		var s string
		if to, ok := args[1].(string); ok {
			s, err = expand(to, m)
		} else {
			var v py.Value
			if v, err = call(b, args[1], []py.Value{&reMatch{m}}, nil); err == nil {
				s, ok = v.(string)
				if !ok {
					err = raise("TypeError", "the replacement is a %s", py.TypeName(v))
				}
			}
		}
		if err != nil {
			return nil, err
		}
		if out.Len()+len(s) > py.MaxItems {
			return nil, fmt.Errorf("a text passes %d bytes", py.MaxItems)
		}
		out.WriteString(s)
	}
	out.WriteString(string(runes[at:]))
	return out.String(), nil
}

// expand fills a replacement's groups in.
func expand(to string, m pyregex.Match) (string, error) {
	if !strings.Contains(to, `\`) {
		return to, nil
	}
	var b strings.Builder
	for i := 0; i < len(to); i++ {
		if to[i] != '\\' {
			b.WriteByte(to[i])
			continue
		}
		i++
		rest := to[min(i, len(to)):]
		switch {
		case rest == "":
			return "", raise("error", "a replacement ends in a backslash")
		case rest[0] >= '1' && rest[0] <= '9' && !(len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9'):
			k := int(rest[0] - '0')
			if k >= len(m.Groups) {
				return "", raise("error", "invalid group reference")
			}
			b.WriteString(m.Groups[k])
		case rest[0] == 'n':
			b.WriteByte('\n')
		case rest[0] == 't':
			b.WriteByte('\t')
		case rest[0] == '\\':
			b.WriteByte('\\')
		default:
			return "", fmt.Errorf(`the replacement's escape \%c is not understood`, rest[0])
		}
	}
	return b.String(), nil
}
