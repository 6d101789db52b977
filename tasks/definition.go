package tasks

import (
	"errors"
	"fmt"
	"slices"

	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/strictyaml"
)

// definition is a task as its YAML declares it; configs/README.md documents the keys.
type definition struct {
	Name         string     `yaml:"name" json:"name"`
	Description  string     `yaml:"description" json:"-"`
	Version      string     `yaml:"version" json:"version,omitempty"`
	Kind         Kind       `yaml:"kind" json:"kind"`
	Dataset      datasetDef `yaml:"dataset" json:"dataset"`
	Prepare      string     `yaml:"prepare" json:"prepare,omitempty"`
	Context      *text      `yaml:"context" json:"context,omitempty"`
	Contexts     *listDef   `yaml:"contexts" json:"contexts,omitempty"`
	Choices      *listDef   `yaml:"choices" json:"choices,omitempty"`
	Continuation *text      `yaml:"continuation" json:"continuation,omitempty"`
	Gold         *goldDef   `yaml:"gold" json:"gold,omitempty"`
	Text         *text      `yaml:"text" json:"text,omitempty"`
	Page         *text      `yaml:"page" json:"page,omitempty"`
	Delimiter    *string    `yaml:"delimiter" json:"delimiter,omitempty"`
	Metrics      metricList `yaml:"metrics" json:"metrics,omitempty"`
	Cluster      *text      `yaml:"cluster" json:"cluster,omitempty"`

	Target     *text          `yaml:"target" json:"target,omitempty"`
	Targets    *listDef       `yaml:"targets" json:"targets,omitempty"`
	Options    *listDef       `yaml:"options" json:"options,omitempty"`
	Generation map[string]any `yaml:"generation" json:"generation,omitempty"`
	Filters    []filterDef    `yaml:"filters" json:"filters,omitempty"`

	Sampler  string           `yaml:"sampler" json:"sampler,omitempty"`
	Examples []map[string]any `yaml:"examples" json:"examples,omitempty"`

	source string // column that documents are clustered by where Cluster does not say
}

type datasetDef struct {
	Path    string               `yaml:"path" json:"path,omitempty"`
	Config  string               `yaml:"config" json:"config,omitempty"`
	Aliases oneOrMany            `yaml:"aliases" json:"-"`
	Split   oneOrMany            `yaml:"split" json:"split,omitempty"`
	Train   string               `yaml:"train" json:"train,omitempty"`
	Files   map[string]oneOrMany `yaml:"files" json:"files,omitempty"`
	Shared  bool                 `yaml:"shared" json:"-"` // other tasks use other configurations of it
}

// oneOrMany is a string or a list of strings.
type oneOrMany []string

func (o *oneOrMany) UnmarshalYAML(unmarshal func(any) error) error {
	var list []string
	if err := unmarshal(&list); err == nil {
		*o = list
		return nil
	}
	var one string
	if err := unmarshal(&one); err != nil {
		return err
	}
	*o = oneOrMany{one}
	return nil
}

func (t *text) UnmarshalYAML(unmarshal func(any) error) error {
	var source string
	if err := unmarshal(&source); err != nil {
		return err
	}
	parsed, err := parseText(source)
	if err != nil {
		return err
	}
	*t = *parsed
	return nil
}

func (t *text) MarshalText() ([]byte, error) { return []byte(t.source), nil }

// listDef is a list of texts: a column that holds one, or one template for each element.
type listDef struct {
	Field     string  `json:"field,omitempty"`
	Templates []*text `json:"templates,omitempty"`
}

func (l *listDef) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&l.Field) == nil && l.Field != "" {
		if !isPath(l.Field) {
			return fmt.Errorf("%q is not a column name; give the name of a column that holds a list, or a list of templates", shorten(l.Field))
		}
		return nil
	}
	l.Field = ""
	if err := unmarshal(&l.Templates); err != nil {
		return err
	}
	return nil
}

