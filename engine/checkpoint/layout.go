package checkpoint

import (
	"cmp"
	"fmt"
	"strings"
)

// Weight is a tensor that a config calls for. Matrices are [out, in]: y = W·x;
// where Names.Transposed, [in, out].
type Weight struct {
	Name   string
	Shape  []int
	Matrix bool // one of the large products' operands; else a norm, bias or scale

	uses []use
}

// use is a View of a Weight and its place in the model; l is nil outside the
// layers.
type use struct {
	view  View // without its tensor
	place func(k *Checkpoint, l *Layer) **View
}

// Weights returns every tensor the config calls for, by its name in the files,
// in the order of use. A tied head is not among them.
func (c *Config) Weights() []Weight {
	all := c.outer()
	for i := range c.Layers {
		all = append(all, c.layer(i)...)
	}
	return all
}

// layout collects weights.
type layout struct {
	c      *Config
	prefix string
	all    []Weight
}

type place = func(*Checkpoint, *Layer) **View

// in makes a place of a layer's field.
func in(field func(*Layer) **View) place {
	return func(_ *Checkpoint, l *Layer) **View { return field(l) }
}

// vector adds a vector of n numbers, shaped [n] where no shape is given.
func (b *layout) vector(name string, n int, offset float32, p place, shape ...int) {
	if shape == nil { // none given; a scalar's is empty
		shape = []int{n}
	}
	b.all = append(b.all, Weight{Name: b.prefix + name, Shape: shape, uses: []use{{View{N: n, K: 1, offset: offset}, p}}})
}

// norm adds a norm's weight and bias, where it has them.
func (b *layout) norm(name string, n Norm, width int, p func(*Checkpoint, *Layer) *NormWeights, shape ...int) {
	if name == "" || n.Bare {
		return
	}
	b.vector(name+".weight", width, n.Offset, func(k *Checkpoint, l *Layer) **View { return &p(k, l).Weight }, shape...)
	if n.Bias {
		b.vector(name+".bias", width, 0, func(k *Checkpoint, l *Layer) **View { return &p(k, l).Bias }, shape...)
	}
}

// matrix is one of those that a stored weight holds.
type matrix struct {
	n            int
	row          func(j int) int // nil: j
	weight, bias place
}

// linear adds a stored weight of all rows and its bias, where it has one.
func (b *layout) linear(name string, rows, k int, bias bool, parts ...matrix) {
	if name == "" {
		return
	}
	w := Weight{Name: b.prefix + name + ".weight", Shape: []int{rows, k}, Matrix: true}
	if b.c.Names.Transposed {
		w.Shape = []int{k, rows}
	}
	v := Weight{Name: b.prefix + name + ".bias", Shape: []int{rows}}
	for _, p := range parts {
		w.uses = append(w.uses, use{View{N: p.n, K: k, row: p.row, columns: b.c.Names.Transposed}, p.weight})
		if bias {
			v.uses = append(v.uses, use{View{N: p.n, K: 1, row: p.row}, p.bias})
		}
	}
	b.all = append(b.all, w)
	if bias {
		b.all = append(b.all, v)
	}
}

// outer returns the weights outside the layers.
func (c *Config) outer() []Weight {
	b := layout{c: c}
	table := func(name string, rows, width int, p place) {
		b.all = append(b.all, Weight{Name: name + ".weight", Shape: []int{rows, width}, Matrix: true, uses: []use{{View{N: rows, K: width}, p}}})
	}
	width := cmp.Or(c.EmbedWidth, c.Hidden)
	table(c.Names.Embed, c.Vocab, width, func(k *Checkpoint, _ *Layer) **View { return &k.Embed })
	if c.EmbedWidth > 0 {
		table(c.Names.ProjectIn, c.Hidden, width, func(k *Checkpoint, _ *Layer) **View { return &k.ProjectIn })
		table(c.Names.ProjectOut, width, c.Hidden, func(k *Checkpoint, _ *Layer) **View { return &k.ProjectOut })
	}
	if c.Positions > 0 {
		table(c.Names.Positions, c.Positions, c.Hidden, func(k *Checkpoint, _ *Layer) **View { return &k.Positions })
	}
	b.norm(c.Names.Norm, c.Norm, c.Hidden, func(k *Checkpoint, _ *Layer) *NormWeights { return &k.Norm })
	if !c.TieEmbeddings {
		table(c.Names.Head, c.Vocab, width, func(k *Checkpoint, _ *Layer) **View { return &k.Head })
	}
	if c.HeadBias {
		b.vector(c.Names.Head+".bias", c.Vocab, 0, func(k *Checkpoint, _ *Layer) **View { return &k.HeadBias })
	}
	return b.all
}

