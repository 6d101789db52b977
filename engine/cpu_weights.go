package engine

import (
	"context"
	"math"
	"slices"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/safetensors"
)

// cpuLayer is one transformer block's weights, packed. q, k and v are one
// matrix, their outputs side by side, and those of a gate of the attention's
// output behind them; so are gate and up, where there is a gate.
type cpuLayer struct {
	attnNorm, postAttnNorm normWeights
	mlpNorm, postMLPNorm   normWeights
	qkv, out, gateUp, down *linear
	qkvBias, outBias       []float32 // nil where the model has none
	gateUpBias, downBias   []float32
	qNorm, kNorm           normWeights
	scale                  []float32  // [heads], the s of scaled kinds
	sinks                  []float32  // [heads], the b of learned kinds
	router                 *cpuRouter // nil where the MLP is one
	experts                []cpuMLP
	shared                 *cpuMLP
	act                    [4]float32 // a, b, β and ε of XIELU
}

// normWeights are a norm's weight and bias, nil where it has none. has is false
// where there is no norm at all.
type normWeights struct {
	has          bool
	weight, bias []float32
}

type cpuWeights struct {
	// Tables in memory of their own: nothing is read from the files later.
	embed     table
	positions table
	learned   bool // the positions are
	layers    []cpuLayer
	norm      normWeights
	head      *kernel.Matrix
	headBias  []float32
	// nil where the embedding is of the residual stream's width
	projectIn, projectOut *linear
}

// packWeights packs every matrix once and lets go of the mapped pages behind
// it, so that the checkpoint is not held twice.
func packWeights(ctx context.Context, ck *checkpoint.Checkpoint, p packer) (*cpuWeights, error) {
	w := &cpuWeights{norm: p.norm(ck, ck.Config.Names.Norm, ck.Norm), headBias: ck.HeadBias.F32()}
	for i := range ck.Layers {
		l, err := p.layer(ctx, ck, i)
		if err != nil {
			return nil, err
		}
		w.layers = append(w.layers, *l)
	}
	head, err := p.linear(ctx, ck.Head)
	if err != nil {
		return nil, err
	}
	w.head = head.parts[0] // of one view
	if ck.ProjectOut != nil {
		if w.projectOut, err = p.linear(ctx, ck.ProjectOut); err != nil {
			return nil, err
		}
	}
	tied := w.head
	if ck.Embed != ck.Head {
		tied = nil
	}
	return w, w.packEntrance(ctx, ck, p, tied)
}

// packEntrance packs what the residual stream begins with; tied is the head where that is
// the embedding.
func (w *cpuWeights) packEntrance(ctx context.Context, ck *checkpoint.Checkpoint, p packer, tied *kernel.Matrix) (err error) {
	if ck.ProjectIn != nil {
		if w.projectIn, err = p.linear(ctx, ck.ProjectIn); err != nil {
			return err
		}
	}
	if w.embed, err = p.table(ctx, ck.Embed, tied); err != nil || ck.Positions == nil {
		return err
	}
	w.learned = true
	w.positions, err = p.table(ctx, ck.Positions, nil)
	return err
}

// norm reads a norm's weights; name is empty where there is none.
func (p packer) norm(ck *checkpoint.Checkpoint, name string, n checkpoint.NormWeights) normWeights {
	w := normWeights{name != "", n.Weight.F32(), n.Bias.F32()}
	if w.has && w.weight == nil { // a norm without weights
		w.weight = slices.Repeat([]float32{1}, ck.Config.Hidden)
	}
	return w
}

// layer packs block i.
func (p packer) layer(ctx context.Context, ck *checkpoint.Checkpoint, i int) (*cpuLayer, error) {
	cfg, src := &ck.Config, &ck.Layers[i]
	p.int8 = true
	pack := func(parts ...*checkpoint.View) (*linear, error) { return p.linear(ctx, parts...) }
	gateUp, gateUpBias := []*checkpoint.View{src.Up}, []*checkpoint.View{src.UpBias}
	if src.Gate != nil {
		gateUp, gateUpBias = []*checkpoint.View{src.Gate, src.Up}, []*checkpoint.View{src.GateBias, src.UpBias}
	}
	l := &cpuLayer{
		attnNorm: p.norm(ck, cfg.Names.AttnNorm, src.AttnNorm), postAttnNorm: p.norm(ck, cfg.Names.PostAttnNorm, src.PostAttnNorm),
		mlpNorm: p.norm(ck, cfg.Names.MLPNorm, src.MLPNorm), postMLPNorm: p.norm(ck, cfg.Names.PostMLPNorm, src.PostMLPNorm),
		qkvBias: vector(src.QBias, src.KBias, src.VBias), outBias: src.OBias.F32(),
		downBias: src.DownBias.F32(),
		qNorm:    p.norm(ck, cfg.Names.QNorm, src.QNorm), kNorm: p.norm(ck, cfg.Names.KNorm, src.KNorm),
	}
	if ck.Config.Attention.Scaled {
		l.scale = src.Scale.F32()
	}
	if ck.Config.Attention.Kind.Definition().Learned {
		l.sinks = src.Sinks.F32()
	}
	if src.Act[0] != nil {
		// Stored are what softplus makes a, and b less β, of.
		a, b := src.Act[0].F32()[0], src.Act[1].F32()[0]
		beta, eps := src.Act[2].F32()[0], src.Act[3].F32()[0]
		l.act = [4]float32{softplus(a), beta + softplus(b), beta, eps}
	}
	var err error
	qkv := []*checkpoint.View{src.Q, src.K, src.V}
	if cfg.Attention.Gated {
		qkv = append(qkv, src.OutputGate)
		if l.qkvBias != nil { // the gate has none
			l.qkvBias = append(l.qkvBias, make([]float32, src.OutputGate.N)...)
		}
	}
	if l.qkv, err = pack(qkv...); err != nil {
		return nil, err
	}
	if l.out, err = pack(src.O); err != nil {
		return nil, err
	}
	l.gateUpBias = vector(gateUpBias...)
	if cfg.Blocks[i].Experts {
		if err := l.packExperts(src, pack); err != nil {
			return nil, err
		}
		return l, nil
	}
	if l.gateUp, err = pack(gateUp...); err != nil {
		return nil, err
	}
	if l.down, err = pack(src.Down); err != nil {
		return nil, err
	}
	return l, nil
}

