package checkpoint

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
)

// scaled are inputs that weights of a block read alike, and what their scales are folded into:
// a norm's weight and bias, or the rows and bias of the matrix before.
type scaled struct {
	what    string // the readers, in notes
	readers []*View
	norm    NormWeights
	rows    *View
	bias    *View
	of      []int                   // quantise.Inputs' Of
	part    func(s float32) float32 // of a scale that a row is divided by; nil: all of it
	why     string                  // not empty: nothing can take the scales
}

// scaledInputs are those of block i, in the order in which they are read.
func (k *Checkpoint) scaledInputs(i int) []scaled {
	c, l := &k.Config, &k.Layers[i]
	read := func(views ...*View) (all []*View) {
		for _, v := range views {
			if v != nil {
				all = append(all, v)
			}
		}
		return all
	}
	after := func(what string, n NormWeights, views ...*View) scaled {
		s := scaled{what: what, readers: read(views...), norm: n}
		if n.Weight == nil {
			s.why = "no norm with a weight is before them"
		}
		return s
	}
	experts := c.Blocks[i].Experts
	attention := after("queries, keys and values", l.AttnNorm, l.Q, l.K, l.V, l.OutputGate)
	mlp := after("the MLP's first matrices", l.MLPNorm, l.Gate, l.Up)
	shared := c.Parallel && c.Names.MLPNorm == "" && !experts
	if shared { // one norm for both
		attention = after("queries, keys, values and the MLP's first matrices", l.AttnNorm, l.Q, l.K, l.V, l.OutputGate, l.Gate, l.Up)
	}
	all := []scaled{attention, k.afterValues(l)}
	if experts {
		mlp = scaled{what: "the experts' first matrices", why: "the router reads the same norm"}
		all = append(all, mlp)
		for e := range l.Experts {
			w := &l.Experts[e]
			all = append(all, c.afterUp("the experts' last matrices", w))
		}
		if l.Shared.Up != nil {
			all = append(all, c.afterUp("the experts' last matrices", &l.Shared))
		}
		return all
	}
	if !shared {
		all = append(all, mlp)
	}
	return append(all, c.afterUp("the MLP's last matrix", &MLPWeights{Gate: l.Gate, Up: l.Up, Down: l.Down, UpBias: l.UpBias}))
}

// afterValues are the inputs of the attention's last matrix: sums of values, of which the queries of
// a group share each head's.
func (k *Checkpoint) afterValues(l *Layer) scaled {
	c := &k.Config
	s := scaled{what: "the attention's last matrix", readers: []*View{l.O}, rows: l.V, bias: l.VBias}
	if c.ClipQKV > 0 {
		s.why = "values are cut off before it"
	}
	size, group := c.HeadDim, c.Heads/c.KVHeads
	for j := range c.Heads * size {
		s.of = append(s.of, j/size/group*size+j%size)
	}
	return s
}

// afterUp are the inputs of an MLP's last matrix: products with what Up makes, or an activation of it
// that a factor goes through.
func (c *Config) afterUp(what string, w *MLPWeights) scaled {
	s := scaled{what: what, readers: []*View{w.Down}, rows: w.Up, bias: w.UpBias}
	switch {
	case c.MLP.Act == ClampedSwiGLU:
		s.why = "its inputs are cut off before it"
	case w.Gate != nil, c.MLP.Act == ReLU:
	case c.MLP.Act == ReLU2:
		s.part = func(s float32) float32 { return float32(math.Sqrt(float64(s))) }
	default:
		s.why = "its activation is no product"
	}
	return s
}

// scaling is what a block's weights are multiplied and divided by.
type scaling struct {
	columns map[*View][]float32 // of inputs
	rows    map[*View][]float32 // of outputs
	toLast  map[*View]bool      // quantise.Scheme's ToLast
}

