package eval

import (
	"context"
	"fmt"

	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
)

// passkeyTask is the name under which passkey trials are recorded.
const passkeyTask = "passkey"

// planning adds requests to a plan, and remembers what each of them is.
type planning struct {
	plan  *lm.Plan
	to    *journal
	names []recordKey // of the plan's requests, in order
}

// prepare makes one plan of every request of a shard that the journal lacks, of
// all tasks and the grid: what any of them share is computed once. Whatever is
// wrong with a request is an error here, before any is computed.
func (w *Work) prepare(ctx context.Context, m *Model, j *journal, part Shard) (*lm.Prepared, error) {
	p := &planning{plan: m.LM.NewPlan(), to: j}
	p.plan.Name = func(i int) string { return w.name(p.names[i]) }
	for _, t := range w.Tasks {
		for i := range t.Docs {
			if !part.has(t.Docs[i].ID) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := p.document(t.Task, &t.Docs[i]); err != nil {
				return nil, err
			}
		}
	}
	if w.Passkey != nil {
		for i := range w.Passkey.Trials {
			if !part.has(i) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := p.trial(w.Passkey, i); err != nil {
				return nil, err
			}
		}
	}
	return preparePlan(ctx, m, p.plan)
}

// name says in errors which request a key is.
func (w *Work) name(k recordKey) string {
	for _, t := range w.Tasks {
		if t.Task.Name != k.task {
			continue
		}
		if t.Task.Kind == tasks.MultipleChoice {
			return fmt.Sprintf("task %s document %d choice %d", k.task, k.doc, k.request)
		}
		return fmt.Sprintf("task %s document %d", k.task, k.doc)
	}
	t := w.Passkey.Trials[k.doc]
	return fmt.Sprintf("passkey length %d depth %g trial %d", t.Length, t.Depth, t.Trial)
}

// wants notes a request that the journal lacks; false where it has it.
func (p *planning) wants(task string, doc, request int) bool {
	if p.to.done(task, doc, request) {
		return false
	}
	p.names = append(p.names, recordKey{task, doc, request})
	return true
}

func (p *planning) trial(w *PasskeyWork, i int) error {
	if !p.wants(passkeyTask, i, 0) {
		return nil
	}
	trial := w.Trials[i]
	return p.plan.Generate(trial.Prompt, len(trial.Answer), func(tokens []int32) error {
		return p.to.add(rundir.Record{Task: passkeyTask, Doc: i, ContextTokens: len(trial.Prompt), ContinuationTokens: len(tokens), Generated: tokens})
	})
}

func (p *planning) document(t *tasks.Task, d *tasks.Doc) error {
	if t.Kind == tasks.RollingPerplexity {
		return p.text(t, d)
	}
	for k, q := range d.Requests {
		if !p.wants(t.Name, d.ID, k) {
			continue
		}
		if err := p.plan.Loglikelihood(lm.Request{Context: q.Context, Continuation: q.Continuation}, func(r lm.Result) error {
			return p.to.add(rundir.Record{
				Task: t.Name, Doc: d.ID, Request: k, LogLikelihood: r.LogLikelihood, Greedy: r.Greedy,
				ContextTokens: r.ContextTokens, ContinuationTokens: r.ContinuationTokens, Truncated: r.Truncated,
				Unscored: string(r.Unscored),
			})
		}); err != nil {
			return err
		}
	}
	return nil
}

func (p *planning) text(t *tasks.Task, d *tasks.Doc) error {
	if !p.wants(t.Name, d.ID, 0) {
		return nil
	}
	return p.plan.Rolling(d.Text, func(r lm.RollingResult) error {
		rec := rundir.Record{Task: t.Name, Doc: d.ID, LogLikelihood: r.LogLikelihood, ContinuationTokens: r.Tokens, Windows: r.Windows}
		for _, b := range r.ByPosition {
			rec.ByPosition = append(rec.ByPosition, rundir.Position(b))
		}
		return p.to.add(rec)
	})
}
