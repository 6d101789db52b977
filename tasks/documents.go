package tasks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/data"
)

// exampleDelimiter stands after each few-shot example: a blank line.
const exampleDelimiter = "\n\n"

// Documents reads the task's documents and makes their requests. It returns the files that were
// read, the few-shot split's last. Errors name the file and the line or row.
//
// Few-shot examples are the first FewShot documents of the split that dataset.train names, in its
// order, less any that equals the document itself; where it names none, of the split train, validation
// or dev, the first that the data has and that is not evaluated. They come from the evaluated split
// only where dataset.train names that very split. That is lm-evaluation-harness with fewshot_config
// {sampler: first_n}, whose sampler leaves the document out too wherever few-shot and evaluated split
// are the same; with sampler: random they are its default's draws. An example is context, delimiter,
// right choice, blank line.
func (t *Task) Documents(ctx context.Context, src data.Source, opts Options) ([]Doc, []data.File, error) {
	if opts.Limit < 0 || opts.FewShot < 0 {
		return nil, nil, fmt.Errorf("task %s: limit and fewshot must not be negative", t.Name)
	}
	if !t.TakesExamples() && opts.FewShot > 0 {
		return nil, nil, fmt.Errorf("task %s: a perplexity task takes no few-shot examples; run it without --fewshot", t.Name)
	}
	if t.maker != nil {
		docs, files, err := t.maker.Documents(ctx, src, opts)
		if err != nil {
			return nil, nil, fmt.Errorf("task %s: %w", t.Name, err)
		}
		t.settleClusters(docs)
		return docs, files, nil
	}
	examples, exampleFiles, err := t.examples(ctx, src, opts)
	if err != nil {
		return nil, nil, fmt.Errorf("task %s: %w", t.Name, err)
	}
	limit := opts.Limit
	if opts.Share > 0 {
		limit = 0
	}
	docs, files, err := data.Keep(func(each func(Doc) error) ([]data.File, error) {
		size := textSize{}
		examples.restart(opts.FewShotSeed)
		return src.Read(ctx, t.Dataset, t.Splits, limit, func(r data.Row) error {
			doc, err := t.document(r)
			if err != nil {
				return fmt.Errorf("%w (document %d)", err, r.Index)
			}
			var chosen []example
			if opts.FewShot > 0 {
				if chosen, err = examples.choose(doc.Hash, opts.FewShot); err != nil {
					return err
				}
			}
			if err := t.prompts(&doc, chosen, &opts); err != nil {
				return fmt.Errorf("%s: %w (document %d)", r.Where(), err, r.Index)
			}
			if err := size.add(&doc, r); err != nil {
				return err
			}
			return each(doc)
		})
	}, (*Doc).memory)
	if err != nil {
		return nil, nil, fmt.Errorf("task %s: %w", t.Name, err)
	}
	if len(files) > 0 && t.Train != files[0].Split {
		if err := otherBytes(exampleFiles, files); err != nil {
			return nil, nil, fmt.Errorf("task %s: few-shot examples: %w", t.Name, err)
		}
	}
	docs = docs[:opts.Limited(len(docs))]
	t.settleClusters(docs)
	return docs, append(files, exampleFiles...), nil
}

// exampleSplit is the split that examples come from, where the files of the split evaluated are tested.
func (t *Task) exampleSplit(ctx context.Context, src data.Source, tested []string, evaluated string) (string, error) {
	if t.Train == evaluated {
		return evaluated, nil // the task says so itself
	}
	candidates := []string{"train", "validation", "dev"}
	if t.Train != "" {
		candidates = []string{t.Train}
	}
	for _, split := range candidates {
		if split == evaluated || t.Dataset.Path == "" && len(t.Dataset.Files[split]) == 0 {
			continue
		}
		paths, _, err := src.Locate(ctx, t.Dataset, split)
		var none *data.NotFoundError
		if t.Train == "" && errors.As(err, &none) {
			continue
		}
		if err != nil {
			return "", err
		}
		for _, p := range paths {
			if slices.ContainsFunc(tested, func(q string) bool { return sameFile(p, q) }) {
				return "", fmt.Errorf("%s is a file of the tested split %q, and not of %q: examples from it would hold what is asked", p, evaluated, split)
			}
		}
		return split, nil
	}
	if t.Train != "" {
		return "", fmt.Errorf("the task names no files for the split %s", t.Train)
	}
	return "", fmt.Errorf("beside the tested split %q the data has none of %s; name a split in the task's dataset.train (%q itself takes them from it, less the document)",
		evaluated, strings.Join(candidates, ", "), evaluated)
}

// otherBytes refuses files of examples that are copies of the tested ones.
func otherBytes(examples, tested []data.File) error {
	for _, e := range examples {
		for _, f := range tested {
			if e.SHA256 == f.SHA256 {
				return fmt.Errorf("%s is a copy of %s, which the tested split %q holds: examples from it would hold what is asked", e.Path, f.Path, f.Split)
			}
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// ExamplesNote says where few-shot examples came from, of the files that Documents returned; "" where
// that needs no word: the split the task names, not the tested one.
func (t *Task) ExamplesNote(files []data.File) string {
	if len(files) == 0 {
		return ""
	}
	tested, from := files[0].Split, files[len(files)-1]
	switch {
	case t.maker != nil:
	case t.Train == tested:
		return fmt.Sprintf("%s: its few-shot examples are of the tested split %q itself, as the task says, less the document that is asked", t.Name, tested)
	case t.Train == "" && from.Split != tested:
		return fmt.Sprintf("%s: the task names no split for few-shot examples; they are of %q (%s)", t.Name, from.Split, from.Path)
	}
	return ""
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
	if doc.Cluster, err = t.cluster(r); err != nil {
		return doc, err
	}
	return doc, kindOf(t.Kind).Requests(t, r, &doc)
}

// example is a document with its answer, as it stands before others.
func (t *Task) example(row data.Row) (worked, error) {
	doc, err := t.document(row)
	if err != nil {
		return worked{}, err
	}
	return kindOf(t.Kind).Example(t, &doc), nil
}