// texts returns the list for one document.
func (l *listDef) texts(r data.Row) ([]string, error) {
	if l.Field != "" {
		f := fields{row: r}
		list := f.strs(l.Field)
		return list, f.err
	}
	out := make([]string, len(l.Templates))
	for i, t := range l.Templates {
		s, err := t.render(r)
		if err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}

// goldDef says which choice is right: a constant index; a column with an index, or with a key among
// others; or the text of the right choice.
type goldDef struct {
	Index *strictyaml.Int `json:"index,omitempty"`
	Field oneOrMany       `json:"field,omitempty"` // the first of these columns that the document has
	Value *text           `json:"value,omitempty"` // a template in place of Field
	Among *amongDef       `json:"among,omitempty"`
	Text  *text           `json:"text,omitempty"`
}

func (g *goldDef) UnmarshalYAML(unmarshal func(any) error) error {
	var short any
	if err := unmarshal(&short); err != nil {
		return err
	}
	switch v := short.(type) {
	case string:
		g.Field = oneOrMany{v}
		return nil
	case map[string]any: // the long form, below
	default:
		var index strictyaml.Int
		if err := unmarshal(&index); err != nil {
			return err
		}
		g.Index = &index
		return nil
	}
	var long struct {
		Index *strictyaml.Int `yaml:"index"`
		Field oneOrMany       `yaml:"field"`
		Value *text           `yaml:"value"`
		Among *amongDef       `yaml:"among"`
		Text  *text           `yaml:"text"`
	}
	if err := unmarshal(&long); err != nil {
		return err
	}
	*g = goldDef(long)
	given := 0
	for _, there := range []bool{g.Index != nil, len(g.Field) > 0, g.Value != nil, g.Text != nil} {
		if there {
			given++
		}
	}
	if given != 1 {
		return errors.New("gold needs exactly one of index, field, value, text")
	}
	if g.Among != nil && len(g.Field) == 0 && g.Value == nil {
		return errors.New("gold: among goes with field or value")
	}
	return nil
}

// amongDef is where a key is looked up: a column with the keys, or the keys themselves.
type amongDef struct {
	Field string   `json:"field,omitempty"`
	Keys  []string `json:"keys,omitempty"`
}

func (a *amongDef) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&a.Keys) == nil && len(a.Keys) > 0 {
		return nil
	}
	return unmarshal(&a.Field)
}

// find returns the index of the right one of choices.
func (g *goldDef) find(r data.Row, choices []string) (int, error) {
	index, shown, where := -1, "", ""
	switch {
	case g.Index != nil:
		index, where = int(*g.Index), "the task's gold"
		shown = fmt.Sprint(index)
	case g.Text != nil:
		s, err := g.Text.render(r)
		if err != nil {
			return 0, err
		}
		if index = slices.Index(choices, s); index < 0 {
			return 0, fmt.Errorf("%s: no choice equals the answer %q", r.Where(), shorten(s))
		}
	default:
		v, name, err := g.key(r)
		if err != nil {
			return 0, err
		}
		shown, where = describe(v), fmt.Sprintf("%q", name)
		if g.Among != nil {
			keys, err := g.Among.keys(r)
			if err != nil {
				return 0, err
			}
			text, _ := asText(v)
			if index = slices.Index(keys, text); index < 0 {
				return 0, fmt.Errorf("%s: unknown answer key %s in %s; the keys are %q", r.Where(), shown, where, keys)
			}
		} else if i, ok := asIndex(v); ok {
			index = i
		}
	}
	if index < 0 || index >= len(choices) {
		return 0, fmt.Errorf("%s: unknown answer key %s in %s; the keys are 0 to %d", r.Where(), shown, where, len(choices)-1)
	}
	return index, nil
}

// key is the raw answer key and the name of what it came from.
func (g *goldDef) key(r data.Row) (v any, name string, err error) {
	if g.Value != nil {
		s, err := g.Value.render(r)
		return s, g.Value.source, err
	}
	for _, name := range g.Field {
		if r.Has(name) {
			f := fields{row: r}
			return f.get(name), name, f.err
		}
	}
	_, err = r.Get(g.Field[0])
	return nil, g.Field[0], err
}

func (a *amongDef) keys(r data.Row) ([]string, error) {
	if a.Field == "" {
		return a.Keys, nil
	}
	f := fields{row: r}
	keys := f.strs(a.Field)
	return keys, f.err
}

// isPath reports whether s can be a column's name or a dotted path: no template, no line end.
func isPath(s string) bool {
	for _, r := range s {
		if r == '{' || r == '}' || r == '\n' {
			return false
		}
	}
	return s != ""
}