// copyTable copies a whole tensor out of its file: as stored, or, where that must
// be decoded, as float32.
func copyTable(ctx context.Context, p pool, v *checkpoint.View) (*checkpoint.View, error) {
	const piece = 1 << 20
	t := v.Stored
	out := &safetensors.Tensor{Name: t.Name, DType: t.DType, Shape: t.Shape}
	table := *v
	table.Stored = out
	if t.Decoded() {
		rows := t.Shape[0]
		width := t.Elements() / max(1, rows)
		step := max(1, piece/4/max(1, width))
		out.DType, out.Data = safetensors.F32, kernel.NewBytes(4*rows*width)
		err := readTasks(ctx, p, (rows+step-1)/step, func(task int) {
			row := make([]float32, width)
			for i := task * step; i < min(rows, (task+1)*step); i++ {
				t.RowF32(i, row)
				safetensors.Encode(safetensors.F32, out.Data[4*i*width:4*(i+1)*width], row)
			}
		})
		safetensors.Drop(t)
		return &table, err
	}
	out.Data = kernel.NewBytes(len(t.Data))
	err := readTasks(ctx, p, (len(t.Data)+piece-1)/piece, func(i int) {
		at := i * piece
		copy(out.Data[at:min(at+piece, len(out.Data))], t.Data[at:])
		safetensors.DropBytes(t, at, min(piece, len(t.Data)-at))
	})
	return &table, err
}

// readTasks is pool.run for tasks that read from the files, which may fault.
func readTasks(ctx context.Context, p pool, n int, task func(i int)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := p.run(ctx, n, func(_, i int) {
		if err := safetensors.Guard(func() error { task(i); return nil }); err != nil {
			cancel(err)
		}
	})
	if err != nil {
		return context.Cause(ctx)
	}
	return nil
}

// packRows packs matrices of equal width, one below the other, as one.
func packRows(ctx context.Context, set kernel.Set, f kernel.Storage, p pool, parts ...*checkpoint.View) (*kernel.Matrix, error) {
	n, k := 0, parts[0].K
	for _, t := range parts {
		n += t.N
	}
	w := set.NewMatrix(f, n, k)
	find := func(j int) (*checkpoint.View, int) {
		at := 0
		for j >= parts[at].N {
			j -= parts[at].N
			at++
		}
		return parts[at], j
	}
	halves := f == kernel.StoredBFloat16
	for _, t := range parts {
		halves = halves && t.BF16()
	}
	// A task packs whole panels: the rows of a panel lie interleaved.
	step := set.PanelWidth() * max(1, 256/set.PanelWidth())
	err := readTasks(ctx, p, (n+step-1)/step, func(task int) {
		n0, n1 := task*step, min(n, (task+1)*step)
		if halves {
			set.PackHalves(w, n0, n1, func(j int) []byte {
				t, j := find(j)
				return t.Row(j)
			})
			return
		}
		set.PackRows(w, n0, n1, func(j int, dst []float32) {
			t, j := find(j)
			t.RowF32(j, dst)
		})
	})
	for _, t := range parts {
		t.Drop()
	}
	return w, err
}

// vector reads vectors one after the other; nil where the first is absent.
func vector(parts ...*checkpoint.View) []float32 {
	if parts[0] == nil {
		return nil
	}
	var all []float32
	for _, v := range parts {
		all = append(all, v.F32()...)
	}
	return all
}

func (w *cpuWeights) bytes() int64 {
	n := w.head.Bytes() + w.embed.bytes(w.head) + w.positions.bytes(nil)
	if w.projectIn != nil {
		n += w.projectIn.bytes() + w.projectOut.bytes()
	}
	for i := range w.layers {
		l := &w.layers[i]
		n += l.qkv.bytes() + l.out.bytes()
		for _, m := range l.mlps() {
			n += m.gateUp.bytes() + m.down.bytes()
		}
	}
	return n
}

func softplus(x float32) float32 { return float32(math.Log1p(math.Exp(float64(x)))) }
