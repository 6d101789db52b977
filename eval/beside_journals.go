package eval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/lm/answer"
	"github.com/softbench/softbench/reports/rundir"
)

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
