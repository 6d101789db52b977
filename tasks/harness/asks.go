package harness

import (
	"github.com/softbench/softbench/tasks"
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
		t.Kind = tasks.GenerateUntil
		if t.Generation, err = l.generation(c, m); err != nil {
			return err
		}
	default:
		return at.errorf("output_type is %q; it must be multiple_choice, loglikelihood, loglikelihood_rolling or generate_until", kind)
	}
	m.kind, m.generation = t.Kind, t.Generation
	if v := c.get("filter_list"); v != nil && t.Generation == nil {
		if err := takesFirst(v); err != nil {
			return err
		}
	}
	return l.metrics(c, m, t)
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
