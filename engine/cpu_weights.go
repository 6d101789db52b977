package engine

import (
	"context"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/safetensors"
)

// cpuLayer is one transformer block's weights, packed. q, k and v are one
// matrix, their outputs side by side; so are gate and up.
type cpuLayer struct {
	attnNorm, mlpNorm      []float32
	qkv, out, gateUp, down *kernel.Matrix
	qkvBias, outBias       []float32 // nil where the model has none
	gateUpBias, downBias   []float32
	qNorm, kNorm           []float32 // [head size]
	scale                  []float32 // [heads], the s of scaled kinds
	window                 int       // keys at this distance or more are not seen; 0: all are
}

type cpuWeights struct {
	embed  *safetensors.Tensor // in memory of its own: nothing is read from the files later
	layers []cpuLayer
	norm   []float32
	head   *kernel.Matrix
}

// packWeights packs every matrix once and lets go of the mapped pages behind
// it, so that the checkpoint is not held twice.
func packWeights(ctx context.Context, ck *checkpoint.Checkpoint, set kernel.Set, dt kernel.DType, p pool) (*cpuWeights, error) {
	w := &cpuWeights{norm: vector(ck.Norm)}
	pack := func(parts ...*safetensors.Tensor) (*kernel.Matrix, error) {
		return packRows(ctx, set, dt, p, parts...)
	}
	for i := range ck.Layers {
		src := &ck.Layers[i]
		l := cpuLayer{
			attnNorm: vector(src.AttnNorm), mlpNorm: vector(src.MLPNorm),
			qkvBias: vector(src.QBias, src.KBias, src.VBias), outBias: vector(src.OBias),
			gateUpBias: vector(src.GateBias, src.UpBias), downBias: vector(src.DownBias),
			qNorm: vector(src.QNorm), kNorm: vector(src.KNorm),
			window: ck.Config.SlidingWindow,
		}
		if ck.Config.Attention.Scaled {
			l.scale = vector(src.Scale)
		}
		var err error
		if l.qkv, err = pack(src.Q, src.K, src.V); err != nil {
			return nil, err
		}
		if l.out, err = pack(src.O); err != nil {
			return nil, err
		}
		if l.gateUp, err = pack(src.Gate, src.Up); err != nil {
			return nil, err
		}
		if l.down, err = pack(src.Down); err != nil {
			return nil, err
		}
		w.layers = append(w.layers, l)
	}
	var err error
	if w.head, err = pack(ck.Head); err != nil {
		return nil, err
	}
	w.embed, err = copyTensor(ctx, p, ck.Embed)
	return w, err
}

// copyTensor copies a tensor out of its file.
func copyTensor(ctx context.Context, p pool, t *safetensors.Tensor) (*safetensors.Tensor, error) {
	const piece = 1 << 20
	out := &safetensors.Tensor{Name: t.Name, DType: t.DType, Shape: t.Shape, Data: make([]byte, len(t.Data))}
	err := readTasks(ctx, p, (len(t.Data)+piece-1)/piece, func(i int) {
		at := i * piece
		copy(out.Data[at:min(at+piece, len(out.Data))], t.Data[at:])
		safetensors.DropBytes(t, at, min(piece, len(t.Data)-at))
	})
	return out, err
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
func packRows(ctx context.Context, set kernel.Set, dt kernel.DType, p pool, parts ...*safetensors.Tensor) (*kernel.Matrix, error) {
	n, k := 0, parts[0].Shape[1]
	for _, t := range parts {
		n += t.Shape[0]
	}
	w := set.NewMatrix(dt, n, k)
	find := func(j int) (*safetensors.Tensor, int) {
		at := 0
		for j >= parts[at].Shape[0] {
			j -= parts[at].Shape[0]
			at++
		}
		return parts[at], j
	}
	halves := dt == kernel.BFloat16
	for _, t := range parts {
		halves = halves && t.DType == safetensors.BF16
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
		safetensors.Drop(t)
	}
	return w, err
}

// vector reads one-dimensional tensors, or ones with a trailing dimension of 1,
// one after the other; nil where the first is absent.
func vector(parts ...*safetensors.Tensor) []float32 {
	if parts[0] == nil {
		return nil
	}
	var all []float32
	for _, t := range parts {
		all = append(all, t.F32()...)
	}
	return all
}

func (w *cpuWeights) bytes() int64 {
	n := w.head.Bytes() + int64(len(w.embed.Data))
	for i := range w.layers {
		l := &w.layers[i]
		n += l.qkv.Bytes() + l.out.Bytes() + l.gateUp.Bytes() + l.down.Bytes()
	}
	return n
}
