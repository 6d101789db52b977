package jinja

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

// filter is one: the names of its parameters, and what it makes of a value. An argument that was not
// given is absent.
type filter struct {
	params []string
	run    func(c *context, v py.Value, args []py.Value) (py.Value, error)
	chat   bool // chat templates alone have it
	soft   bool // it takes what is undefined
}

type absent struct{}

var filters map[string]filter

func init() { // filters that call filters by name stand in the table they look into
	filters = map[string]filter{
		"string":     {run: ofText(func(s string) (py.Value, error) { return s, nil }), soft: true},
		"trim":       {params: []string{"chars"}, run: trim, soft: true},
		"upper":      {run: ofText(func(s string) (py.Value, error) { return py.Upper(s), nil }), soft: true},
		"lower":      {run: ofText(func(s string) (py.Value, error) { return py.Lower(s), nil }), soft: true},
		"capitalize": {run: ofText(func(s string) (py.Value, error) { return py.Capitalize(s), nil }), soft: true},
		"title":      {run: ofText(title), soft: true},
		"replace":    {params: []string{"old", "new", "count"}, run: replace},
		"length":     {run: length, soft: true},
		"count":      {run: length, soft: true},
		"int":        {params: []string{"default", "base"}, run: toInt},
		"float":      {params: []string{"default"}, run: toFloat},
		"abs":        {run: abs},
		"round":      {params: []string{"precision", "method"}, run: round},
		"default":    {params: []string{"default_value", "boolean"}, run: byDefault, soft: true},
		"d":          {params: []string{"default_value", "boolean"}, run: byDefault, soft: true},
		"list":       {run: toList, soft: true},
		"first":      {run: func(c *context, v py.Value, _ []py.Value) (py.Value, error) { return end(c, v, 0) }, soft: true},
		"last":       {run: func(c *context, v py.Value, _ []py.Value) (py.Value, error) { return end(c, v, -1) }, soft: true},
		"join":       {params: []string{"d", "attribute"}, run: join, soft: true},
		"reverse":    {run: reverse},
		"sort":       {params: []string{"reverse", "case_sensitive", "attribute"}, run: sorted},
		"dictsort":   {params: []string{"case_sensitive", "by", "reverse"}, run: dictSorted},
		"min":        {params: []string{"case_sensitive", "attribute"}, run: extreme(1)},
		"max":        {params: []string{"case_sensitive", "attribute"}, run: extreme(-1)},
		"unique":     {params: []string{"case_sensitive"}, run: unique},
		"items":      {run: items, soft: true},
		"map":        {soft: true},
		"select":     {soft: true}, "reject": {soft: true}, "selectattr": {soft: true}, "rejectattr": {soft: true},
		"indent":        {params: []string{"width", "first", "blank"}, run: indent},
		"regex_replace": {params: []string{"pattern", "repl", "count"}, run: regexReplace},
		"tojson":        {params: []string{"ensure_ascii", "indent", "separators", "sort_keys"}, run: toJSON, chat: true},
		"safe":          {run: ofText(func(s string) (py.Value, error) { return s, nil }), chat: true},
	}
}

func knownFilter(name string, o Options) bool {
	f, ok := filters[name]
	return ok && (!f.chat || o.Chat) && (name != "regex_replace" || !o.Chat)
}

func (e filterCall) eval(c *context) (py.Value, error) {
	if err := c.step(e.line); err != nil {
		return nil, err
	}
	v, err := e.of.eval(c)
	if err != nil {
		return nil, err
	}
	args, named, err := e.args.eval(c)
	if err != nil {
		return nil, err
	}
	if err := c.charge(e.line, append([]py.Value{v}, args...)...); err != nil {
		return nil, err
	}
	out, err := c.filter(e.name, v, args, named)
	if err == nil {
		err = c.charge(e.line, out)
	}
	return out, where(e.line, err)
}

