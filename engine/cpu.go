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
	Formats kernel.Formats // float32 all through, unless said otherwise
	Threads int            // 0: one per processor
	Set     kernel.Set     // nil: the fastest this machine has
}

// cpu is the Backend for processors. Between stages all threads meet; within a
// stage each output is computed by one of them, so their number changes no sum.
type cpu struct {
	config  checkpoint.Config
	kind    attention.Kind
	set     kernel.Set
	formats kernel.Formats
	pool    pool
	weights *cpuWeights
	layout  kvLayout
	store   kvStore
	ropes   []ropeTable // as Config.Rotary
	scratch cpuScratch
	// watch is told of each product before it is made: the prepared input is w's, so many
	// rows. It is nil but in a calibration.
	watch func(ctx context.Context, w *linear, rows int) error
}

// cpuScratch is what a batch needs; it grows to the largest batch seen.
type cpuScratch struct {
	x      []float32 // [rows, hidden]: the residual stream
	normed []float32 // [threads, hidden]
	qkv    []float32 // [rows, qkvWidth]
	mixed  []float32 // [rows, heads·head size]
	gateUp []float32 // [rows, 2·intermediate], or half of it where the MLP has no gate
	branch []float32 // [rows, hidden]: what a block adds, where something is done to it before
	// [rows, embedding's width]: the embedding before it is projected
	projected []float32
	mix       expertScratch
	second    []float32 // the same of the attention, where the MLP reads what it read
	in        kernel.Input
	activated kernel.Input     // the next product's input, while in is read
	int8      kernel.Int8Input // the same, for weights that want that
	tiles     []attentionTile  // one a thread
	work      []attentionWork
	head      headScratch
	tally     tallyScratch // for an observer
	shared    []sharedGroup
	kept      []int // rows of the batch that x holds after the last layer
	at        []int // of each scored row, its row of x after the last layer
	bad       overflow
}

