package engine

import (
	"context"
	"fmt"
	"math"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
)

// CalibrateOptions shape a calibration.
type CalibrateOptions struct {
	CPUOptions
	// Sequences are the tokens that blocks are shown, all of one length.
	Sequences [][]int32
	// Restore puts a block's weights in place that an earlier calibration quantised, and
	// reports whether it has them; Save keeps them. Both may be nil.
	Restore func(layer int) (bool, error)
	Save    func(layer int) error
	// Progress is told the blocks that are done, of all; it may be nil.
	Progress func(done, total int)
}

// calibration is blocks on their way: one at a time is packed, and its inputs, of all
// sequences, are kept in memory.
type calibration struct {
	*cpu
	ck     *checkpoint.Checkpoint
	o      *CalibrateOptions
	stream []float32 // [sequences, length, hidden]
	length int
	each   int // sequences of a batch
	paths  [][]Segment
	scaled bool                          // magnitudes are summed too
	sums   map[*linear]*quantise.Hessian // nil where inputs are not summed
	sum    inputSum
}

// Calibrate quantises the blocks' linear layers by a calibrated method: block by block,
// each shown what the sequences become in the quantised blocks before it.
func Calibrate(ctx context.Context, ck *checkpoint.Checkpoint, z *checkpoint.Quantising, o CalibrateOptions) error {
	if len(o.Sequences) == 0 {
		return fmt.Errorf("%s: no text to calibrate on", ck.Dir)
	}
	return safetensors.Guard(func() error {
		c, err := newCalibration(ctx, ck, &o)
		if err != nil {
			return err
		}
		c.scaled = z.Scaled()
		for l := range ck.Layers {
			if err := c.block(ctx, l, z); err != nil {
				return err
			}
			if o.Progress != nil {
				o.Progress(l+1, len(ck.Layers))
			}
		}
		z.Finish()
		return nil
	})
}

func newCalibration(ctx context.Context, ck *checkpoint.Checkpoint, o *CalibrateOptions) (*calibration, error) {
	backend, err := newCPU(ck, o.CPUOptions)
	if err != nil {
		return nil, err
	}
	c := &calibration{cpu: backend, ck: ck, o: o, length: len(o.Sequences[0])}
	c.weights = &cpuWeights{layers: make([]cpuLayer, len(ck.Layers))}
	if err := c.weights.packEntrance(ctx, ck, c.packer(), nil); err != nil {
		return nil, err
	}
	c.watch = c.sumInputs
	c.each = max(1, min(DefaultBatchTokens*2/c.length, len(o.Sequences)))
	for range c.each {
		s, err := c.NewSegment(0, c.length)
		if err != nil {
			return nil, err
		}
		c.paths = append(c.paths, []Segment{s})
	}
	c.stream = kernel.NewFloats(len(o.Sequences) * c.length * c.config.Hidden)
	return c, c.batches(ctx, func(b *Batch, x []float32) error {
		if err := c.embed(ctx, b); err != nil {
			return err
		}
		copy(x, c.scratch.x)
		return nil
	})
}

// batches calls one for each batch of sequences, with its part of the stream.
func (c *calibration) batches(ctx context.Context, one func(b *Batch, x []float32) error) error {
	for at := 0; at < len(c.o.Sequences); at += c.each {
		b := &Batch{}
		for i, s := range c.o.Sequences[at:min(len(c.o.Sequences), at+c.each)] {
			b.Spans = append(b.Spans, Span{Node: i, Row: len(b.Tokens), N: c.length, Path: c.paths[i]})
			b.Tokens = append(b.Tokens, s...)
		}
		rows := len(b.Tokens)
		c.resize(rows)
		for i := range c.ropes {
			c.ropes[i].reach(b)
		}
		c.scratch.kept = c.scratch.kept[:0]
		for r := range rows { // all leave the last block
			c.scratch.kept = append(c.scratch.kept, r)
		}
		hidden := c.config.Hidden
		if err := one(b, c.stream[at*c.length*hidden:][:rows*hidden]); err != nil {
			return err
		}
	}
	return nil
}