// filter calls a filter by name.
func (c *context) filter(name string, v py.Value, args []py.Value, named map[string]py.Value) (py.Value, error) {
	if !knownFilter(name, c.o) {
		return nil, fmt.Errorf("the filter %q is not understood", name)
	}
	f := filters[name]
	if u, ok := v.(py.Undefined); ok && (!f.soft || c.o.Strict && !u.Soft && name != "default" && name != "d") {
		return nil, undefined(u)
	}
	for _, a := range args {
		if err := defined(a); err != nil && (!f.soft || f.run == nil) {
			return nil, err
		}
	}
	switch name {
	case "map":
		return mapped(c, v, args, named)
	case "select", "reject", "selectattr", "rejectattr":
		return selected(c, name, v, args, named)
	}
	bound, err := bind(name, f.params, args, named)
	if err != nil {
		return nil, err
	}
	return f.run(c, v, bound)
}

func bind(name string, params []string, args []py.Value, named map[string]py.Value) ([]py.Value, error) {
	if len(args) > len(params) {
		return nil, fmt.Errorf("%s takes %d arguments, not %d", name, len(params), len(args))
	}
	out := make([]py.Value, len(params))
	for i := range out {
		out[i] = absent{}
	}
	copy(out, args)
	for k, v := range named {
		i := slices.Index(params, k)
		if i < 0 || i < len(args) {
			return nil, fmt.Errorf("%s takes no argument %q here", name, k)
		}
		out[i] = v
	}
	return out, nil
}

func given(v py.Value) bool { _, no := v.(absent); return !no }

// ofText is a filter of a value's text.
func ofText(f func(string) (py.Value, error)) func(*context, py.Value, []py.Value) (py.Value, error) {
	return func(c *context, v py.Value, _ []py.Value) (py.Value, error) {
		s, err := c.str(v)
		if err != nil {
			return nil, err
		}
		return f(s)
	}
}

func trim(c *context, v py.Value, args []py.Value) (py.Value, error) {
	s, err := c.str(v)
	if err != nil {
		return nil, err
	}
	if !given(args[0]) || args[0] == nil {
		return py.Strip(s), nil
	}
	set, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("trim takes text, not %s", py.TypeName(args[0]))
	}
	return strings.Trim(s, set), nil
}

// title is Jinja's own: the first letter of each word large, the rest small, where words begin after
// blanks, dashes and opening brackets.
func title(s string) (py.Value, error) {
	var b strings.Builder
	word := ""
	flush := func() {
		if word != "" {
			r := []rune(word)
			b.WriteString(py.Upper(string(r[:1])) + py.Lower(string(r[1:])))
		}
		word = ""
	}
	for _, r := range s {
		if py.IsSpace(r) || strings.ContainsRune("-({[<", r) {
			flush()
			b.WriteRune(r)
			continue
		}
		word += string(r)
		if len(word) > 1<<16 {
			return nil, fmt.Errorf("title of a word this long is not understood")
		}
	}
	flush()
	return b.String(), nil
}

func replace(c *context, v py.Value, args []py.Value) (py.Value, error) {
	s, err := c.str(v)
	if err != nil {
		return nil, err
	}
	var texts [2]string
	for i := range texts {
		if !given(args[i]) {
			return nil, fmt.Errorf("replace takes two texts")
		}
		if texts[i], err = c.str(args[i]); err != nil {
			return nil, err
		}
	}
	n := int64(-1)
	if given(args[2]) && args[2] != nil {
		var ok bool
		if n, ok = py.Int(args[2]); !ok {
			return nil, fmt.Errorf("replace takes a whole number of times")
		}
	}
	return py.Replace(s, texts[0], texts[1], int(max(min(n, math.MaxInt32), -1)))
}

func length(c *context, v py.Value, _ []py.Value) (py.Value, error) {
	if _, ok := v.(py.Undefined); ok {
		return int64(0), nil
	}
	n, err := py.Length(v)
	return int64(n), err
}

