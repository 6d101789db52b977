package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/internal/parquetread"
	"github.com/softbench/softbench/internal/pythonjson"
	"github.com/softbench/softbench/internal/regularfile"
)

// Field is a key of an object whose keys keep the order that they have in the file.
type Field struct {
	Key   string
	Value any // as in a Row, objects being []Field
}

// ErrNoOrder says that a file's format does not tell the order of a document's keys.
var ErrNoOrder = errors.New("not a format whose keys have an order")

// ReadOrdered calls each with the documents of a Parquet or JSON file and their Hash, in the form in
// which Hugging Face datasets hands them out: keys in the order of the file's columns, and null for a
// key that other documents have. A file that is not the one with the SHA-256 sum is an error.
func ReadOrdered(ctx context.Context, path, sum string, each func(hash string, doc []Field) error) error {
	order, err := orderOf(ctx, path)
	if err != nil {
		return err
	}
	file, err := readFile(ctx, path, "", func(r Row) error {
		return each(Hash(r.Values), order.apply("", r.Values))
	})
	if err == nil && file.SHA256 != sum {
		err = fmt.Errorf("%s: the file has changed since it was read", path)
	}
	return err
}

// keyOrder is, for the key of an object ("": a document), its keys by first appearance.
type keyOrder map[string][]string

func (o keyOrder) see(parent, key string) {
	const most = 10_000 // columns: more are an object used as a map, in no order of note
	if len(o[parent]) < most && !slices.Contains(o[parent], key) {
		o[parent] = append(o[parent], key)
	}
}

func (o keyOrder) apply(parent string, object map[string]any) []Field {
	out := make([]Field, 0, len(o[parent]))
	for _, key := range o[parent] {
		out = append(out, Field{key, o.value(key, object[key])})
	}
	for _, key := range slices.Sorted(maps.Keys(object)) { // more than order holds
		if !slices.Contains(o[parent], key) {
			out = append(out, Field{key, o.value(key, object[key])})
		}
	}
	return out
}

func (o keyOrder) value(key string, v any) any {
	switch x := v.(type) {
	case map[string]any:
		return o.apply(key, x)
	case []any:
		list := make([]any, len(x))
		for i := range x {
			list[i] = o.value(key, x[i])
		}
		return list
	}
	return v
}

// maxOrdered bounds a JSON file whose keys are looked at.
const maxOrdered = 1 << 30

func orderOf(ctx context.Context, path string) (keyOrder, error) {
	switch filepath.Ext(path) {
	case ".parquet":
		return parquetOrder(path)
	case ".jsonl", ".ndjson", ".json":
		text, err := regularfile.ReadAll(ctx, path, maxOrdered)
		if err != nil {
			return nil, err
		}
		return jsonOrder(text)
	}
	return nil, fmt.Errorf("%s: %w", path, ErrNoOrder)
}

func parquetOrder(path string) (keyOrder, error) {
	f, err := regularfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	file, err := parquetread.Open(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	order := keyOrder{}
	for _, c := range file.Columns() {
		parent := ""
		for i, key := range c.Path {
			if i > 0 && slices.Contains([]string{"list", "element", "array", "bag", "item", "array_element"}, key) {
				continue // a list's own levels
			}
			order.see(parent, key)
			parent = key
		}
	}
	return order, nil
}

// jsonOrder reads objects one after another, or an array of them.
func jsonOrder(text []byte) (keyOrder, error) {
	order := keyOrder{}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(pythonjson.Plain(text), []byte("\ufeff"))))
	type level struct {
		parent string // of the object's keys, or of those of the list's objects
		key    string // the key whose value comes next; objects only
		object bool
		value  bool // a value comes next, not a key
	}
	var stack []level
	for {
		t, err := d.Token()
		if err == io.EOF {
			return order, nil
		}
		if err != nil {
			return nil, err
		}
		top := len(stack) - 1
		if key, ok := t.(string); ok && top >= 0 && stack[top].object && !stack[top].value {
			order.see(stack[top].parent, key)
			stack[top].key, stack[top].value = key, true
			continue
		}
		if t == json.Delim('}') || t == json.Delim(']') {
			stack = stack[:top]
			continue
		}
		parent := ""
		if top >= 0 {
			parent = stack[top].parent
			if stack[top].object {
				parent, stack[top].value = stack[top].key, false
			}
		}
		if t == json.Delim('{') || t == json.Delim('[') {
			stack = append(stack, level{parent: parent, object: t == json.Delim('{')})
		}
	}
}

// PythonJSON is Python's json.dumps(doc, indent=2, ensure_ascii=False).
func PythonJSON(doc []Field) []byte { return appendPython(nil, doc, "\n") }

func appendPython(b []byte, v any, line string) []byte {
	inner := line + "  "
	switch x := v.(type) {
	case []Field:
		if len(x) == 0 {
			return append(b, "{}"...)
		}
		for i, f := range x {
			b = append(b, "{,"[min(i, 1)])
			b = append(b, inner...)
			b = append(appendString(b, f.Key), ": "...)
			b = appendPython(b, f.Value, inner)
		}
		return append(append(b, line...), '}')
	case []any:
		if len(x) == 0 {
			return append(b, "[]"...)
		}
		for i, e := range x {
			b = append(b, "[,"[min(i, 1)])
			b = append(b, inner...)
			b = appendPython(b, e, inner)
		}
		return append(append(b, line...), ']')
	case string:
		return appendString(b, x)
	}
	return appendCanonical(b, v)
}

// Plain reports whether a document has the form that JSON has: no NaN or infinity.
func Plain(doc []Field) bool { return json.Valid([]byte(strings.TrimSpace(string(PythonJSON(doc))))) }

// KeyOrder is the order in which the keys of a file's objects come: of the documents ("") and of the
// objects that are values of a key.
func KeyOrder(ctx context.Context, path string) (map[string][]string, error) {
	return orderOf(ctx, path)
}
