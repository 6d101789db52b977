package checkpoint

import "fmt"

// experts adds a layer's router and its experts' matrices.
func (b *layout) experts() {
	c, n, e := b.c, &b.c.Names, &b.c.Experts
	b.linear(n.Router, e.N, c.Hidden, e.Bias, matrix{n: e.N,
		weight: in(func(l *Layer) **View { return &l.Router }), bias: in(func(l *Layer) **View { return &l.RouterBias })})
	if n.Packed != "" {
		b.packed()
	} else {
		for i := range e.N {
			b.expert(fmt.Sprintf(n.Expert, i), e.Width, func(l *Layer) *MLPWeights { return l.expert(i, e.N) })
		}
	}
	if e.Shared > 0 {
		b.expert(n.Shared, e.Shared, func(l *Layer) *MLPWeights { return &l.Shared })
		b.linear(n.SharedGate, 1, c.Hidden, false, matrix{n: 1, weight: in(func(l *Layer) **View { return &l.SharedGate })})
	}
}

// expert is expert i of n.
func (l *Layer) expert(i, n int) *MLPWeights {
	if l.Experts == nil {
		l.Experts = make([]MLPWeights, n)
	}
	return &l.Experts[i]
}

// expert adds the three matrices of one expert.
func (b *layout) expert(prefix string, width int, at func(*Layer) *MLPWeights) {
	parts, hidden := &b.c.Names.ExpertParts, b.c.Hidden
	b.linear(prefix+parts[0], width, hidden, false, matrix{n: width, weight: in(func(l *Layer) **View { return &at(l).Gate })})
	b.linear(prefix+parts[1], width, hidden, false, matrix{n: width, weight: in(func(l *Layer) **View { return &at(l).Up })})
	b.linear(prefix+parts[2], hidden, width, false, matrix{n: hidden, weight: in(func(l *Layer) **View { return &at(l).Down })})
}

// packed adds gpt_oss's tensors, each of all experts: matrices are [in, out], and
// the columns of gate and up alternate.
func (b *layout) packed() {
	e, hidden := &b.c.Experts, b.c.Hidden
	w := e.Width
	gateUp := Weight{Name: b.prefix + b.c.Names.Packed + "gate_up_proj", Shape: []int{e.N, hidden, 2 * w}, Matrix: true}
	down := Weight{Name: b.prefix + b.c.Names.Packed + "down_proj", Shape: []int{e.N, w, hidden}, Matrix: true}
	gateUpBias := Weight{Name: gateUp.Name + "_bias", Shape: []int{e.N, 2 * w}}
	downBias := Weight{Name: down.Name + "_bias", Shape: []int{e.N, hidden}}
	for i := range e.N {
		at := func(l *Layer) *MLPWeights { return l.expert(i, e.N) }
		for part, place := range []func(*MLPWeights) (**View, **View){
			func(m *MLPWeights) (**View, **View) { return &m.Gate, &m.GateBias },
			func(m *MLPWeights) (**View, **View) { return &m.Up, &m.UpBias },
		} {
			gateUp.uses = append(gateUp.uses, use{View{N: w, K: hidden, row: func(j int) int { return 2*j + part }, columns: true, from: i * hidden},
				in(func(l *Layer) **View { m, _ := place(at(l)); return m })})
			gateUpBias.uses = append(gateUpBias.uses, use{View{N: w, K: 1, row: func(j int) int { return i*2*w + 2*j + part }},
				in(func(l *Layer) **View { _, v := place(at(l)); return v })})
		}
		down.uses = append(down.uses, use{View{N: hidden, K: w, columns: true, from: i * w}, in(func(l *Layer) **View { return &at(l).Down })})
		downBias.uses = append(downBias.uses, use{View{N: hidden, K: 1, row: func(j int) int { return i*hidden + j }}, in(func(l *Layer) **View { return &at(l).DownBias })})
	}
	b.all = append(b.all, gateUp, gateUpBias, down, downBias)
}
