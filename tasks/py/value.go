package py

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Value is a value of Python: nil (None), bool, int64, *big.Int (beyond int64), float64, string,
// *List, Tuple, *Dict, Range, Undefined, or an Object.
type Value = any

// List is a list, which can be changed.
type List struct{ Items []Value }

// Tuple is a tuple.
type Tuple []Value

// Range is what range() gives.
type Range struct{ Start, Stop, Step int64 }

// Object is a value of its own kind: a function, a method, a namespace.
type Object interface {
	// Attr is an attribute; false where there is none.
	Attr(name string) (Value, bool)
	// TypeName is what Python calls its type.
	TypeName() string
}

// Func is a function: arguments by position and by name.
type Func func(args []Value, named map[string]Value) (Value, error)

// Attr of a function is none.
func (Func) Attr(string) (Value, bool) { return nil, false }

// TypeName of a function.
func (Func) TypeName() string { return "function" }

// Undefined is what a template's unknown name or missing attribute gives.
type Undefined struct {
	Name string
	Soft bool // it prints as nothing even where what is undefined is an error
}

// NewList is a list of values.
func NewList(items ...Value) *List { return &List{items} }

// Strings is a list of texts.
func Strings(texts []string) *List {
	l := &List{make([]Value, len(texts))}
	for i, s := range texts {
		l.Items[i] = s
	}
	return l
}

// Dict is a dict. Its keys keep the order in which they came; of one that a document brought along
// without telling the order (Unordered), what depends on the order is an error.
type Dict struct {
	Unordered bool
	keys      []Value
	values    []Value
	texts     map[string]int // places of the keys that are text
}

// NewDict is an empty dict.
func NewDict() *Dict { return &Dict{texts: map[string]int{}} }

// Len is the number of keys.
func (d *Dict) Len() int { return len(d.keys) }

func (d *Dict) place(key Value) int {
	if s, ok := key.(string); ok {
		if i, ok := d.texts[s]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(d.keys, func(k Value) bool { return Equal(k, key) })
}

// Get is the value of a key.
func (d *Dict) Get(key Value) (Value, bool) {
	if i := d.place(key); i >= 0 {
		return d.values[i], true
	}
	return nil, false
}

// Set adds or changes a key.
func (d *Dict) Set(key, value Value) {
	if i := d.place(key); i >= 0 {
		d.values[i] = value
		return
	}
	if s, ok := key.(string); ok {
		d.texts[s] = len(d.keys)
	}
	d.keys, d.values = append(d.keys, key), append(d.values, value)
}

// Keys are the dict's keys in order, or an error where no one knows the order.
func (d *Dict) Keys() ([]Value, error) {
	if d.Unordered && len(d.keys) > 1 {
		return nil, fmt.Errorf("the order of an object's keys is asked for, which its file does not tell")
	}
	return d.keys, nil
}

// Copy is a dict with the same keys and values.
func (d *Dict) Copy() *Dict {
	out := NewDict()
	out.Unordered = d.Unordered
	for i, k := range d.keys {
		out.Set(k, d.values[i])
	}
	return out
}

// Without is a copy that lacks the keys.
func (d *Dict) Without(names ...string) *Dict {
	out := NewDict()
	out.Unordered = d.Unordered
	for i, k := range d.keys {
		if s, ok := k.(string); !ok || !slices.Contains(names, s) {
			out.Set(k, d.values[i])
		}
	}
	return out
}

// TypeName is what Python calls a value's type.
func TypeName(v Value) string {
	switch x := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case *List:
		return "list"
	case Tuple:
		return "tuple"
	case *Dict:
		return "dict"
	case Range:
		return "range"
	case Undefined:
		return "Undefined"
	case Object:
		return x.TypeName()
	}
	return fmt.Sprintf("%T", v)
}

// Truth is bool(v).
func Truth(v Value) bool {
	switch x := v.(type) {
	case nil, Undefined:
		return false
	case bool:
		return x
	case int64:
		return x != 0
	case float64:
		return x != 0
	case string:
		return x != ""
	case *List:
		return len(x.Items) > 0
	case Tuple:
		return len(x) > 0
	case *Dict:
		return x.Len() > 0
	case Range:
		return x.Len() > 0
	}
	return true
}

// Len is the number of a range's values.
func (r Range) Len() int64 {
	switch {
	case r.Step > 0 && r.Start < r.Stop:
		return (r.Stop-r.Start-1)/r.Step + 1
	case r.Step < 0 && r.Start > r.Stop:
		return (r.Start-r.Stop-1)/(-r.Step) + 1
	}
	return 0
}

// MaxItems bounds what one operation may make: elements of a list, or bytes of a text.
const MaxItems = 64 << 20

// maxRange bounds a range that is looped over.
const maxRange = 1 << 21

// Iterate gives the values that a for loop sees.
func Iterate(v Value) ([]Value, error) {
	switch x := v.(type) {
	case *List:
		return slices.Clone(x.Items), nil
	case Tuple:
		return x, nil
	case *Dict:
		return x.Keys()
	case string:
		out := make([]Value, 0, len(x))
		for _, r := range x {
			out = append(out, string(r))
		}
		return out, nil
	case Range:
		n := x.Len()
		if n > maxRange {
			return nil, fmt.Errorf("a range of %d numbers is more than %d", n, maxRange)
		}
		out := make([]Value, 0, n)
		for i := range n {
			out = append(out, x.Start+i*x.Step)
		}
		return out, nil
	}
	return nil, fmt.Errorf("a value of type %s cannot be looped over", TypeName(v))
}

// Length is len(v).
func Length(v Value) (int, error) {
	switch x := v.(type) {
	case string:
		return len([]rune(x)), nil
	case *List:
		return len(x.Items), nil
	case Tuple:
		return len(x), nil
	case *Dict:
		return x.Len(), nil
	case Range:
		return int(x.Len()), nil
	}
	return 0, fmt.Errorf("a value of type %s has no length", TypeName(v))
}

// Join is sep.join(parts).
func Join(sep string, v Value) (string, error) {
	items, err := Iterate(v)
	if err != nil {
		return "", err
	}
	out := make([]string, len(items))
	for i, e := range items {
		s, ok := e.(string)
		if !ok {
			return "", fmt.Errorf("join: element %d is of type %s, not text", i, TypeName(e))
		}
		out[i] = s
	}
	return joined(out, sep)
}

func joined(parts []string, sep string) (string, error) {
	n := len(sep) * max(0, len(parts)-1)
	for _, p := range parts {
		n += len(p)
	}
	if n > MaxItems {
		return "", errTooLong
	}
	return strings.Join(parts, sep), nil
}

var errTooLong = fmt.Errorf("the text passes %d bytes", MaxItems)
