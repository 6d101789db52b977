package forward

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/softbench/softbench/cuda/abi"
	"github.com/softbench/softbench/cuda/device"
	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/safetensors"
)

// Options choose how a backend computes.
type Options struct {
	Formats kernel.Formats
	// Memory bounds the device memory taken, in bytes; 0: nearly all that is free.
	Memory int64
	// Rows bounds the rows computed together; 0: as many as memory allows, up to
	// 8192. No number depends on it.
	Rows int
}

// ErrUnsupported is in the chain of errors about models that the kernels do not
// compute, but the CPU backend does.
var ErrUnsupported = errors.New("not supported on CUDA")

// Backend is an engine.Backend on a device.
type Backend struct {
	dev     device.Device
	config  checkpoint.Config
	mode    abi.Mode
	sizes   sizes
	weights weights
	scratch scratch
	store   []device.Ptr // of each layer: keys, then values [slots, kv heads, head size]
	pool    *slotPool
	rope    *rope

	tileRows int
	table    []byte   // the tables of the plan that is made ready
	spare    [][]byte // memory of tables that no work needs any more
	host     []byte   // downloads of observers
}

// New puts a checkpoint's weights on a device, and takes what else it has for
// scratch, keys and values. The checkpoint may be closed afterwards. The device
// belongs to the backend, and is closed with it, also where New fails.
func New(ctx context.Context, dev device.Device, ck *checkpoint.Checkpoint, o Options) (*Backend, error) {
	b, err := open(ctx, dev, ck, o)
	if err != nil {
		return nil, errors.Join(err, dev.Close())
	}
	return b, nil
}

func open(ctx context.Context, dev device.Device, ck *checkpoint.Checkpoint, o Options) (*Backend, error) {
	c := ck.Config
	mode, ok := modes[o.Formats]
	if !ok {
		return nil, fmt.Errorf("number formats %+v are %w: use --device cpu", o.Formats, ErrUnsupported)
	}
	if mode == abi.BF16 && dev.Info().Hopper {
		mode = abi.BF16Hopper
	}
	if ck.Int8 {
		return nil, fmt.Errorf("products of int8 activations are %w: use --device cpu", ErrUnsupported)
	}
	if err := supported(&c); err != nil {
		return nil, err
	}
	b := &Backend{dev: dev, config: c, mode: mode, rope: newRope(c.Rotary[0].InvFreq()), tileRows: abi.TileRows(mode, c.HeadDim, c.Heads/c.KVHeads)}
	var err error
	if b.sizes, err = divide(&c, ck.Head == ck.Embed, mode, dev.Info(), o); err != nil {
		return nil, err
	}
	base, err := dev.Alloc(b.sizes.total)
	if err != nil {
		return nil, fmt.Errorf("out of GPU memory: %w: another program may have taken it since; use --device cpu or try again", err)
	}
	arena := device.NewArena(base, b.sizes.total)
	if g, ok := dev.(guard); ok {
		arena.Guard(g.Part)
	}
	if err := safetensors.Guard(func() error { return b.weights.upload(ctx, ck, mode, dev, arena) }); err != nil {
		return nil, err
	}
	b.scratch.take(arena, scratchParts(&c, mode, b.sizes))
	for range c.Layers {
		b.store = append(b.store, arena.Take(b.storeBytes()), arena.Take(b.storeBytes()))
	}
	b.pool = newSlotPool(b.sizes.slots)
	return b, nil
}

// modes are the kernels' by the formats they compute in; there are no others.
var modes = map[kernel.Formats]abi.Mode{
	kernel.FormatsOf(kernel.Float32):  abi.F32,
	kernel.FormatsOf(kernel.BFloat16): abi.BF16,
}

// guard is a device that checks accesses against the arena's parts: the
// simulator.
type guard interface {
	Part(p device.Ptr, bytes int64)
}

// storeBytes is the size of a layer's keys, and of its values.
func (b *Backend) storeBytes() int64 {
	return int64(b.sizes.slots) * b.sizes.perSlot / int64(2*b.config.Layers)
}

// supported says what of a model the kernels do not compute.
func supported(c *checkpoint.Config) error {
	group := c.Heads / c.KVHeads
	if beyond := c.BeyondLlama(); len(beyond) > 0 {
		return fmt.Errorf("%s (model_type %q) is %w: use --device cpu", beyond[0], c.ModelType, ErrUnsupported)
	}
	switch {
	case !slices.Contains(abi.Kinds, c.Attention.Kind):
		return fmt.Errorf("%s attention is %w: use --device cpu", c.Attention, ErrUnsupported)
	case !abi.HeadSize(c.HeadDim):
		return fmt.Errorf("a head size of %d is %w: the kernels compute %v; use --device cpu", c.HeadDim, ErrUnsupported, abi.HeadSizes)
	case group > abi.MostGroup:
		return fmt.Errorf("%d query heads for each key/value head are %w: at most %d are; use --device cpu", group, ErrUnsupported, abi.MostGroup)
	case c.Hidden%abi.Multiple != 0 || c.Intermediate%abi.Multiple != 0:
		return fmt.Errorf("a width of %d and an MLP of %d are %w: both must be multiples of %d; use --device cpu", c.Hidden, c.Intermediate, ErrUnsupported, abi.Multiple)
	}
	return nil
}

