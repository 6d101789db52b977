package tasks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unsafe"

	"github.com/softbench/softbench/tasks/data"
	"github.com/softbench/softbench/tasks/pyrandom"
)

// The ways in which a task's examples are chosen: its first ones, or lm-evaluation-harness' draws
// ("default" there).
const (
	firstN = "first_n"
	random = "random"
)

// sampler chooses a document's worked examples.
type sampler struct {
	pool   []example
	random *pyrandom.Random // nil: the first ones
	// ownSplit: the pool is the tested split, and a document is left out of its own examples.
	ownSplit bool
}

// example is a worked example of a document by its hash; "" where it is of none.
type example struct {
	hash string
	worked
}

// memory is about how many bytes the example takes.
func (e *example) memory() int {
	return int(unsafe.Sizeof(*e)) + len(e.hash) + len(e.context) + len(e.answer) + len(e.text)
}

// restart lets the draws begin anew, for the first document.
func (s *sampler) restart(seed int64) {
	if s != nil && s.random != nil {
		s.random = pyrandom.New(seed)
	}
}

// choose is the n examples of a document, which are to be asked for in the order of the documents:
// the draws of all of a task's are one sequence. It is lm-evaluation-harness' ContextSampler.sample,
// and FirstNSampler's.
func (s *sampler) choose(own string, n int) ([]example, error) {
	if s.random == nil {
		var out []example
		for _, e := range s.pool {
			if len(out) < n && e.hash != own {
				out = append(out, e)
			}
		}
		if len(out) < n {
			return nil, fmt.Errorf("%d few-shot examples asked for, but the split has %d; ask for fewer", n, len(out))
		}
		return out, nil
	}
	ask := n
	if s.ownSplit {
		ask++ // in case the document is among them
	}
	drawn, err := s.draw(s.pool, ask)
	if err != nil {
		return nil, fmt.Errorf("%d few-shot examples asked for, but the split has %d documents; ask for fewer", n, len(s.pool))
	}
	if !s.ownSplit {
		return drawn, nil
	}
	isOwn := func(e example) bool { return e.hash == own }
	if drawn = slices.DeleteFunc(drawn, isOwn); len(drawn) >= n {
		return drawn[:n], nil
	}
	others := slices.DeleteFunc(slices.Clone(s.pool), isOwn) // several copies of it were drawn
	if drawn, err = s.draw(others, n); err != nil {
		return nil, fmt.Errorf("%d few-shot examples asked for, but beside the document the split has %d; ask for fewer", n, len(others))
	}
	return drawn, nil
}

func (s *sampler) draw(pool []example, n int) ([]example, error) {
	indices, err := s.random.Sample(len(pool), n)
	if err != nil {
		return nil, err
	}
	out := make([]example, n)
	for i, at := range indices {
		out[i] = pool[at]
	}
	return out, nil
}

// examples reads the few-shot pool: of a task that takes the first, some more than asked for, as the
// document itself is left out.
func (t *Task) examples(ctx context.Context, src data.Source, opts Options) (*sampler, []data.File, error) {
	if opts.FewShot == 0 {
		return nil, nil, nil
	}
	s := &sampler{}
	if t.def.Sampler == random {
		s.random = pyrandom.New(opts.FewShotSeed)
	}
	if t.def.Examples != nil {
		return s, nil, t.inline(s)
	}
	tested, evaluated, err := src.Locate(ctx, t.Dataset, t.Splits...)
	if err != nil {
		return nil, nil, err
	}
	split, err := t.exampleSplit(ctx, src, tested, evaluated)
	if err != nil {
		return nil, nil, fmt.Errorf("few-shot examples: %w", err)
	}
	s.ownSplit = split == evaluated
	const spare = 16 // copies of one document a pool may hold
	most := opts.FewShot + spare
	if s.random != nil {
		most = 0
	}
	var files []data.File
	s.pool, files, err = data.Keep(func(each func(example) error) ([]data.File, error) {
		return src.Read(ctx, t.Dataset, []string{split}, most, func(r data.Row) error {
			text, err := t.example(r)
			if err != nil {
				return fmt.Errorf("%w (few-shot example %d)", err, r.Index)
			}
			return each(example{data.Hash(r.Values), text})
		})
	}, (*example).memory)
	if err != nil {
		return nil, nil, fmt.Errorf("few-shot examples: %w", err)
	}
	return s, files, nil
}

