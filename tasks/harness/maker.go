package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/py"
)

// maker makes a task's documents: requests equal to those of lm-evaluation-harness.
type maker struct {
	kind        tasks.Kind
	data        dataset
	asked       shape // the document that is asked
	worked      shape // examples
	description *field

	pool    string     // split of the examples; "" for samples
	samples []*py.Dict // examples that stand in the task's file, or that a function gives
	first   bool       // the first examples, not drawn ones
	same    bool       // the pool may hold the document asked
	process function   // of the evaluated split; nil: none
	pooled  function   // of the examples' split
	tested  string     // the split that is evaluated
	columns map[string]bool

	generation  *tasks.Generation // of generated answers
	filtersLook bool              // a filter looks at the document's choices
	scorer      *scorer           // nil: the metrics are their rows'

	several bool // each choice is a context of its own, as the first document says
	many    bool // several targets are right, as the first document says
}

// dataset is where the documents are: places in the order in which they are looked for.
type dataset struct {
	places  []data.Dataset
	ordered bool // the order of columns can matter: Python code reads documents
	// headless: the task names the columns of tables that have no line of names.
	headless bool
}

// Documents implements tasks.Maker.
func (m *maker) Documents(ctx context.Context, src data.Source, opts tasks.Options) ([]tasks.Doc, []data.File, error) {
	s, err := m.data.read(ctx, src, m.tested, m.process)
	if err != nil {
		return nil, nil, err
	}
	if len(s.rows) == 0 {
		return nil, nil, errors.New("no documents: process_docs leaves none")
	}
	w := *m // what the first document says is this reading's
	m = &w
	m.columns = s.columns
	files := s.files
	var draws *sampler
	if opts.FewShot > 0 {
		pool := m.samples
		if m.pool != "" {
			p := s
			if m.pool != m.tested || m.pooled != m.process {
				if p, err = m.data.read(ctx, src, m.pool, m.pooled); err != nil {
					return nil, nil, fmt.Errorf("few-shot examples: %w", err)
				}
				files = append(files[:len(files):len(files)], p.files...)
			}
			pool = nil
			for _, r := range p.rows {
				pool = append(pool, r.doc)
			}
		}
		if len(pool) == 0 {
			return nil, nil, errors.New("few-shot examples: the task has no documents for them")
		}
		if draws, err = newSampler(pool, opts.FewShotSeed, m.first, m.same); err != nil {
			return nil, nil, fmt.Errorf("few-shot examples: %w", err)
		}
	}
	if err := m.settle(s.rows[0]); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.rows[0].where, err)
	}
	rows := s.rows[:opts.Limited(len(s.rows))]
	docs := make([]tasks.Doc, len(rows))
	for i, r := range rows {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		var examples []*py.Dict
		if draws != nil {
			if examples, err = draws.draw(opts.FewShot, r.doc); err != nil {
				return nil, nil, err
			}
		}
		docs[i] = tasks.Doc{ID: i, Hash: r.hash, Gold: -1}
		if err := m.requests(&docs[i], r, examples, opts); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", r.where, err)
		}
	}
	return docs, files, nil
}

// settle takes from the first document what the harness takes from it.
func (m *maker) settle(r row) error {
	q, err := m.asked.text.text(r.doc, m.columns, m.asked.choices != nil)
	if err != nil {
		return err
	}
	if m.asked.choices != nil {
		c, err := m.asked.choices.choices(r.doc, m.columns)
		if err != nil {
			return err
		}
		_, isInt := py.Int(q)
		m.several = isInt && len(c) > 0
	}
	target, err := m.asked.target.target(r.doc, m.columns, m.asked.choices != nil)
	if err != nil {
		return err
	}
	list, isList := target.(*py.List)
	m.many = isList && len(list.Items) > 0
	return nil
}