func (b *Backend) Describe() engine.Description {
	info := b.dev.Info()
	return engine.Description{
		Device: "cuda", ISA: info.Image, DType: b.mode.DType(), Threads: 1, Bytes: b.sizes.weights,
		Name: info.Name, KVBytes: int64(b.sizes.slots) * b.sizes.perSlot, BatchTokens: b.sizes.rows, Top: 1, Windows: b.config.Windows(),
	}
}

func (b *Backend) SegmentBytes(_, n int) int64 { return int64(n) * b.sizes.perSlot }

func (b *Backend) NewSegment(start, n int) (engine.Segment, error) {
	extents, err := b.pool.take(n)
	if err != nil {
		return nil, fmt.Errorf("out of GPU memory: %w: shorten the context or use --device cpu", err)
	}
	return &segment{start: start, n: n, extents: extents, pool: b.pool}, nil
}

func (b *Backend) Close() error { return b.dev.Close() }

// block queues one transformer block:
//
//	x += O·attention(RoPE(norm(QKV·rmsnorm(x))))
//	x += Down·(silu(Gate·h)·(Up·h)),  h = rmsnorm(x)
//
// In the last layer every row gets its keys and values, and only the rows that
// are scored go on. It returns where the residual stream is and its rows.
func (b *Backend) block(q *queue, p *plan, t tables, l int, o engine.Observer) (x device.Ptr, rows int) {
	s, c, w := &b.scratch, &b.config, &b.weights.layers[l]
	rows = len(p.ids)
	size, wide := c.HeadDim, c.Heads*c.HeadDim
	keys, values := b.store[2*l], b.store[2*l+1]
	x = s.x
	q.launch(abi.RMSNorm(b.mode, x, w.attnNorm, s.h, rows, c.Hidden, c.Norm.Eps))
	rope := abi.RopeArgs{
		QKV: s.qkv, Q: s.q, Keys: keys, Values: values, Slot: t.slot, Cos: t.cos, Sin: t.sin, LogN: t.logN,
		Scale: w.scale, QNorm: w.qNorm, KNorm: w.kNorm, Rows: rows, Heads: c.Heads, KVHeads: c.KVHeads, Size: size, Eps: c.QKNorm.Eps,
	}
	if abi.FusesRope(size) {
		q.launch(abi.QKV(b.mode, s.h, w.qkv, w.qkvBias, c.Hidden, rope))
	} else {
		q.launch(abi.Gemm(b.mode, abi.Store, s.h, w.qkv, w.qkvBias, s.qkv, rows, wide+2*c.KVHeads*size, c.Hidden))
		q.launch(abi.Rope(b.mode, rope))
	}
	tiles, n := t.tiles, len(p.tiles)
	last := l == len(b.weights.layers)-1
	if last {
		tiles, n = t.last, len(p.last)
		q.launch(abi.Gather(s.h, t.first, s.norms, rows, 4)) // for checkNorms
	}
	if n == 0 {
		return x, 0
	}
	attention := abi.AttentionArgs{
		Q: s.q, Keys: keys, Values: values, Out: s.mixed, Tiles: tiles, Runs: t.runs, N: n,
		Kind: c.Attention.Kind, Window: c.Blocks[l].Window, Heads: c.Heads, KVHeads: c.KVHeads, Size: size,
	}
	if o != nil {
		attention.Stats = s.stats
	}
	q.launch(abi.Attention(b.mode, attention))
	if o != nil {
		q.run(b)
		q.failed(b.observeAttention(q, p, l, attention, o))
	}
	mixed := s.mixed
	if last && len(p.kept) < rows {
		rows = len(p.kept)
		q.launch(abi.Gather(s.x, t.kept, s.x2, rows, 4*c.Hidden))
		q.launch(abi.Gather(s.mixed, t.kept, s.q, rows, b.mode.Bytes()*wide))
		x, mixed = s.x2, s.q
	}
	q.launch(abi.Gemm(b.mode, abi.Add, mixed, w.out, w.outBias, x, rows, c.Hidden, wide))
	q.launch(abi.RMSNorm(b.mode, x, w.mlpNorm, s.h, rows, c.Hidden, c.Norm.Eps))
	q.launch(abi.Gemm(b.mode, abi.SwiGLU, s.h, w.gateUp, w.gateUpBias, s.act, rows, 2*c.Intermediate, c.Hidden))
	q.launch(abi.Gemm(b.mode, abi.Add, s.act, w.down, w.downBias, x, rows, c.Hidden, c.Intermediate))
	return x, rows
}
