package jinja

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

// jsonOptions are those of Python's json.dumps as chat templates call it: not only ASCII, unless
// asked for.
type jsonOptions struct {
	ascii, sorted, indented, separated bool
	indent                             int
	item, key                          string
}

func (o jsonOptions) text(v py.Value) (string, error) {
	if !o.separated {
		o.item, o.key = ", ", ": "
		if o.indented {
			o.item = ","
		}
	}
	var b strings.Builder
	err := o.write(&b, v, 1)
	return b.String(), err
}

func (o jsonOptions) line(b *strings.Builder, level int) {
	if o.indented {
		b.WriteString("\n" + strings.Repeat(" ", o.indent*level))
	}
}

func (o jsonOptions) write(b *strings.Builder, v py.Value, level int) error {
	if level > maxDepth || b.Len() > py.MaxItems {
		return fmt.Errorf("tojson of a value this deep or long is refused")
	}
	list := func(items []py.Value) error {
		b.WriteByte('[')
		for i, e := range items {
			if i > 0 {
				b.WriteString(o.item)
			}
			o.line(b, level)
			if err := o.write(b, e, level+1); err != nil {
				return err
			}
		}
		if len(items) > 0 {
			o.line(b, level-1)
		}
		b.WriteByte(']')
		return nil
	}
	switch x := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		fmt.Fprint(b, x)
	case int64, *big.Int:
		fmt.Fprint(b, x)
	case float64:
		switch {
		case math.IsNaN(x):
			b.WriteString("NaN")
		case math.IsInf(x, 0):
			b.WriteString(map[bool]string{true: "Infinity", false: "-Infinity"}[x > 0])
		default:
			b.WriteString(py.Float(x))
		}
	case string:
		o.quote(b, x)
	case *py.List:
		return list(x.Items)
	case py.Tuple:
		return list(x)
	case *py.Dict:
		return o.dict(b, x, level)
	default:
		return fmt.Errorf("tojson of a value of type %s", py.TypeName(v))
	}
	return nil
}

func (o jsonOptions) dict(b *strings.Builder, d *py.Dict, level int) error {
	items, err := d.Items()
	if err != nil {
		return err
	}
	if o.sorted {
		slices.SortStableFunc(items, func(a, b py.Value) int {
			order, e := py.Compare(a.(py.Tuple)[0], b.(py.Tuple)[0])
			if e != nil {
				err = e
			}
			return order
		})
		if err != nil {
			return err
		}
	}
	b.WriteByte('{')
	for i, e := range items {
		if i > 0 {
			b.WriteString(o.item)
		}
		o.line(b, level)
		k, ok := e.(py.Tuple)[0].(string)
		if !ok {
			return fmt.Errorf("tojson of a dict with a key of type %s", py.TypeName(e.(py.Tuple)[0]))
		}
		o.quote(b, k)
		b.WriteString(o.key)
		if err := o.write(b, e.(py.Tuple)[1], level+1); err != nil {
			return err
		}
	}
	if len(items) > 0 {
		o.line(b, level-1)
	}
	b.WriteByte('}')
	return nil
}

func (o jsonOptions) quote(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case strings.ContainsRune("\n\r\t\b\f", r):
			b.WriteString(map[rune]string{'\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}[r])
		case r < 0x20 || o.ascii && r >= 0x7f && r < 0x10000:
			fmt.Fprintf(b, `\u%04x`, r)
		case o.ascii && r >= 0x10000:
			fmt.Fprintf(b, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}
