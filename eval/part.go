package eval

import (
	"context"
	"slices"

	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
)

// part is what a suite asks of a model under one name, of whatever kind: a task, a passkey
// grid, diagnostics.
type part interface {
	// name is what its answers and rows are kept under; no two parts of a run share one.
	name() string
	// documents have its requests: they are planned with all others, journaled and sharded.
	documents() []tasks.Doc
	// calls says in errors which request of a document it is.
	calls(doc *tasks.Doc, request int) string
	// settings adds what its numbers depend on.
	settings(s *rundir.Settings)
	// report adds what follows from the answers to the run, and returns the rows of its documents.
	report(run *rundir.Run, m *Model, answers func(*tasks.Doc) ([]answer.Answer, error)) ([]rundir.Sample, error)
}

// parts are all of a run's, in the order in which they are asked and reported.
func (w *Work) parts() (out []part) {
	for i := range w.Tasks {
		out = append(out, &w.Tasks[i])
	}
	if w.Passkey != nil {
		out = append(out, w.Passkey)
	}
	if w.Diagnostics != nil {
		out = append(out, w.Diagnostics)
	}
	return out
}

// generates says whether a task has text generated.
func (w *Work) generates() bool {
	return slices.ContainsFunc(w.Tasks, func(t TaskWork) bool { return t.Task.Generation != nil })
}

// requests yields every request of a run, in order.
func (w *Work) requests(yield func(recordKey) bool) {
	for _, p := range w.parts() {
		for _, d := range p.documents() {
			for k := range d.Requests {
				if !yield(recordKey{p.name(), d.ID, k}) {
					return
				}
			}
		}
	}
}

// asked is a request of a plan: which it is.
type asked struct {
	of      part
	doc     *tasks.Doc
	request int
}

// prepare makes one plan of every request of a shard that the journal lacks, of
// all parts: what any of them share is computed once. Whatever is wrong with a
// request is an error here, before any is computed.
func (w *Work) prepare(ctx context.Context, m *Model, j *journal, shard dealt) (*lm.Prepared, error) {
	plan, _, err := w.plan(ctx, m, j, shard)
	if err != nil {
		return nil, err
	}
	return preparePlan(ctx, m, plan)
}

// plan is that of prepare, and whose request each of it is.
func (w *Work) plan(ctx context.Context, m *Model, j *journal, shard dealt) (*lm.Plan, []asked, error) {
	plan := m.LM.NewPlan()
	var all []asked // in the plan's order
	plan.Name = func(i int) string { return all[i].of.calls(all[i].doc, all[i].request) }
	for _, p := range w.parts() {
		if p == part(w.Diagnostics) { // in a pass of its own
			continue
		}
		docs := p.documents()
		for i := range docs {
			d := &docs[i]
			if !shard.has(p.name(), d.ID) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			for k := range d.Requests {
				if j.done(p.name(), d.ID, k) {
					continue
				}
				all = append(all, asked{p, d, k})
				if err := ask(plan, &d.Requests[k], func(a answer.Answer) error {
					return j.add(rundir.Record{Task: p.name(), Doc: d.ID, Request: k, Answer: a})
				}); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	return plan, all, nil
}

// ask adds a request to a plan.
func ask(plan *lm.Plan, q *tasks.Request, done func(answer.Answer) error) error {
	switch q.Ask {
	case tasks.WholeText:
		return plan.Rolling(q.Text, done)
	case tasks.Decoding:
		return plan.Generate(q.Prompt, q.Tokens, done)
	case tasks.Generating:
		return plan.GenerateUntil(lm.Generation{Context: q.Context, Until: q.Until, MaxTokens: q.Tokens}, done)
	}
	return plan.Loglikelihood(lm.Request{Context: q.Context, Continuation: q.Continuation}, done)
}

// report turns what the journal has into metrics and rows, in the order of the suite's
// parts and documents whatever the order they were computed in.
func (w *Work) report(run *rundir.Run, j *journal, m *Model) ([]rundir.Sample, error) {
	var samples []rundir.Sample
	for _, p := range w.parts() {
		rows, err := p.report(run, m, j.answersOf(p))
		if err != nil {
			return nil, err
		}
		samples = append(samples, rows...)
	}
	return samples, nil
}

// rowsOf are a document's rows with what every kind's have; a kind adds its own columns.
func rowsOf(task string, kind tasks.Kind, d *tasks.Doc, answers []answer.Answer) []rundir.Sample {
	rows := make([]rundir.Sample, len(answers))
	for k, a := range answers {
		s := rundir.Sample{
			Task: task, Kind: string(kind), DocID: int32(d.ID), DocHash: d.Hash, Cluster: d.Cluster, Request: int32(k),
			ContextTokens: int32(a.ContextTokens), ContinuationTokens: int32(a.ContinuationTokens), Truncated: int32(a.Truncated),
		}
		if d.Gold >= 0 {
			s.Gold = ptr(int32(d.Gold))
		}
		scored := a.Unscored == ""
		if !scored {
			s.Unscored = ptr(string(a.Unscored))
		}
		switch q := &d.Requests[k]; q.Ask {
		case tasks.Loglikelihood:
			s.Context, s.Choice, s.Continuation = ptr(q.Context), ptr(q.Choice), ptr(q.Continuation)
			if scored {
				s.LogLikelihood, s.IsGreedy = ptr(a.LogLikelihood), ptr(a.Greedy)
			}
		case tasks.WholeText:
			s.LogLikelihood = ptr(a.LogLikelihood)
			s.Words, s.Bytes, s.Windows = ptr(int64(d.Words)), ptr(int64(d.Bytes)), ptr(int32(a.Windows))
			for _, p := range a.ByPosition {
				s.PositionLikelihood = append(s.PositionLikelihood, p.LogLikelihood)
				s.PositionTokens = append(s.PositionTokens, int32(p.Tokens))
			}
		case tasks.Decoding:
			s.ContextTokens, s.ContinuationTokens = int32(len(q.Prompt)), int32(len(a.Generated))
		case tasks.Generating:
			s.Context, s.Generated, s.Ended, s.Targets = ptr(q.Context), ptr(a.Text), ptr(string(a.Ended)), d.Targets
		}
		rows[k] = s
	}
	return rows
}

func ptr[T any](v T) *T { return &v }
