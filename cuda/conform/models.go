package conform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randforest"
	"github.com/softbench/softbench/internal/randmodel"
)

// OpenBackend puts a checkpoint on a device.
type OpenBackend func(ctx context.Context, ck *checkpoint.Checkpoint, dt kernel.Arithmetic) (engine.Backend, error)

// Parity is how far a float32 log-probability may be from the CPU's.
const Parity = 1e-4

// Rounded is how far a bfloat16 one may be from the CPU's float32, on average.
const Rounded = 0.02

// variant is a model of random weights.
type variant struct {
	name    string
	options randmodel.Options
	kind    string
}

// variants cover the attention kinds and what an architecture may have.
func variants() []variant {
	base := randmodel.Options{Type: "llama", Hidden: 128, Intermediate: 192, Vocab: 1000, Heads: 4, KVHeads: 2, HeadDim: 64, Layers: 3, ScoreGain: 3, Seed: 5}
	with := func(f func(o *randmodel.Options)) randmodel.Options {
		o := base
		f(&o)
		return o
	}
	list := []variant{
		{"sliding window", with(func(o *randmodel.Options) { o.Type, o.Config = "mistral", map[string]any{"sliding_window": 37} }), "softpick"},
		{"q and k norm, tied", with(func(o *randmodel.Options) { o.Type, o.Tie = "qwen3", true }), "softpick"},
		{"biases", with(func(o *randmodel.Options) { o.Bias = true }), "softmax"},
		{"scaled", with(func(o *randmodel.Options) { o.Type, o.Attention = "transformer", "scaled-softpick" }), ""},
		{"heads of 128", with(func(o *randmodel.Options) { o.HeadDim = 128 }), "softpick"},
	}
	for _, k := range abi.Kinds {
		list = append(list, variant{k.String(), base, k.String()})
	}
	return list
}

// Models holds whole models on a device against the CPU's float32, and against
// themselves in other batches, to the bit, in both number formats.
func Models(ctx context.Context, open OpenBackend, show func(Result)) error {
	return models(ctx, open, show, variants(), 24)
}

// SmallModels is Models with as many models and fewer, smaller sums: for devices
// that are slow.
func SmallModels(ctx context.Context, open OpenBackend, show func(Result)) error {
	var list []variant
	for i, v := range variants() {
		s := v.small()
		if i == 0 { // one has heads as they are, for which sm_90a has a kernel
			s.options.HeadDim = v.options.HeadDim
		}
		list = append(list, s)
	}
	return models(ctx, open, show, list, 5)
}

func (v variant) small() variant {
	v.options.Hidden, v.options.Intermediate, v.options.Vocab, v.options.Layers = 64, 72, 200, 2
	if v.options.HeadDim == 64 {
		v.options.HeadDim = 32
	}
	if v.options.Type == "transformer" { // its heads are of hidden / heads
		v.options.Hidden = 128
	}
	return v
}