// requests makes a document's requests.
func (m *maker) requests(doc *tasks.Doc, r row, examples []*py.Dict, opts tasks.Options) error {
	if m.kind == tasks.RollingPerplexity {
		doc.Source = &source{doc: r.doc}
		v, err := m.asked.target.target(r.doc, m.columns, false)
		if err != nil {
			return err
		}
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("doc_to_target gives a value of type %s, not text", py.TypeName(v))
		}
		doc.Requests, doc.Words, doc.Bytes = []tasks.Request{{Ask: tasks.WholeText, Text: s}}, py.Words(s), len(s)
		return nil
	}
	contexts, err := m.prompts(r.doc, examples, opts, m.several)
	if err != nil {
		return err
	}
	target, err := m.asked.target.target(r.doc, m.columns, m.asked.choices != nil)
	if err != nil {
		return err
	}
	if m.kind == tasks.GenerateUntil {
		return m.generated(doc, r.doc, contexts, target)
	}
	if m.scorer != nil {
		doc.Source = &source{doc: r.doc, gold: target}
	}
	if m.kind == tasks.LastWord {
		s, ok := target.(string)
		if !ok {
			return fmt.Errorf("doc_to_target gives a value of type %s, not text", py.TypeName(target))
		}
		doc.Requests = []tasks.Request{{Context: contexts[0], Continuation: s, Choice: s}}
	} else if err := m.choiceRequests(doc, r.doc, contexts, target, opts); err != nil {
		return err
	}
	return nil
}

func (m *maker) choiceRequests(doc *tasks.Doc, d *py.Dict, contexts []string, target py.Value, opts tasks.Options) error {
	values, err := m.asked.choices.choices(d, m.columns)
	if err != nil {
		return err
	}
	if len(values) == 0 {
		return errors.New("the document has no choices")
	}
	choices := make([]string, len(values))
	for i, v := range values {
		s, ok := v.(string)
		if !ok {
			return m.asked.choices.at.errorf("choice %d is of type %s, not text", i, py.TypeName(v))
		}
		choices[i] = s
	}
	delimiter := m.asked.targetDelimiter
	if opts.Chat != nil {
		delimiter = m.chatDelimiter()
	}
	gold := target
	if m.several {
		s, err := py.Str(target)
		if err != nil {
			return err
		}
		for i, c := range contexts {
			doc.Requests = append(doc.Requests, tasks.Request{Context: c, Continuation: delimiter + s, Choice: choices[i]})
		}
		if gold, err = m.asked.text.text(d, m.columns, true); err != nil {
			return err
		}
	} else {
		for _, c := range choices {
			continuation := delimiter + c
			doc.Requests = append(doc.Requests, tasks.Request{Context: contexts[0], Continuation: continuation, Choice: continuation[len(delimiter):]})
		}
	}
	if m.scorer != nil && len(m.scorer.measures) > 0 {
		doc.Source = &source{doc: d, gold: class(gold, choices)}
	}
	golds, err := m.golds(gold, choices)
	if err != nil {
		return err
	}
	doc.Gold = -1
	if len(golds) > 0 {
		doc.Gold = golds[0]
		doc.AlsoGold = golds[1:]
	}
	return nil
}

// golds are the places of the right choices; none where the harness counts every answer as wrong.
func (m *maker) golds(gold py.Value, choices []string) ([]int, error) {
	if list, ok := gold.(*py.List); ok {
		if !m.many {
			return nil, nil // no place equals a list
		}
		var out []int
		for _, e := range list.Items {
			i, ok := py.Int(e)
			if !ok {
				return nil, fmt.Errorf("doc_to_target gives a list with a value of type %s, not the places of choices", py.TypeName(e))
			}
			if i >= 0 && i < int64(len(choices)) {
				out = append(out, int(i))
			}
		}
		return out, nil
	}
	if m.many {
		return nil, fmt.Errorf("doc_to_target gives a list for the first document and a value of type %s here", py.TypeName(gold))
	}
	switch x := gold.(type) {
	case string:
		for i, c := range choices {
			if c == x {
				return []int{i}, nil
			}
		}
		return nil, nil
	case float64:
		if x >= 0 && x < float64(len(choices)) && x == float64(int(x)) {
			return []int{int(x)}, nil
		}
		return nil, nil
	}
	if i, ok := py.Int(gold); ok && i >= 0 && i < int64(len(choices)) {
		return []int{int(i)}, nil
	}
	return nil, nil
}

// class is a right choice as the harness's metrics of classes get it: its place; -100 where there is none.
func class(gold py.Value, choices []string) py.Value {
	if s, ok := gold.(string); ok {
		if i := slices.Index(choices, s); i >= 0 {
			return int64(i)
		}
		return int64(-100)
	}
	if i, ok := py.Int(gold); ok {
		if i < int64(len(choices)) {
			return i
		}
		return int64(-100)
	}
	return gold
}

// chatDelimiter stands before a choice that follows a chat template's text.
func (m *maker) chatDelimiter() string {
	if p := m.asked.prefix; p != nil && p.name != "" && py.RStrip(p.name) == p.name {
		return m.asked.targetDelimiter
	}
	return ""
}