// scale searches for the scales of block i's inputs, and folds them into vectors.
func (z *Quantising) scale(ctx context.Context, i int, inputs Inputs) (*scaling, error) {
	of := &scaling{map[*View][]float32{}, map[*View][]float32{}, map[*View]bool{}}
	z.noteUnscaled(i)
	for _, g := range z.k.scaledInputs(i) {
		if g.why != "" {
			continue
		}
		if err := z.search(ctx, &g, of, inputs(g.readers[0])); err != nil {
			return nil, err
		}
	}
	return of, nil
}

// noteUnscaled notes once which weights' inputs cannot be scaled.
func (z *Quantising) noteUnscaled(i int) {
	for _, g := range z.k.scaledInputs(i) {
		if text := g.what + " (" + g.why + ")"; g.why != "" && !slices.Contains(z.left, text) {
			z.left = append(z.left, text)
		}
	}
}

func (z *Quantising) search(ctx context.Context, g *scaled, of *scaling, h *quantise.Hessian) error {
	k := z.k
	each := func(n int, one func(i int) error) error { return inParallel(ctx, k.threads, n, one) }
	var readers []quantise.Reader
	for _, v := range g.readers {
		readers = append(readers, quantise.Reader{W: v.F32(), Format: z.q.Scheme.FormatOf(v.Stored.DType)})
	}
	in := quantise.Inputs{Hessian: h, Of: g.of, Fold: z.folder(g)}
	found, err := z.q.Scheme.SearchScales(in, readers, each)
	if err != nil {
		return fmt.Errorf("%s: tensor %q: %w", g.readers[0].Stored.Path(), g.readers[0].Stored.Name, err)
	}
	for _, v := range g.readers {
		of.toLast[v] = found.ToLast
	}
	if found.Scales == nil {
		return nil
	}
	for _, v := range g.readers {
		of.columns[v] = in.Expand(found.Scales)
	}
	divisors := found.Scales
	if g.rows == nil {
		z.divide(g.norm.Weight, divisors)
		z.divide(g.norm.Bias, divisors)
		return nil
	}
	if g.part != nil {
		divisors = slices.Clone(divisors)
		for j, s := range divisors {
			divisors[j] = g.part(s)
		}
	}
	of.rows[g.rows] = divisors
	z.divide(g.bias, divisors)
	return nil
}

// folder says which scales the norm, or the rows, before some inputs can store.
func (z *Quantising) folder(g *scaled) func(scales []float32) ([]float32, bool) {
	if g.rows != nil {
		return z.rowFolder(g)
	}
	weight, bias := g.norm.Weight.F32(), g.norm.Bias.F32()
	return func(scales []float32) ([]float32, bool) {
		made := slices.Clone(scales)
		for j, s := range scales {
			is := g.norm.Weight.divided(weight[j], s)
			if !finite32(is) || weight[j] != 0 && !(is/weight[j] > 0) {
				return nil, false
			}
			if bias != nil && !finite32(g.norm.Bias.divided(bias[j], s)) {
				return nil, false
			}
			if weight[j] != 0 {
				made[j] = weight[j] / is // what the norm is rounded by, the weights make up for
			}
		}
		return made, true
	}
}

// rowFolder refuses scales that take a row, or its bias, beyond the range of its number format.
func (z *Quantising) rowFolder(g *scaled) func(scales []float32) ([]float32, bool) {
	largest := make([]float32, g.rows.N)
	row := make([]float32, g.rows.K)
	for j := range largest {
		g.rows.RowF32(j, row)
		for _, x := range row {
			largest[j] = max(largest[j], x, -x)
		}
	}
	least, most := float32(0), float32(math.MaxFloat32)
	if z.q.Scheme.FormatOf(g.rows.Stored.DType) == safetensors.F16 {
		// A scale of codes is at least the largest number over their count, and full precision ends there.
		least, most = float32(int(1)<<z.q.Scheme.Bits)*0x1p-14, 65504
	}
	bias := g.bias.F32()
	return func(scales []float32) ([]float32, bool) {
		for j, x := range largest {
			s := scales[j]
			if g.part != nil {
				s = g.part(s)
			}
			if is := x / s; !(is <= most) || is < least && x >= least {
				return nil, false
			}
			if bias != nil && !finite32(g.bias.divided(bias[j], s)) {
				return nil, false
			}
		}
		return scales, true
	}
}