// block quantises block l, and takes the stream through it.
func (c *calibration) block(ctx context.Context, l int, z *checkpoint.Quantising) error {
	restored := false
	if c.o.Restore != nil {
		var err error
		if restored, err = c.o.Restore(l); err != nil {
			return err
		}
	}
	through := func(keep bool) error {
		w, err := c.packer().layer(ctx, c.ck, l)
		if err != nil {
			return err
		}
		c.weights.layers[l] = *w
		return c.batches(ctx, func(b *Batch, x []float32) error {
			copy(c.scratch.x, x)
			err := c.cpu.block(ctx, l, b)
			if err == nil && keep {
				copy(x, c.scratch.x)
			}
			return err
		})
	}
	if !restored {
		c.sums = map[*linear]*quantise.Hessian{}
		if err := through(false); err != nil {
			return err
		}
		reads := c.weights.layers[l].reads(&c.ck.Layers[l])
		for _, h := range c.sums {
			mirror(h)
		}
		err := z.Layer(ctx, l, func(v *checkpoint.View) *quantise.Hessian {
			w := reads[v]
			if w == nil {
				return nil
			}
			if c.sums[w] == nil { // an expert that no token went to
				c.sums[w] = c.newSum(w.K)
			}
			return c.sums[w]
		})
		c.sums = nil
		if err != nil {
			return err
		}
		if c.o.Save != nil {
			if err := c.o.Save(l); err != nil {
				return err
			}
		}
	}
	var err error
	if !c.last(l) {
		err = through(true)
	}
	c.weights.layers[l] = cpuLayer{}
	return err
}

// reads says which packed matrix a view's weights are in.
func (l *cpuLayer) reads(src *checkpoint.Layer) map[*checkpoint.View]*linear {
	of := map[*checkpoint.View]*linear{src.Q: l.qkv, src.K: l.qkv, src.V: l.qkv, src.OutputGate: l.qkv, src.O: l.out}
	add := func(w *checkpoint.MLPWeights, gateUp, down *linear) {
		of[w.Gate], of[w.Up], of[w.Down] = gateUp, gateUp, down
	}
	add(&checkpoint.MLPWeights{Gate: src.Gate, Up: src.Up, Down: src.Down}, l.gateUp, l.down)
	for i := range l.experts {
		add(&src.Experts[i], l.experts[i].gateUp, l.experts[i].down)
	}
	if l.shared != nil {
		add(&src.Shared, l.shared.gateUp, l.shared.down)
	}
	return of
}

// inputSum is what summing the products of inputs needs.
type inputSum struct {
	numbers []float32 // [rows, K]
	in      kernel.Input
	w       *kernel.Matrix
}

// sumInputs adds Σ x·xᵀ of the prepared input's rows to the sum of w.
func (c *calibration) sumInputs(ctx context.Context, w *linear, rows int) error {
	if c.sums == nil {
		return nil
	}
	h := c.sums[w]
	if h == nil {
		h = c.newSum(w.K)
		c.sums[w] = h
	}
	h.Rows += rows
	s, k := &c.sum, w.K
	growFloats(&s.numbers, rows*k)
	if err := c.pool.run(ctx, rows, func(_, r int) {
		dst := s.numbers[r*k:][:k]
		if c.scratch.in.Arithmetic == kernel.Float32 {
			copy(dst, c.scratch.in.F32[r*kernel.InputStride(k):])
			return
		}
		for i, v := range c.scratch.in.BF16[r*kernel.InputStride(k):][:k] {
			dst[i] = kernel.FromBF16(v)
		}
	}); err != nil {
		return err
	}
	set := c.set.(kernel.Gradients) // every Set of kernel's is
	s.in.Reset(c.formats.Arithmetic, k, rows)
	s.w = set.NewMatrix(kernel.FormatsOf(c.formats.Arithmetic).Storage, k, rows)
	tile := kernel.TaskColumns(set, k, c.pool.threads)
	tasks := (k + tile - 1) / tile
	if err := c.pool.run(ctx, tasks, func(_, i int) {
		n0, n1 := i*tile, min(k, (i+1)*tile)
		set.PrepareColumns(&s.in, s.numbers, k, n0, n1)
		if c.scaled {
			addMagnitudes(h.Magnitudes[n0:n1], s.numbers[n0:], k)
		}
	}); err != nil {
		return err
	}
	set.PackColumns(s.w, 0, k, s.numbers, k)
	return c.pool.run(ctx, tasks, func(_, i int) {
		n0, n1 := i*tile, min(k, (i+1)*tile)
		set.MatMul(h.Sum[n0*k+n0:], k, &s.in, n0, k, s.w, n0, n1, true) // what is above follows from what is below
	})
}

// newSum is that of n inputs, of none so far.
func (c *calibration) newSum(n int) *quantise.Hessian {
	h := &quantise.Hessian{N: n, Sum: kernel.NewFloats(n * n), Set: c.set}
	if c.scaled {
		h.Magnitudes = make([]float64, n)
	}
	return h
}

// addMagnitudes adds the magnitudes of columns of x, rows of which are width apart.
func addMagnitudes(sums []float64, x []float32, width int) {
	for {
		for i, v := range x[:len(sums)] {
			sums[i] += math.Abs(float64(v))
		}
		if len(x) < width+len(sums) {
			return
		}
		x = x[width:]
	}
}

// mirror fills the upper triangle, of which sumInputs left out all but some.
func mirror(h *quantise.Hessian) {
	for i := range h.N {
		for j := range i {
			h.Sum[j*h.N+i] = h.Sum[i*h.N+j]
		}
	}
}
