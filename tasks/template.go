package tasks

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/softbench/softbench/tasks/data"
)

// maxRendered bounds what one template may produce from one document.
const maxRendered = 1 << 30

// text is a template over a document's columns: Go's text/template with the functions below. A
// column is {{.question}}, a nested one {{.choices.text}}. A column that stands outside any
// {{if}}, {{with}} or {{range}} must be there and not be null; inside one a null is empty.
type text struct {
	source string
	tmpl   *template.Template
	needs  []string // dotted paths used outside conditions
}

// functions of the template language; the text they work on comes last, so that they can be piped.
// Case and white space are Python's, as in lm-evaluation-harness' Jinja templates.
var functions = template.FuncMap{
	"strip":      pyStrip,
	"lstrip":     pyLStrip,
	"rstrip":     pyRStrip,
	"capitalize": pyCapitalize,
	"lower":      pyLower,
	"upper":      pyUpper,
	"title":      pyTitle,
	"replace":    func(from, to, s string) string { return strings.ReplaceAll(s, from, to) },
	"join": func(sep string, list any) (string, error) {
		s, err := stringList(list)
		return strings.Join(s, sep), err
	},
	"beforeLast": func(sep, s string) string {
		if i := strings.LastIndex(s, sep); i >= 0 {
			return s[:i]
		}
		return ""
	},
	"afterLast": func(sep, s string) string {
		if i := strings.LastIndex(s, sep); i >= 0 {
			return s[i+len(sep):]
		}
		return s
	},
}

func parseText(source string) (*text, error) {
	t, err := template.New("template").Funcs(functions).Option("missingkey=error").Parse(source)
	if err != nil {
		return nil, fmt.Errorf("the template %q does not parse: %s", shorten(source), strings.TrimPrefix(err.Error(), "template: "))
	}
	out := &text{source: source, tmpl: t}
	if t.Tree != nil && t.Root != nil {
		collectPaths(t.Root, &out.needs)
	}
	return out, nil
}

// collectPaths gathers the columns a template uses where the dot is the document.
func collectPaths(n parse.Node, into *[]string) {
	add := func(idents []string) {
		if p := strings.Join(idents, "."); p != "" && !slices.Contains(*into, p) {
			*into = append(*into, p)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, c := range n.Nodes {
			collectPaths(c, into)
		}
	case *parse.ActionNode:
		collectPaths(n.Pipe, into)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			for _, a := range c.Args {
				collectPaths(a, into)
			}
		}
	case *parse.FieldNode:
		add(n.Ident)
	case *parse.VariableNode:
		if n.Ident[0] == "$" {
			add(n.Ident[1:])
		}
	}
}

// render fills the template from a document.
func (t *text) render(r data.Row) (string, error) {
	for _, p := range t.needs {
		v, err := r.Get(p)
		if err != nil {
			return "", err
		}
		if v == nil {
			return "", fmt.Errorf("%s: column %q is null", r.Where(), p)
		}
	}
	w := &boundedBuilder{}
	if err := t.tmpl.Execute(w, withoutNulls(r.Values)); err != nil {
		return "", fmt.Errorf("%s: the template %q: %s", r.Where(), shorten(t.source), strings.Join(strings.Fields(err.Error()), " "))
	}
	return w.b.String(), nil
}

type boundedBuilder struct{ b strings.Builder }

func (w *boundedBuilder) Write(p []byte) (int, error) {
	if w.b.Len()+len(p) > maxRendered {
		return 0, fmt.Errorf("the template's output passes %d bytes: %w", maxRendered, io.ErrShortWrite)
	}
	return w.b.Write(p)
}

// withoutNulls gives templates "" for a null, which would print "<no value>".
func withoutNulls(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		switch x := v.(type) {
		case nil:
			out[k] = ""
		case map[string]any:
			out[k] = withoutNulls(x)
		default:
			out[k] = v
		}
	}
	return out
}
