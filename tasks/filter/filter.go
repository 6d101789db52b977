// Package filter takes the answer out of what a model generated: lm-evaluation-harness' filters by
// the names and options that its tasks use, one after the other.
//
// It knows texts and a document's choices. A filter or an option that it does not know is an error
// when a task is read, never a step left out.
package filter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/given"
	"github.com/softbench/softbench/tasks/py"
	"github.com/softbench/softbench/tasks/pyregex"
)

// Step is a filter as a task names it, or one of its own.
type Step struct {
	Function string
	Options  map[string]any
	Own      Own // in a function's place
}

// Own is a filter of a task's own: what it takes of a text, and of the document that the task made it of.
type Own func(text string, doc any) (string, error)

// Pipeline is filters that follow one another, under a name of its own.
type Pipeline struct {
	Name  string
	Looks bool // a filter looks at the document's choices
	// Listed: no step takes the first of the answers, so that lm-evaluation-harness has a list of the one.
	Listed bool
	steps  []func(text string, choices []string, doc any) (string, error)
}

// invalid is what filters that find nothing give.
const invalid = "[invalid]"

// kinds are the filters. With one answer for a document, as greedy decoding gives, take_first and
// majority_vote take that one.
var kinds = map[string]func(o *given.Options) (func(text string, choices []string) (string, error), error){
	"take_first":    same,
	"majority_vote": same,
	"take_first_k": func(o *given.Options) (func(string, []string) (string, error), error) {
		if k := o.Integer("k", 1); k != 1 {
			return nil, fmt.Errorf("k is %d; a document has one generated answer", k)
		}
		return same(o)
	},
	"remove_whitespace":  texts(py.Strip),
	"strip":              texts(py.Strip),
	"lowercase":          texts(py.Lower),
	"uppercase":          texts(py.Upper),
	"regex":              regex,
	"multi_choice_regex": multiChoice,
	"map":                mapping,
	"format_span":        formatSpan,
}

// Names are the filters', sorted.
func Names() (names []string) {
	for n := range kinds {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// New makes a pipeline.
func New(name string, steps []Step) (*Pipeline, error) {
	if name == "" || strings.ContainsAny(name, ", \n") {
		return nil, fmt.Errorf("a filter's name is %q; it must be a word, without commas", name)
	}
	p := &Pipeline{Name: name, Listed: true}
	for i, s := range steps {
		if i > 0 && steps[i-1].Function == "take_first" {
			return nil, fmt.Errorf("filter %s: %s comes after take_first, where lm-evaluation-harness would take a text for a list of its characters: put take_first last", name, s.called())
		}
		if s.Own != nil {
			p.steps = append(p.steps, func(text string, _ []string, doc any) (string, error) { return s.Own(text, doc) })
			continue
		}
		make, known := kinds[s.Function]
		if !known {
			return nil, fmt.Errorf("filter %s: the function %q is not known; the functions are %s", name, s.Function, strings.Join(Names(), ", "))
		}
		o := given.New(s.Options)
		step, err := make(o)
		if err == nil {
			err = o.Done()
		}
		if err != nil {
			return nil, fmt.Errorf("filter %s: %s: %w", name, s.Function, err)
		}
		p.Looks = p.Looks || s.Function == "multi_choice_regex"
		p.Listed = p.Listed && s.Function != "take_first"
		p.steps = append(p.steps, func(text string, choices []string, _ any) (string, error) { return step(text, choices) })
	}
	return p, nil
}

// called is what an error calls the step.
func (s *Step) called() string {
	if s.Own != nil {
		return "a filter of the task's own"
	}
	return s.Function
}

// Apply is what the pipeline takes of a text, an answer to a document with these choices; doc is what the task's own filters get.
func (p *Pipeline) Apply(text string, choices []string, doc any) (string, error) {
	var err error
	for _, step := range p.steps {
		if text, err = step(text, choices, doc); err != nil {
			return "", fmt.Errorf("filter %s: %w", p.Name, err)
		}
	}
	return text, nil
}

func same(*given.Options) (func(string, []string) (string, error), error) {
	return func(text string, _ []string) (string, error) { return text, nil }, nil
}

func texts(f func(string) string) func(*given.Options) (func(string, []string) (string, error), error) {
	return func(*given.Options) (func(string, []string) (string, error), error) {
		return func(text string, _ []string) (string, error) { return f(text), nil }, nil
	}
}

// mapping looks the text up; one that is not there is the default, without which the harness has
// None, of which no metric follows.
func mapping(o *given.Options) (func(string, []string) (string, error), error) {
	table := o.Table("mapping_dict")
	fallback, has := o.Scalar("default_value")
	if !has {
		return nil, fmt.Errorf("it needs default_value, as an answer that is not in mapping_dict has no value else")
	}
	return func(text string, _ []string) (string, error) {
		if v, ok := table[text]; ok {
			return v, nil
		}
		return fallback, nil
	}, nil
}

// pattern is a regular expression with what is taken of its matches.
type pattern struct {
	re       *pyregex.Regexp
	group    int
	fallback string
}

func patternOf(o *given.Options) (*pattern, error) {
	re, err := pyregex.Compile(o.Text("regex_pattern", `#### (\-?[0-9\.\,]+)`))
	if err != nil {
		return nil, err
	}
	return &pattern{re, o.Integer("group_select", 0), o.Text("fallback", invalid)}, nil
}

// selected is match number group of all, counted from the end where it is negative. Where there are
// matches and not that one the harness stops; here nothing is found.
func selected(found [][]string, group int) []string {
	if group < 0 {
		group += len(found)
	}
	if group < 0 || group >= len(found) {
		return nil
	}
	return found[group]
}

// firstOf is the first group of a match that has text; several groups of which none has are not
// one.
func firstOf(match []string) (text string, ok bool) {
	if len(match) == 1 {
		return match[0], true
	}
	i := slices.IndexFunc(match, func(s string) bool { return s != "" })
	if i < 0 {
		return "", false
	}
	return match[i], true
}

// regex is RegexFilter.
func regex(o *given.Options) (func(string, []string) (string, error), error) {
	p, err := patternOf(o)
	if err != nil {
		return nil, err
	}
	return func(text string, _ []string) (string, error) {
		found, err := p.re.FindAll(text)
		if err != nil {
			return "", err
		}
		match := selected(found, p.group)
		if match == nil {
			return p.fallback, nil
		}
		taken, ok := firstOf(match)
		if !ok {
			taken = p.fallback
		}
		return py.Strip(taken), nil
	}, nil
}
