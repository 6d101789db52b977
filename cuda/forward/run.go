package forward

import (
	"context"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine"
)

// job is work for the device, and what becomes of its results: of a plan its layers and
// the head's first pass, or a pass more.
type job struct {
	plan  *plan
	work  device.Work
	table []byte // the plan's
	// finish reads the results, once the work is done; the device is idle.
	finish func() error
}

// jobs makes those of a batch ready, one after the other, each when it is asked for.
type jobs struct {
	b      *Backend
	plans  []*plan // to come
	plan   *plan   // of the passes to come
	x      device.Ptr
	passes [][]scored
}

// next makes the next job ready; nil after the last.
func (j *jobs) next() (*job, error) {
	if len(j.passes) > 0 {
		w := &job{plan: j.plan}
		j.score(w)
		return w, nil
	}
	if len(j.plans) == 0 {
		return nil, nil
	}
	p := j.plans[0]
	j.plans, j.plan = j.plans[1:], p
	t, w, err := j.b.begin(p)
	if err != nil {
		return nil, err
	}
	q := &queue{}
	rows := 0
	for l := range j.b.weights.layers {
		j.x, rows = j.b.block(q, p, t, l, nil)
	}
	w.work.Launches = append(w.work.Launches, q.list...)
	norms := j.b.wantNorms(&w.work, p)
	w.finish = func() error { return j.b.checkNorms(p, norms) }
	if rows > 0 {
		j.passes = j.b.passes(p)
		j.score(w)
	}
	return w, nil
}

// score adds a pass of the head to a job.
func (j *jobs) score(w *job) {
	b, pass, x, before := j.b, j.passes[0], j.x, w.finish
	j.passes = j.passes[1:]
	read := b.scorePass(&w.work, w.plan, pass, x)
	last := len(j.passes) == 0
	w.finish = func() error {
		if before != nil {
			if err := before(); err != nil {
				return err
			}
		}
		if err := read(); err != nil || !last {
			return err
		}
		return b.scoreBest(w.plan, x)
	}
}

// begin makes a plan's tables and its first launch ready.
func (b *Backend) begin(p *plan) (tables, *job, error) {
	t, err := b.tables(p)
	if err != nil {
		return t, nil, err
	}
	w := &job{plan: p, table: b.table}
	w.work.Uploads = []device.Copy{{Device: b.scratch.tables, Host: b.table}}
	w.work.Launches = []*device.Launch{abi.Embed(b.mode, t.ids, b.weights.embed, b.scratch.x, len(p.ids), b.config.Hidden)}
	w.work.Again = p.decoding()
	return t, w, nil
}

// decoding says whether a plan is of one row a sequence, as steps of decoding are: the
// next one is likely to have the same shape, and its launches take longer than its
// arithmetic.
func (p *plan) decoding() bool { return len(p.spans) == len(p.ids) }

func (b *Backend) Forward(ctx context.Context, batch *engine.Batch) error {
	if batch.Observer != nil {
		for _, p := range b.split(batch) {
			if err := b.observe(ctx, p, batch.Observer); err != nil {
				return err
			}
		}
		return nil
	}
	r, err := b.Prepare(batch)
	if err != nil {
		return err
	}
	r.Start()
	return r.Wait(ctx)
}

func (b *Backend) split(batch *engine.Batch) []*plan {
	return split(batch, b.sizes.rows, b.tileRows, b.sizes.runs)
}

// Prepare implements engine.Ahead, for a batch that nobody observes.
func (b *Backend) Prepare(batch *engine.Batch) (engine.Prepared, error) {
	return b.prepare(&jobs{b: b, plans: b.split(batch)})
}

// prepared is a batch whose first job is ready.
type prepared struct {
	jobs *jobs
	job  *job
	wait func() error
}

func (b *Backend) prepare(j *jobs) (*prepared, error) {
	first, err := j.next()
	return &prepared{jobs: j, job: first}, err
}

// Start begins the first job.
func (r *prepared) Start() {
	if r.job != nil {
		r.wait = device.Start(r.jobs.b.dev, &r.job.work)
	}
}

// Wait does the other jobs as well: while one is under way the next is made ready.
func (r *prepared) Wait(ctx context.Context) error {
	for r.job != nil {
		next, failed := r.jobs.next()
		if err := r.wait(); err != nil {
			return err
		}
		if b := r.jobs.b; r.job.table != nil {
			b.spare = append(b.spare, r.job.table)
		}
		if err := r.job.finish(); err != nil {
			return err
		}
		if failed != nil {
			return failed
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		r.job = next
		r.Start()
	}
	return nil
}

// do does work and waits for it.
func (b *Backend) do(w *device.Work) error { return device.Start(b.dev, w)() }

// queue collects launches.
type queue struct {
	list []*device.Launch
	err  error // the first
}

func (q *queue) launch(l *device.Launch) { q.list = append(q.list, l) }

func (q *queue) failed(err error) {
	if q.err == nil {
		q.err = err
	}
}

// run does what was collected, for who looks at results in between.
func (q *queue) run(b *Backend) {
	if q.err == nil {
		q.err = b.do(&device.Work{Launches: q.list})
	}
	q.list = nil
}

// observe computes one plan under an observer's eyes, layer by layer.
func (b *Backend) observe(ctx context.Context, p *plan, o engine.Observer) error {
	t, w, err := b.begin(p)
	if err != nil {
		return err
	}
	w.work.Again = false
	if err := b.do(&w.work); err != nil {
		return err
	}
	b.spare = append(b.spare, w.table)
	q, x, rows := &queue{}, b.scratch.x, 0
	for l := range b.weights.layers {
		x, rows = b.block(q, p, t, l, o)
		q.run(b)
		q.failed(ctx.Err())
		if q.err != nil {
			return q.err
		}
		if err := b.observeResidual(p, l, o); err != nil {
			return err
		}
	}
	var norms device.Work
	got := b.wantNorms(&norms, p)
	if err := b.do(&norms); err != nil {
		return err
	}
	if err := b.checkNorms(p, got); err != nil || rows == 0 {
		return err
	}
	r, err := b.prepare(&jobs{b: b, plan: p, x: x, passes: b.passes(p)})
	if err != nil {
		return err
	}
	r.Start()
	return r.Wait(ctx)
}
