package train

import "math"

// The scaled kinds (Scalable-Softmax, arXiv 2501.19399, and the softpick paper's
// Scalable-Softpick) multiply row i of a head's queries by f_i = s·ln(i+2), i
// counted from 0 in the window, s learned by head:
//
//	q'_i = f_i·q_i        dq_i = f_i·dq'_i        ds = Σ_i ln(i+2)·(dq'_i·q_i)
//
// No weight decay: it would pull attention towards the uniform.

// firstScale is s before the first step, as the softpick authors' code has it.
const firstScale = 0.3

// scaleSuffix ends the name of a layer's scales.
const scaleSuffix = ".s"

func logPositions(n int) []float32 {
	logs := make([]float32, n)
	for i := range logs {
		logs[i] = float32(math.Log(float64(i + 2)))
	}
	return logs
}

// scale turns a head's q [T, size] into q'. Without scales it is nothing.
func (m *Model) scale(q []float32, p *layerParams, head int) {
	if p.scale == nil {
		return
	}
	size := m.Config.HeadDim()
	for i, log := range m.logs {
		m.ops.set.Scale(q[i*size:][:size], p.scale[head]*log)
	}
}

// unscale turns a head's dq' into dq, and keeps this sequence's part of ds. It
// leaves q, not q', in s.
func (m *Model) unscale(s *attentionScratch, a *activations, p *layerParams, seq, head int) {
	if p.scale == nil {
		return
	}
	size := m.Config.HeadDim()
	m.gather(s.q, a.qkv, seq, head, 3*m.Config.width(), 0)
	var sum float64
	for i, log := range m.logs {
		dq, q := s.dq[i*size:][:size], s.q[i*size:][:size]
		var dot float64
		for d, g := range dq {
			dot += float64(g) * float64(q[d])
		}
		sum += float64(log) * dot
		m.ops.set.Scale(dq, p.scale[head]*log)
	}
	m.dscale[seq*m.Config.Heads+head] = sum
}

// addScaleGradient adds the sequences' parts of ds to a layer's gradient, in
// order: the sum is the same on any number of threads.
func (m *Model) addScaleGradient(g *layerParams) {
	for head := range g.scale {
		var sum float64
		for seq := range m.batch {
			sum += m.dscale[seq*m.Config.Heads+head]
		}
		g.scale[head] += float32(sum)
	}
}
