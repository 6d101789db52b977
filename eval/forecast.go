package eval

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/lm"
	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks"
)

// Forecast is what a run will take, before it is computed. Its names in JSON are stable.
type Forecast struct {
	Parts []ForecastPart `json:"parts"`
	// Requests are all of the run, or of the shard; Done of them are in --out, for --resume.
	Requests int `json:"requests"`
	Done     int `json:"done"`
	// Tokens of the requests not done: one by one, distinct (what is computed), whose loglikelihood is
	// asked for, and decoded at most.
	Requested int64 `json:"requested"`
	Distinct  int64 `json:"distinct"`
	Scored    int64 `json:"scored"`
	Decoded   int64 `json:"decoded_at_most"`
	Observed  int64 `json:"observed"` // by diagnostics

	Batches int64 `json:"batches"`
	Weights int64 `json:"weights_bytes"`
	KV      int64 `json:"keys_and_values_bytes"` // most at once
	Bound   int64 `json:"keys_and_values_bound"` // 0: none
	Process int64 `json:"process_bytes"`         // of this process now, weights and requests read

	Loading   float64 `json:"loading_seconds"`   // reading documents and weights, as it took here
	Measuring float64 `json:"measuring_seconds"` // how long batches of this model were timed for
	Computing float64 `json:"computing_seconds"` // expected; texts at their longest
}

// ForecastPart is a task, a passkey grid or the diagnostics.
type ForecastPart struct {
	Name      string     `json:"name"`
	Kind      tasks.Kind `json:"kind"`
	Documents int        `json:"documents"`
	Requests  int        `json:"requests"`
}

// DryRun prepares a run, counts what it will compute by walking through its batches, and times some
// batches of this model on this machine. Nothing of the run is computed or written. piece is the
// shard that it is about, or the zero one.
func DryRun(ctx context.Context, o RunOptions, piece Shard) (*Forecast, error) {
	o.part = piece
	start := time.Now()
	if len(o.Merge) > 0 {
		return nil, errors.New("--dry-run is about computing, and --merge computes nothing: leave one away")
	}
	m, work, err := prepare(ctx, &o)
	if errors.Is(err, rundir.ErrFinished) {
		return nil, errors.New("the run in " + o.Out + " is complete: there is nothing left to compute")
	}
	if err != nil {
		return nil, err
	}
	defer m.Close()
	j, err := readJournal(ctx, m, work, o)
	if err != nil {
		return nil, err
	}
	mine, err := work.deal(ctx, m, piece)
	if err != nil {
		return nil, err
	}
	prepared, err := work.prepare(ctx, m, j, mine)
	if err != nil {
		return nil, err
	}
	foreseen, err := prepared.Foresee(ctx, lm.RunOptions{BatchTokens: o.BatchTokens, Memory: o.Memory})
	if err != nil {
		return nil, err
	}
	asked := prepared.Cost()
	f := &Forecast{
		Requested: asked.Requested, Distinct: prepared.Tokens(), Scored: asked.Scored, Decoded: foreseen.Decoded.Rows,
		Batches: foreseen.Batches, Weights: m.Engine.Describe().Bytes, KV: foreseen.PeakKV, Bound: o.Memory,
	}
	for _, p := range work.parts() {
		f.add(p, mine, j)
	}
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	f.Process = int64(s.Sys - s.HeapReleased)
	f.Loading = time.Since(start).Seconds()
	start = time.Now()
	c := newCost(&m.Checkpoint.Config)
	if err := m.measure(ctx, c, foreseen, o); err != nil {
		return nil, err
	}
	f.Computing = c.takes(foreseen.Work()).Seconds()
	if d := work.Diagnostics; d != nil {
		left := len(d.rest(j, mine).numbers) // samples
		observing, err := m.timeSample(ctx, d, o)
		if err != nil {
			return nil, err
		}
		f.Observed = int64(left * d.Length)
		f.Computing += observing.Seconds() * float64(left)
	}
	f.Measuring = time.Since(start).Seconds()
	return f, nil
}

// add counts a part, as far as it is in this shard.
func (f *Forecast) add(p part, mine dealt, j *journal) {
	one := ForecastPart{Name: p.name(), Kind: tasks.Kind(kindOf(p))}
	for _, d := range p.documents() {
		if !mine.has(p.name(), d.ID) {
			continue
		}
		one.Documents++
		one.Requests += len(d.Requests)
		for k := range d.Requests {
			if j.done(p.name(), d.ID, k) {
				f.Done++
			}
		}
	}
	f.Requests += one.Requests
	f.Parts = append(f.Parts, one)
}