// inline makes a pool of the examples that the task's own file has.
func (t *Task) inline(s *sampler) error {
	for i, values := range t.def.Examples {
		text, err := t.example(data.Row{Values: values, File: t.Name + " examples", Line: i + 1, Index: i})
		if err != nil {
			return fmt.Errorf("few-shot example %d of the task's own: %w", i, err)
		}
		s.pool = append(s.pool, example{worked: text})
	}
	return nil
}

// checkExamples refuses what says nothing, or two things, of where examples come from.
func (d *definition) checkExamples() error {
	if !slices.Contains([]string{"", firstN, random}, d.Sampler) {
		return fmt.Errorf("sampler is %q; the samplers are %s and %s (lm-evaluation-harness' default)", d.Sampler, firstN, random)
	}
	if kindOf(d.Kind).Example == nil && (d.Sampler != "" || d.Examples != nil) {
		return fmt.Errorf("a %s task takes no worked examples: sampler and examples have no use in it", d.Kind)
	}
	if d.Examples != nil && d.Dataset.Train != "" {
		return errors.New("examples are in the task and dataset.train names a split for them: give one of the two")
	}
	for _, e := range d.Examples {
		for k, v := range e {
			e[k] = documentValue(v)
		}
	}
	return nil
}

// documentValue is a value of YAML as documents have it.
func documentValue(v any) any {
	switch x := v.(type) {
	case []any:
		for i, e := range x {
			x[i] = documentValue(e)
		}
	case map[string]any:
		for k := range maps.Clone(x) {
			x[k] = documentValue(x[k])
		}
	case int:
		return int64(x)
	case uint64:
		return int64(x)
	}
	return v
}

// prompts puts what stands before a document's contexts there: the system's text and the examples,
// as one text or as a chat's turns (lm-evaluation-harness' fewshot_context). In a chat a choice
// follows its question without a delimiter, as the template has put in what stands between.
func (t *Task) prompts(doc *Doc, examples []example, o *Options) error {
	if o.Chat == nil && o.System == "" {
		var b strings.Builder
		for _, e := range examples {
			b.WriteString(e.text)
		}
		if before := b.String(); before != "" {
			for i := range doc.Requests {
				doc.Requests[i].Context = before + doc.Requests[i].Context
			}
		}
		return nil
	}
	var before []Message
	if o.System != "" {
		before = append(before, Message{Role: "system", Content: o.System})
	}
	for _, e := range examples {
		if o.Chat == nil { // one text, with the quirks of its kind
			before = append(before, Message{Role: "user", Content: e.text})
			continue
		}
		if e.answer == "" {
			before = append(before, Message{Role: "user", Content: e.context})
			continue
		}
		before = append(before, Message{"user", e.context, t.def.delimiter()}, Message{"assistant", e.answer, exampleDelimiter})
	}
	asked, prompt := "", ""
	for i := range doc.Requests {
		q := &doc.Requests[i]
		if q.Ask == WholeText {
			continue
		}
		if i == 0 || q.Context != asked { // the choices of a question share it
			var err error
			asked = q.Context
			if prompt, err = o.Prompt(append(slices.Clip(before), Message{Role: "user", Content: asked}), false); err != nil {
				return err
			}
		}
		q.Context = prompt
		if o.Chat != nil && t.Chooses() {
			q.Continuation = strings.TrimPrefix(q.Continuation, t.def.delimiter())
		}
	}
	return nil
}
