package train

import (
	"context"
	"fmt"
	"math"

	"github.com/softbench/softbench/engine/kernel"
)

// Model is parameters with the memory of a forward and backward pass over
// batches of sequences, all of Config.Context tokens.
type Model struct {
	Config Config
	Params *Params
	Grads  *Params

	ops       *ops
	batch     int
	cos, sin  []float32 // [context, head size / 2]
	back      []float32 // -sin: the rotation undone
	dweight   []float32 // [chunks, hidden], partial sums of a norm's gradient
	logs      []float32 // [context], ln(position+2)
	dscale    []float64 // [batch, heads], partial sums of the scales' gradient
	embedded  []float32 // [rows, hidden]
	layers    []activations
	final     []float32 // [rows, hidden], after the last block
	finalNorm []float32
	scratch   []attentionScratch // one a thread
	dx, dh    []float32          // [rows, hidden]
	dqkv      []float32
	dgateUp   []float32
	dact      []float32
	dmixed    []float32
	dsink     []float64 // [batch, heads], partial sums of the sinks' gradient
	dgate     []float32 // [rows, width]
	dgated    []float32 // [rows, hidden]
	logits    []float32 // [logitRows, vocab]
}

// activations are what a block keeps for its backward pass.
type activations struct {
	x, normed     []float32 // [rows, hidden]: input, and after the norm
	qkv           []float32 // [rows, 3·width], q and k rotated, q divided by sqrt(head size)
	mixed         []float32 // [rows, width]
	middle, after []float32 // [rows, hidden]: between attention and MLP, and normed
	gateUp        []float32 // [rows, 2·intermediate]
	act           []float32 // [rows, intermediate]
	states        []state   // [batch, heads, context]
	gate, gated   []float32 // [rows, width]: the gate, and what it lets pass; nil unless Config.Gated
}

// logitRows is the number of positions whose logits exist at once.
const logitRows = 256

// NewModel allocates a model for batches of batch sequences.
func NewModel(c Config, batch int, set kernel.Set, threads int) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if batch < 1 || threads < 1 {
		return nil, fmt.Errorf("a batch of %d sequences on %d threads: want at least one of each", batch, threads)
	}
	if err := c.checkBatch(batch); err != nil {
		return nil, err
	}
	m := &Model{Config: c, Params: NewParams(c), Grads: NewParams(c), ops: newOps(set, threads), batch: batch}
	rows, h, f, width := batch*c.Context, c.Hidden, c.Intermediate, c.width()
	vec := func(n int) []float32 { return make([]float32, n) }
	m.embedded, m.final, m.finalNorm = vec(rows*h), vec(rows*h), vec(rows*h)
	m.dx, m.dh, m.dmixed = vec(rows*h), vec(rows*h), vec(rows*width)
	m.dqkv, m.dgateUp, m.dact = vec(rows*3*width), vec(rows*2*f), vec(rows*f)
	m.logits = vec(logitRows * c.Vocab)
	m.dweight = vec(chunks(rows) * h)
	for range c.Layers {
		m.layers = append(m.layers, activations{
			x: vec(rows * h), normed: vec(rows * h), qkv: vec(rows * 3 * width), mixed: vec(rows * width),
			middle: vec(rows * h), after: vec(rows * h), gateUp: vec(rows * 2 * f), act: vec(rows * f),
			states: make([]state, batch*c.Heads*c.Context),
		})
	}
	for range threads {
		m.scratch = append(m.scratch, newAttentionScratch(c.Context, c.HeadDim(), c.Cap))
	}
	if c.Scaled {
		m.logs, m.dscale = logPositions(c.Context), make([]float64, batch*c.Heads)
	}
	if c.learned() {
		m.dsink = make([]float64, batch*c.Heads)
	}
	if c.Gated {
		m.dgate, m.dgated = vec(rows*width), vec(rows*h)
		for i := range m.layers {
			m.layers[i].gate, m.layers[i].gated = vec(rows*width), vec(rows*width)
		}
	}
	m.rope()
	return m, nil
}

