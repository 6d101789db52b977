package eval

import (
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
)

// passkeyTask is the name under which passkey trials are recorded.
const passkeyTask = "passkey"

// plan adds every request of a shard that the journal lacks, of all tasks and the
// grid, to one plan: what any of them share is computed once.
func (w *Work) plan(p *lm.Plan, j *journal, part Shard) error {
	for _, t := range w.Tasks {
		for i := range t.Docs {
			if !part.has(t.Docs[i].ID) {
				continue
			}
			if err := planDoc(p, j, t.Task, &t.Docs[i]); err != nil {
				return err
			}
		}
	}
	if w.Passkey == nil {
		return nil
	}
	for i, trial := range w.Passkey.Trials {
		if !part.has(i) || j.done(passkeyTask, i, 0) {
			continue
		}
		if err := p.Generate(trial.Prompt, len(trial.Answer), func(tokens []int32) error {
			return j.add(rundir.Record{Task: passkeyTask, Doc: i, ContextTokens: len(trial.Prompt), ContinuationTokens: len(tokens), Generated: tokens})
		}); err != nil {
			return err
		}
	}
	return nil
}

func planDoc(p *lm.Plan, j *journal, t *tasks.Task, d *tasks.Doc) error {
	if t.Kind == tasks.RollingPerplexity {
		if j.done(t.Name, d.ID, 0) {
			return nil
		}
		return p.Rolling(d.Text, func(r lm.RollingResult) error {
			rec := rundir.Record{Task: t.Name, Doc: d.ID, LogLikelihood: r.LogLikelihood, ContinuationTokens: r.Tokens, Windows: r.Windows}
			for _, b := range r.ByPosition {
				rec.ByPosition = append(rec.ByPosition, rundir.Position(b))
			}
			return j.add(rec)
		})
	}
	for k, q := range d.Requests {
		if j.done(t.Name, d.ID, k) {
			continue
		}
		if err := p.Loglikelihood(lm.Request{Context: q.Context, Continuation: q.Continuation}, func(r lm.Result) error {
			return j.add(rundir.Record{
				Task: t.Name, Doc: d.ID, Request: k, LogLikelihood: r.LogLikelihood, Greedy: r.Greedy,
				ContextTokens: r.ContextTokens, ContinuationTokens: r.ContinuationTokens, Truncated: r.Truncated,
			})
		}); err != nil {
			return err
		}
	}
	return nil
}
