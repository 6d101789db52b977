package train

import (
	"math"

	"github.com/softbench/softbench/engine/kernel"
)

// What the field sets against sinks, beside softpick.
//
// A learned sink is a number b of each head that joins the softmax's denominator
// as a key without a value would (gpt_oss): with p_b = e^(b-lse) its weight and
// delta_i = Σ dO_i·O_i,
//
//	db = -Σ_i p_b·delta_i
//
// A gate multiplies the output of the heads, component by component, before the
// output projection (arXiv 2505.06708): with x the layer's normed input,
//
//	g = G·x, y = o·σ(g)        do = dy·σ(g)        dg = dy·o·σ(g)·(1-σ(g))
//
// A logit soft cap c (Gemma 2) bends a query's scaled scores x before they are weighed:
//
//	y = c·tanh(x/c)        dx = dy·(1-(y/c)²)

// firstSink is b before the first step: as much weight as one key of score 0.
const firstSink = 0

// sinkSuffix ends the name of a layer's sinks.
const sinkSuffix = ".sinks"

func (c *Config) learned() bool { return c.Attention.Definition().Learned }

// sink is a head's b; 0 where the kind has none.
func (p *layerParams) sink(head int) float32 {
	if p.sinks == nil {
		return 0
	}
	return p.sinks[head]
}

// capGrad turns the gradient dy of capped scores y, in place, into that of the scores.
func capGrad(dy, y []float32, c float32) {
	for i, v := range y[:len(dy)] {
		t := v / c
		dy[i] *= 1 - t*t
	}
}

// addSinkGradient adds the sequences' parts of db to a layer's gradient, in order.
func (m *Model) addSinkGradient(g *layerParams) {
	for head := range g.sinks {
		var sum float64
		for seq := range m.batch {
			sum += m.dsink[seq*m.Config.Heads+head]
		}
		g.sinks[head] += float32(sum)
	}
}

// openGate makes the output projection's input of the heads' outputs.
func (m *Model) openGate(a *activations, p *layerParams) []float32 {
	if p.gate == nil {
		return a.mixed
	}
	width := m.Config.width()
	rows := len(a.mixed) / width
	m.ops.product(a.gate, a.normed, p.gate, rows, width, m.Config.Hidden, false)
	m.ops.eachRow(rows, func(r int) {
		out := a.gated[r*width:][:width]
		copy(out, a.mixed[r*width:])
		kernel.Gate(out, a.gate[r*width:])
	})
	return a.gated
}

// closeGate turns dmixed, the gradient of openGate's result, into that of the
// heads' outputs, and keeps the gate's in dgate.
func (m *Model) closeGate(a *activations, p *layerParams) {
	if p.gate == nil {
		return
	}
	width := m.Config.width()
	m.ops.eachRow(len(a.mixed)/width, func(r int) {
		d, dg := m.dmixed[r*width:][:width], m.dgate[r*width:][:width]
		o, g := a.mixed[r*width:][:width], a.gate[r*width:][:width]
		for i := range d {
			s := float32(1 / (1 + math.Exp(-float64(g[i]))))
			dg[i] = d[i] * o[i] * s * (1 - s)
			d[i] *= s
		}
	})
}

// gateBackward adds to dh, the gradient of the normed input, the gate's part.
func (m *Model) gateBackward(a *activations, p, g *layerParams) {
	if p.gate == nil {
		return
	}
	width, h := m.Config.width(), m.Config.Hidden
	rows := len(a.mixed) / width
	m.ops.backward(m.dgated, g.gate, m.dgate, a.normed, p.gate, rows, width, h)
	m.ops.eachRow(rows, func(r int) { kernel.Add(m.dh[r*h:][:h], m.dgated[r*h:], 1) })
}