// readJournal has what a run to go on with has done, without touching it.
func readJournal(ctx context.Context, m *Model, work *Work, o RunOptions) (*journal, error) {
	j := newJournal()
	if o.Out == "" || !o.Resume {
		return j, nil
	}
	if was, _, _, err := rundir.Begun(ctx, o.Out); was == nil || err != nil {
		return j, err
	}
	settings, err := settingsOf(ctx, m, work, o)
	if err != nil {
		return nil, err
	}
	records, err := rundir.ReadPart(ctx, o.Out, settings)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		j.records[recordKey{r.Task, r.Doc, r.Request}] = r
	}
	return j, nil
}

// measuring bounds how long one kind of work is timed.
const measuring = 800 * time.Millisecond

// measure times batches of a model of the kinds that some work consists of.
func (m *Model) measure(ctx context.Context, c *cost, want engine.Stats, o RunOptions) error {
	rows := min(o.BatchTokens, m.LM.MaxLength()*4)
	vocab := m.Checkpoint.Config.Vocab
	tokens := func(n int) []int32 {
		out := make([]int32, n)
		for i := range out {
			out[i] = int32((i*7919 + 13) % vocab)
		}
		return out
	}
	timed := func(observe bool, f *engine.Forest) (time.Duration, error) {
		began, last, at := time.Now(), engine.Stats{}, time.Now()
		stop, cancel := context.WithCancel(ctx)
		defer cancel()
		_, err := m.Engine.Run(stop, f, engine.RunOptions{BatchTokens: rows, Progress: func(done engine.Stats) error {
			now, did := time.Now(), done.Work()
			if observe {
				c.observe(did.Minus(last.Work()), now.Sub(at))
			}
			if last, at = done, now; observe && now.Sub(began) > measuring {
				cancel()
			}
			return nil
		}})
		if err != nil && ctx.Err() == nil && errors.Is(err, context.Canceled) {
			err = nil
		}
		return time.Since(began), err
	}
	short := min(64, m.LM.MaxLength())
	// A first pass that reads all weights, and says how many rows take how long.
	took, err := timed(false, &engine.Forest{Nodes: []engine.Node{{Parent: -1, Tokens: tokens(min(rows, short))}}})
	if err != nil {
		return err
	}
	if most := int(float64(min(rows, short)) * measuring.Seconds() / took.Seconds()); most < rows {
		rows = max(most, 8)
	}
	prompts := func(n, length, generate int, scored bool) *engine.Forest {
		f := &engine.Forest{}
		for i := range n {
			node := engine.Node{Parent: -1, Tokens: tokens(length), Generate: generate}
			node.Tokens[0] = int32(i % vocab)
			for r := range length {
				if scored {
					node.Scored = append(node.Scored, engine.Scored{Row: r, Targets: []int32{0}})
				}
			}
			f.Nodes = append(f.Nodes, node)
		}
		return f
	}
	all := max(1, 3*rows/short)
	work := []*engine.Forest{prompts(all, short, 0, false), prompts(all, short, 0, true)}
	if long := min(m.LM.MaxLength(), 4*rows, 1<<14); long > 2*short {
		work = append(work, prompts(1, long, 0, false))
	}
	if want.Decoded.Rows > 0 {
		few := max(1, min(rows/2, int(want.Decoded.Rows/max(1, want.Batches))))
		work = append(work, prompts(few, 4, 9, false))
	}
	for _, f := range work {
		if _, err := timed(true, f); err != nil {
			return err
		}
	}
	return nil
}

// timeSample is how long diagnostics of one sample take.
func (m *Model) timeSample(ctx context.Context, d *DiagnosticsWork, o RunOptions) (took time.Duration, err error) {
	for range 2 { // the first is slower
		recorder, err := d.recorder(m, []int{d.Length})
		if err != nil {
			return 0, err
		}
		began := time.Now()
		f := &engine.Forest{Nodes: []engine.Node{{Parent: -1, Tokens: d.Samples[0]}}}
		if _, err := m.Engine.Run(ctx, f, engine.RunOptions{BatchTokens: o.BatchTokens, Memory: o.Memory, Observer: recorder}); err != nil {
			return 0, nameSample(err, []int{0})
		}
		took = time.Since(began)
	}
	return took, nil
}
