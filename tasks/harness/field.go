package harness

import (
	"fmt"

	"github.com/softbench/softbench/tasks/jinja"
	"github.com/softbench/softbench/tasks/py"
)

// field is a setting that is evaluated for each document: a column, a template, a constant, or a function.
type field struct {
	at       *value
	name     string // a column, where the documents have it, else a template
	isText   bool
	template *jinja.Template
	function function
}

// function is a function of a task's Python code.
type function interface {
	Name() string
	Call(args ...py.Value) (py.Value, error)
	CallNamed(args []py.Value, named map[string]py.Value) (py.Value, error)
}

// newField reads a setting; nil where there is none.
func (l *loader) newField(v *value) (*field, error) {
	if v == nil {
		return nil, nil
	}
	f := &field{at: v}
	if v.call != "" {
		var err error
		f.function, err = l.function(v)
		return f, err
	}
	s, ok := v.text()
	if !ok {
		return f, nil
	}
	f.name, f.isText = s, true
	t, err := jinja.Parse(s, jinja.Harness)
	if err != nil {
		return nil, v.errorf("%v", err)
	}
	f.template = t
	return f, nil
}

// render fills a template in from a document.
func render(t *jinja.Template, doc *py.Dict) (string, error) {
	return t.Render(func(name string) (py.Value, bool) { return doc.Get(name) })
}

// get evaluates the setting: of a text, the column of that name where documents have it, else what the
// template makes.
func (f *field) get(doc *py.Dict, columns map[string]bool) (v py.Value, rendered bool, err error) {
	defer func() {
		if err != nil {
			err = f.at.errorf("%v", err)
		}
	}()
	switch {
	case f.function != nil:
		v, err := f.function.Call(doc)
		return v, false, err
	case !f.isText:
		return f.at.py, false, nil
	case columns[f.name]:
		v, ok := doc.Get(f.name)
		if !ok {
			return nil, false, fmt.Errorf("the document has no column %q", f.name)
		}
		return v, false, nil
	}
	s, err := render(f.template, doc)
	return s, true, err
}

// resolve is what the harness calls resolve_field: the document's own value of that name, else what the
// template makes.
func (f *field) resolve(doc *py.Dict) (string, error) {
	if f == nil || f.name == "" {
		return "", nil
	}
	if v, ok := doc.Get(f.name); ok {
		if v == nil {
			return "", nil
		}
		s, ok := v.(string)
		if !ok {
			return "", f.at.errorf("the document's column %q holds a value of type %s, not text", f.name, py.TypeName(v))
		}
		return s, nil
	}
	s, err := render(f.template, doc)
	if err != nil {
		err = f.at.errorf("%v", err)
	}
	return s, err
}

// text is doc_to_text: a text, or (of several inputs) the place of the right one.
func (f *field) text(doc *py.Dict, columns map[string]bool, choices bool) (py.Value, error) {
	v, rendered, err := f.get(doc, columns)
	if s, ok := v.(string); ok && err == nil && rendered && choices && py.IsDigits(s) {
		return f.literal(s)
	}
	return v, err
}

// target is doc_to_target: a text, the place of a choice, or a list of either.
func (f *field) target(doc *py.Dict, columns map[string]bool, choices bool) (py.Value, error) {
	v, rendered, err := f.get(doc, columns)
	s, ok := v.(string)
	if !ok || err != nil || !rendered {
		return v, err
	}
	if choices && py.IsDigits(s) {
		return f.literal(s)
	}
	if n := len(s); n >= 2 && s[0] == '[' && s[n-1] == ']' {
		if list, err := py.Literal(s); err == nil {
			return list, nil
		}
	}
	return s, nil
}

// choices is doc_to_choice.
func (f *field) choices(doc *py.Dict, columns map[string]bool) ([]py.Value, error) {
	v, rendered, err := f.get(doc, columns)
	if err != nil {
		return nil, err
	}
	if rendered {
		if v, err = f.literal(v.(string)); err != nil {
			return nil, err
		}
	} else if f.at.isMapping() {
		out := make([]py.Value, len(f.at.keys))
		for i, k := range f.at.keys {
			out[i] = f.at.dict[k].py
		}
		return out, nil
	}
	switch x := v.(type) {
	case *py.List:
		return x.Items, nil
	case py.Tuple:
		return x, nil
	}
	return nil, f.at.errorf("doc_to_choice gives a value of type %s, not a list", py.TypeName(v))
}

func (f *field) literal(s string) (py.Value, error) {
	v, err := py.Literal(s)
	if err != nil {
		return nil, f.at.errorf("%v", err)
	}
	return v, nil
}