func toInt(_ *context, v py.Value, args []py.Value) (py.Value, error) {
	if given(args[1]) && !py.Equal(args[1], int64(10)) {
		return nil, fmt.Errorf("int with a base other than 10 is not understood")
	}
	var fallback py.Value = int64(0)
	if given(args[0]) {
		fallback = args[0]
	}
	switch x := v.(type) {
	case bool, int64:
		n, _ := py.Int(x)
		return n, nil
	case float64:
		if math.IsNaN(x) {
			return fallback, nil
		}
		if math.Abs(x) > 1<<62 {
			return nil, fmt.Errorf("int of %v is too large", x)
		}
		return int64(x), nil
	case string:
		s := py.Strip(x)
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, nil
		}
		if f, ok := parseFloat(s); ok && math.Abs(f) < 1<<62 {
			if strings.Trim(s, "+-0123456789") != "" {
				return int64(f), nil
			}
			return nil, fmt.Errorf("int of %s is too large", s)
		} else if ok && !math.IsNaN(f) {
			return nil, fmt.Errorf("int of %s is too large", s)
		}
		if underscored.MatchString(s) || strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 && py.IsDigits(string(r)) }) >= 0 {
			return nil, fmt.Errorf("int of %q is not understood", s)
		}
	}
	return fallback, nil
}

// underscored is what Python may read as a number with underscores; elsewhere one makes a text no number.
var underscored = regexp.MustCompile(`[0-9]_[0-9]`)

// parseFloat is Python's float of a text without blanks around it.
func parseFloat(s string) (float64, bool) {
	if strings.ContainsAny(s, "_xXpP") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || math.IsInf(f, 0)
}

func toFloat(_ *context, v py.Value, args []py.Value) (py.Value, error) {
	switch x := v.(type) {
	case bool, int64:
		n, _ := py.Int(x)
		return float64(n), nil
	case float64:
		return x, nil
	case string:
		if f, ok := parseFloat(py.Strip(x)); ok {
			return f, nil
		}
	}
	if given(args[0]) {
		return args[0], nil
	}
	return 0.0, nil
}

func abs(_ *context, v py.Value, _ []py.Value) (py.Value, error) {
	if order, err := py.Compare(v, int64(0)); err != nil || order >= 0 {
		return v, err
	}
	return py.Negate(v)
}

func round(_ *context, v py.Value, args []py.Value) (py.Value, error) {
	digits := int64(0)
	if given(args[0]) {
		digits, _ = py.Int(args[0])
	}
	if given(args[1]) && !py.Equal(args[1], "common") || digits < 0 || digits > 15 {
		return nil, fmt.Errorf("round like this is not understood")
	}
	f, isFloat := v.(float64)
	if !isFloat {
		if n, ok := py.Int(v); ok {
			return n, nil
		}
		return nil, fmt.Errorf("round takes a number, not %s", py.TypeName(v))
	}
	out, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', int(digits), 64), 64)
	return out, err
}

func byDefault(c *context, v py.Value, args []py.Value) (py.Value, error) {
	var out py.Value = ""
	if given(args[0]) {
		out = args[0]
	}
	if _, ok := v.(py.Undefined); ok {
		return out, nil
	}
	if given(args[1]) && py.Truth(args[1]) && !py.Truth(v) {
		return out, nil
	}
	return v, nil
}

func toJSON(_ *context, v py.Value, args []py.Value) (py.Value, error) {
	o := jsonOptions{}
	if given(args[0]) {
		o.ascii = py.Truth(args[0])
	}
	if given(args[3]) {
		o.sorted = py.Truth(args[3])
	}
	if given(args[2]) && args[2] != nil {
		s, ok := args[2].(py.Tuple)
		if !ok || len(s) != 2 {
			return nil, fmt.Errorf("tojson takes separators as (item, key)")
		}
		o.item, _ = s[0].(string)
		o.key, _ = s[1].(string)
		o.separated = true
	}
	if given(args[1]) && args[1] != nil {
		n, ok := py.Int(args[1])
		if !ok || n < 0 || n > 100 {
			return nil, fmt.Errorf("tojson takes an indent of 0 to 100")
		}
		o.indent, o.indented = int(n), true
	}
	return o.text(v)
}