// NewCPU packs a checkpoint's weights for this processor. Nothing of the
// checkpoint is read once it returns.
func NewCPU(ctx context.Context, ck *checkpoint.Checkpoint, o CPUOptions) (Backend, error) {
	c, err := newCPU(ck, o)
	if err != nil {
		return nil, err
	}
	err = safetensors.Guard(func() (err error) {
		c.weights, err = packWeights(ctx, ck, c.packer())
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// newCPU is a backend without weights.
func newCPU(ck *checkpoint.Checkpoint, o CPUOptions) (*cpu, error) {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Set == nil {
		o.Set = kernel.Best()
	}
	if err := o.Formats.Check(o.Set); err != nil {
		return nil, err
	}
	kv, ok := kvFormats[o.Formats.KV]
	if !ok {
		return nil, fmt.Errorf("the processor keeps no keys and values in the format %d", o.Formats.KV)
	}
	c := &cpu{
		config: ck.Config, kind: ck.Config.Attention.Kind, set: o.Set, formats: o.Formats,
		pool:   pool{o.Threads},
		layout: kvLayout{ck.Config.Layers, ck.Config.KVHeads, ck.Config.HeadDim, kv},
	}
	for i := range ck.Config.Rotary {
		c.ropes = append(c.ropes, newRopeTable(&ck.Config.Rotary[i]))
	}
	c.scratch.tiles = make([]attentionTile, o.Threads)
	return c, nil
}

// packer packs weights for this backend.
func (c *cpu) packer() packer { return packer{set: c.set, storage: c.formats.Storage, pool: c.pool} }

func (c *cpu) Describe() Description {
	return Description{Device: "cpu", ISA: c.set.Name(), DType: c.formats.Arithmetic.String(), Threads: c.pool.threads, Bytes: c.weights.bytes(), BatchTokens: c.set.BatchRows(c.formats.Arithmetic), Top: MaxTop, Windows: c.config.Windows()}
}

func (c *cpu) SegmentBytes(start, n int) int64 { return c.layout.bytes(start, n) }

func (c *cpu) NewSegment(start, n int) (Segment, error) {
	s := &cpuSegment{layout: c.layout, start: start, n: n, from: start, first: start / kernel.KeyGroup, store: &c.store}
	s.groups, s.keys, s.perLayer = c.layout.floats(start, n)
	s.data = c.store.get(s.perLayer * c.layout.layers)
	return s, nil
}

func (c *cpu) Close() error {
	c.weights = nil
	return nil
}

func (c *cpu) Forward(ctx context.Context, b *Batch) error {
	rows := len(b.Tokens)
	c.resize(rows)
	for i := range c.ropes {
		c.ropes[i].reach(b)
	}
	c.planHeads(b)
	c.share(b)
	if err := c.embed(ctx, b); err != nil {
		return err
	}
	for l := range c.weights.layers {
		if err := c.block(ctx, l, b); err != nil {
			return err
		}
		if b.Observer != nil {
			if err := c.observeResidual(ctx, l, b); err != nil {
				return err
			}
		}
	}
	if len(b.Heads) == 0 {
		return nil
	}
	if err := c.lastNorm(ctx, b); err != nil || b.HeadLater {
		return err
	}
	return c.scoreHeads(ctx, b)
}

// finite is the error of a stage, or of a row whose norm the stage could not keep:
// row i of rows, or row i of the batch where rows is nil.
func (c *cpu) finite(b *Batch, what string, rows []int, err error) error {
	i := c.scratch.bad.take()
	if err != nil || i < 0 {
		return err
	}
	if rows != nil {
		i = rows[i]
	}
	return b.NotFinite(what, i)
}

// planHeads decides which rows leave the last layer: all where an observer
// observes, else those whose next token is scored.
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

// embed begins the residual stream.
func (c *cpu) embed(ctx context.Context, b *Batch) error {
	hidden, s := c.config.Hidden, &c.scratch
	into, width := s.x, hidden
	if w := c.weights.projectIn; w != nil {
		width = w.K
		growFloats(&s.projected, len(b.Tokens)*width)
		into = s.projected
	}
	if err := c.pool.run(ctx, chunks(len(b.Tokens)), func(_, n int) {
		for i := n * rowChunk; i < min(len(b.Tokens), (n+1)*rowChunk); i++ {
			c.weights.embed.RowF32(int(b.Tokens[i]), into[i*width:][:width])
		}
	}); err != nil {
		return err
	}
	if w := c.weights.projectIn; w != nil {
		if err := c.prepare(ctx, into, width, len(b.Tokens)); err != nil {
			return err
		}
		if err := c.matmul(ctx, s.x, len(b.Tokens), w, nil, false); err != nil {
			return err
		}
	}
	if a := c.config.EmbedScale; a != 0 {
		c.set.Scale(c.scratch.x, a)
	}
	if !c.weights.learned {
		return nil
	}
	row := make([]float32, hidden)
	for _, sp := range b.Spans {
		for r := range sp.N {
			c.weights.positions.RowF32(sp.Position+r+c.config.PositionsFrom, row)
			kernel.Add(c.scratch.x[(sp.Row+r)*hidden:][:hidden], row, 1)
		}
	}
	return nil
}

// block runs one transformer block over the residual stream, as Config says. In
// the last layer every row gets its keys and values, and only the rows that
// planHeads keeps go on.
func (c *cpu) block(ctx context.Context, layer int, b *Batch) error {
	s, w, rows := &c.scratch, &c.weights.layers[layer], len(b.Tokens)
	err := c.normalise(ctx, &w.attnNorm, rows)
	if err = c.finite(b, residual, nil, err); err != nil {
		return err
	}
	if err := c.matmul(ctx, s.qkv, rows, w.qkv, w.qkvBias, false); err != nil {
		return err
	}
	err = c.rotateAndStore(ctx, layer, b)
	if err = c.finite(b, "the queries or keys", nil, err); err != nil {
		return err
	}
	if err := c.copyShared(ctx, layer); err != nil {
		return err
	}
	if err := c.attend(ctx, layer, b); err != nil {
		return err
	}
	if c.last(layer) {
		if rows = c.keep(); rows == 0 {
			return nil
		}
		return c.finite(b, residual, s.kept, c.feed(ctx, w, rows))
	}
	return c.finite(b, residual, nil, c.feed(ctx, w, rows))
}

// feed is a block from the attention's output on.
func (c *cpu) feed(ctx context.Context, w *cpuLayer, rows int) error {
	s := &c.scratch
	if err := c.prepare(ctx, s.mixed, w.out.K, rows); err != nil {
		return err
	}
	if c.config.Parallel { // the MLP reads the stream without what attention adds
		if err := c.matmul(ctx, s.second, rows, w.out, w.outBias, false); err != nil {
			return err
		}
	} else if err := c.add(ctx, rows, w.out, w.outBias, &w.postAttnNorm); err != nil {
		return err
	}
	mlpNorm := &w.mlpNorm
	if c.config.Parallel && !mlpNorm.has {
		mlpNorm = &w.attnNorm // one for both
	}
	if w.router != nil {
		if err := c.mixExperts(ctx, w, mlpNorm, rows); err != nil {
			return err
		}
	} else if err := c.mlp(ctx, w, mlpNorm, rows); err != nil {
		return err
	}
	if c.config.Parallel {
		return c.addRows(ctx, s.second, rows, &w.postAttnNorm)
	}
	return nil
}

// residual is what blocks read and add to, in errors.
const residual = "the residual stream"

func (c *cpu) last(layer int) bool { return layer == len(c.weights.layers)-1 }

func (c *cpu) resize(rows int) {
	s, cfg := &c.scratch, &c.config
	growFloats(&s.x, rows*cfg.Hidden)
	growFloats(&s.normed, c.pool.threads*rowChunk*cfg.Hidden)
	growFloats(&s.qkv, rows*c.qkvWidth())
	growFloats(&s.mixed, rows*cfg.Heads*cfg.HeadDim)
	growFloats(&s.gateUp, rows*2*max(cfg.Intermediate, cfg.Experts.Width, cfg.Experts.Shared))
	growFloats(&s.branch, rows*cfg.Hidden)
	growFloats(&s.second, rows*cfg.Hidden)
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
