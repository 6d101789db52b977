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
	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randforest"
	"github.com/softbench/softbench/internal/randmodel"
)

// Parity is how far a float32 log-probability may be from the CPU's.
const Parity = 1e-4

// Slack is how much farther from the CPU's float32 a device's bfloat16 may be, on
// average over a model's log-probabilities, than the simulated device's, which is the
// specification. mostRounded is how far any one may be.
const (
	Slack       = 1.25
	mostRounded = 0.25
)

// variant is a model of random weights.
type variant struct {
	name    string
	options randmodel.Options
	kind    string
	// rounded is how far the simulated device's bfloat16 is from the CPU's float32, on
	// average (TestRoundedIsTheSpecifications).
	rounded float64
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
		{name: "sliding window", options: with(func(o *randmodel.Options) { o.Type, o.Config = "mistral", map[string]any{"sliding_window": 37} }), kind: "softpick", rounded: 0.01994},
		{name: "q and k norm, tied", options: with(func(o *randmodel.Options) { o.Type, o.Tie = "qwen3", true }), kind: "softpick", rounded: 0.01276},
		{name: "biases", options: with(func(o *randmodel.Options) { o.Bias = true }), kind: "softmax", rounded: 0.02027},
		{name: "scaled", options: with(func(o *randmodel.Options) { o.Type, o.Attention = "transformer", "scaled-softpick" }), kind: "", rounded: 0.01835},
		{name: "heads of 128", options: with(func(o *randmodel.Options) { o.HeadDim = 128 }), kind: "softpick", rounded: 0.02252},
	}
	for _, k := range abi.Kinds {
		list = append(list, variant{name: k.String(), options: base, kind: k.String(), rounded: roundedBy[k]})
	}
	// Whose heads no product rotates.
	return append(list, variant{name: "heads of 96", options: with(func(o *randmodel.Options) { o.HeadDim, o.Bias = 96, true }), kind: "softmax", rounded: 0.01665})
}

// roundedBy is variant.rounded of the plain model with each kind.
var roundedBy = map[attention.Kind]float64{
	attention.Softmax: 0.01863, attention.Softpick: 0.02259, attention.Rectified: 0.02279, attention.MaskedSoftmax: 0.02218, attention.SoftmaxPlusOne: 0.02219,
}

// modelNodes is the nodes of a model's forest, fewSmallNodes of one that is small.
const modelNodes, fewSmallNodes = 24, 5

// Models lists whole models, each to be held against the CPU's float32, and against
// itself in other batches, to the bit, in both number formats. Small ones have
// fewer, smaller sums.
func Models(size Size) (list []Check) {
	for i, v := range variants() {
		nodes := modelNodes
		if size == Small {
			s := v.small()
			if i == 0 { // one has heads as they are, for which sm_90a has a kernel
				s.options.HeadDim = v.options.HeadDim
			}
			v, nodes = s, fewSmallNodes
		}
		list = append(list, Check{Name: "model, " + v.name, Group: GroupModels, run: func(ctx context.Context, s Site) Outcome {
			worst, err := v.check(ctx, s.backend, uint64(i), nodes)
			return Outcome{Worst: worst / Parity, Err: err}
		}})
	}
	return list
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

// reference is a model's forest, and what the CPU's float32 makes of it.
type reference struct {
	ck       *checkpoint.Checkpoint
	forest   *engine.Forest
	logProbs []float32
	tokens   []int32
}

// compute makes the model of a seed and runs a forest of so many nodes on the CPU.
func (v variant) compute(ctx context.Context, seed uint64, nodes int) (*reference, error) {
	dir, err := os.MkdirTemp("", "softbench-cuda-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := randmodel.Write(dir, v.options); err != nil {
		return nil, err
	}
	r := &reference{}
	if r.ck, err = checkpoint.Open(dir, checkpoint.Options{Attention: v.kind}); err != nil {
		return nil, err
	}
	r.forest = randforest.New(rand.New(rand.NewPCG(seed, 1)), nodes, r.ck.Config.Vocab, randforest.Two)
	cpu, err := engine.NewCPU(ctx, r.ck, engine.CPUOptions{})
	if err == nil {
		r.logProbs, r.tokens, err = scores(ctx, cpu, r.ck, r.forest, engine.RunOptions{})
		err = cmp.Or(err, cpu.Close())
	}
	if err != nil {
		return nil, errors.Join(err, r.ck.Close())
	}
	return r, nil
}

// check runs a forest of so many nodes on the device and on the CPU.
func (v variant) check(ctx context.Context, open OpenBackend, seed uint64, nodes int) (worst float64, err error) {
	r, err := v.compute(ctx, seed, nodes)
	if err != nil {
		return 0, err
	}
	defer r.ck.Close()
	for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
		b, err := open(ctx, r.ck, dt)
		if err != nil {
			return 0, err
		}
		d, err := v.onDevice(ctx, b, r, dt)
		if err := cmp.Or(err, b.Close()); err != nil {
			return 0, fmt.Errorf("%v: %w", dt, err)
		}
		if dt == kernel.Float32 {
			worst = d
		}
	}
	return worst, nil
}

// apart is how far log-probabilities are from the CPU's: at most, and on average.
func (r *reference) apart(got []float32) (worst, mean float64) {
	for i, g := range got {
		d := math.Abs(float64(g - r.logProbs[i]))
		if g != g {
			d = math.Inf(1)
		}
		worst, mean = max(worst, d), mean+d
	}
	return worst, mean / float64(len(got))
}

// onDevice compares with the CPU, and in other batches with itself.
func (v variant) onDevice(ctx context.Context, b engine.Backend, r *reference, dt kernel.Arithmetic) (worst float64, err error) {
	ck, f := r.ck, r.forest
	got, tokens, err := scores(ctx, b, ck, f, engine.RunOptions{BatchTokens: 4096})
	if err != nil {
		return 0, err
	}
	worst, mean := r.apart(got)
	switch dt {
	case kernel.Float32:
		if !slices.Equal(tokens, r.tokens) {
			return 0, errors.New("an argmax or a decoded token is not the CPU's")
		}
		if worst > Parity {
			return worst, fmt.Errorf("log-probabilities differ from the CPU's by up to %v, allowed are %v", worst, Parity)
		}
	default:
		if allowed := Slack * v.rounded; mean > allowed {
			return worst, fmt.Errorf("log-probabilities differ from the CPU's float32 by %v on average, allowed are %v", mean, allowed)
		}
		if worst > mostRounded {
			return worst, fmt.Errorf("log-probabilities differ from the CPU's float32 by up to %v, allowed are %v", worst, mostRounded)
		}
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