func models(ctx context.Context, open OpenBackend, show func(Result), list []variant, nodes int) error {
	failed, first := 0, error(nil)
	for i, v := range list {
		worst, err := v.check(ctx, open, uint64(i), nodes)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		show(Result{"model, " + v.name, worst / Parity, err})
		if err != nil {
			if failed++; first == nil {
				first = fmt.Errorf("%s: %w", v.name, err)
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d models fail, the first is %w", failed, first)
	}
	return nil
}

// check runs a forest of so many nodes on the device and on the CPU.
func (v variant) check(ctx context.Context, open OpenBackend, seed uint64, nodes int) (worst float64, err error) {
	dir, err := os.MkdirTemp("", "softbench-cuda-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := randmodel.Write(dir, v.options); err != nil {
		return 0, err
	}
	ck, err := checkpoint.Open(dir, checkpoint.Options{Attention: v.kind})
	if err != nil {
		return 0, err
	}
	defer ck.Close()
	f := randforest.New(rand.New(rand.NewPCG(seed, 1)), nodes, ck.Config.Vocab, randforest.Two)
	cpu, err := engine.NewCPU(ctx, ck, engine.CPUOptions{})
	if err != nil {
		return 0, err
	}
	want, tokens, err := scores(ctx, cpu, ck, f, engine.RunOptions{})
	if err := cmp.Or(err, cpu.Close()); err != nil {
		return 0, err
	}
	for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
		b, err := open(ctx, ck, dt)
		if err != nil {
			return 0, err
		}
		d, err := onDevice(ctx, b, ck, f, want, tokens, dt)
		if err := cmp.Or(err, b.Close()); err != nil {
			return 0, fmt.Errorf("%v: %w", dt, err)
		}
		if dt == kernel.Float32 {
			worst = d
		}
	}
	return worst, nil
}

// onDevice compares with the CPU in float32, and in other batches with itself.
func onDevice(ctx context.Context, b engine.Backend, ck *checkpoint.Checkpoint, f *engine.Forest, want []float32, wantTokens []int32, dt kernel.Arithmetic) (worst float64, err error) {
	got, tokens, err := scores(ctx, b, ck, f, engine.RunOptions{BatchTokens: 4096})
	if err != nil {
		return 0, err
	}
	if dt == kernel.Float32 && !slices.Equal(tokens, wantTokens) {
		return 0, errors.New("an argmax or a decoded token is not the CPU's")
	}
	var sum float64
	for i, g := range got {
		d := math.Abs(float64(g - want[i]))
		if g != g {
			d = math.Inf(1)
		}
		worst, sum = max(worst, d), sum+d
	}
	if mean := sum / float64(len(got)); dt == kernel.BFloat16 && mean > Rounded {
		return worst, fmt.Errorf("log-probabilities differ from the CPU's float32 by %v on average, allowed are %v", mean, Rounded)
	}
	if bound := map[kernel.Arithmetic]float64{kernel.Float32: Parity, kernel.BFloat16: 0.25}[dt]; worst > bound {
		return worst, fmt.Errorf("log-probabilities differ from the CPU's by up to %v, allowed are %v", worst, bound)
	}
	for _, size := range []int{1, 7, 100} {
		again, againTokens, err := scores(ctx, b, ck, f, engine.RunOptions{BatchTokens: size})
		if err != nil {
			return worst, err
		}
		if !slices.Equal(againTokens, tokens) {
			return worst, fmt.Errorf("batches of %d rows change an argmax or a decoded token", size)
		}
		for i := range got {
			if math.Float32bits(again[i]) != math.Float32bits(got[i]) {
				return worst, fmt.Errorf("batches of %d rows change log-probability %d from %v to %v", size, i, got[i], again[i])
			}
		}
	}
	for n := len(f.Nodes) - 1; n >= 0; n -= 5 {
		if err := sameAlone(ctx, b, ck, f, n); err != nil {
			return worst, err
		}
	}
	return worst, nil
}

// sameAlone runs one node's path without sharing and compares bits.
func sameAlone(ctx context.Context, b engine.Backend, ck *checkpoint.Checkpoint, f *engine.Forest, node int) error {
	shared := &engine.Forest{Nodes: append([]engine.Node(nil), f.Nodes...)}
	for i := range shared.Nodes {
		if i != node {
			shared.Nodes[i].Scored, shared.Nodes[i].Generate = nil, 0
		}
	}
	alone := engine.Node{Parent: -1, Generate: f.Nodes[node].Generate}
	var path []int
	for n := node; n >= 0; n = f.Nodes[n].Parent {
		path = append([]int{n}, path...)
	}
	for _, n := range path {
		base := len(alone.Tokens)
		alone.Tokens = append(alone.Tokens, f.Nodes[n].Tokens...)
		if n == node {
			for _, s := range f.Nodes[n].Scored {
				alone.Scored = append(alone.Scored, engine.Scored{Row: base + s.Row, Targets: s.Targets})
			}
		}
	}
	x, xTokens, err := scores(ctx, b, ck, shared, engine.RunOptions{BatchTokens: 512})
	if err != nil {
		return err
	}
	y, yTokens, err := scores(ctx, b, ck, &engine.Forest{Nodes: []engine.Node{alone}}, engine.RunOptions{BatchTokens: 512})
	if err != nil {
		return err
	}
	if !slices.Equal(xTokens, yTokens) {
		return fmt.Errorf("sharing a prefix changes an argmax or a decoded token of node %d", node)
	}
	for i := range x {
		if math.Float32bits(x[i]) != math.Float32bits(y[i]) {
			return fmt.Errorf("sharing a prefix changes a log-probability of node %d from %v to %v", node, y[i], x[i])
		}
	}
	return nil
}

// scores runs a forest and returns its log-probabilities in the forest's order,
// and its argmaxes and decoded tokens.
func scores(ctx context.Context, b engine.Backend, ck *checkpoint.Checkpoint, f *engine.Forest, o engine.RunOptions) (logProbs []float32, tokens []int32, err error) {
	got, decoded := make([][]engine.Score, len(f.Nodes)), make([][]int32, len(f.Nodes))
	for i := range f.Nodes {
		got[i] = make([]engine.Score, len(f.Nodes[i].Scored))
	}
	o.Score = func(node, k int, s engine.Score) error {
		got[node][k] = engine.Score{LogProbs: slices.Clone(s.LogProbs), Argmax: s.Argmax}
		return nil
	}
	o.Generated = func(node int, list []int32) error { decoded[node] = slices.Clone(list); return nil }
	if _, err := engine.New(b, ck.Config.Vocab).Run(ctx, f, o); err != nil {
		return nil, nil, err
	}
	for i := range f.Nodes {
		for _, s := range got[i] {
			logProbs, tokens = append(logProbs, s.LogProbs...), append(tokens, s.Argmax)
		}
		tokens = append(tokens, decoded[i]...)
	}
	return logProbs, tokens, nil
}