func (m *Model) rope() {
	half := m.Config.HeadDim() / 2
	for p := range m.Config.Context {
		for i := range half {
			inverse := float32(math.Pow(m.Config.RopeTheta, -float64(2*i)/float64(2*half)))
			angle := float64(float32(p) * inverse)
			m.cos = append(m.cos, float32(math.Cos(angle)))
			m.sin = append(m.sin, float32(math.Sin(angle)))
			m.back = append(m.back, -m.sin[len(m.sin)-1])
		}
	}
}

// Step computes the mean loss of predicting targets from inputs, [batch,
// context] each, and adds its gradient times scale to Grads. A target below zero
// is not predicted. The loss is the mean of the negative log-probabilities in
// nats. Where ctx is cancelled it stops between two pieces of a layer, returns
// ctx's error and leaves Grads in no useful state.
func (m *Model) Step(ctx context.Context, inputs, targets []int32, scale float32) (loss float64, err error) {
	if err := m.check(inputs, targets); err != nil {
		return 0, err
	}
	defer m.until(ctx)()
	m.forward(inputs)
	clear(m.dx)
	loss = m.head(targets, scale, true)
	m.backward(inputs)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return loss, nil
}

// Loss is Step's loss without a gradient; Grads stay as they are.
func (m *Model) Loss(ctx context.Context, inputs, targets []int32) (float64, error) {
	if err := m.check(inputs, targets); err != nil {
		return 0, err
	}
	defer m.until(ctx)()
	m.forward(inputs)
	loss := m.head(targets, 0, false)
	return loss, ctx.Err()
}

// until makes the operations heed ctx, until the function it returns is called.
func (m *Model) until(ctx context.Context) (end func()) {
	m.ops.ctx = ctx
	return func() { m.ops.ctx = context.Background() }
}

func (m *Model) stopped() bool { return m.ops.ctx.Err() != nil }

func (m *Model) check(inputs, targets []int32) error {
	rows := m.batch * m.Config.Context
	if len(inputs) != rows || len(targets) != rows {
		return fmt.Errorf("a batch of %d inputs and %d targets: want %d", len(inputs), len(targets), rows)
	}
	for i := range inputs {
		if inputs[i] < 0 || int(inputs[i]) >= m.Config.Vocab || int(targets[i]) >= m.Config.Vocab {
			return fmt.Errorf("token %d or its target %d is outside the vocabulary of %d", inputs[i], targets[i], m.Config.Vocab)
		}
	}
	return nil
}

func (m *Model) forward(inputs []int32) {
	c, o := &m.Config, m.ops
	rows, h, f, width := len(inputs), c.Hidden, c.Intermediate, c.width()
	x := m.embedded
	for i, t := range inputs {
		copy(x[i*h:][:h], m.Params.embed[int(t)*h:])
	}
	for l := range m.layers {
		if m.stopped() {
			return
		}
		a, p := &m.layers[l], &m.Params.layers[l]
		copy(a.x, x)
		m.norm(a.normed, a.x, p.attnNorm)
		o.product(a.qkv, a.normed, p.qkv, rows, 3*width, h, false)
		m.rotate(a.qkv, 1)
		m.eachHead(func(s *attentionScratch, seq, head int) {
			m.load(s, a, p, seq, head)
			s.forward(o.set, c.Attention, p.sink(head), c.Context, c.HeadDim(), m.states(a, seq, head))
			m.scatter(a.mixed, s.o, seq, head, width, 0)
		})
		copy(a.middle, a.x)
		o.product(a.middle, m.openGate(a, p), p.out, rows, h, width, true)
		m.norm(a.after, a.middle, p.mlpNorm)
		o.product(a.gateUp, a.after, p.gateUp, rows, 2*f, h, false)
		o.eachRow(rows, func(r int) {
			o.set.SwiGLU(a.act[r*f:][:f], a.gateUp[r*2*f:][:f], a.gateUp[r*2*f+f:][:f])
		})
		next := m.final
		copy(next, a.middle)
		o.product(next, a.act, p.down, rows, h, f, true)
		x = next
	}
	m.norm(m.finalNorm, m.final, m.Params.norm)
}

