package session

import (
	"context"
	"fmt"
	"math"
	"os"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/probe"
	"github.com/softbench/softbench/reports/rundir"
)

// looker measures a model on fixed samples.
type looker struct {
	samples [][]int32
	heldOut bool
	threads int
}

// newLooker cuts the first count samples of length tokens, each behind BOS.
func newLooker(c corpus, bos *int32, count, length int) *looker {
	l := &looker{}
	room := length
	if bos != nil {
		room--
	}
	for at := 0; at+room <= len(c.tokens) && len(l.samples) < count && room > 0; at += room {
		var s []int32
		if bos != nil {
			s = append(s, *bos)
		}
		l.samples = append(l.samples, append(s, c.tokens[at:at+room]...))
	}
	return l
}

// look loads the checkpoint in dir and measures it.
func (l *looker) look(ctx context.Context, dir string) (*Measure, error) {
	ck, err := checkpoint.Open(dir, checkpoint.Options{})
	if err != nil {
		return nil, err
	}
	defer ck.Close()
	set, err := kernel.FromEnv()
	if err != nil {
		return nil, err
	}
	dtype := kernel.Float32
	if ck.DType == "BF16" {
		dtype = kernel.BFloat16
	}
	backend, err := engine.NewCPU(ctx, ck, engine.CPUOptions{DType: dtype, Threads: l.threads, Set: set})
	if err != nil {
		return nil, err
	}
	m := engine.New(backend, ck.Config.Vocab)
	defer m.Close()
	f := &engine.Forest{}
	var lengths []int
	scored := 0
	for _, s := range l.samples {
		n := engine.Node{Parent: -1, Tokens: s}
		for i, next := range s[1:] {
			n.Scored = append(n.Scored, engine.Scored{Row: i, Targets: []int32{next}})
			scored++
		}
		f.Nodes = append(f.Nodes, n)
		lengths = append(lengths, len(s))
	}
	watch, err := probe.New(ck.Config.Layers, ck.Config.Heads, ck.Config.Hidden, lengths, probe.Options{})
	if err != nil {
		return nil, err
	}
	var sum float64
	_, err = m.Run(ctx, f, engine.RunOptions{Observer: watch, Score: func(_, _ int, s engine.Score) error {
		sum -= float64(s.LogProbs[0])
		return nil
	}})
	if err != nil {
		return nil, err
	}
	s := watch.Summary()
	n := func(x float64) rundir.Number { return rundir.Number(x) }
	return &Measure{
		HeldOut: l.heldOut, Loss: n(sum / float64(scored)), SinkRate: n(s.SinkRate[0]), Sparsity: n(s.Sparsity), Dead: n(s.DeadHeads),
		Mass: n(s.Mass), Kurtosis: n(s.Kurtosis), Largest: n(math.Max(-s.Min, s.Max)), Massive: s.Massive,
	}, nil
}

// measure exports the model as it is now beside the training and looks at it.
func (r *run) measure(ctx context.Context) (*Measure, error) {
	dir, err := os.MkdirTemp(r.path(""), lookPrefix)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := r.trainer.Export(dir, r.stored, r.bos, r.eos); err != nil {
		return nil, fmt.Errorf("step %d: %w", r.trainer.Done, err)
	}
	m, err := r.look.look(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("measuring step %d: %w", r.trainer.Done, err)
	}
	return m, nil
}
