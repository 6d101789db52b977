package machine

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randmodel"
)

// documents are the end-to-end measurements of one checkpoint.
type documents struct {
	name        string
	config      checkpoint.Config
	parameters  int64
	layers      int64 // elements of the layers' matrices
	head        int64 // elements of the output head
	list        []documentTiming
	models      []*engine.Model
	checkpoint  *checkpoint.Checkpoint
	removeAfter string
}

type documentTiming struct {
	timing
	dtype          kernel.Arithmetic
	tokens, scored int
	cpu            *[]float64 // processor seconds of each round
}

// builtin is a model that is made in a moment: four layers of a 340M model, and
// a small vocabulary.
var builtin = randmodel.Options{Preset: "340m", Layers: 4, Vocab: 8192, MaxPositions: 1 << 20, DType: "bfloat16", Seed: 1}

func loadDocuments(ctx context.Context, o Options) (*documents, error) {
	d := &documents{name: o.Model}
	if err := d.load(ctx, o); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *documents) load(ctx context.Context, o Options) (err error) {
	dir := o.Model
	if dir == "" {
		d.name = "built-in"
		if dir, err = os.MkdirTemp("", "softbench-bench-"); err != nil {
			return err
		}
		d.removeAfter = dir
		if err = randmodel.Write(dir, builtin); err != nil {
			return err
		}
	}
	if d.checkpoint, err = checkpoint.Open(dir, checkpoint.Options{}); err != nil {
		return err
	}
	d.config, d.parameters = d.checkpoint.Config, d.checkpoint.Parameters
	if o.Tokens > d.config.MaxPositions {
		return fmt.Errorf("%s: documents of %d tokens are longer than its context of %d: give --tokens", d.name, o.Tokens, d.config.MaxPositions)
	}
	d.head = int64(d.config.Vocab) * int64(d.config.Hidden)
	for _, l := range d.checkpoint.Layers {
		active := []*checkpoint.View{l.Q, l.K, l.V, l.O, l.Gate, l.Up, l.Down, l.Shared.Gate, l.Shared.Up, l.Shared.Down}
		for i := range min(len(l.Experts), d.config.Experts.Each) { // those that a token goes through, all alike
			active = append(active, l.Experts[i].Gate, l.Experts[i].Up, l.Experts[i].Down)
		}
		for _, t := range active {
			if t != nil {
				d.layers += int64(t.Elements())
			}
		}
	}
	for _, dt := range o.DTypes {
		open := o.Open
		if open == nil {
			open = func(ctx context.Context, ck *checkpoint.Checkpoint, dt kernel.Arithmetic) (engine.Backend, error) {
				return engine.NewCPU(ctx, ck, engine.CPUOptions{Formats: kernel.FormatsOf(dt), Threads: o.Threads, Set: o.Set})
			}
		}
		backend, err := open(ctx, d.checkpoint, dt)
		if err != nil {
			return err
		}
		m := engine.New(backend, d.config.Vocab)
		d.models = append(d.models, m)
		for _, scored := range []int{o.Tokens, 1} {
			d.add(m, dt, o.Tokens, scored)
		}
	}
	return nil
}

// add measures m on one document of which so many last positions are scored.
// The document is run once before it is timed, so that its scores are known to
// be numbers and memory is there.
func (d *documents) add(m *engine.Model, dt kernel.Arithmetic, tokens, scored int) {
	node := engine.Node{Parent: -1, Tokens: make([]int32, tokens)}
	token := func(i int) int32 { return int32((i*7919 + 13) % d.config.Vocab) }
	for i := range tokens {
		node.Tokens[i] = token(i)
		if i >= tokens-scored {
			node.Scored = append(node.Scored, engine.Scored{Row: i, Targets: []int32{token(i + 1)}})
		}
	}
	forest := &engine.Forest{Nodes: []engine.Node{node}}
	pass := func(ctx context.Context) error {
		n := 0
		_, err := m.Run(ctx, forest, engine.RunOptions{BatchTokens: m.Describe().BatchTokens, Score: func(_, _ int, s engine.Score) error {
			if lp := s.LogProbs[0]; !(lp <= 0) {
				return fmt.Errorf("%s: a log-probability is %v", d.name, lp)
			}
			n++
			return nil
		}})
		if err == nil && n != scored {
			err = fmt.Errorf("%s: %d of %d positions were scored: this is a fault of softbench", d.name, n, scored)
		}
		return err
	}
	flops := d.flops(tokens, scored)
	warm, cpu := false, new([]float64)
	d.list = append(d.list, documentTiming{timing{
		name: fmt.Sprintf("a document of %d tokens, %d scored, %v", tokens, scored, dt),
		run: func(ctx context.Context, _ time.Duration) (float64, error) {
			if !warm {
				if err := pass(ctx); err != nil {
					return 0, err
				}
				warm = true
			}
			start, used := time.Now(), cpuSeconds()
			err := pass(ctx)
			*cpu = append(*cpu, cpuSeconds()-used)
			return flops / time.Since(start).Seconds(), err
		}}, dt, tokens, scored, cpu})
}

// flops is what the weights ask of a document.
func (d *documents) flops(tokens, scored int) float64 {
	return 2*float64(d.layers)*float64(tokens) + 2*float64(d.head)*float64(scored)
}

func (p *documentTiming) report(d *documents, peak float64) Prefill {
	r := rate(p.got)
	out := Prefill{
		Model: d.name, DType: p.dtype.String(), Parameters: d.parameters, Tokens: p.tokens, Scored: p.scored,
		Seconds: d.flops(p.tokens, p.scored) / (r.Median * 1e9), Rate: r, OfPeak: fraction(r.Median, peak),
	}
	slices.Sort(*p.cpu)
	out.CPUSeconds = (*p.cpu)[len(*p.cpu)/2]
	out.TokensPerSecond = float64(p.tokens) / out.Seconds
	if p.scored == p.tokens {
		out.ByParameters = fraction(2*float64(d.parameters)*float64(p.tokens)/out.Seconds/1e9, peak)
	}
	return out
}

func (d *documents) close() {
	for _, m := range d.models {
		_ = m.Close() // frees memory, and nothing can be done where it does not
	}
	if d.checkpoint != nil {
		d.checkpoint.Close()
	}
	if d.removeAfter != "" {
		_ = os.RemoveAll(d.removeAfter) // a directory of our own, in the system's place for such
	}
}