func finite32(x float32) bool { return !math.IsInf(float64(x), 0) && x == x }

// divided is x/s as the vector's file would hold it, read again.
func (v *View) divided(x, s float32) float32 {
	stored := [1]float32{x/s - v.offset}
	if d := vectorFormat(v.Stored); d != safetensors.F32 {
		var b [2]byte
		safetensors.Encode(d, b[:], stored[:])
		safetensors.Decode(d, stored[:], b[:])
	}
	return stored[0] + v.offset
}

// vectorFormat is what a vector that was folded into is written in.
func vectorFormat(t *safetensors.Tensor) safetensors.DType {
	if !t.Decoded() && (t.DType == safetensors.BF16 || t.DType == safetensors.F16) {
		return t.DType
	}
	return safetensors.F32
}

// divide divides the numbers of a vector, which may be nil, by scales.
func (z *Quantising) divide(v *View, scales []float32) {
	if v == nil {
		return
	}
	t := v.Stored
	if z.folded[t] == nil {
		z.folded[t] = slices.Clone(t.F32())
	}
	for j, s := range scales {
		at := j
		if v.row != nil {
			at = v.row(j)
		}
		z.folded[t][at] = v.divided(z.folded[t][at]+v.offset, s) - v.offset
	}
}

// putFolded puts block i's vectors that were folded into in the places of those that were read.
func (z *Quantising) putFolded(i int) {
	l := &z.k.Layers[i]
	for _, w := range z.k.Config.layer(i) {
		p := w.uses[0].place(z.k, l)
		if *p == nil || z.folded[(*p).Stored] == nil {
			continue
		}
		t := (*p).Stored
		numbers := z.folded[t]
		made := safetensors.NewDecoded(t.Name, z.how(t), t.Shape, safetensors.Rows{Width: 1, Read: func(i int, dst []float32) { copy(dst, numbers[i*len(dst):]) }}, t)
		for _, u := range w.uses {
			(*u.place(z.k, l)).Stored = made
		}
	}
}

// foldedEntry is a vector that was folded into as it is written; false for any other tensor.
func (z *Quantising) foldedEntry(t *safetensors.Tensor) (safetensors.Entry, bool) {
	numbers := z.folded[t]
	if numbers == nil {
		return safetensors.Entry{}, false
	}
	return safetensors.Float32(t.Name, vectorFormat(t), t.Shape, numbers), true
}

// columnsOf are the scales of the inputs that a tensor's rows from `from` on read.
func (s *scaling) columnsOf(uses []use, from int, place func(u use) *View) []float32 {
	for _, u := range uses {
		if v := place(u); v.from == from && s.columns[v] != nil {
			return s.columns[v]
		}
	}
	return nil
}

// rowsOf are what the rows of a tensor's part are divided by; nil where no view of it is.
func (s *scaling) rowsOf(uses []use, from, rows int, place func(u use) *View) (all []float32) {
	for _, u := range uses {
		v := place(u)
		scales := s.rows[v]
		if v.from != from || scales == nil {
			continue
		}
		if all == nil {
			all = slices.Repeat([]float32{1}, rows)
		}
		for j, x := range scales {
			if v.row != nil {
				j = v.row(j)
			}
			all[j] = x
		}
	}
	return all
}

// leftNote says which inputs were not scaled.
func (z *Quantising) leftNote() string {
	if len(z.left) == 0 {
		return ""
	}
	return fmt.Sprintf("%s left inputs as they are, whose scales nothing can take: of %s", z.q.Scheme.Method, strings.Join(z.left, "; of "))
}
