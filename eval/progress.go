package eval

import (
	"context"
	"time"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/tasks"
)

// Phase is what a run is doing.
type Phase string

// The phases. Texts are generated among the scoring of others: the phase is that of Progress.Task.
const (
	Scoring    Phase = "scoring"
	Generating Phase = "generating"
	Observing  Phase = "diagnostics" // looks at attention and activations
)

// Progress is how far a run is.
type Progress struct {
	Phase  Phase
	Task   string        // whose request was done last, or is the first to be; "" of diagnostics
	Tokens int64         // done, those of an earlier process included
	Of     int64         // in all; of texts that are decoded, as far as is known
	Speed  float64       // tokens a second, of this process
	Left   time.Duration // that the rest takes, by what it consists of; 0: not known yet
}

// meter makes progress of what is done.
type meter struct {
	cost     *cost
	foreseen engine.Stats
	before   int64 // tokens of an earlier process
	last     engine.Stats
	began    time.Time
	at       time.Time // of last

	// Of diagnostics, which come last and take another time for the same work.
	toObserve engine.Stats
	observing *cost
	observed  engine.Stats
}

func newMeter(c *checkpoint.Config, foreseen, toObserve engine.Stats, before int64, now time.Time) *meter {
	return &meter{cost: newCost(c), foreseen: foreseen, before: before, began: now, at: now, toObserve: toObserve, observing: newCost(c)}
}

// progress takes all that was scored and generated.
func (m *meter) progress(done engine.Stats, now time.Time) Progress {
	w := done.Work()
	m.cost.observe(w.Minus(m.last.Work()), now.Sub(m.at))
	m.last, m.at = done, now
	return m.now(left(m.foreseen, done), now)
}

// observe takes all that diagnostics looked at, after the last of progress.
func (m *meter) observe(done engine.Stats, now time.Time) Progress {
	w := done.Work()
	m.observing.observe(w.Minus(m.observed.Work()), now.Sub(m.at))
	m.observed, m.at = done, now
	return m.now(engine.Work{}, now)
}

// now is the progress with rest left to be scored and generated.
func (m *meter) now(rest engine.Work, now time.Time) Progress {
	done := m.last.Tokens + m.observed.Tokens
	look := m.toObserve.Work().Minus(m.observed.Work())
	p := Progress{Tokens: m.before + done, Of: m.before + done + rest.Rows + look.Rows}
	if t := now.Sub(m.began).Seconds(); t > 0 {
		p.Speed = float64(done) / t
	}
	looking := m.observing
	if !looking.known() { // then as long as scoring takes
		looking = m.cost
	}
	if m.cost.known() {
		p.Left += m.cost.takes(rest)
	}
	if looking.known() {
		p.Left += looking.takes(look)
	}
	return p
}

// teller tells how far a run is, and in which task. A nil one tells nothing.
type teller struct {
	meter *meter
	tell  func(Progress)
	work  *Work
	under func() string // the task of the last result, "": none came yet
	first string
}

// telling makes a teller of a plan, of all tokens of the part, that computes what the journal lacks.
func (o *RunOptions) telling(ctx context.Context, m *Model, w *Work, p *lm.Prepared, whole int64, j *journal, part dealt) (*teller, error) {
	if o.Progress == nil {
		return nil, nil
	}
	foreseen, err := p.Foresee(ctx, lm.RunOptions{BatchTokens: o.BatchTokens, Memory: o.Memory})
	if err != nil {
		return nil, err
	}
	before := whole - p.Tokens()
	var toObserve engine.Stats
	if d := w.Diagnostics; d != nil {
		rest := d.rest(j, part)
		if toObserve, err = m.Engine.Foresee(ctx, rest.all(d), engine.RunOptions{BatchTokens: o.BatchTokens, Memory: o.Memory}); err != nil {
			return nil, err
		}
		before += d.tokensIn(part) - toObserve.Tokens
	}
	t := &teller{
		meter: newMeter(&m.Checkpoint.Config, foreseen, toObserve, before, time.Now()), tell: o.Progress, work: w,
		under: func() string { return j.under }, first: w.firstLeft(j, part),
	}
	return t, nil
}

func (t *teller) scored(done engine.Stats) {
	if t == nil {
		return
	}
	p := t.meter.progress(done, time.Now())
	if p.Task = t.under(); p.Task == "" {
		p.Task = t.first
	}
	p.Phase = t.work.phase(p.Task)
	t.tell(p)
}

func (t *teller) observed(done engine.Stats) {
	if t == nil {
		return
	}
	p := t.meter.observe(done, time.Now())
	p.Phase = Observing
	t.tell(p)
}

// phase is what is done for a task.
func (w *Work) phase(task string) Phase {
	for i := range w.Tasks {
		if t := w.Tasks[i].Task; t.Name == task && t.Generation != nil {
			return Generating
		}
	}
	if w.Passkey != nil && task == w.Passkey.name() {
		return Generating
	}
	return Scoring
}

// firstLeft is the first task of a part of the run that has a request to compute.
func (w *Work) firstLeft(j *journal, part dealt) string {
	for k := range w.requests {
		if k.task != string(tasks.Diagnostics) && part.has(k.task, k.doc) && !j.done(k.task, k.doc, k.request) {
			return k.task
		}
	}
	return ""
}
