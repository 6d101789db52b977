package eval

import (
	"context"

	"github.com/softbench/softbench/lm"
)

// dealt are the documents of a run that a part computes; nil is all of them.
type dealt map[docKey]bool

// docKey is a document of a part of a suite.
type docKey struct {
	part string
	doc  int
}

func (d dealt) has(part string, doc int) bool { return d == nil || d[docKey{part, doc}] }

// deal divides the run among shard.Of processes and returns what this one computes. The parts
// are as even as can be in distinct tokens; documents with a common beginning stay together as far
// as that allows. Each process finds the same division, for which each reads and tokenises
// all documents.
func (w *Work) deal(ctx context.Context, m *Model, shard Shard) (dealt, error) {
	if shard.Of <= 1 {
		return nil, nil
	}
	plan, all, err := w.plan(ctx, m, newJournal(), nil)
	if err != nil {
		return nil, err
	}
	var documents []docKey
	of := make([]int, len(all)) // the document of each request
	for i, a := range all {
		k := docKey{a.of.name(), a.doc.ID}
		if len(documents) == 0 || documents[len(documents)-1] != k { // a document's requests follow each other
			documents = append(documents, k)
		}
		of[i] = len(documents) - 1
	}
	groups := len(documents)
	var alone []int
	if d := w.Diagnostics; d != nil {
		for i := range d.units {
			documents, alone = append(documents, docKey{d.name(), i}), append(alone, d.tokensOf(i))
		}
	}
	parts, err := await(ctx, func() ([]int, error) { return plan.Deal(ctx, of, groups, alone, shard.Of) })
	if err = encoded(ctx, m, err); err != nil {
		return nil, err
	}
	mine := dealt{}
	for i, part := range parts {
		if part == shard.Number-1 {
			mine[documents[i]] = true
		}
	}
	return mine, nil
}

// preparePlan turns a plan's texts into tokens, and says where that failed.
func preparePlan(ctx context.Context, m *Model, p *lm.Plan) (*lm.Prepared, error) {
	prepared, err := await(ctx, func() (*lm.Prepared, error) { return p.Prepare(ctx) })
	return prepared, encoded(ctx, m, err)
}

// encoded is the error of turning texts into tokens.
func encoded(ctx context.Context, m *Model, err error) error {
	if wrong := m.Tokenizer.Err(); wrong != nil && ctx.Err() == nil {
		return wrong // first: what else is wrong may come of it
	}
	return err
}