// layer returns the weights of layer i.
func (c *Config) layer(i int) []Weight {
	n := &c.Names
	b := layout{c: c, prefix: fmt.Sprintf(n.Layer, i)}
	b.norm(n.AttnNorm, c.Norm, c.Hidden, func(_ *Checkpoint, l *Layer) *NormWeights { return &l.AttnNorm })
	b.queriesKeysValues()
	b.linear(n.O, c.Hidden, c.Heads*c.HeadDim, c.OutputBias, matrix{n: c.Hidden,
		weight: in(func(l *Layer) **View { return &l.O }), bias: in(func(l *Layer) **View { return &l.OBias })})
	if c.QKNorm.On {
		q := func(_ *Checkpoint, l *Layer) *NormWeights { return &l.QNorm }
		k := func(_ *Checkpoint, l *Layer) *NormWeights { return &l.KNorm }
		b.qkNorm(n.QNorm, c.Heads, q)
		b.qkNorm(n.KNorm, c.KVHeads, k)
	}
	if c.Attention.Scaled {
		b.vector(n.Scale, c.Heads, 0, in(func(l *Layer) **View { return &l.Scale }), c.Heads, 1)
	}
	if c.Attention.Kind.Definition().Learned {
		b.vector(n.Sinks, c.Heads, 0, in(func(l *Layer) **View { return &l.Sinks }))
	}
	if c.Attention.Gated {
		b.linear(n.OutputGate, c.Heads*c.HeadDim, c.Hidden, false, matrix{n: c.Heads * c.HeadDim,
			weight: in(func(l *Layer) **View { return &l.OutputGate })})
	}
	b.norm(n.PostAttnNorm, c.Norm, c.Hidden, func(_ *Checkpoint, l *Layer) *NormWeights { return &l.PostAttnNorm })
	b.norm(n.MLPNorm, c.Norm, c.Hidden, func(_ *Checkpoint, l *Layer) *NormWeights { return &l.MLPNorm })
	if c.Blocks[i].Experts {
		b.experts()
	} else {
		b.mlp()
	}
	b.norm(n.PostMLPNorm, c.Norm, c.Hidden, func(_ *Checkpoint, l *Layer) *NormWeights { return &l.PostMLPNorm })
	return b.all
}

func (b *layout) qkNorm(name string, heads int, p func(*Checkpoint, *Layer) *NormWeights) {
	c, at := b.c, len(b.all)
	switch size := c.HeadDim; {
	case c.QKNorm.Wide:
		b.norm(name, c.QKNorm.Norm, heads*size, p)
	case c.QKNorm.PerHead:
		b.norm(name, c.QKNorm.Norm, heads*size, p, heads, size)
	default:
		b.norm(name, c.QKNorm.Norm, size, p)
	}
	for i := at; i < len(b.all); i++ { // components move with the rows of q and k
		b.all[i].uses[0].view.row = c.halves(nil)
	}
}

