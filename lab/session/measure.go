package session

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/lab/world"
	"github.com/softbench/softbench/probe"
	"github.com/softbench/softbench/reports/rundir"
)

// diagnostics measures a model on fixed samples.
type diagnostics struct {
	samples []sample
	heldOut bool
	threads int
}

// sample is a window as the model reads it.
type sample struct {
	tokens []int32
	known  []world.Target // of each token; nil for text
	source string         // where trainings are of a mix
}

// newDiagnostics cuts the first count samples of length tokens, each behind BOS.
func newDiagnostics(c corpus, bos *int32, count, length int) *diagnostics {
	l := &diagnostics{}
	room := length
	if bos != nil {
		room--
	}
	for at := 0; at+room <= len(c.tokens) && len(l.samples) < count && room > 0; at += room {
		var s []int32
		if bos != nil {
			s = append(s, *bos)
		}
		l.samples = append(l.samples, sample{tokens: append(s, c.tokens[at:at+room]...)})
	}
	return l
}

// read loads the checkpoint in dir and measures it.
func (l *diagnostics) read(ctx context.Context, dir string) (*Measure, error) {
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
	backend, err := engine.NewCPU(ctx, ck, engine.CPUOptions{Formats: kernel.FormatsOf(dtype), Threads: l.threads, Set: set})
	if err != nil {
		return nil, err
	}
	m := engine.New(backend, ck.Config.Vocab)
	defer m.Close()
	whole, err := l.run(ctx, m, &ck.Config, func(n int) int { return n })
	if err != nil {
		return nil, err
	}
	half, err := l.run(ctx, m, &ck.Config, func(n int) int { return max(1, n/2) })
	if err != nil {
		return nil, err
	}
	out := whole.measure(l)
	out.SinkHalf = rundir.Number(half.diagnostics.Summary().SinkRate[0])
	return out, nil
}

// tallies is what one run over the samples gave.
type tallies struct {
	diagnostics *probe.Diagnostics
	first       *firstKey
	tally       map[string]*tally // by source, and of all under ""
}

// tally is what the samples of a source sum up to.
type tally struct {
	loss           float64 // of tokens that can be known
	scored         int
	copied, copies int
	sinks          float64
	samples        int
}

// run runs the model over the samples, each cut to the length that cut says.
func (l *diagnostics) run(ctx context.Context, m *engine.Model, c *checkpoint.Config, cut func(int) int) (*tallies, error) {
	f := &engine.Forest{}
	var lengths []int
	out := &tallies{first: newFirstKey(c.Layers, c.Heads, c.Hidden), tally: map[string]*tally{"": {}}}
	for _, s := range l.samples {
		tokens := s.tokens[:cut(len(s.tokens))]
		n := engine.Node{Parent: -1, Tokens: tokens}
		for i, next := range tokens[1:] {
			n.Scored = append(n.Scored, engine.Scored{Row: i, Targets: []int32{next}})
		}
		f.Nodes = append(f.Nodes, n)
		lengths = append(lengths, len(tokens))
		if s.source != "" && out.tally[s.source] == nil {
			out.tally[s.source] = &tally{}
		}
	}
	var err error
	if out.diagnostics, err = probe.New(c.Layers, c.Heads, c.Hidden, lengths, probe.Options{}); err != nil {
		return nil, err
	}
	_, err = m.Run(ctx, f, engine.RunOptions{Observer: observers{out.diagnostics, out.first}, Score: func(node, row int, s engine.Score) error {
		sample := &l.samples[node]
		out.add("", sample, row+1, s)
		if sample.source != "" {
			out.add(sample.source, sample, row+1, s)
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	for i, s := range out.diagnostics.Samples() {
		for _, source := range slices.Compact([]string{"", l.samples[i].source}) {
			out.tally[source].sinks += s.SinkRate
			out.tally[source].samples++
		}
	}
	return out, nil
}

// add takes in the score of a sample's token.
func (o *tallies) add(source string, s *sample, at int, score engine.Score) {
	t := o.tally[source]
	if s.known != nil {
		switch s.known[at] {
		case world.Unknown:
			return
		case world.Copied:
			t.copies++
			if score.Argmax == s.tokens[at] {
				t.copied++
			}
		}
	}
	t.loss -= float64(score.LogProbs[0])
	t.scored++
}

func (t *tally) measure() SourceMeasure {
	m := SourceMeasure{Loss: share(t.loss, t.scored), SinkRate: share(t.sinks, t.samples)}
	if t.copies > 0 {
		copying := share(float64(t.copied), t.copies)
		m.Copying = &copying
	}
	return m
}

func share(sum float64, n int) rundir.Number { return rundir.Number(sum / float64(n)) }

func (o *tallies) measure(l *diagnostics) *Measure {
	s := o.diagnostics.Summary()
	n := func(x float64) rundir.Number { return rundir.Number(x) }
	all := o.tally[""].measure()
	m := &Measure{
		HeldOut: l.heldOut, Loss: all.Loss, Copying: all.Copying, SinkRate: n(s.SinkRate[0]), Sparsity: n(s.Sparsity), Dead: n(s.DeadHeads),
		Mass: n(s.Mass), Kurtosis: n(s.Kurtosis), Largest: n(math.Max(-s.Min, s.Max)), Massive: s.Massive,
	}
	for i, layer := range o.diagnostics.Layers() {
		lm := LayerMeasure{Kurtosis: n(layer.Kurtosis), Largest: n(math.Max(-layer.Min, layer.Max)), FirstNorm: n(o.first.normRatio(i))}
		for _, w := range o.first.means(i) {
			lm.FirstWeight = append(lm.FirstWeight, n(w))
		}
		m.Layers = append(m.Layers, lm)
	}
	for source, t := range o.tally {
		if source != "" && t.samples > 0 {
			if m.Sources == nil {
				m.Sources = map[string]SourceMeasure{}
			}
			m.Sources[source] = t.measure()
		}
	}
	return m
}

// measure exports the model as it is now beside the training and looks at it.
func (r *run) measure(ctx context.Context) (*Measure, error) {
	dir, err := os.MkdirTemp(r.path(""), diagnosticsPrefix)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := r.trainer.Export(dir, r.stored, r.bos, r.eos); err != nil {
		return nil, fmt.Errorf("step %d: %w", r.trainer.Done, err)
	}
	m, err := r.diagnostics.read(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("measuring step %d: %w", r.trainer.Done, err)
	}
	return m, nil
}