// head computes the loss and, where asked for, the gradients of head, final norm
// and last residual.
func (m *Model) head(targets []int32, scale float32, gradient bool) float64 {
	c, o := &m.Config, m.ops
	h, v := c.Hidden, c.Vocab
	rows, scored := len(targets), 0
	for _, t := range targets {
		if t >= 0 {
			scored++
		}
	}
	if scored == 0 {
		return 0
	}
	losses := make([]float64, rows)
	for r0 := 0; r0 < rows && !m.stopped(); r0 += logitRows {
		n := min(logitRows, rows-r0)
		o.product(m.logits, m.finalNorm[r0*h:], m.Params.head, n, v, h, false)
		o.each(n, func(_, i int) {
			row, t := m.logits[i*v:][:v], targets[r0+i]
			if t < 0 {
				clear(row)
				return
			}
			top, _, sum := o.set.MaxSumExp(row)
			lse := float64(top) + math.Log(float64(sum))
			losses[r0+i] = lse - float64(row[t])
			if !gradient {
				return
			}
			factor := scale / float32(scored)
			o.set.Exp(row, float32(lse), factor)
			row[t] -= factor
		})
		if !gradient {
			continue
		}
		o.backward(m.dh[r0*h:], m.Grads.head, m.logits, m.finalNorm[r0*h:], m.Params.head, n, v, h)
	}
	if gradient {
		m.normBackward(m.dx, m.Grads.norm, m.dh, m.final, m.Params.norm)
	}
	var sum float64
	for _, l := range losses {
		sum += l
	}
	return sum / float64(scored)
}

func (m *Model) backward(inputs []int32) {
	c, o := &m.Config, m.ops
	rows, h, f, width := len(inputs), c.Hidden, c.Intermediate, c.width()
	for l := len(m.layers) - 1; l >= 0; l-- {
		if m.stopped() {
			return
		}
		a, p, g := &m.layers[l], &m.Params.layers[l], &m.Grads.layers[l]
		o.backward(m.dact, g.down, m.dx, a.act, p.down, rows, h, f)
		o.eachRow(rows, func(r int) {
			d, gu := m.dgateUp[r*2*f:][:2*f], a.gateUp[r*2*f:][:2*f]
			o.set.SwiGLUGrad(d[:f], d[f:], m.dact[r*f:][:f], gu[:f], gu[f:])
		})
		o.backward(m.dh, g.gateUp, m.dgateUp, a.after, p.gateUp, rows, 2*f, h)
		m.normBackward(m.dx, g.mlpNorm, m.dh, a.middle, p.mlpNorm)

		mixed := a.mixed
		if c.Gated {
			mixed = a.gated
		}
		o.backward(m.dmixed, g.out, m.dx, mixed, p.out, rows, h, width)
		m.closeGate(a, p)
		m.eachHead(func(s *attentionScratch, seq, head int) {
			m.load(s, a, p, seq, head)
			m.gather(s.o, a.mixed, seq, head, width, 0)
			m.gather(s.do, m.dmixed, seq, head, width, 0)
			db := s.backward(o.set, c.Attention, p.sink(head), c.Context, c.HeadDim(), m.states(a, seq, head))
			if c.learned() {
				m.dsink[seq*c.Heads+head] = db
			}
			m.unscale(s, a, p, seq, head)
			m.scatter(m.dqkv, s.dq, seq, head, 3*width, 0)
			m.scatter(m.dqkv, s.dk, seq, head, 3*width, width)
			m.scatter(m.dqkv, s.dv, seq, head, 3*width, 2*width)
		})
		m.addScaleGradient(g)
		m.addSinkGradient(g)
		m.rotate(m.dqkv, -1)
		o.backward(m.dh, g.qkv, m.dqkv, a.normed, p.qkv, rows, 3*width, h)
		m.gateBackward(a, p, g)
		m.normBackward(m.dx, g.attnNorm, m.dh, a.x, p.attnNorm)
	}
	for i, t := range inputs { // in order: rows that share a token add up
		out := m.Grads.embed[int(t)*h:][:h]
		for d, x := range m.dx[i*h:][:h] {
			out[d] += x
		}
	}
}

