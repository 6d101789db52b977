package jinja

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

func toList(c *context, v py.Value, _ []py.Value) (py.Value, error) {
	items, err := c.iterate(v)
	return &py.List{Items: items}, err
}

// end is the first or the last value.
func end(c *context, v py.Value, at int) (py.Value, error) {
	items, err := c.iterate(v)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return py.Undefined{Name: "the first or last of nothing"}, nil
	}
	if at < 0 {
		at += len(items)
	}
	return items[at], nil
}

func join(c *context, v py.Value, args []py.Value) (py.Value, error) {
	sep := ""
	var err error
	if given(args[0]) {
		if sep, err = c.str(args[0]); err != nil {
			return nil, err
		}
	}
	list, err := c.iterate(v)
	if err != nil {
		return nil, err
	}
	out := &py.List{}
	for _, e := range list {
		if given(args[1]) && args[1] != nil {
			if e, err = c.path(e, args[1]); err != nil {
				return nil, err
			}
		}
		s, err := c.str(e)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, s)
	}
	return py.Join(sep, out)
}

// path is the attribute at a dotted path, or the item of a whole number.
func (c *context) path(v py.Value, at py.Value) (py.Value, error) {
	s, ok := at.(string)
	if !ok {
		out, ok := py.Index(v, at)
		if !ok {
			return py.Undefined{Name: "an item"}, nil
		}
		return out, nil
	}
	for part := range strings.SplitSeq(s, ".") {
		if err := defined(v); err != nil {
			return nil, err
		}
		var key py.Value = part
		if part != "" && strings.Trim(part, "0123456789") == "" {
			t, err := number(token{tokNumber, part, 0})
			if err != nil {
				return nil, err
			}
			key = t.(constant).value
		}
		if out, ok := py.Index(v, key); ok {
			v = out
			continue
		}
		var err error
		if v, err = c.attr(v, part); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func reverse(c *context, v py.Value, _ []py.Value) (py.Value, error) {
	if s, ok := v.(string); ok {
		r := []rune(s)
		slices.Reverse(r)
		return string(r), nil
	}
	list, err := c.iterate(v)
	list = slices.Clone(list)
	slices.Reverse(list)
	return &py.List{Items: list}, err
}

// folded is what a value is compared by where case does not count.
func folded(v py.Value, sensitive py.Value) py.Value {
	s, ok := v.(string)
	if !ok || given(sensitive) && py.Truth(sensitive) {
		return v
	}
	return py.Lower(s)
}

func sorted(c *context, v py.Value, args []py.Value) (py.Value, error) {
	list, err := c.iterate(v)
	if err != nil {
		return nil, err
	}
	keys, err := c.keys(list, args[2], args[1])
	if err != nil {
		return nil, err
	}
	return inOrder(list, keys, given(args[0]) && py.Truth(args[0]))
}

// keys are what values are compared by: themselves or an attribute of each, text in lower case unless
// sensitive.
func (c *context) keys(list []py.Value, attribute, sensitive py.Value) ([]py.Value, error) {
	keys := make([]py.Value, len(list))
	for i, e := range list {
		if given(attribute) && attribute != nil {
			var err error
			if e, err = c.path(e, attribute); err != nil {
				return nil, err
			}
		}
		keys[i] = folded(e, sensitive)
	}
	return keys, nil
}

// extreme is min (sign 1) or max (-1): the first of the values that are.
func extreme(sign int) func(c *context, v py.Value, args []py.Value) (py.Value, error) {
	return func(c *context, v py.Value, args []py.Value) (py.Value, error) {
		list, err := c.iterate(v)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return py.Undefined{Name: "the least or greatest of nothing"}, nil
		}
		keys, err := c.keys(list, args[1], args[0])
		if err != nil {
			return nil, err
		}
		best := 0
		for i := range list[1:] {
			n, err := py.Compare(keys[i+1], keys[best])
			if err != nil {
				return nil, err
			}
			if n*sign < 0 {
				best = i + 1
			}
		}
		return list[best], nil
	}
}

// inOrder sorts a list by a key of each, stably, also where it is turned round.
func inOrder(list, keys []py.Value, down bool) (py.Value, error) {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	var err error
	slices.SortStableFunc(order, func(a, b int) int {
		n, e := py.Compare(keys[a], keys[b])
		if e != nil {
			err = e
		}
		if down {
			return -n
		}
		return n
	})
	out := &py.List{}
	for _, i := range order {
		out.Items = append(out.Items, list[i])
	}
	return out, err
}

// dictSorted is dictsort: a dict's pairs by their keys or values, text in lower case unless
// case_sensitive.
func dictSorted(_ *context, v py.Value, args []py.Value) (py.Value, error) {
	d, ok := v.(*py.Dict)
	if !ok {
		return nil, fmt.Errorf("dictsort takes a dict, not %s", py.TypeName(v))
	}
	position := 0
	if given(args[1]) {
		switch args[1] {
		case "key":
		case "value":
			position = 1
		default:
			return nil, fmt.Errorf("dictsort is by key or value, not %v", args[1])
		}
	}
	list, err := d.Items()
	if err != nil {
		return nil, err
	}
	keys := make([]py.Value, len(list))
	for i, pair := range list {
		keys[i] = folded(pair.(py.Tuple)[position], args[0])
	}
	return inOrder(list, keys, given(args[2]) && py.Truth(args[2]))
}

func unique(c *context, v py.Value, args []py.Value) (py.Value, error) {
	list, err := c.iterate(v)
	if err != nil {
		return nil, err
	}
	if len(list) > 1<<12 {
		return nil, fmt.Errorf("unique of %d values is too much", len(list))
	}
	out := &py.List{}
	var seen []py.Value
	for _, e := range list {
		key := folded(e, args[0])
		if !slices.ContainsFunc(seen, func(s py.Value) bool { return py.Equal(s, key) }) {
			seen = append(seen, key)
			out.Items = append(out.Items, e)
		}
	}
	return out, nil
}

func items(_ *context, v py.Value, _ []py.Value) (py.Value, error) {
	d, ok := v.(*py.Dict)
	if _, undefined := v.(py.Undefined); undefined {
		return &py.List{}, nil
	}
	if !ok {
		return nil, fmt.Errorf("items takes a dict, not %s", py.TypeName(v))
	}
	list, err := d.Items()
	return &py.List{Items: list}, err
}

// iterateTrue are a value's items; none of one that is false, such as None, as in Jinja's map and select.
func (c *context) iterateTrue(v py.Value) ([]py.Value, error) {
	if yes, err := c.truth(v); err != nil || !yes {
		return nil, err
	}
	return c.iterate(v)
}

// mapped is map(attribute=...), or map of a filter.
func mapped(c *context, v py.Value, args []py.Value, named map[string]py.Value) (py.Value, error) {
	list, err := c.iterateTrue(v)
	if err != nil {
		return nil, err
	}
	out := &py.List{}
	attribute, ok := named["attribute"]
	if ok && (len(args) > 0 || len(named) > 2) || !ok && len(args) == 0 {
		return nil, fmt.Errorf("map takes an attribute, or a filter")
	}
	for _, e := range list {
		if ok {
			e, err = c.path(e, attribute)
			if _, missing := e.(py.Undefined); missing && err == nil {
				if fallback, has := named["default"]; has {
					e = fallback
				}
			}
		} else {
			filter, isText := args[0].(string)
			if !isText {
				return nil, fmt.Errorf("map takes a filter's name, not %s", py.TypeName(args[0]))
			}
			e, err = c.filter(filter, e, args[1:], named)
		}
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, e)
	}
	return out, nil
}

