package tasks

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/filter"
	"github.com/softbench/softbench/tasks/metric"
	"github.com/softbench/softbench/tasks/textmetric"
)

// Generation is how a task has text generated, what is taken of it and how that is scored.
type Generation struct {
	Until     []string // texts that end an answer
	MaxTokens int      // decoded at most
	Filters   []*filter.Pipeline
	Scorers   []*textmetric.Scorer
	Corpora   []*textmetric.Corpus
}

// maxGenToks is lm-evaluation-harness' own number of tokens where a task says none.
const maxGenToks = 256

// without are settings of sampling, which greedy decoding has no use for.
var without = []string{"top_p", "top_k", "min_p", "typical_p", "temperature"}

// GenerationSettings reads what lm-evaluation-harness calls generation_kwargs; delimiter ends an
// answer where they do not say what does. What would not be greedy decoding, and what is not known,
// is an error.
func GenerationSettings(values map[string]any, delimiter string) (until []string, tokens int, err error) {
	until, tokens = []string{delimiter}, maxGenToks
	given := 0
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := documentValue(values[name])
		switch name {
		case "until":
			if until, err = untilOf(v); err != nil {
				return nil, 0, err
			}
		case "max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens":
			n, ok := asNumber(v)
			if !ok || n < 1 {
				return nil, 0, fmt.Errorf("%s is %s; it must be a whole number from 1 on", name, describe(v))
			}
			tokens = n
			if given++; given > 1 {
				return nil, 0, errors.New("max_gen_toks is there under two names; give one")
			}
		case "do_sample":
			if v != false && v != nil {
				return nil, 0, fmt.Errorf("do_sample is %s: sampling is not supported, decoding is greedy (do_sample: false)", describe(v))
			}
		case "num_beams", "num_return_sequences", "repetition_penalty":
			if n, ok := asNumber(v); !ok || n != 1 {
				return nil, 0, fmt.Errorf("%s is %s: only 1 is supported, decoding is greedy", name, describe(v))
			}
		default:
			if !slices.Contains(without, name) {
				return nil, 0, fmt.Errorf("the setting %q of a generation is not known; the settings are until, max_gen_toks, do_sample (false)", name)
			}
		}
	}
	if v, ok := documentValue(values["temperature"]), values["temperature"] != nil; ok && values["do_sample"] == nil {
		if n, ok := asNumber(v); !ok || n != 0 {
			return nil, 0, fmt.Errorf("temperature is %s: sampling is not supported, decoding is greedy (temperature: 0, or do_sample: false)", describe(v))
		}
	}
	return until, tokens, nil
}

func untilOf(v any) ([]string, error) {
	switch x := v.(type) {
	case string:
		return []string{x}, nil
	case nil:
		return nil, nil
	case []any:
		out, err := stringList(x)
		if err == nil {
			return out, nil
		}
	}
	return nil, fmt.Errorf("until is %s; it must be a text or a list of texts", describe(v))
}

// asNumber is a whole number that is one, and no text.
func asNumber(v any) (int, bool) {
	switch v.(type) {
	case int64, float64:
		return asIndex(v)
	}
	return 0, false
}

// MetricNames are what the results are called: the metrics, each with its filter's name behind it
// where that is not "none", as in lm-evaluation-harness' results.
func (g *Generation) MetricNames() (names []string) {
	for _, s := range g.Scorers {
		names = append(names, s.Name)
	}
	for _, c := range g.Corpora {
		names = append(names, c.Name)
	}
	return g.Named(names)
}

// Named are what metrics are called, by each filter.
func (g *Generation) Named(metrics []string) (names []string) {
	for _, f := range g.filters() {
		for _, m := range metrics {
			names = append(names, m+behind(f))
		}
	}
	return names
}

// behind is what stands behind a metric's name.
func behind(f *filter.Pipeline) string {
	if f.Name == "none" {
		return ""
	}
	return "," + f.Name
}

