package eval

import (
	"context"
	"time"

	"github.com/softbench/softbench/reports/rundir"
)

// recordKey identifies a request of a suite.
type recordKey struct {
	task         string
	doc, request int
}

// journal holds every record of a run: those of an earlier process first. With
// a writer, new ones go to the disk as they come.
type journal struct {
	writer  *rundir.Writer // nil: the run is kept nowhere
	records map[recordKey]rundir.Record
	merged  int // records of them that came from shards
	synced  time.Time
	left    map[string]int // requests of a task that are not done; nil: nobody counts
	under   string         // the task of the last record added
}

func newJournal() *journal {
	return &journal{records: map[recordKey]rundir.Record{}, synced: time.Now()}
}

// open begins the run in o.Out, or goes on with it; without o.Out the journal
// stays in memory.
func (j *journal) open(ctx context.Context, o RunOptions, s rundir.Settings, plan *rundir.Plan) error {
	if o.Out == "" {
		return nil
	}
	var err error
	if !o.Resume {
		j.writer, err = rundir.CreatePart(o.Out, o.part.name(), s, plan)
		return err
	}
	var note string
	j.writer, note, err = rundir.ResumePart(ctx, o.Out, o.part.name(), s, plan)
	if note != "" {
		o.Note(note)
	}
	return err
}

// done looks a request up in what an earlier process, or a shard, left.
func (j *journal) done(task string, doc, request int) bool {
	k := recordKey{task, doc, request}
	if _, ok := j.records[k]; ok || j.writer == nil {
		return ok
	}
	r, ok := j.writer.Done(task, doc, request)
	if ok {
		j.records[k] = r
	}
	return ok
}

// take adds the records of shards that the journal lacks.
func (j *journal) take(shards map[recordKey]rundir.Record, w *Work) error {
	if len(shards) == 0 {
		return nil
	}
	for k := range w.requests {
		if j.done(k.task, k.doc, k.request) {
			continue
		}
		if err := j.add(shards[k]); err != nil {
			return err
		}
		j.merged++
	}
	return j.sync()
}

// add takes a finished request; sync makes it safe.
func (j *journal) add(r rundir.Record) error {
	j.records[recordKey{r.Task, r.Doc, r.Request}] = r
	j.under = r.Task
	if n := j.left[r.Task]; n > 0 {
		j.left[r.Task] = n - 1
	}
	if j.writer == nil {
		return nil
	}
	return j.writer.Add(r)
}

// flush hands what was added to the system, where a kill of this process does
// not reach it.
func (j *journal) flush() error {
	if j.writer == nil {
		return nil
	}
	return j.writer.Flush()
}

// keep flushes, and syncs where the last time is longer ago than an interval.
func (j *journal) keep(interval time.Duration) error {
	if time.Since(j.synced) < interval {
		return j.flush()
	}
	j.synced = time.Now()
	return j.sync()
}

func (j *journal) sync() error {
	if j.writer == nil {
		return nil
	}
	return j.writer.Sync()
}

func (j *journal) resumed() int {
	if j.writer == nil {
		return 0
	}
	return j.writer.Resumed() + j.merged
}

func (j *journal) finish(ctx context.Context, r *rundir.Run, samples []rundir.Sample, rows rundir.DiagnosticsRows) error {
	if j.writer == nil {
		return nil
	}
	return j.writer.Finish(ctx, r, samples, rows)
}

// close lets go of an unfinished run; what was synced stays.
func (j *journal) close() {
	if j.writer != nil {
		j.writer.Close()
	}
}