// selected is select, reject, selectattr and rejectattr.
func selected(c *context, name string, v py.Value, args []py.Value, named map[string]py.Value) (py.Value, error) {
	list, err := c.iterateTrue(v)
	if err != nil {
		return nil, err
	}
	if len(named) > 0 {
		return nil, fmt.Errorf("%s takes no named arguments", name)
	}
	byAttribute := strings.HasSuffix(name, "attr")
	var attribute py.Value
	if byAttribute {
		if len(args) == 0 {
			return nil, fmt.Errorf("%s takes an attribute", name)
		}
		attribute, args = args[0], args[1:]
	}
	out := &py.List{}
	for _, e := range list {
		of := e
		if byAttribute {
			if of, err = c.path(e, attribute); err != nil {
				return nil, err
			}
		}
		yes := false
		if len(args) == 0 {
			yes, err = c.truth(of)
		} else {
			test, ok := args[0].(string)
			if !ok || tests[test] == nil {
				return nil, fmt.Errorf("%s by this test is not understood", name)
			}
			yes, err = tests[test](c, of, args[1:])
		}
		if err != nil {
			return nil, err
		}
		if yes == strings.HasPrefix(name, "select") {
			out.Items = append(out.Items, e)
		}
	}
	return out, nil
}

func indent(c *context, v py.Value, args []py.Value) (py.Value, error) {
	s, err := c.str(v)
	if err != nil {
		return nil, err
	}
	width := "    "
	if given(args[0]) {
		switch x := args[0].(type) {
		case string:
			width = x
		case int64:
			if x < 0 || x > 1000 {
				return nil, fmt.Errorf("indent of %d", x)
			}
			width = strings.Repeat(" ", int(x))
		default:
			return nil, fmt.Errorf("indent takes a number or text")
		}
	}
	blank := given(args[2]) && py.Truth(args[2])
	lines := py.Lines(s + "\n")
	for i, l := range lines {
		if i > 0 && (l != "" || blank) || i == 0 && given(args[1]) && py.Truth(args[1]) {
			lines[i] = width + l
		}
	}
	return py.Join("\n", py.Strings(lines))
}

