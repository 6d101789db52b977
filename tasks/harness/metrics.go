package harness

import (
	"slices"

	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/metric"
	"github.com/softbench/softbench/tasks/py"
	"github.com/softbench/softbench/tasks/textmetric"
)

// noUse are options that metrics of loglikelihoods have no use for, and that the harness hands to no one.
var noUse = []string{"metric", "aggregation", "higher_is_better", "hf_evaluate", "weight_by_size", "ignore_case", "ignore_punctuation", "regexes_to_ignore", "average", "high_is_better"}

// listed is an entry of metric_list.
type listed struct {
	at       *value
	name     string
	function function // the metric itself, of the task's Python code
	by       string   // aggregation's name; "": the metric's own
	whole    *metric.Whole
	higher   bool
}

// metrics reads metric_list and process_results.
func (l *loader) metrics(c *value, m *maker, t *tasks.Task) error {
	s := &scorer{}
	if v := c.get("process_results"); v != nil {
		if v.call == "" {
			return v.errorf("process_results must be a !function")
		}
		var err error
		if s.process, err = l.function(v); err != nil {
			return err
		}
	}
	t.Own = map[string]tasks.OwnMetric{}
	list := c.get("metric_list")
	if list == nil {
		if s.process != nil {
			return c.errorf("a task with process_results needs a metric_list")
		}
		switch t.Kind {
		case tasks.MultipleChoice:
			t.MetricNames = []string{"acc", "acc_norm"}
		case tasks.LastWord:
			t.MetricNames = []string{"perplexity", "acc"}
		case tasks.RollingPerplexity:
			t.MetricNames = []string{"word_perplexity", "byte_perplexity", "bits_per_byte"}
		case tasks.GenerateUntil:
			exact, err := textmetric.New("exact_match", nil)
			if err != nil {
				return err
			}
			t.Generation.Scorers = append(t.Generation.Scorers, exact)
			t.MetricNames = t.Generation.MetricNames()
		}
		return nil
	}
	if !list.isList() || len(list.items) == 0 {
		return list.errorf("metric_list must be a list")
	}
	for _, e := range list.items {
		n, err := l.listed(e)
		if err != nil {
			return err
		}
		if slices.Contains(t.MetricNames, n.name) {
			continue
		}
		switch {
		case s.process != nil:
			err = n.own(t, s)
		case t.Kind == tasks.GenerateUntil:
			err = n.generated(t, s)
		default:
			err = n.scored(t, s)
		}
		if err != nil {
			return err
		}
		t.MetricNames = append(t.MetricNames, n.name)
	}
	if t.Generation != nil {
		for name, own := range t.Generation.Own() {
			t.Own[name] = own
		}
		t.MetricNames = t.Generation.Named(t.MetricNames)
	}
	if s.process != nil || len(s.measures) > 0 {
		s.kind, s.own = t.Kind, t.Own
		t.Scorer, m.scorer = s, s
	}
	return nil
}

// listed reads an entry of metric_list.
func (l *loader) listed(e *value) (*listed, error) {
	if !e.isMapping() {
		return nil, e.errorf("an entry of metric_list must be a mapping")
	}
	n := &listed{at: e, higher: true}
	w := e.get("metric")
	if w == nil {
		return nil, e.errorf("an entry of metric_list needs a metric's name")
	}
	if w.call != "" {
		f, err := l.function(w)
		if err != nil {
			return nil, err
		}
		n.function, n.name = f, f.Name()
	} else {
		n.name, _ = w.text()
		if n.name == "" {
			return nil, w.errorf("an entry of metric_list needs a metric's name")
		}
		n.higher = metric.ByName(n.name).HigherIsBetter
	}
	if w := e.get("higher_is_better"); w != nil {
		b, ok := w.py.(bool)
		if !ok {
			return nil, w.errorf("higher_is_better must be true or false")
		}
		n.higher = b
	}
	if w := e.get("aggregation"); w != nil {
		if w.call == "" {
			n.by, _ = w.text()
			if n.by == "" {
				return nil, w.errorf("aggregation must be a name")
			}
			return n, nil
		}
		f, err := l.function(w)
		if err != nil {
			return nil, err
		}
		n.whole = wholeOf(f)
	}
	return n, nil
}

