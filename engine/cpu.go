package engine

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/safetensors"
)

// CPUOptions choose how the CPU backend computes.
type CPUOptions struct {
	DType   kernel.DType
	Threads int        // 0: one per processor
	Set     kernel.Set // nil: the fastest this machine has
}

// cpu is the Backend for processors. Between stages all threads meet; within a
// stage each output is computed by one of them, so their number changes no sum.
type cpu struct {
	config  checkpoint.Config
	kind    attention.Kind
	set     kernel.Set
	dtype   kernel.DType
	pool    pool
	weights *cpuWeights
	layout  kvLayout
	store   kvStore
	rope    ropeTable
	scratch cpuScratch
}

// cpuScratch is what a batch needs; it grows to the largest batch seen.
type cpuScratch struct {
	x      []float32 // [rows, hidden]: the residual stream
	normed []float32 // [threads, hidden]
	qkv    []float32 // [rows, (heads + 2·kv heads)·head size]
	mixed  []float32 // [rows, heads·head size]
	gateUp []float32 // [rows, 2·intermediate]
	in     kernel.Input
	tiles  []attentionTile // one a thread
	work   []attentionWork
	head   headScratch
	kept   []int // rows of the batch that x holds after the last layer
	at     []int // of each scored row, its row of x after the last layer
}