// plainPattern is a pattern that means the same to Python and to Go: letters, digits and blanks,
// escaped punctuation, the dot, alternatives, groups without names, sets without escapes, and greedy
// repetition.
var plainPattern = regexp.MustCompile(`^(?:[^\\\[\]{}$^?()]|\\[^\w\s]|\[\^?[^\\\[\]^&~|]+\]|\((?:\?:)?|\)|\?)+$`)

// regexReplace is re.sub with a pattern that means the same to Python and to Go, and a replacement
// without escapes.
func regexReplace(c *context, v py.Value, args []py.Value) (py.Value, error) {
	s, err := c.str(v)
	if err != nil {
		return nil, err
	}
	pattern, ok := args[0].(string)
	repl, also := args[1].(string)
	if !ok || !also {
		return nil, fmt.Errorf("regex_replace takes a pattern and a replacement")
	}
	if given(args[2]) && !py.Equal(args[2], int64(0)) {
		return nil, fmt.Errorf("regex_replace a number of times is not understood")
	}
	if !plainPattern.MatchString(pattern) || strings.Contains(repl, `\`) || strings.Contains(pattern, "??") || strings.Contains(pattern, "*?") || strings.Contains(pattern, "+?") || strings.Contains(pattern, "(?P") {
		return nil, fmt.Errorf("regex_replace of the pattern %q by %q is not understood", pattern, repl)
	}
	re, err := regexp.Compile(pattern)
	if err != nil || re.MatchString("") {
		return nil, fmt.Errorf("regex_replace of the pattern %q is not understood", pattern)
	}
	if n := len(re.FindAllStringIndex(s, -1)); len(repl) > 0 && n > (py.MaxItems-len(s))/len(repl) {
		return nil, fmt.Errorf("a text passes %d bytes", py.MaxItems)
	}
	return re.ReplaceAllLiteralString(s, repl), nil
}