// Own are the metrics that are of all answers together.
func (g *Generation) Own() map[string]OwnMetric {
	own := map[string]OwnMetric{}
	for _, c := range g.Corpora {
		own[c.Name] = OwnMetric{HigherIsBetter: c.HigherIsBetter, Whole: &metric.Whole{Draws: metric.CorpusDraws, Of: func(parts []any) (float64, error) {
			counts := make([][]float64, len(parts))
			for i, p := range parts {
				counts[i] = p.([]float64)
			}
			return c.Of(counts), nil
		}}}
	}
	return own
}

// filters are the task's, or the one that takes the text as it is.
func (g *Generation) filters() []*filter.Pipeline {
	if len(g.Filters) == 0 {
		return []*filter.Pipeline{{Name: "none"}}
	}
	return g.Filters
}

// Request asks for text after a context.
func (g *Generation) Request(context string) Request {
	return Request{Ask: Generating, Context: context, Until: g.Until, Tokens: g.MaxTokens}
}

// score takes what the filters take of an answer, and scores it, by the task's own scorer too where there is one.
func (g *Generation) score(doc *Doc, a answer.Answer, o *Outcome, own Scorer) error {
	o.Scores = map[string]float64{}
	for _, f := range g.filters() {
		taken, err := f.Apply(a.Text, doc.Choices, doc.Source)
		if err != nil {
			return fmt.Errorf("document %d: %w", doc.ID, err)
		}
		o.Taken = append(o.Taken, Taken{f.Name, taken})
		for _, s := range g.Scorers {
			v, err := s.Score(taken, doc.Targets)
			if err != nil {
				return fmt.Errorf("document %d: %w", doc.ID, err)
			}
			o.Scores[s.Name+behind(f)] = v
		}
		for _, c := range g.Corpora {
			if len(doc.Targets) != 1 {
				return fmt.Errorf("document %d: %s is of one right answer, and there are %d", doc.ID, c.Name, len(doc.Targets))
			}
			o.keep(map[string]any{c.Name: c.Counts(taken, doc.Targets[0])}, behind(f))
		}
		if own != nil {
			values, err := own.Score(doc, []answer.Answer{a}, taken, f.Listed)
			if err != nil {
				return fmt.Errorf("document %d: %w", doc.ID, err)
			}
			o.keep(values, behind(f))
		}
	}
	return nil
}

// Taken is what a filter took of an answer.
type Taken struct{ Filter, Text string }

func generationKeys(given map[string]bool) (need, may []string) {
	need = []string{"context", "target"}
	if given["targets"] {
		need[1] = "targets"
	}
	return need, []string{"delimiter", "generation", "filters", "options"}
}

// generated is a prompt after which text is decoded.
func (t *Task) generated(r data.Row, doc *Doc) error {
	context, err := t.def.Context.render(r)
	if err != nil {
		return err
	}
	if t.def.Target != nil {
		target, err := t.def.Target.render(r)
		if err != nil {
			return err
		}
		doc.Targets = []string{target}
	} else if doc.Targets, err = t.def.Targets.texts(r); err != nil {
		return err
	}
	if len(doc.Targets) == 0 {
		return fmt.Errorf("%s: the document has no right answer", r.Where())
	}
	if t.def.Options != nil {
		if doc.Choices, err = t.def.Options.texts(r); err != nil {
			return err
		}
	}
	doc.Requests = []Request{t.Generation.Request(context)}
	return nil
}

// generatedExample is a document with its first right answer.
func (t *Task) generatedExample(doc *Doc) worked {
	return t.given(doc.Requests[0].Context, doc.Targets[0])
}

