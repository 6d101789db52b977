package harness

import (
	"slices"

	"github.com/softbench/softbench/tasks/py"
)

// exampleKeys are those of fewshot_config.
var exampleKeys = []string{"sampler", "split", "process_docs", "samples", "doc_to_text", "doc_to_choice", "doc_to_target", "gen_prefix", "fewshot_delimiter", "target_delimiter"}

// examples reads how worked examples are drawn and made: fewshot_config over the task's own keys.
func (l *loader) examples(c *value, m *maker) error {
	m.worked = m.asked
	split, err := text(c, "fewshot_split")
	if err != nil {
		return err
	}
	var samples *value
	if cfg := c.get("fewshot_config"); cfg != nil {
		if !cfg.isMapping() {
			return cfg.errorf("fewshot_config must be a mapping")
		}
		for _, k := range cfg.keys {
			if !slices.Contains(exampleKeys, k) {
				return cfg.dict[k].errorf("fewshot_config.%s is not understood", k)
			}
		}
		if cfg.dict["split"] != nil {
			if split, err = text(cfg, "split"); err != nil {
				return err
			}
		}
		if m.first, err = firstN(cfg); err != nil {
			return err
		}
		samples = cfg.get("samples")
		if err := l.worked(cfg, m); err != nil {
			return err
		}
	}
	tested, err := text(c, "test_split")
	if err != nil {
		return err
	}
	m.same = split == tested
	switch {
	case split != "":
		m.pool = split
	case samples != nil:
		m.pool = ""
		return l.samples(samples, m)
	default:
		m.pooled = m.process
	}
	return nil
}

func firstN(cfg *value) (bool, error) {
	v := cfg.dict["sampler"]
	if v == nil {
		return false, nil
	}
	switch s, _ := v.text(); s {
	case "default":
		return false, nil
	case "first_n":
		return true, nil
	}
	return false, v.errorf("fewshot_config.sampler is understood where it is default or first_n")
}

// worked reads what fewshot_config says of how an example is made.
func (l *loader) worked(cfg *value, m *maker) error {
	var err error
	for _, f := range []struct {
		key string
		to  **field
	}{{"doc_to_text", &m.worked.text}, {"doc_to_target", &m.worked.target}, {"doc_to_choice", &m.worked.choices}, {"gen_prefix", &m.worked.prefix}} {
		v, there := cfg.dict[f.key]
		if !there {
			continue
		}
		if v.isNull() && f.key != "doc_to_choice" && f.key != "gen_prefix" {
			continue // the task's own
		}
		if *f.to, err = l.newField(cfg.get(f.key)); err != nil {
			return err
		}
	}
	if m.worked.targetDelimiter, err = delimiter(cfg, "target_delimiter", m.asked.targetDelimiter); err != nil {
		return err
	}
	if m.worked.exampleDelimiter, err = delimiter(cfg, "fewshot_delimiter", m.asked.exampleDelimiter); err != nil {
		return err
	}
	if v, there := cfg.dict["process_docs"]; there {
		m.pooled = nil
		if !v.isNull() {
			if v.call == "" {
				return v.errorf("process_docs must be a !function")
			}
			m.pooled, err = l.function(v)
		}
	}
	return err
}

// samples are examples that stand in the file, or that a function gives.
func (l *loader) samples(v *value, m *maker) error {
	list := v.py
	if v.call != "" {
		f, err := l.function(v)
		if err != nil {
			return err
		}
		if list, err = f.Call(); err != nil {
			return v.errorf("%v", err)
		}
	}
	items, ok := list.(*py.List)
	if !ok {
		return v.errorf("fewshot_config.samples must be a list of documents")
	}
	for _, i := range items.Items {
		d, ok := i.(*py.Dict)
		if !ok {
			return v.errorf("fewshot_config.samples must be a list of documents")
		}
		m.samples = append(m.samples, d)
	}
	return nil
}
