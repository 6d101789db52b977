package forward

import (
	"context"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/safetensors"
)

// layer is one transformer block's weights on the device. Matrices are T
// [out, in], norms, biases and scales float.
type layer struct {
	attnNorm, mlpNorm      device.Ptr
	qkv, out, gateUp, down device.Ptr // gate and up interleaved, row by row
	qkvBias, outBias       device.Ptr // 0 where the model has none
	gateUpBias, downBias   device.Ptr
	qNorm, kNorm, scale    device.Ptr
}

type weights struct {
	embed, head, norm device.Ptr
	layers            []layer
}

// piece is what one device matrix or vector is made of: rows of the parts one
// below the other, or in turn where interleaved.
type piece struct {
	to         *device.Ptr
	matrix     bool // T, else float
	interleave bool
	from       []*checkpoint.View
}

func (p piece) elements() (n int64) {
	for _, t := range p.from {
		n += int64(t.Elements())
	}
	return n
}

func (p piece) bytes(mode abi.Mode) int64 {
	if p.matrix {
		return p.elements() * int64(mode.Bytes())
	}
	return p.elements() * 4
}

// pieces lists everything a checkpoint puts on the device.
func (w *weights) pieces(ck *checkpoint.Checkpoint) []piece {
	w.layers = make([]layer, len(ck.Layers))
	list := []piece{
		{to: &w.embed, matrix: true, from: []*checkpoint.View{ck.Embed}},
		{to: &w.norm, from: []*checkpoint.View{ck.Norm.Weight}},
	}
	add := func(to *device.Ptr, matrix, interleave bool, from ...*checkpoint.View) {
		if from[0] != nil {
			list = append(list, piece{to, matrix, interleave, from})
		}
	}
	for i := range ck.Layers {
		l, src := &w.layers[i], &ck.Layers[i]
		add(&l.attnNorm, false, false, src.AttnNorm.Weight)
		add(&l.qkv, true, false, src.Q, src.K, src.V)
		add(&l.qkvBias, false, false, src.QBias, src.KBias, src.VBias)
		add(&l.qNorm, false, false, src.QNorm.Weight)
		add(&l.kNorm, false, false, src.KNorm.Weight)
		if ck.Config.Attention.Scaled {
			add(&l.scale, false, false, src.Scale)
		}
		add(&l.out, true, false, src.O)
		add(&l.outBias, false, false, src.OBias)
		add(&l.mlpNorm, false, false, src.MLPNorm.Weight)
		add(&l.gateUp, true, true, src.Gate, src.Up)
		add(&l.gateUpBias, false, true, src.GateBias, src.UpBias)
		add(&l.down, true, false, src.Down)
		add(&l.downBias, false, false, src.DownBias)
	}
	if ck.Head != ck.Embed {
		add(&w.head, true, false, ck.Head)
	}
	return list
}

// weightBytes is what the weights of a model of this config take.
func weightBytes(c *checkpoint.Config, tied bool, mode abi.Mode) int64 {
	t := int64(mode.Bytes())
	q, kv := int64(c.Heads)*int64(c.HeadDim), int64(c.KVHeads)*int64(c.HeadDim)
	hidden, inter := int64(c.Hidden), int64(c.Intermediate)
	vector := func(when bool, n int64) int64 {
		if !when {
			return 0
		}
		return device.RoundUp(4 * n)
	}
	matrix := func(n int64) int64 { return device.RoundUp(t * n) }
	perLayer := 2*vector(true, hidden) + matrix((q+2*kv)*hidden) + matrix(hidden*q) + matrix(2*inter*hidden) + matrix(hidden*inter) +
		vector(c.QKVBias, q+2*kv) + vector(c.OutputBias, hidden) + vector(c.MLPBias, 2*inter) + vector(c.MLPBias, hidden) +
		2*vector(c.QKNorm.On, int64(c.HeadDim)) + vector(c.Attention.Scaled, int64(c.Heads))
	table := matrix(int64(c.Vocab) * hidden)
	total := int64(c.Layers)*perLayer + table + vector(true, hidden)
	if !tied {
		total += table
	}
	return total
}

// uploadRows is about the number of bytes converted and uploaded at once.
const uploadRows = 4 << 20

// upload fills the pieces' memory, and lets go of the mapped pages behind each.
func (w *weights) upload(ctx context.Context, ck *checkpoint.Checkpoint, mode abi.Mode, dev device.Device, arena *device.Arena) error {
	for _, p := range w.pieces(ck) {
		*p.to = arena.Take(p.bytes(mode))
		if err := p.upload(ctx, mode, dev); err != nil {
			return err
		}
	}
	if ck.Head == ck.Embed {
		w.head = w.embed
	}
	for _, v := range matrices(ck) {
		v.Drop()
	}
	return nil
}

// matrices lists the views whose pages are worth letting go of.
func matrices(ck *checkpoint.Checkpoint) []*checkpoint.View {
	var out []*checkpoint.View
	for i := range ck.Layers {
		l := &ck.Layers[i]
		out = append(out, l.Q, l.K, l.V, l.O, l.Gate, l.Up, l.Down)
	}
	return append(out, ck.Embed, ck.Head)
}

// upload converts a piece row by row.
func (p piece) upload(ctx context.Context, mode abi.Mode, dev device.Device) error {
	dtype := safetensors.F32
	if p.matrix {
		dtype = mode.Stored()
	}
	width, total := 1, 0 // a vector is rows of one
	if p.matrix {
		width = p.from[0].K
	}
	for _, t := range p.from {
		total += t.Elements() / width
	}
	row := make([]float32, width)
	if !p.matrix {
		return dev.Upload(*p.to, p.vector())
	}
	size := width * dtype.Bits() / 8
	buf := make([]byte, 0, max(1, uploadRows/size)*size)
	to := *p.to
	for i := range total {
		t, r := p.at(i)
		t.RowF32(r, row)
		buf = buf[:len(buf)+size]
		safetensors.Encode(dtype, buf[len(buf)-size:], row)
		if len(buf) == cap(buf) || i == total-1 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := dev.Upload(to, buf); err != nil {
				return err
			}
			to += device.Ptr(len(buf))
			buf = buf[:0]
		}
	}
	return nil
}

// at says which part, and which of its rows, row i of the whole is.
func (p piece) at(i int) (*checkpoint.View, int) {
	if p.interleave {
		return p.from[i%len(p.from)], i / len(p.from)
	}
	for _, t := range p.from {
		if i < t.N {
			return t, i
		}
		i -= t.N
	}
	panic("cuda: row outside the matrix")
}

// vector is a piece that is not a matrix, as floats.
func (p piece) vector() []byte {
	var all []float32
	if p.interleave {
		a, b := p.from[0].F32(), p.from[1].F32()
		for i := range a {
			all = append(all, a[i], b[i])
		}
	} else {
		for _, t := range p.from {
			all = append(all, t.F32()...)
		}
	}
	out := make([]byte, 4*len(all))
	putFloats(out, all)
	return out
}