// generation is what the definition says of one.
func (d *definition) generation() (*Generation, error) {
	if d.Kind != metric.GenerateUntil {
		return nil, nil
	}
	g := &Generation{}
	var err error
	if g.Until, g.MaxTokens, err = GenerationSettings(d.Generation, exampleDelimiter); err != nil {
		return nil, fmt.Errorf("generation: %w", err)
	}
	choices := false
	for i, f := range d.Filters {
		if slices.ContainsFunc(d.Filters[:i], func(o filterDef) bool { return o.Name == f.Name }) {
			return nil, fmt.Errorf("two filters have the name %q", f.Name)
		}
		p, err := filter.New(f.Name, f.steps())
		if err != nil {
			return nil, err
		}
		g.Filters = append(g.Filters, p)
		choices = choices || p.Looks
	}
	if choices && d.Options == nil {
		return nil, errors.New(`the filter multi_choice_regex needs the key "options", which has a document's choices`)
	}
	if !choices && d.Options != nil {
		return nil, errors.New(`the key "options" has no use: no filter looks at a document's choices (multi_choice_regex)`)
	}
	for _, m := range d.Metrics {
		c, err := textmetric.NewCorpus(m.Metric, m.Options)
		if err != nil {
			return nil, err
		}
		if c != nil {
			g.Corpora = append(g.Corpora, c)
			continue
		}
		s, err := textmetric.New(m.Metric, m.Options)
		if err != nil {
			return nil, err
		}
		g.Scorers = append(g.Scorers, s)
	}
	return g, nil
}

// filterDef is a filter pipeline as YAML declares it: lm-evaluation-harness' filter_list.
type filterDef struct {
	Name   string    `yaml:"name" json:"name"`
	Filter []stepDef `yaml:"filter" json:"filter"`
}

func (f *filterDef) steps() []filter.Step {
	out := make([]filter.Step, len(f.Filter))
	for i, s := range f.Filter {
		out[i] = filter.Step{Function: s.Function, Options: s.Options}
	}
	return out
}

// stepDef is a filter by its name, alone or with options.
type stepDef struct {
	Function string
	Options  map[string]any
}

func (s *stepDef) UnmarshalYAML(unmarshal func(any) error) (err error) {
	s.Function, s.Options, err = named(unmarshal, "function")
	return err
}

// MarshalJSON is the form of the definition's hash.
func (s stepDef) MarshalJSON() ([]byte, error) { return namedJSON("function", s.Function, s.Options) }

// metricDef is a metric by its name, alone or with options.
type metricDef struct {
	Metric  string
	Options map[string]any
}

func (m *metricDef) UnmarshalYAML(unmarshal func(any) error) (err error) {
	m.Metric, m.Options, err = named(unmarshal, "metric")
	return err
}

// MarshalJSON is the form of the definition's hash: the name alone where there are no options.
func (m metricDef) MarshalJSON() ([]byte, error) { return namedJSON("metric", m.Metric, m.Options) }

// metricList is one metric or a list of them.
type metricList []metricDef

func (l *metricList) UnmarshalYAML(unmarshal func(any) error) error {
	var list []metricDef
	var any []any
	if err := unmarshal(&list); err == nil || unmarshal(&any) == nil {
		*l = list
		return err
	}
	var one metricDef
	if err := unmarshal(&one); err != nil {
		return err
	}
	*l = metricList{one}
	return nil
}

// names are the metrics'.
func (l metricList) names() (out []string) {
	for _, m := range l {
		out = append(out, m.Metric)
	}
	return out
}

// named reads a name, or a mapping with the name under a key and options beside it.
func named(unmarshal func(any) error, key string) (string, map[string]any, error) {
	var name string
	if unmarshal(&name) == nil {
		return name, nil, nil
	}
	var all map[string]any
	if err := unmarshal(&all); err != nil {
		return "", nil, err
	}
	name, ok := all[key].(string)
	if !ok || name == "" {
		return "", nil, fmt.Errorf("the key %q is missing, or not a name", key)
	}
	delete(all, key)
	return name, all, nil
}

func namedJSON(key, name string, options map[string]any) ([]byte, error) {
	if len(options) == 0 {
		return json.Marshal(name)
	}
	all := maps.Clone(options)
	all[key] = name
	return json.Marshal(all)
}