// queriesKeysValues adds q, k and v: three stored weights, or one.
func (b *layout) queriesKeysValues() {
	c, n := b.c, &b.c.Names
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	parts := []matrix{
		{q, nil, in(func(l *Layer) **View { return &l.Q }), in(func(l *Layer) **View { return &l.QBias })},
		{kv, nil, in(func(l *Layer) **View { return &l.K }), in(func(l *Layer) **View { return &l.KBias })},
		{kv, nil, in(func(l *Layer) **View { return &l.V }), in(func(l *Layer) **View { return &l.VBias })},
	}
	if n.QKV.Name != "" {
		for i, row := range c.fusedRows(n.QKV) {
			parts[i].row = row
		}
	}
	parts[0].row, parts[1].row = c.halves(parts[0].row), c.halves(parts[1].row)
	if n.QKV.Name != "" {
		b.linear(n.QKV.Name, q+2*kv, c.Hidden, c.QKVBias, parts...)
		return
	}
	for i, name := range []string{n.Q, n.K, n.V} {
		b.linear(name, parts[i].n, c.Hidden, c.QKVBias, parts[i])
	}
}

// fusedRows says where the rows of q, k and v lie in the weight of all three.
func (c *Config) fusedRows(f Fused) [3]func(int) int {
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	if !f.ByGroup {
		return [3]func(int) int{nil, func(j int) int { return q + j }, func(j int) int { return q + kv + j }}
	}
	size := c.HeadDim
	queries := c.Heads / c.KVHeads * size // of a group, before its key and value
	group := queries + 2*size
	return [3]func(int) int{
		func(j int) int { return j/queries*group + j%queries },
		func(j int) int { return j/size*group + queries + j%size },
		func(j int) int { return j/size*group + queries + size + j%size },
	}
}

// halves puts the components of each head in the order in which the first half
// of the rotated ones pairs with the second, where files pair neighbours.
func (c *Config) halves(row func(int) int) func(int) int {
	if !c.Interleaved || len(c.Rotary) == 0 {
		return row
	}
	size, dim := c.HeadDim, c.Rotary[0].Dim
	return func(j int) int {
		head, i := j/size*size, j%size
		switch {
		case i < dim/2:
			i = 2 * i
		case i < dim:
			i = 2*(i-dim/2) + 1
		}
		if row == nil {
			return head + i
		}
		return row(head + i)
	}
}

// mlp adds the MLP's matrices.
func (b *layout) mlp() {
	c, n := b.c, &b.c.Names
	gate := matrix{n: c.Intermediate, weight: in(func(l *Layer) **View { return &l.Gate }), bias: in(func(l *Layer) **View { return &l.GateBias })}
	up := matrix{n: c.Intermediate, weight: in(func(l *Layer) **View { return &l.Up }), bias: in(func(l *Layer) **View { return &l.UpBias })}
	down := matrix{n: c.Hidden, weight: in(func(l *Layer) **View { return &l.Down }), bias: in(func(l *Layer) **View { return &l.DownBias })}
	if n.GateUp.Name != "" {
		up.row = func(j int) int { return c.Intermediate + j }
		b.linear(n.GateUp.Name, 2*c.Intermediate, c.Hidden, c.MLPBias, gate, up)
	} else {
		if c.MLP.Gated {
			b.linear(n.Gate, c.Intermediate, c.Hidden, c.MLPBias, gate)
		}
		b.linear(n.Up, c.Intermediate, c.Hidden, c.MLPBias, up)
	}
	b.linear(n.Down, c.Hidden, c.Intermediate, c.MLPBias, down)
	if n.Act == "" {
		return
	}
	for i, x := range []struct {
		name  string
		shape []int
	}{{".alpha_p", []int{1}}, {".alpha_n", []int{1}}, {".beta", []int{}}, {".eps", []int{}}} {
		b.vector(n.Act+x.name, 1, 0, in(func(l *Layer) **View { return &l.Act[i] }), x.shape...)
	}
}

// base is the prefix that a checkpoint of the body alone, without the head,
// leaves out of its names.
func (n *Names) base() string {
	before, _, _ := strings.Cut(n.Layer, ".")
	return before + "."
}

// headName is the head's tensor.
func (n *Names) headName() string { return n.Head + ".weight" }
