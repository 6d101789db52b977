package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
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

// sameTokens refuses side i where its distributions are not over the first one's tokens.
func (b *besideRun) sameTokens(i int) error {
	of := func(m *Model) tokensOf {
		return tokensOf{m.Tokenizer.ContentSHA256(), m.Checkpoint.Config.Vocab, m.LM.MaxLength()}
	}
	return of(b.models[0]).same(of(b.models[i]), b.sides[0].Name, b.sides[i].Name)
}

// SameTokens refuses two checkpoints whose distributions are not over the same tokens; maxLength,
// not 0, is what both are given for a context.
func SameTokens(a, b *Inspection, maxLength int, nameA, nameB string) error {
	of := func(in *Inspection) tokensOf {
		return tokensOf{in.TokenizerContent, in.Vocab, cmp.Or(maxLength, in.MaxLength)}
	}
	return of(a).same(of(b), nameA, nameB)
}

// tokensOf is what two models' distributions have to have in common.
type tokensOf struct {
	tokenizer     string // hash of what it says
	vocab, length int
}

func (a tokensOf) same(b tokensOf, nameA, nameB string) error {
	names := nameA + " and " + nameB
	const nothing = "; nothing was computed"
	switch {
	case a.tokenizer != b.tokenizer:
		return fmt.Errorf("%s have different tokenizers: their distributions of a next token are not over the same tokens%s", names, nothing)
	case a.vocab != b.vocab:
		return fmt.Errorf("%s have vocabularies of %d and %d tokens: a distribution over one is not one over the other%s", names, a.vocab, b.vocab, nothing)
	case a.length != b.length:
		return fmt.Errorf("%s have contexts of %d and %d tokens: --max-length %d gives both the same%s", names, a.length, b.length, min(a.length, b.length), nothing)
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

// openJournals begins the runs and the divergences, or goes on with them.
func (b *besideRun) openJournals(ctx context.Context) error {
	n := len(b.sides)
	b.journals, b.divergences, b.whole = make([]*journal, n), make([]*rundir.DivergenceWriter, n), make([][]rundir.DivergenceRecord, n)
	taken := map[string]bool{}
	for i := range b.sides {
		o := &b.sides[i].Run
		o.Resume = true
		s, err := settingsOf(ctx, b.models[i], b.work, *o)
		if err != nil {
			return fmt.Errorf("%s: %w", b.sides[i].Name, err)
		}
		b.settings = append(b.settings, s)
		j, err := b.openFirst(ctx, o, s, planOf(b.models[i], b.work, *o, nil), taken)
		if err != nil {
			return fmt.Errorf("%s: %w", b.sides[i].Name, err)
		}
		taken[o.Out], b.journals[i] = true, j
		if i == 0 {
			continue
		}
		if b.divergences[i], b.whole[i], err = rundir.OpenDivergences(ctx, b.divergenceDir(i), b.settings[0], s); err != nil {
			return fmt.Errorf("%s: %w", b.sides[i].Name, err)
		}
	}
	return nil
}

func (b *besideRun) divergenceDir(i int) string {
	return DivergenceDir(b.sides[0].Run.Out, b.sides[i].Run.Out)
}

// DivergenceDir is where the divergences of two runs are kept: beside the other's directory, hidden, so
// that a pattern such as runs/* has runs alone.
func DivergenceDir(first, other string) string {
	return filepath.Join(filepath.Dir(other), ".kl-"+filepath.Base(first)+"-"+filepath.Base(other))
}

// openFirst opens the journal of a run in its directory, or in the first that is numbered from 2
// where runs with other settings are. A run that is complete, or whose directory another side
// has taken with the same settings, has none.
func (b *besideRun) openFirst(ctx context.Context, o *RunOptions, s rundir.Settings, plan *rundir.Plan, taken map[string]bool) (*journal, error) {
	const most = 20
	dir := o.Out
	for n := 1; ; n++ {
		if n > 1 {
			o.Out = fmt.Sprintf("%s-%d", dir, n)
		}
		if taken[o.Out] {
			return nil, nil
		}
		j := newJournal()
		err := j.open(ctx, *o, s, plan)
		switch {
		case err == nil:
			return j, nil
		case errors.Is(err, rundir.ErrFinished):
			return nil, nil
		case errors.Is(err, rundir.ErrOther) && n < most && !b.exact:
			continue
		case errors.Is(err, fs.ErrPermission):
			return nil, fmt.Errorf("its run cannot be kept: %w", err)
		default:
			return nil, err
		}
	}
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

// done says whether every side has a request's results.
func (b *besideRun) done(task string, doc, request int) bool {
	for i := range b.sides {
		if j := b.journals[i]; j != nil && !j.done(task, doc, request) {
			return false
		}
		if d := b.divergences[i]; d != nil && !d.Done(task, doc, request) {
			return false
		}
	}
	return true
}

// add gives each side what it lacks.
func (b *besideRun) add(r rundir.Record, first answer.Answer, others []lm.Beside) error {
	b.last.under = r.Task
	for i := range b.sides {
		own := r
		own.Answer = first // of a request that cannot be scored, everyone's
		if i > 0 && len(others) > 0 {
			own.Answer = others[i-1].Answer
		}
		if j := b.journals[i]; j != nil && !j.done(r.Task, r.Doc, r.Request) {
			if err := j.add(own); err != nil {
				return err
			}
		}
		if d := b.divergences[i]; d != nil && !d.Done(r.Task, r.Doc, r.Request) {
			var tokens []answer.Divergence
			if len(others) > 0 {
				tokens = others[i-1].Tokens
			}
			if err := d.Add(rundir.NewDivergenceRecord(r.Task, r.Doc, r.Request, tokens)); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush hands everything to the system, and with whole waits until it is on the disk.
func (b *besideRun) flush(whole bool) error {
	for i, j := range b.journals {
		d := b.divergences[i]
		switch {
		case whole:
			if j != nil {
				if err := j.sync(); err != nil {
					return err
				}
			}
			if d != nil {
				if err := d.Sync(); err != nil {
					return err
				}
			}
		default:
			if j != nil {
				if err := j.flush(); err != nil {
					return err
				}
			}
			if d != nil {
				if err := d.Flush(); err != nil {
					return err
				}
			}
		}
	}
	return nil
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
