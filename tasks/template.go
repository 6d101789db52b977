package tasks

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"text/template"
	"text/template/parse"

	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/py"
)

// maxRendered bounds what one template, or one function of it, may produce from one document.
const maxRendered = maxTexts

// text is a template over a document's columns: Go's text/template with the functions below. A
// column is {{.question}}, a nested one {{.choices.text}}. A column that stands outside any
// {{if}}, {{with}} or {{range}} must be there and not be null; inside one a null is empty.
type text struct {
	source string
	tmpl   *template.Template
	needs  []string // dotted paths used outside conditions
	steps  *atomic.Int64
}

// maxSteps bounds the turns of {{range}} and the calls of {{template}} that one document may take:
// twice as many as it may have values.
const maxSteps = 2 << 20

// functions of the template language; the text they work on comes last, so that they can be piped.
// Case and white space are Python's, as in lm-evaluation-harness' Jinja templates.
var functions = template.FuncMap{
	"strip":      py.Strip,
	"lstrip":     py.LStrip,
	"rstrip":     py.RStrip,
	"capitalize": py.Capitalize,
	"lower":      py.Lower,
	"upper":      py.Upper,
	"title":      py.Title,
	"replace": func(from, to, s string) (string, error) {
		if err := rendered(len(s), strings.Count(s, from), len(to)); err != nil {
			return "", err
		}
		return strings.ReplaceAll(s, from, to), nil
	},
	"join": func(sep string, list any) (string, error) {
		s, err := stringList(list)
		if err == nil {
			err = rendered(0, len(s), len(sep))
		}
		if err != nil {
			return "", err
		}
		return strings.Join(s, sep), nil
	},
	"print":   printing(fmt.Sprint),
	"println": printing(fmt.Sprintln),
	"printf": func(format string, args ...any) (string, error) {
		if err := rendered(len(format), strings.Count(format, "%"), longest(args)); err != nil {
			return "", err
		}
		return fmt.Sprintf(format, args...), nil
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

// rendered is an error where a text of so many bytes, and so many times more, is too much.
func rendered(bytes, times, more int) error {
	if more > 0 && times > (maxRendered-bytes)/more {
		return fmt.Errorf("the template's output passes %d bytes", maxRendered)
	}
	return nil
}

// longest is the bytes of the longest text of a function's arguments.
func longest(args []any) int {
	n := 0
	for _, a := range args {
		if s, ok := a.(string); ok {
			n = max(n, len(s))
		}
	}
	return n
}

// printing is a function that prints its arguments, bounded.
func printing(print func(...any) string) func(...any) (string, error) {
	return func(args ...any) (string, error) {
		if err := rendered(0, len(args), longest(args)); err != nil {
			return "", err
		}
		return print(args...), nil
	}
}

func parseText(source string) (*text, error) {
	steps := &atomic.Int64{}
	count := func() (string, error) {
		if steps.Add(1) > maxSteps {
			return "", fmt.Errorf("it takes more than %d turns of range and template", maxSteps)
		}
		return "", nil
	}
	t, err := template.New("template").Funcs(functions).Funcs(template.FuncMap{stepName: count}).Option("missingkey=error").Parse(source)
	if err != nil {
		return nil, fmt.Errorf("the template %q does not parse: %s", shorten(source), strings.TrimPrefix(err.Error(), "template: "))
	}
	out := &text{source: source, tmpl: t, steps: steps}
	if t.Tree != nil && t.Root != nil {
		collectPaths(t.Root, &out.needs)
	}
	for _, part := range t.Templates() {
		if part.Tree != nil && part.Root != nil {
			countSteps(part.Root)
			part.Root.Nodes = append([]parse.Node{step()}, part.Root.Nodes...)
		}
	}
	return out, nil
}

// stepName is the function that a template calls at each step; no one's template calls it.
const stepName = "softbenchStep"

// step is {{softbenchStep}}.
func step() parse.Node {
	call := &parse.CommandNode{NodeType: parse.NodeCommand, Args: []parse.Node{parse.NewIdentifier(stepName)}}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pipe: &parse.PipeNode{NodeType: parse.NodePipe, Cmds: []*parse.CommandNode{call}}}
}

// countSteps puts a step at the beginning of what every {{range}} repeats.
func countSteps(n *parse.ListNode) {
	if n == nil {
		return
	}
	for _, c := range n.Nodes {
		switch c := c.(type) {
		case *parse.RangeNode:
			countSteps(c.List)
			countSteps(c.ElseList)
			c.List.Nodes = append([]parse.Node{step()}, c.List.Nodes...)
		case *parse.IfNode:
			countSteps(c.List)
			countSteps(c.ElseList)
		case *parse.WithNode:
			countSteps(c.List)
			countSteps(c.ElseList)
		}
	}
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
	t.steps.Store(0)
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
