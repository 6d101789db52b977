package tasks

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/py"
)

// A preparation adds fields to a document that a template cannot make. The names are what a task's
// YAML says under "prepare".
var preparations = map[string]func(data.Row) (map[string]any, error){
	"hellaswag":  prepareHellaswag,
	"winogrande": prepareWinogrande,
	"copa":       prepareCopa,
	"wikitext":   prepareWikitext,
}

func preparationNames() []string { return slices.Sorted(maps.Keys(preparations)) }

// brackets are the artefacts of WikiHow that lm-evaluation-harness removes; as in Python, the dot
// does not match a line end.
var brackets = regexp.MustCompile(`\[.*?\]`)

// cleanHellaswag is lm-evaluation-harness' preprocess of that task: double spaces become one in a
// single pass, so four become two.
func cleanHellaswag(s string) string {
	s = py.Strip(s)
	s = strings.ReplaceAll(s, " [title]", ". ")
	s = brackets.ReplaceAllString(s, "")
	return strings.ReplaceAll(s, "  ", " ")
}

// prepareHellaswag adds query (string) and options (list).
func prepareHellaswag(r data.Row) (map[string]any, error) {
	f := fields{row: r}
	label, a, b := f.str("activity_label"), f.str("ctx_a"), f.str("ctx_b")
	endings := f.strs("endings")
	if f.err != nil {
		return nil, f.err
	}
	options := make([]any, len(endings))
	for i, e := range endings {
		options[i] = cleanHellaswag(e)
	}
	return map[string]any{
		"query":   cleanHellaswag(label + ": " + a + " " + py.Capitalize(b)),
		"options": options,
	}, nil
}

// prepareWinogrande adds contexts (the sentence up to the blank, with each option put in) and ending
// (what follows the blank, stripped).
func prepareWinogrande(r data.Row) (map[string]any, error) {
	f := fields{row: r}
	sentence, o1, o2 := f.str("sentence"), f.str("option1"), f.str("option2")
	if f.err != nil {
		return nil, f.err
	}
	before, after, ok := strings.Cut(sentence, "_")
	if !ok {
		return nil, fmt.Errorf("%s: the sentence has no blank (\"_\"): %q", r.Where(), shorten(sentence))
	}
	return map[string]any{
		"contexts": []any{before + o1, before + o2},
		"ending":   py.Strip(after),
	}, nil
}

// prepareCopa adds start (the premise without its last character, and the connective), options (the
// choices, a space before each, first letter in lower case) and right (the right option's text).
// The space is lm-evaluation-harness' own: with its delimiter the continuation has two.
func prepareCopa(r data.Row) (map[string]any, error) {
	f := fields{row: r}
	premise, question := f.str("premise"), f.str("question")
	choices := []string{f.str("choice1"), f.str("choice2")}
	label := f.index("label")
	if f.err != nil {
		return nil, f.err
	}
	connective, ok := map[string]string{"cause": "because", "effect": "therefore"}[question]
	if !ok {
		return nil, fmt.Errorf("%s: question is %q; it must be \"cause\" or \"effect\"", r.Where(), shorten(question))
	}
	if label < 0 || label > 1 {
		return nil, fmt.Errorf("%s: unknown answer key %d in \"label\"; the keys are 0 and 1", r.Where(), label)
	}
	options := make([]any, 2)
	for i, c := range choices {
		if c == "" {
			return nil, fmt.Errorf("%s: choice%d is empty", r.Where(), i+1)
		}
		options[i] = " " + py.LowerFirst(c)
	}
	start := py.Strip(premise)
	_, last := utf8.DecodeLastRuneInString(start)
	return map[string]any{
		"start":   start[:len(start)-last] + " " + connective,
		"options": options,
		"right":   options[label],
	}, nil
}

// fields reads columns of a row and keeps the first error.
type fields struct {
	row data.Row
	err error
}

func (f *fields) get(name string) any {
	if f.err != nil {
		return nil
	}
	v, err := f.row.Get(name)
	if err == nil && v == nil {
		err = fmt.Errorf("%s: column %q is null", f.row.Where(), name)
	}
	f.err = err
	return v
}

func (f *fields) str(name string) string {
	v := f.get(name)
	s, ok := v.(string)
	if f.err == nil && !ok {
		f.err = fmt.Errorf("%s: column %q holds %s, not text", f.row.Where(), name, typeName(v))
	}
	return s
}

func (f *fields) strs(name string) []string {
	v := f.get(name)
	if f.err != nil {
		return nil
	}
	out, err := stringList(v)
	if err != nil {
		f.err = fmt.Errorf("%s: column %q: %w", f.row.Where(), name, err)
	}
	return out
}

func (f *fields) index(name string) int {
	v := f.get(name)
	if f.err != nil {
		return 0
	}
	i, ok := asIndex(v)
	if !ok {
		f.err = fmt.Errorf("%s: column %q holds %s, not a whole number", f.row.Where(), name, describe(v))
	}
	return i
}
