package harness

import (
	"errors"
	"fmt"
	"slices"

	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/filter"
	"github.com/softbench/softbench/tasks/py"
	"github.com/softbench/softbench/tasks/pyfunc"
)

// options are a mapping's plain values, without some keys.
func options(v *value, without ...string) (map[string]any, error) {
	out := map[string]any{}
	for _, k := range v.keys {
		if slices.Contains(without, k) {
			continue
		}
		w := v.dict[k]
		if w.call != "" {
			return nil, w.errorf("the option %s as a !function is not understood", k)
		}
		x, err := plain(w.py, 0)
		if err != nil {
			return nil, w.errorf("%s: %v", k, err)
		}
		out[k] = x
	}
	return out, nil
}

// generation reads generation_kwargs and filter_list.
func (l *loader) generation(c *value, m *maker) (*tasks.Generation, error) {
	g := &tasks.Generation{}
	at, settings := c, map[string]any{}
	var err error
	if v := c.get("generation_kwargs"); v != nil {
		if !v.isMapping() {
			return nil, v.errorf("generation_kwargs must be a mapping")
		}
		at = v
		if settings, err = options(v); err != nil {
			return nil, err
		}
	}
	if g.Until, g.MaxTokens, err = tasks.GenerationSettings(settings, m.asked.exampleDelimiter); err != nil {
		return nil, at.errorf("generation_kwargs: %v", err)
	}
	v := c.get("filter_list")
	if v == nil {
		return g, nil
	}
	if !v.isList() {
		return nil, v.errorf("filter_list must be a list")
	}
	for _, e := range v.items {
		p, err := l.pipeline(e)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(g.Filters, func(o *filter.Pipeline) bool { return o.Name == p.Name }) {
			return nil, e.errorf("two filters have the name %q", p.Name)
		}
		m.filtersLook = m.filtersLook || p.Looks
		g.Filters = append(g.Filters, p)
	}
	return g, nil
}

// pipeline reads an entry of filter_list.
func (l *loader) pipeline(e *value) (*filter.Pipeline, error) {
	name, err := text(e, "name")
	if err != nil {
		return nil, err
	}
	list := e.get("filter")
	if list == nil || !list.isList() {
		return nil, e.errorf("an entry of filter_list needs a name and a list of filters")
	}
	var steps []filter.Step
	for _, s := range list.items {
		w := s.get("function")
		if w == nil {
			return nil, s.errorf("a filter needs a function")
		}
		function, ok := w.text()
		if !ok {
			own, err := l.ownFilter(s, w)
			if err != nil {
				return nil, err
			}
			steps = append(steps, filter.Step{Own: own})
			continue
		}
		given, err := options(s, "function")
		if err != nil {
			return nil, err
		}
		for _, k := range []string{"ignore_case", "ignore_punctuation"} { // any value counts for what Python makes of it
			if _, ok := given[k]; ok {
				given[k] = py.Truth(s.dict[k].py)
			}
		}
		steps = append(steps, filter.Step{Function: function, Options: given})
	}
	p, err := filter.New(name, steps)
	if err != nil {
		return nil, e.errorf("%v", err)
	}
	return p, nil
}

// ownFilter is a filter of the task's Python code: a class with a method apply, made with the entry's other keys.
func (l *loader) ownFilter(s, w *value) (filter.Own, error) {
	if w.call == "" {
		return nil, w.errorf("a filter's function is a name or a !function")
	}
	f, err := l.function(w)
	if err != nil {
		return nil, err
	}
	options := map[string]py.Value{}
	for _, k := range s.keys {
		if k != "function" {
			options[k] = s.dict[k].py
		}
	}
	made, ok := f.(*pyfunc.Function)
	if !ok {
		return nil, w.errorf("!function %s is no class", w.call)
	}
	own, err := made.Filter(options)
	if err != nil {
		return nil, w.errorf("!function %s: %v", w.call, err)
	}
	return func(text string, doc any) (string, error) {
		src, ok := doc.(*source)
		if !ok {
			return "", errors.New("the document has not what its task's own filter looks at")
		}
		return own.Apply(text, src.doc)
	}, nil
}

// generated makes the request for an answer, and says which answers are right.
func (m *maker) generated(doc *tasks.Doc, d *py.Dict, contexts []string, target py.Value) error {
	if m.several {
		return errors.New("doc_to_text gives a number, of which no text can be made that an answer follows")
	}
	doc.Requests = []tasks.Request{m.generation.Request(contexts[0])}
	if m.filtersLook {
		v, ok := d.Get("choices")
		if !ok {
			return errors.New(`the filter multi_choice_regex looks at the column "choices", which the document lacks`)
		}
		items, err := py.Iterate(v)
		if err != nil {
			return fmt.Errorf("choices: %w", err)
		}
		if doc.Choices, err = texts(items, "a choice"); err != nil {
			return err
		}
	}
	gold, err := m.right(d, target)
	if err != nil {
		return err
	}
	switch x := gold.(type) {
	case *py.List:
		if len(x.Items) > 1 && m.generation.Corpora != nil {
			return fmt.Errorf("the metric %s is of one right answer, and the document has several", m.generation.Corpora[0].Name)
		}
		if len(m.generation.Scorers)+len(m.generation.Corpora) == 0 {
			doc.Targets, _ = texts(x.Items, "") // what is shown
			break
		}
		doc.Targets, err = texts(x.Items, "a right answer")
	default:
		s, err := py.Str(gold)
		if err != nil {
			return err
		}
		doc.Targets = []string{s}
	}
	doc.Source = &source{doc: d, gold: gold}
	return err
}

// right is what an answer is compared with: a text, or a list of those of which any is right.
func (m *maker) right(d *py.Dict, target py.Value) (py.Value, error) {
	if m.asked.choices != nil {
		choices, err := m.asked.choices.choices(d, m.columns)
		if err != nil {
			return nil, err
		}
		v, ok := py.Index(&py.List{Items: choices}, target)
		if !ok {
			return nil, fmt.Errorf("doc_to_target gives a place that the %d choices lack", len(choices))
		}
		return v, nil
	}
	if m.many {
		items, err := py.Iterate(target)
		return &py.List{Items: items}, err
	}
	return py.Str(target)
}

// texts are values that must be texts; what says of what they are, "" that others are shown as Python does.
func texts(values []py.Value, what string) ([]string, error) {
	out := make([]string, len(values))
	for i, v := range values {
		s, ok := v.(string)
		if !ok {
			if what != "" {
				return nil, fmt.Errorf("%s is of type %s, not text", what, py.TypeName(v))
			}
			var err error
			if s, err = py.Str(v); err != nil {
				return nil, err
			}
		}
		out[i] = s
	}
	return out, nil
}
