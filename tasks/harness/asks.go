package harness

import (
	"slices"

	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/metric"
	"github.com/softbench/softbench/tasks/py"
)

// asks reads output_type and the metrics.
func (l *loader) asks(c *value, m *maker, t *tasks.Task) error {
	kind, err := text(c, "output_type")
	if err != nil {
		return err
	}
	at := c.get("output_type")
	if at == nil {
		at, kind = c, "generate_until"
	}
	switch kind {
	case "multiple_choice":
		t.Kind = tasks.MultipleChoice
		if m.asked.choices == nil {
			return c.errorf("a multiple_choice task needs doc_to_choice")
		}
	case "loglikelihood":
		t.Kind = tasks.LastWord
	case "loglikelihood_rolling":
		t.Kind = tasks.RollingPerplexity
	case "generate_until":
		return at.errorf("output_type generate_until is not understood yet")
	default:
		return at.errorf("output_type is %q; it must be multiple_choice, loglikelihood, loglikelihood_rolling or generate_until", kind)
	}
	m.kind = t.Kind
	if v := c.get("filter_list"); v != nil {
		if err := takesFirst(v); err != nil {
			return err
		}
	}
	return metrics(c, t)
}

// takesFirst refuses filters of scores other than the one that does nothing.
func takesFirst(v *value) error {
	for _, f := range v.items {
		steps := f.get("filter")
		if steps == nil {
			return f.errorf("filter_list: a filter of a task that generates nothing is not understood")
		}
		for _, s := range steps.items {
			if name, _ := text(s, "function"); name != "take_first" {
				return s.errorf("filter_list: a filter of a task that generates nothing is not understood")
			}
		}
	}
	return nil
}

// metrics reads metric_list: names of metrics that the kind has, aggregated as the harness does by default.
func metrics(c *value, t *tasks.Task) error {
	v := c.get("metric_list")
	if v == nil {
		t.MetricNames = map[tasks.Kind][]string{
			tasks.MultipleChoice: {"acc", "acc_norm"}, tasks.LastWord: {"perplexity", "acc"},
			tasks.RollingPerplexity: {"word_perplexity", "byte_perplexity", "bits_per_byte"},
		}[t.Kind]
		return nil
	}
	if !v.isList() || len(v.items) == 0 {
		return v.errorf("metric_list must be a list")
	}
	known := metric.OfKind(t.Kind, true)
	for _, e := range v.items {
		if !e.isMapping() {
			return e.errorf("an entry of metric_list must be a mapping")
		}
		name, ok := "", false
		if w := e.get("metric"); w != nil {
			name, ok = w.text()
		}
		if !ok {
			return e.errorf("an entry of metric_list needs a metric's name; a metric of the task's own Python code is not understood")
		}
		if !slices.Contains(known, name) {
			return e.errorf("the metric %s of %s tasks is not understood", name, tasks.OutputType(string(t.Kind)))
		}
		row, _ := metric.Find(name)
		for _, k := range e.keys {
			w := e.dict[k]
			switch k {
			case "metric":
			case "aggregation":
				if s, ok := w.text(); !ok || s != row.Harness {
					return w.errorf("the metric %s aggregated otherwise than by %s is not understood", name, row.Harness)
				}
			case "higher_is_better":
				if b, ok := w.py.(bool); !ok || b != row.HigherIsBetter {
					return w.errorf("the metric %s whose better values are the other way is not understood", name)
				}
			case "hf_evaluate":
				if py.Truth(w.py) {
					return w.errorf("the metric %s of the package evaluate is not understood", name)
				}
			case "weight_by_size", "ignore_case", "ignore_punctuation", "regexes_to_ignore", "average", "high_is_better":
				// options that such a metric has no use for, and that the harness hands to no one
			default:
				return w.errorf("the option %s of the metric %s is not understood", k, name)
			}
		}
		if !slices.Contains(t.MetricNames, name) {
			t.MetricNames = append(t.MetricNames, name)
		}
	}
	return nil
}
