// Package given reads options that a task gives by name to a filter or a metric: each by its kind,
// and none that nothing reads.
package given

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Options are a filter's or a metric's, and the first error of reading them.
type Options struct {
	values map[string]any
	read   []string
	err    error
}

// New reads values.
func New(values map[string]any) *Options { return &Options{values: values} }

func (o *Options) get(name string) (any, bool) {
	o.read = append(o.read, name)
	v, ok := o.values[name]
	return v, ok && v != nil
}

func (o *Options) fail(name, want string) {
	if o.err == nil {
		o.err = fmt.Errorf("%s is not %s", name, want)
	}
}

// Text is a text option, or what it is where absent.
func (o *Options) Text(name, absent string) string {
	v, ok := o.get(name)
	if !ok {
		return absent
	}
	s, ok := v.(string)
	if !ok {
		o.fail(name, "a text")
	}
	return s
}

// Integer is a whole number, or what it is where absent.
func (o *Options) Integer(name string, absent int) int {
	v, ok := o.get(name)
	if !ok {
		return absent
	}
	n, ok := whole(v)
	if !ok {
		o.fail(name, "a whole number")
	}
	return n
}

// whole is a number of YAML or JSON that is one.
func whole(v any) (int, bool) {
	switch x := v.(type) {
	case int:
		return x, true
	case int64:
		return int(x), int64(int(x)) == x
	case uint64:
		return int(x), x < 1<<62
	case float64:
		return int(x), float64(int(x)) == x
	}
	return 0, false
}

// Boolean is true or false; absent is false.
func (o *Options) Boolean(name string) bool {
	v, ok := o.get(name)
	if !ok {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		o.fail(name, "true or false")
	}
	return b
}

// Texts is a list of texts.
func (o *Options) Texts(name string) (out []string) {
	v, ok := o.get(name)
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		o.fail(name, "a list of texts")
	}
	for _, e := range list {
		s, ok := e.(string)
		if !ok {
			o.fail(name, "a list of texts")
		}
		out = append(out, s)
	}
	return out
}

// Scalar is a text, or a whole number as its digits.
func (o *Options) Scalar(name string) (string, bool) {
	v, ok := o.get(name)
	if !ok {
		return "", false
	}
	s, ok := plain(v)
	if !ok {
		o.fail(name, "a text or a whole number")
	}
	return s, true
}

func plain(v any) (string, bool) {
	if s, ok := v.(string); ok {
		return s, true
	}
	n, ok := whole(v)
	return strconv.Itoa(n), ok
}

// Table is a mapping of texts to texts or whole numbers.
func (o *Options) Table(name string) map[string]string {
	v, ok := o.get(name)
	out := map[string]string{}
	if !ok {
		return out
	}
	values, ok := v.(map[string]any)
	if !ok {
		o.fail(name, "a mapping of texts to texts or whole numbers")
	}
	for k, e := range values {
		if out[k], ok = plain(e); !ok {
			o.fail(name, "a mapping of texts to texts or whole numbers")
		}
	}
	return out
}

// Done is the first error, or that of options that nothing read.
func (o *Options) Done() error {
	if o.err != nil {
		return o.err
	}
	for _, name := range slices.Sorted(maps.Keys(o.values)) {
		if !slices.Contains(o.read, name) {
			if len(o.read) == 0 {
				return fmt.Errorf("it has no option %q; it has none", name)
			}
			return fmt.Errorf("it has no option %q; its options are %s", name, strings.Join(o.read, ", "))
		}
	}
	return nil
}
