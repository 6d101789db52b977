package tasks

import (
	"context"
	"fmt"
	"strings"

	"github.com/softbench/softbench/tasks/data"
)

// Options choose which documents, and how they are shown.
type Options struct {
	Limit   int // the first Limit documents; 0 = all
	FewShot int // worked examples before each document; 0 = none
}

// exampleDelimiter stands after each few-shot example: a blank line.
const exampleDelimiter = "\n\n"

// Documents reads the task's documents and makes their requests. It returns the files that were
// read, the few-shot split's last. Errors name the file and the line or row.
//
// Few-shot examples are the first FewShot documents of the training split, in its order, less any
// that equals the document itself; a task without a training split takes them from the evaluated
// split in the same way. That is lm-evaluation-harness with fewshot_config {sampler: first_n}
// (its default draws at random), whose sampler leaves the document out too wherever few-shot and
// evaluated split are the same. An example is context, delimiter, right choice, blank line.
func (t *Task) Documents(ctx context.Context, src data.Source, opts Options) ([]Doc, []data.File, error) {
	if opts.Limit < 0 || opts.FewShot < 0 {
		return nil, nil, fmt.Errorf("task %s: limit and fewshot must not be negative", t.Name)
	}
	if t.Kind == RollingPerplexity && opts.FewShot > 0 {
		return nil, nil, fmt.Errorf("task %s: a perplexity task takes no few-shot examples; run it without --fewshot", t.Name)
	}
	examples, exampleFiles, err := t.examples(ctx, src, opts)
	if err != nil {
		return nil, nil, fmt.Errorf("task %s: %w", t.Name, err)
	}
	var docs []Doc
	files, err := src.Read(ctx, t.Dataset, t.Splits, opts.Limit, func(r data.Row) error {
		doc, err := t.document(r)
		if err != nil {
			return fmt.Errorf("%w (document %d)", err, r.Index)
		}
		if opts.FewShot > 0 {
			header, err := fewShotHeader(examples, doc.Hash, opts.FewShot)
			if err != nil {
				return err
			}
			for i := range doc.Requests {
				doc.Requests[i].Context = header + doc.Requests[i].Context
			}
		}
		docs = append(docs, doc)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("task %s: %w", t.Name, err)
	}
	t.settleClusters(docs)
	return docs, append(files, exampleFiles...), nil
}

// example is a worked example: a document and its answer, as few-shot text.
type example struct{ hash, text string }

// examples reads the few-shot pool: some more than asked for, as the document itself is left out.
func (t *Task) examples(ctx context.Context, src data.Source, opts Options) ([]example, []data.File, error) {
	if opts.FewShot == 0 {
		return nil, nil, nil
	}
	const spare = 16 // copies of one document a pool may hold
	splits := t.Splits
	if t.Train != "" {
		splits = []string{t.Train}
	}
	var pool []example
	files, err := src.Read(ctx, t.Dataset, splits, opts.FewShot+spare, func(r data.Row) error {
		text, err := t.example(r)
		if err != nil {
			return fmt.Errorf("%w (few-shot example %d)", err, r.Index)
		}
		pool = append(pool, example{hash: data.Hash(r.Values), text: text})
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("few-shot examples: %w", err)
	}
	return pool, files, nil
}

func fewShotHeader(pool []example, own string, n int) (string, error) {
	var b strings.Builder
	taken := 0
	for _, e := range pool {
		if taken == n {
			break
		}
		if e.hash != own {
			b.WriteString(e.text)
			taken++
		}
	}
	if taken < n {
		return "", fmt.Errorf("%d few-shot examples asked for, but the split has %d; ask for fewer", n, taken)
	}
	return b.String(), nil
}

// prepared is the row with the fields its preparation adds.
func (t *Task) prepared(r data.Row) (data.Row, error) {
	prepare := preparations[t.def.Prepare]
	if prepare == nil {
		return r, nil
	}
	added, err := prepare(r)
	if err != nil {
		return r, err
	}
	for k, v := range r.Values {
		if _, ok := added[k]; !ok {
			added[k] = v
		}
	}
	r.Values = added
	return r, nil
}

// document makes one row's requests.
func (t *Task) document(row data.Row) (Doc, error) {
	doc := Doc{ID: row.Index, Hash: data.Hash(row.Values), Gold: -1}
	r, err := t.prepared(row)
	if err != nil {
		return doc, err
	}
	d := t.def
	if doc.Cluster, err = t.cluster(r); err != nil {
		return doc, err
	}
	switch {
	case t.Kind == RollingPerplexity:
		err = t.rolling(r, &doc)
	case t.Kind == LastWord:
		var context, continuation string
		if context, err = d.Context.render(r); err != nil {
			return doc, err
		}
		if continuation, err = d.Continuation.render(r); err != nil {
			return doc, err
		}
		doc.Requests = []Request{{Context: context, Continuation: continuation, Choice: continuation}}
	case d.Contexts != nil:
		err = t.manyContexts(r, &doc)
	default:
		err = t.manyChoices(r, &doc)
	}
	return doc, err
}

// manyChoices is the usual multiple choice: one context, a continuation per choice.
func (t *Task) manyChoices(r data.Row, doc *Doc) error {
	context, err := t.def.Context.render(r)
	if err != nil {
		return err
	}
	choices, err := t.def.Choices.texts(r)
	if err != nil {
		return err
	}
	if len(choices) == 0 {
		return fmt.Errorf("%s: the document has no choices", r.Where())
	}
	if doc.Gold, err = t.def.Gold.find(r, choices); err != nil {
		return err
	}
	for _, c := range choices {
		doc.Requests = append(doc.Requests, Request{Context: context, Continuation: t.def.delimiter() + c, Choice: c})
	}
	return nil
}

// manyContexts is partial evaluation (winogrande): one context per option, the same continuation
// after each. As in lm-evaluation-harness the choice that lengths are measured by is the context.
func (t *Task) manyContexts(r data.Row, doc *Doc) error {
	contexts, err := t.def.Contexts.texts(r)
	if err != nil {
		return err
	}
	if len(contexts) == 0 {
		return fmt.Errorf("%s: the document has no choices", r.Where())
	}
	continuation, err := t.def.Continuation.render(r)
	if err != nil {
		return err
	}
	if doc.Gold, err = t.def.Gold.find(r, contexts); err != nil {
		return err
	}
	for _, c := range contexts {
		doc.Requests = append(doc.Requests, Request{Context: c, Continuation: t.def.delimiter() + continuation, Choice: c})
	}
	return nil
}

func (t *Task) rolling(r data.Row, doc *Doc) error {
	scored, err := t.def.Text.render(r)
	if err != nil {
		return err
	}
	page := scored
	if t.def.Page != nil {
		if page, err = t.def.Page.render(r); err != nil {
			return err
		}
	}
	doc.Text, doc.Words, doc.Bytes = scored, pyWords(page), len(page)
	return nil
}

// example is a document with its answer, as it stands before others. Two quirks are
// lm-evaluation-harness': last_word has the delimiter here though its own request has none (so
// LAMBADA's examples have two spaces before the word), and an empty answer given as text leaves out
// the delimiter and the blank line too.
func (t *Task) example(row data.Row) (string, error) {
	doc, err := t.document(row)
	if err != nil {
		return "", err
	}
	delimiter := t.def.delimiter()
	if t.Kind == MultipleChoice && t.def.Contexts == nil {
		q := doc.Requests[doc.Gold]
		return q.Context + q.Continuation + exampleDelimiter, nil
	}
	q := doc.Requests[max(doc.Gold, 0)]
	answer := q.Continuation
	if t.Kind == MultipleChoice {
		answer = strings.TrimPrefix(answer, delimiter)
	}
	if answer == "" {
		return q.Context, nil
	}
	return q.Context + delimiter + answer + exampleDelimiter, nil
}