// NewCPU packs a checkpoint's weights for this processor. Nothing of the
// checkpoint is read once it returns.
func NewCPU(ctx context.Context, ck *checkpoint.Checkpoint, o CPUOptions) (Backend, error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Set == nil {
		o.Set = kernel.Best()
	}
	c := &cpu{
		config: ck.Config, kind: ck.Config.Attention.Kind, set: o.Set, dtype: o.DType,
		pool:   pool{o.Threads},
		layout: kvLayout{ck.Config.Layers, ck.Config.KVHeads, ck.Config.HeadDim, o.DType},
		rope:   newRopeTable(ck.Config.InvFreq()),
	}
	c.scratch.tiles = make([]attentionTile, o.Threads)
	err := safetensors.Guard(func() (err error) {
		c.weights, err = packWeights(ctx, ck, o.Set, o.DType, c.pool)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (c *cpu) Describe() Description {
	return Description{Device: "cpu", ISA: c.set.Name(), DType: c.dtype.String(), Threads: c.pool.threads, Bytes: c.weights.bytes(), BatchTokens: c.set.BatchRows(c.dtype)}
}

func (c *cpu) SegmentBytes(start, n int) int64 { return c.layout.bytes(start, n) }

func (c *cpu) NewSegment(start, n int) (Segment, error) {
	s := &cpuSegment{layout: c.layout, start: start, n: n, first: start / kernel.KeyGroup, store: &c.store}
	s.groups, s.keys, s.perLayer = c.layout.floats(start, n)
	s.data = c.store.get(s.perLayer * c.layout.layers)
	return s, nil
}

func (c *cpu) Close() error {
	c.weights = nil
	return nil
}

// Forward implements Backend.
func (c *cpu) Forward(ctx context.Context, b *Batch) error {
	rows := len(b.Tokens)
	c.resize(rows)
	c.rope.reach(b)
	c.planHeads(b)
	s := &c.scratch
	hidden := c.config.Hidden
	for i, t := range b.Tokens {
		c.weights.embed.RowF32(int(t), s.x[i*hidden:][:hidden])
	}
	for l := range c.weights.layers {
		if err := c.block(ctx, l, b); err != nil {
			return err
		}
		if b.Observer != nil {
			for _, sp := range b.Spans {
				b.Observer.Residual(Residual{Layer: l, Node: sp.Node, Position: sp.Position, X: s.x[sp.Row*hidden:][:sp.N*hidden]})
			}
		}
	}
	return c.scoreHeads(ctx, b)
}

// planHeads decides which rows leave the last layer: all where an observer
// watches, else those whose next token is scored.
func (c *cpu) planHeads(b *Batch) {
	s := &c.scratch
	grow(&s.at, len(b.Heads))
	s.kept = s.kept[:0]
	if b.Observer != nil {
		for r := range b.Tokens {
			s.kept = append(s.kept, r)
		}
	} else {
		for i := range b.Heads {
			s.kept = append(s.kept, b.Heads[i].Row)
		}
		slices.Sort(s.kept)
		s.kept = slices.Compact(s.kept)
	}
	for i := range b.Heads {
		s.at[i], _ = slices.BinarySearch(s.kept, b.Heads[i].Row)
	}
}

// keep moves the rows that leave the last layer to the front of the residual
// stream and of the attention's output, and returns their number.
func (c *cpu) keep() int {
	s, hidden, width := &c.scratch, c.config.Hidden, c.config.Heads*c.config.HeadDim
	for i, r := range s.kept {
		if i != r {
			copy(s.x[i*hidden:][:hidden], s.x[r*hidden:])
			copy(s.mixed[i*width:][:width], s.mixed[r*width:])
		}
	}
	return len(s.kept)
}

// block runs one transformer block over the residual stream:
//
//	x += O·attention(RoPE(norm(QKV·rmsnorm(x))))
//	x += Down·(silu(Gate·h)·(Up·h)),  h = rmsnorm(x)
//
// In the last layer every row gets its keys and values, and only the rows that
// planHeads keeps go on.
func (c *cpu) block(ctx context.Context, layer int, b *Batch) error {
	s, w, rows := &c.scratch, &c.weights.layers[layer], len(b.Tokens)
	if err := c.normalise(ctx, w.attnNorm, rows); err != nil {
		return err
	}
	if err := c.matmul(ctx, s.qkv, rows, w.qkv, w.qkvBias, false); err != nil {
		return err
	}
	if err := c.rotateAndStore(ctx, layer, b); err != nil {
		return err
	}
	if err := c.attend(ctx, layer, b); err != nil {
		return err
	}
	if c.last(layer) {
		if rows = c.keep(); rows == 0 {
			return nil
		}
	}
	if err := c.prepare(ctx, s.mixed, w.out.K, rows); err != nil {
		return err
	}
	if err := c.matmul(ctx, s.x, rows, w.out, w.outBias, true); err != nil {
		return err
	}
	if err := c.normalise(ctx, w.mlpNorm, rows); err != nil {
		return err
	}
	if err := c.matmul(ctx, s.gateUp, rows, w.gateUp, w.gateUpBias, false); err != nil {
		return err
	}
	if err := c.activate(ctx, rows); err != nil {
		return err
	}
	return c.matmul(ctx, s.x, rows, w.down, w.downBias, true)
}

func (c *cpu) last(layer int) bool { return layer == len(c.weights.layers)-1 }

// rowChunk is the number of rows a thread takes at once in row-wise stages.
const rowChunk = 16

func chunks(rows int) int { return (rows + rowChunk - 1) / rowChunk }

// normalise prepares rmsnorm(x) as the next matrix multiply's input.
func (c *cpu) normalise(ctx context.Context, weight []float32, rows int) error {
	s, hidden := &c.scratch, c.config.Hidden
	s.in.Reset(c.dtype, rows, hidden)
	return c.pool.run(ctx, chunks(rows), func(worker, i int) {
		buf := s.normed[worker*rowChunk*hidden:][:rowChunk*hidden]
		r0, r1 := i*rowChunk, min(rows, (i+1)*rowChunk)
		for r := r0; r < r1; r++ {
			c.set.RMSNorm(buf[(r-r0)*hidden:][:hidden], s.x[r*hidden:][:hidden], weight, c.config.NormEps)
		}
		c.prepareRows(buf, hidden, r0, r1)
	})
}

// prepareRows stores buf, whose first row is row r0, in the input.
func (c *cpu) prepareRows(buf []float32, ld, r0, r1 int) {
	view := c.scratch.in
	view.Skip(r0)
	c.set.Prepare(&view, buf, ld, 0, r1-r0)
}

// prepare makes rows of x [rows, k] the next matrix multiply's input.
func (c *cpu) prepare(ctx context.Context, x []float32, k, rows int) error {
	c.scratch.in.Reset(c.dtype, rows, k)
	return c.pool.run(ctx, chunks(rows), func(_, i int) {
		c.set.Prepare(&c.scratch.in, x, k, i*rowChunk, min(rows, (i+1)*rowChunk))
	})
}

// activate makes silu(gate)·up the next matrix multiply's input.
func (c *cpu) activate(ctx context.Context, rows int) error {
	s, n := &c.scratch, c.config.Intermediate
	s.in.Reset(c.dtype, rows, n)
	return c.pool.run(ctx, chunks(rows), func(_, i int) {
		r0, r1 := i*rowChunk, min(rows, (i+1)*rowChunk)
		for r := r0; r < r1; r++ {
			gate := s.gateUp[r*2*n:][:n]
			c.set.SwiGLU(gate, gate, s.gateUp[r*2*n+n:][:n])
		}
		c.set.Prepare(&s.in, s.gateUp, 2*n, r0, r1)
	})
}

// matmul multiplies the prepared input with w into y [rows, w.N], or adds to y.
func (c *cpu) matmul(ctx context.Context, y []float32, rows int, w *kernel.Matrix, bias []float32, add bool) error {
	tile := kernel.TaskColumns(c.set, w.N, c.pool.threads)
	across := (w.N + tile - 1) / tile
	return c.pool.run(ctx, across, func(_, i int) {
		n0, n1 := i*tile, min(w.N, (i+1)*tile)
		c.set.MatMul(y[n0:], w.N, &c.scratch.in, 0, rows, w, n0, n1, add)
		if bias == nil {
			return
		}
		for r := range rows {
			out := y[r*w.N+n0:][:n1-n0]
			for j, b := range bias[n0:n1] {
				out[j] += b
			}
		}
	})
}

func (c *cpu) resize(rows int) {
	s, cfg := &c.scratch, &c.config
	growFloats(&s.x, rows*cfg.Hidden)
	growFloats(&s.normed, c.pool.threads*rowChunk*cfg.Hidden)
	growFloats(&s.qkv, rows*(cfg.Heads+2*cfg.KVHeads)*cfg.HeadDim)
	growFloats(&s.mixed, rows*cfg.Heads*cfg.HeadDim)
	growFloats(&s.gateUp, rows*2*cfg.Intermediate)
}

// growFloats is grow for buffers of megabytes.
func growFloats(s *[]float32, n int) {
	if cap(*s) < n {
		*s = kernel.NewFloats(n)
	}
	*s = (*s)[:n]
}

func grow[T any](s *[]T, n int) {
	if cap(*s) < n {
		*s = make([]T, n)
	}
	*s = (*s)[:n]
}

// nanError says where logits are no numbers, and what to look at.
func nanError(node, position int) error {
	return fmt.Errorf("the logits after position %d (forest node %d) are not finite: the weights overflow in this dtype, or the checkpoint is damaged; try --dtype float32", position, node)
}