// rotate applies RoPE to q and k, and scales q by 1/sqrt(head size); sign -1
// undoes the rotation, as a gradient's way back does, and scales as well.
func (m *Model) rotate(qkv []float32, sign float32) {
	c := &m.Config
	size, width := c.HeadDim(), c.width()
	half := size / 2
	scale := float32(1 / math.Sqrt(float64(size)))
	sines := m.sin
	if sign < 0 {
		sines = m.back
	}
	m.ops.eachRow(m.batch*c.Context, func(r int) {
		at := r % c.Context * half
		row := qkv[r*3*width:][:2*width]
		for d := 0; d < 2*width; d += size {
			m.ops.set.Rotate(row[d:][:size], m.cos[at:][:half], sines[at:][:half])
		}
		m.ops.set.Scale(row[:width], scale)
	})
}

// eachHead runs a task for every head of every sequence.
func (m *Model) eachHead(task func(s *attentionScratch, seq, head int)) {
	heads := m.Config.Heads
	m.ops.each(m.batch*heads, func(worker, i int) { task(&m.scratch[worker], i/heads, i%heads) })
}

func (m *Model) states(a *activations, seq, head int) []state {
	n := m.Config.Context
	return a.states[(seq*m.Config.Heads+head)*n:][:n]
}

// load gathers one head's q, scaled where the kind is, k and v.
func (m *Model) load(s *attentionScratch, a *activations, p *layerParams, seq, head int) {
	width := m.Config.width()
	m.gather(s.q, a.qkv, seq, head, 3*width, 0)
	m.scale(s.q, p, head)
	m.gather(s.k, a.qkv, seq, head, 3*width, width)
	m.gather(s.v, a.qkv, seq, head, 3*width, 2*width)
}

func (m *Model) gather(dst, src []float32, seq, head, stride, at int) {
	n, size := m.Config.Context, m.Config.HeadDim()
	for i := range n {
		copy(dst[i*size:][:size], src[(seq*n+i)*stride+at+head*size:])
	}
}

func (m *Model) scatter(dst, src []float32, seq, head, stride, at int) {
	n, size := m.Config.Context, m.Config.HeadDim()
	for i := range n {
		copy(dst[(seq*n+i)*stride+at+head*size:][:size], src[i*size:])
	}
}

func (m *Model) norm(dst, x, weight []float32) {
	h := m.Config.Hidden
	m.ops.eachRow(len(x)/h, func(r int) {
		m.ops.set.RMSNorm(dst[r*h:][:h], x[r*h:][:h], weight, m.Config.NormEps)
	})
}

// normBackward adds to dx the gradient through RMSNorm, and to dw that of its
// weight. With r = 1/sqrt(mean(x²)+eps) and g = dy·w,
// dx = r·g - r³/n·x·Σ(g·x).
func (m *Model) normBackward(dx, dw, dy, x, weight []float32) {
	h := m.Config.Hidden
	rows := len(x) / h
	m.ops.each(chunks(rows), func(_, i int) {
		part := m.dweight[i*h:][:h]
		clear(part)
		for r := i * chunk; r < min(rows, (i+1)*chunk); r++ {
			row, g := x[r*h:][:h], dy[r*h:][:h]
			var squares, dot float64
			for d, v := range row {
				squares += float64(v) * float64(v)
				dot += float64(g[d]) * float64(weight[d]) * float64(v)
			}
			n := 1 / math.Sqrt(squares/float64(h)+float64(m.Config.NormEps))
			inverse, shrink := float32(n), float32(n*n*n/float64(h)*dot)
			out := dx[r*h:][:h]
			for d, v := range row {
				out[d] += inverse*g[d]*weight[d] - shrink*v
				part[d] += g[d] * v * inverse
			}
		}
	})
	for i := range chunks(rows) { // in order: the sum is the same on any number of threads
		for d, v := range m.dweight[i*h:][:h] {
			dw[d] += v
		}
	}
}