// own takes a metric whose values process_results gives.
func (n *listed) own(t *tasks.Task, s *scorer) error {
	if n.function != nil {
		return n.at.errorf("a metric of Python code beside process_results is not understood")
	}
	own := tasks.OwnMetric{HigherIsBetter: n.higher, Whole: n.whole}
	if n.whole == nil {
		by := n.by
		if by == "" {
			row, ok := metric.Find(n.name)
			if !ok {
				return n.at.errorf("the metric %s has no aggregation", n.name)
			}
			if by = row.Harness; n.name == "f1" {
				by = "f1"
			}
		}
		if by != "mean" {
			if own.Whole = wholes[by]; own.Whole == nil {
				return n.at.errorf("the metric %s aggregated by %s is not understood", n.name, by)
			}
		}
	}
	t.Own[n.name] = own
	return nil
}

// generated takes a metric of generated answers.
func (n *listed) generated(t *tasks.Task, s *scorer) error {
	if w := n.at.get("hf_evaluate"); w != nil && py.Truth(w.py) {
		return w.errorf("the metric %s of the package evaluate is not understood", n.name)
	}
	given, err := options(n.at, "metric", "aggregation", "higher_is_better", "hf_evaluate")
	if err != nil {
		return err
	}
	switch {
	case n.function != nil:
		if n.whole == nil && n.by != "mean" {
			return n.at.errorf("the metric %s of Python code aggregated by %q is not understood", n.name, n.by)
		}
		s.measures = append(s.measures, measure{name: n.name, of: n.function, options: n.at.without("metric", "aggregation", "higher_is_better", "hf_evaluate")})
	case n.name == "exact_match":
		if n.whole != nil || n.by != "" && n.by != "mean" {
			return n.at.errorf("the metric exact_match aggregated otherwise than by mean is not understood")
		}
		for _, k := range []string{"ignore_case", "ignore_punctuation", "ignore_numbers"} {
			if _, ok := given[k]; ok { // any value counts for what Python makes of it
				given[k] = py.Truth(n.at.dict[k].py)
			}
		}
		exact, err := textmetric.New(n.name, given)
		if err != nil {
			return n.at.errorf("%v", err)
		}
		t.Generation.Scorers = append(t.Generation.Scorers, exact)
		return nil
	case n.whole != nil && slices.Contains([]string{"acc", "f1", "mcc", "acc_norm", "bleu", "chrf", "ter", "chrf++", "perplexity"}, n.name):
		s.measures = append(s.measures, measure{name: n.name}) // the right answer and the given one, for the aggregation
	default:
		c, err := textmetric.NewCorpus(n.name, nil)
		if err != nil {
			return err
		}
		if c == nil || n.whole != nil || n.by != "" && n.by != n.name {
			return n.at.errorf("the metric %s of generated answers is not understood", n.name)
		}
		t.Generation.Corpora = append(t.Generation.Corpora, c)
		return nil
	}
	t.Own[n.name] = tasks.OwnMetric{HigherIsBetter: n.higher, Whole: n.whole}
	return nil
}

// scored takes a metric of loglikelihoods.
func (n *listed) scored(t *tasks.Task, s *scorer) error {
	if n.function != nil {
		return n.at.errorf("a metric of Python code of a task that generates nothing has no values in the harness")
	}
	if !slices.Contains(metric.OfKind(t.Kind, true), n.name) {
		return n.at.errorf("the metric %s of %s tasks is not understood", n.name, tasks.OutputType(string(t.Kind)))
	}
	for _, k := range n.at.keys {
		if !slices.Contains(noUse, k) {
			return n.at.dict[k].errorf("the option %s of the metric %s is not understood", k, n.name)
		}
	}
	row, _ := metric.Find(n.name)
	if n.whole != nil {
		if t.Kind != tasks.MultipleChoice {
			return n.at.errorf("the metric %s of %s tasks aggregated by Python code is not understood", n.name, tasks.OutputType(string(t.Kind)))
		}
		s.measures = append(s.measures, measure{name: n.name})
		t.Own[n.name] = tasks.OwnMetric{HigherIsBetter: n.higher, Whole: n.whole}
		return nil
	}
	by := row.Harness
	if n.name == "f1" {
		by = "f1"
	}
	if n.by != "" && n.by != by {
		return n.at.errorf("the metric %s aggregated otherwise than by %s is not understood", n.name, by)
	}
	if n.higher != row.HigherIsBetter {
		return n.at.errorf("the metric %s whose better values are the other way is not understood", n.name)
	}
	return nil
}
