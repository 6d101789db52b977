package engine

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
)

// cpuMLP is one of a layer's MLPs, packed.
type cpuMLP struct {
	gateUp, down         *linear
	gateUpBias, downBias []float32
}

// cpuRouter chooses experts, in float32 whatever the model's arithmetic.
type cpuRouter struct {
	weight []float32 // [experts, hidden]
	bias   []float32 // [experts]; nil where it has none
	gate   []float32 // [hidden]: of the MLP that all tokens go through; nil where there is none
}

// expertScratch is what a mixture of experts needs.
type expertScratch struct {
	normed []float32 // [rows, hidden]
	rows   []float32 // [rows of one expert, hidden]: its inputs, then its outputs
	chosen []choice  // [rows, each]
	order  []choice  // one expert's
}

// choice is an expert that a row goes through.
type choice struct {
	row, expert int
	weight      float32
}

// packExperts packs a layer's router and experts.
func (l *cpuLayer) packExperts(src *checkpoint.Layer, pack func(...*checkpoint.View) (*linear, error)) error {
	l.router = &cpuRouter{weight: src.Router.F32(), bias: src.RouterBias.F32(), gate: src.SharedGate.F32()}
	one := func(w *checkpoint.MLPWeights) (m cpuMLP, err error) {
		m.gateUpBias, m.downBias = vector(w.GateBias, w.UpBias), w.DownBias.F32()
		if m.gateUp, err = pack(w.Gate, w.Up); err != nil {
			return m, err
		}
		m.down, err = pack(w.Down)
		return m, err
	}
	for i := range src.Experts {
		m, err := one(&src.Experts[i])
		if err != nil {
			return err
		}
		l.experts = append(l.experts, m)
	}
	if src.Shared.Up == nil {
		return nil
	}
	m, err := one(&src.Shared)
	l.shared = &m
	return err
}

// mlps lists the layer's MLPs.
func (l *cpuLayer) mlps() []cpuMLP {
	if l.router == nil {
		return []cpuMLP{{gateUp: l.gateUp, down: l.down}}
	}
	if l.shared == nil {
		return l.experts
	}
	return append(slices.Clone(l.experts), *l.shared)
}

// mixExperts adds to the residual stream, for each row, the outputs of the experts
// that its router chooses, weighted. An expert's rows are multiplied together,
// which changes no bit of any; a row adds its experts in ascending order.
func (c *cpu) mixExperts(ctx context.Context, w *cpuLayer, norm *normWeights, rows int) error {
	s, m, hidden := &c.scratch, &c.scratch.mix, c.config.Hidden
	e := &c.config.Experts
	growFloats(&m.normed, rows*hidden)
	growFloats(&m.rows, rows*hidden)
	grow(&m.chosen, rows*e.Each)
	if err := c.pool.run(ctx, chunks(rows), func(_, i int) {
		for r := i * rowChunk; r < min(rows, (i+1)*rowChunk); r++ {
			x := m.normed[r*hidden:][:hidden]
			if norm.has {
				c.norm(x, s.x[r*hidden:][:hidden], norm, &c.config.Norm, r)
			} else {
				copy(x, s.x[r*hidden:][:hidden])
			}
			w.router.choose(m.chosen[r*e.Each:][:e.Each], r, x, e)
			clear(s.branch[r*hidden:][:hidden])
		}
	}); err != nil {
		return err
	}
	// By expert, rows ascending.
	m.order = append(m.order[:0], m.chosen[:rows*e.Each]...)
	slices.SortFunc(m.order, func(a, b choice) int { return cmp.Or(cmp.Compare(a.expert, b.expert), cmp.Compare(a.row, b.row)) })
	for len(m.order) > 0 {
		n := 1
		for n < len(m.order) && m.order[n].expert == m.order[0].expert {
			n++
		}
		if err := c.expert(ctx, &w.experts[m.order[0].expert], e.Width, w.act, m.order[:n]); err != nil {
			return err
		}
		m.order = m.order[n:]
	}
	if w.shared != nil {
		all := m.order[:0]
		for r := range rows {
			all = append(all, choice{row: r, weight: sigmoid(dot(w.router.gate, m.normed[r*hidden:][:hidden]))})
		}
		m.order = all
		if err := c.expert(ctx, w.shared, e.Shared, w.act, all); err != nil {
			return err
		}
	}
	return c.addRows(ctx, s.branch, rows, &w.postMLPNorm)
}

// expert runs rows through one MLP and adds its weighted outputs to the branch.
func (c *cpu) expert(ctx context.Context, w *cpuMLP, width int, learned [4]float32, rows []choice) error {
	s, m, hidden := &c.scratch, &c.scratch.mix, c.config.Hidden
	for i, r := range rows {
		copy(m.rows[i*hidden:][:hidden], m.normed[r.row*hidden:])
	}
	if err := c.prepare(ctx, m.rows, hidden, len(rows)); err != nil {
		return err
	}
	if err := c.matmul(ctx, s.gateUp, len(rows), w.gateUp, w.gateUpBias, false); err != nil {
		return err
	}
	if err := c.activate(ctx, width, learned, len(rows)); err != nil {
		return err
	}
	if err := c.matmul(ctx, m.rows, len(rows), w.down, w.downBias, false); err != nil {
		return err
	}
	for i, r := range rows {
		kernel.Add(s.branch[r.row*hidden:][:hidden], m.rows[i*hidden:][:hidden], r.weight)
	}
	return nil
}

// choose writes the experts of the largest probabilities, of equal ones those of
// the lowest number.
func (r *cpuRouter) choose(chosen []choice, row int, x []float32, e *checkpoint.Experts) {
	logits := make([]float64, e.N)
	top := math.Inf(-1)
	for i := range logits {
		logits[i] = dot(r.weight[i*len(x):][:len(x)], x)
		if r.bias != nil {
			logits[i] += float64(r.bias[i])
		}
		top = max(top, logits[i])
	}
	var sum, kept float64
	for _, l := range logits {
		sum += math.Exp(l - top)
	}
	for k := range chosen {
		best := -1
		for i, l := range logits {
			if !math.IsInf(l, -1) && (best < 0 || l > logits[best]) {
				best = i
			}
		}
		if best < 0 { // logits that are not numbers: the head will say so
			chosen[k] = choice{row: row, weight: float32(math.NaN())}
			continue
		}
		p := math.Exp(logits[best]-top) / sum
		kept += p
		chosen[k] = choice{row, best, float32(p)}
		logits[best] = math.Inf(-1)
	}
	if e.Normalise {
		for k := range chosen {
			chosen[k].weight = float32(float64(chosen[k].weight) / kept)
		}
	}
}

// dot is Σ a·b, in float64.
func dot(a, b []float32) float64 {
	var sum float64
	for i, v := range b {
		sum += float64(a[i]) * float64(v)
	}
	return sum
}

func sigmoid(x float64) float32 { return float32(1 / (1 + math.Exp(-x))) }
