package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/py"
	"github.com/softbench/softbench/tasks/pyfunc"
)

// module is the Python file that a !function names, and the function's name in it.
func (l *loader) module(v *value) (*pyfunc.Module, string, error) {
	i := strings.LastIndexByte(v.call, '.')
	if i < 0 {
		return nil, "", v.errorf("!function takes module.function, not %q", v.call)
	}
	file := filepath.Join(filepath.Dir(v.file), filepath.FromSlash(strings.ReplaceAll(v.call[:i], ".", "/"))+".py")
	if _, err := os.Stat(file); err != nil && strings.HasPrefix(v.call, "lm_eval.tasks.") { // by the package's name, not beside the file
		for _, root := range l.index.roots {
			other := filepath.Join(root, filepath.FromSlash(strings.ReplaceAll(strings.TrimPrefix(v.call[:i], "lm_eval.tasks."), ".", "/"))+".py")
			if _, err := os.Stat(other); err == nil {
				file = other
				break
			}
		}
	}
	m, err := l.index.code.Load(file)
	if err != nil {
		return nil, "", v.errorf("!function %s: %v", v.call, err)
	}
	return m, v.call[i+1:], nil
}

// function finds a function, and refuses one that is not understood.
func (l *loader) function(v *value) (function, error) {
	m, name, err := l.module(v)
	if err != nil {
		return nil, err
	}
	l.calls = true
	f, err := m.Function(name)
	if err != nil {
		return nil, v.errorf("!function %s: %v", v.call, err)
	}
	return f, nil
}

// code is the hash of a function's file.
func (l *loader) code(v *value) (string, error) {
	m, name, err := l.module(v)
	if err != nil {
		return "", err
	}
	return name + " " + m.SHA256(), nil
}

// process applies process_docs to a split.
func (s *split) process(f function) error {
	docs := make([]*py.Dict, len(s.rows))
	for i, r := range s.rows {
		docs[i] = r.doc
	}
	v, err := f.Call(pyfunc.NewDataset(docs))
	if err != nil {
		return fmt.Errorf("process_docs: %w", err)
	}
	d, ok := v.(*pyfunc.Dataset)
	if !ok {
		return fmt.Errorf("process_docs gives a value of type %s, not a data set", py.TypeName(v))
	}
	rows := make([]row, len(d.Rows))
	raw := make([]data.Row, len(d.Rows))
	for i, r := range d.Rows {
		values, err := plain(r.Doc, 0)
		if err != nil {
			return fmt.Errorf("process_docs: %w", err)
		}
		raw[i] = data.Row{Values: values.(map[string]any)}
	}
	t := &table{}
	for _, r := range d.Rows {
		t.seeOrdered(r.Doc)
	}
	for i, r := range d.Rows {
		if r.From >= 0 {
			rows[i] = s.rows[r.From]
		} else {
			rows[i] = row{hash: data.Hash(raw[i].Values), raw: raw[i].Values, where: "a document made by process_docs"}
		}
		rows[i].doc = t.row(raw[i].Values)
	}
	s.rows = rows
	if len(rows) > 0 {
		s.columns = t.names()
	}
	return nil
}

// seeOrdered takes a document into the type, its keys in their own order.
func (t *table) seeOrdered(v py.Value) {
	switch x := v.(type) {
	case float64:
		t.float = true
	case *py.List:
		t.seeItems(x.Items)
	case py.Tuple:
		t.seeItems(x)
	case *py.Dict:
		if t.under == nil {
			t.under = map[string]*table{}
		}
		c := x.Copy()
		c.Unordered = false
		items, _ := c.Items()
		for _, i := range items {
			k, _ := i.(py.Tuple)[0].(string)
			u := t.under[k]
			if u == nil {
				u = &table{}
				t.under[k] = u
				t.keys = append(t.keys, k)
			}
			u.seeOrdered(i.(py.Tuple)[1])
		}
	}
}

func (t *table) seeItems(items []py.Value) {
	if t.items == nil {
		t.items = &table{}
	}
	for _, e := range items {
		t.items.seeOrdered(e)
	}
}

// plain is a value as documents have it.
func plain(v py.Value, level int) (any, error) {
	if level > 100 {
		return nil, errors.New("a document's values stand too deep within each other")
	}
	items := func(list []py.Value) (any, error) {
		out := make([]any, len(list))
		for i, e := range list {
			w, err := plain(e, level+1)
			if err != nil {
				return nil, err
			}
			out[i] = w
		}
		return out, nil
	}
	switch x := v.(type) {
	case nil, bool, int64, float64, string:
		return v, nil
	case *py.List:
		return items(x.Items)
	case py.Tuple:
		return items(x)
	case *py.Dict:
		out := map[string]any{}
		c := x.Copy()
		c.Unordered = false
		pairs, _ := c.Items()
		for _, p := range pairs {
			k, ok := p.(py.Tuple)[0].(string)
			if !ok {
				return nil, fmt.Errorf("a document has a key of type %s", py.TypeName(p.(py.Tuple)[0]))
			}
			w, err := plain(p.(py.Tuple)[1], level+1)
			if err != nil {
				return nil, err
			}
			out[k] = w
		}
		return out, nil
	}
	return nil, fmt.Errorf("a document with a value of type %s", py.TypeName(v))
}
