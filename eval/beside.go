package eval

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
	"github.com/softbench/softbench/tasks/data"
)

// Side is a run of several that are computed side by side.
type Side struct {
	Name string // in errors
	Run  RunOptions
}

// Beside is a run of them that is finished, with how far it is from the first one; of the first
// one itself there is no divergence.
type Beside struct {
	Out         string // its directory: the one asked for, or where runs with other settings are in that, another
	Divergences []rundir.DivergenceRecord
}

// RunBeside computes several models' runs of the same suites over the same documents, each in
// a directory of its own, side by side: every loglikelihood of all of them in one pass over one
// forest, and of each but the first how far it is from the first. Runs and divergences are kept
// as they come and gone on with. What keeps models from being held against each other is an error
// before any weight is read.
//
// Runs are to the byte, but for the clock, what each is by itself. Where a directory holds a run
// with other settings, the next that is numbered is taken, or with exact that is an error.
func RunBeside(ctx context.Context, sides []Side, exact bool) ([]Beside, error) {
	start := time.Now()
	b := &besideRun{sides: sides, exact: exact}
	defer b.close()
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	if err := b.gather(ctx); err != nil {
		return nil, err
	}
	for i, m := range b.models {
		if err := m.load(ctx, b.sides[i].Run.Model); err != nil {
			return nil, fmt.Errorf("%s: %w", sides[i].Name, err)
		}
	}
	for i, m := range b.models { // when all weights are in memory, of which a bound is a part
		b.sides[i].Run.loaded(m)
	}
	if err := b.openJournals(ctx); err != nil {
		return nil, err
	}
	if err := b.compute(ctx); err != nil {
		return nil, err
	}
	return b.finish(ctx, start)
}

// besideRun is a RunBeside on its way.
type besideRun struct {
	sides  []Side
	exact  bool
	models []*Model
	work   *Work // the same for all: documents and tokenizer are

	journals    []*journal // of each side; nil: its run is complete, or another side's
	divergences []*rundir.DivergenceWriter
	whole       [][]rundir.DivergenceRecord // of those without a writer
	settings    []rundir.Settings
	last        journal // of no run: it has the task of the last result, for the progress
}

// open opens all models without their weights, and refuses those whose distributions are over
// different tokens.
func (b *besideRun) open(ctx context.Context) error {
	for i := range b.sides {
		o := &b.sides[i].Run
		o.Model.Download, o.Model.Note = o.Download, o.Note
		m, err := open(ctx, o.Model)
		if err != nil {
			return fmt.Errorf("%s: %w", b.sides[i].Name, err)
		}
		b.models = append(b.models, m)
		if err := b.sameTokens(i); err != nil {
			return err
		}
		if first := b.models[0]; m.Chat != nil && first.Chat != nil && m.Chat.SHA256() != first.Chat.SHA256() {
			return fmt.Errorf("%s and %s have different chat templates: they would not be asked the same; nothing was computed", b.sides[0].Name, b.sides[i].Name)
		}
	}
	return nil
}

// gather reads the documents, once for all.
func (b *besideRun) gather(ctx context.Context) error {
	o := &b.sides[0].Run
	suite, notes, err := resolve(ctx, *o)
	if err != nil {
		return err
	}
	source := data.NewSource(o.Data)
	source.Download, source.Notify = o.Download, o.Note
	if b.work, err = gatherTasks(ctx, suite, notes, source, o.Prompts.of(b.models[0].Chat), o.absent()); err != nil {
		return err
	}
	if len(b.work.Tasks) == 0 {
		return errors.New("there is nothing that divergences could be measured on: passkey retrieval and diagnostics are not scored texts; name a task with --suite, or a text with --data")
	}
	if err := b.work.addPrompts(ctx, suite, b.models[0]); err != nil {
		return err
	}
	for _, m := range b.models[1:] {
		if err := m.apart(b.work); err != nil {
			return err
		}
	}
	for _, n := range b.work.Notes {
		o.Note(n)
	}
	return nil
}

// compute runs all scored requests that a run or a divergence lacks, in one forest.
func (b *besideRun) compute(ctx context.Context) error {
	var models []*engine.Model
	for _, m := range b.models {
		models = append(models, m.Engine)
	}
	together, err := engine.Beside(models...)
	if err != nil {
		return err
	}
	first := *b.models[0]
	first.Engine = together
	if err := first.newLM(b.sides[0].Run.Model); err != nil {
		return err
	}
	prepared, err := b.prepare(ctx, &first)
	if err != nil {
		return err
	}
	o := &b.sides[0].Run
	scored := Work{Tasks: b.work.Tasks}
	told, err := o.telling(ctx, &first, &scored, prepared, prepared.Tokens(), &b.last, nil)
	if err != nil {
		return err
	}
	synced := time.Now()
	_, err = prepared.Run(ctx, lm.RunOptions{
		BatchTokens: o.BatchTokens, Memory: o.Memory,
		Progress: func(done engine.Stats) error {
			told.scored(done)
			whole := time.Since(synced) >= syncInterval
			if whole {
				synced = time.Now()
			}
			return b.flush(whole)
		},
	})
	if syncErr := b.flush(true); err == nil {
		err = syncErr
	}
	if err != nil {
		return err
	}
	for i, d := range b.divergences {
		if d != nil {
			if err := d.Finish(); err != nil {
				return err
			}
			if b.whole[i], err = rundir.ReadDivergences(ctx, b.divergenceDir(i), b.settings[0], b.settings[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare makes one plan of every scored request that some side lacks.
func (b *besideRun) prepare(ctx context.Context, m *Model) (*lm.Prepared, error) {
	plan := m.LM.NewPlan()
	var all []asked
	plan.Name = func(i int) string { return all[i].of.calls(all[i].doc, all[i].request) }
	for t := range b.work.Tasks {
		p := &b.work.Tasks[t]
		for i := range p.Docs {
			d := &p.Docs[i]
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			for k := range d.Requests {
				if q := &d.Requests[k]; q.Ask != tasks.Decoding && !b.done(p.name(), d.ID, k) {
					all = append(all, asked{p, d, k})
					if err := askBeside(plan, q, func(first answer.Answer, others []lm.Beside) error {
						return b.add(rundir.Record{Task: p.name(), Doc: d.ID, Request: k}, first, others)
					}); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	return preparePlan(ctx, m, plan)
}

func askBeside(plan *lm.Plan, q *tasks.Request, done func(answer.Answer, []lm.Beside) error) error {
	if q.Ask == tasks.WholeText {
		return plan.RollingBeside(q.Text, done)
	}
	return plan.LoglikelihoodBeside(lm.Request{Context: q.Context, Continuation: q.Continuation}, done)
}

// finish computes what is left of each run, as passkey retrieval and diagnostics, and ends it.
func (b *besideRun) finish(ctx context.Context, start time.Time) ([]Beside, error) {
	out := make([]Beside, len(b.sides))
	for i := range b.sides {
		o := b.sides[i].Run
		out[i] = Beside{Out: o.Out, Divergences: b.whole[i]}
		if b.journals[i] == nil {
			continue
		}
		b.journals[i].close()
		b.journals[i] = nil
		if _, err := runLoaded(ctx, b.models[i], b.work, o, start); err != nil {
			return nil, fmt.Errorf("%s: %w", b.sides[i].Name, err)
		}
	}
	return out, nil
}

// close lets go of everything; what was kept stays.
func (b *besideRun) close() {
	for _, j := range b.journals {
		if j != nil {
			j.close()
		}
	}
	for _, d := range b.divergences {
		if d != nil {
			d.Close()
		}
	}
	for _, m := range b.models {
		m.Close()
	}
}
