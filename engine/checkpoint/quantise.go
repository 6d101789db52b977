package checkpoint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
)

// Quantisation says which weights are quantised once they are read, and how.
type Quantisation struct {
	Scheme quantise.Scheme
	// Include names what is quantised beside the blocks' linear layers, of Includable.
	Include []string
	// Calibration says what a calibrated method was shown; nil of others.
	Calibration *Calibration
}

// Calibration is the text that a calibrated method was shown: its first tokens, in sequences.
type Calibration struct {
	SHA256    string // of the file
	Sequences int
	Length    int // tokens of one
}

// Includable is what Quantisation may include.
var Includable = []string{"embeddings", "head", "norms"}

// Quantised is what a Quantisation did.
type Quantised struct {
	Scheme  quantise.Scheme
	Include []string
	// Calibration is nil where the method needs none.
	Calibration *Calibration
	Weights     int   // tensors
	Parameters  int64 // their numbers
	Bytes       int64 // of codes, scales and zeros
}

// quantisable refuses a checkpoint whose weights have few bits already, and parts
// that cannot be included.
func (k *Checkpoint) quantisable(q *Quantisation) error {
	if q.Scheme.Calibrated() && len(q.Include) > 0 {
		return fmt.Errorf("%s: --quantize %s is calibrated, which embeddings, head and norms cannot be: leave --quantize-include out", k.Dir, q.Scheme)
	}
	few := k.fewBits || slices.ContainsFunc(k.set.All(), func(t *safetensors.Tensor) bool { return t.DType.Float() && t.DType.Bits() < 16 })
	if few {
		return fmt.Errorf("%s: its weights are quantised already (%s): --quantize takes weights of 16 bits or more; give the checkpoint that it was made from", k.Dir, k.Format)
	}
	head := slices.Contains(q.Include, "head")
	if k.Config.TieEmbeddings && head != slices.Contains(q.Include, "embeddings") {
		return fmt.Errorf("%s: its head and its embeddings are one tensor: --quantize-include takes both or neither", k.Dir)
	}
	return nil
}

// Inputs returns the Hessian of the inputs that a view's weights are multiplied with; for
// calibrated methods, else nil.
type Inputs func(v *View) *quantise.Hessian

// Quantising puts quantised weights in the places of those that a Quantisation takes. What
// was read stays what the checkpoint's hash is of.
type Quantising struct {
	k    *Checkpoint
	q    *Quantisation
	done Quantised
	made map[*safetensors.Tensor]*safetensors.Tensor // by what is stored
	// folded are the numbers of vectors that took scales of inputs, by what is stored; left says
	// which inputs have none.
	folded map[*safetensors.Tensor][]float32
	left   []string
}

// NewQuantising begins to quantise a checkpoint that was opened without Options.Quantise:
// layer by layer, then Finish.
func (k *Checkpoint) NewQuantising(q *Quantisation) (*Quantising, error) {
	if err := k.quantisable(q); err != nil {
		return nil, err
	}
	z := &Quantising{
		k: k, q: q, done: Quantised{Scheme: q.Scheme, Include: q.Include, Calibration: q.Calibration},
		made: map[*safetensors.Tensor]*safetensors.Tensor{}, folded: map[*safetensors.Tensor][]float32{},
	}
	k.planned = map[*safetensors.Tensor]safetensors.DType{}
	for i := range k.Layers {
		for _, w := range k.Config.layer(i) {
			if q.takes(k, w, &k.Layers[i]) {
				t := (*w.uses[0].place(k, &k.Layers[i])).Stored
				k.planned[t] = z.how(t)
			}
		}
	}
	return z, nil
}

// Scaled reports whether Layer wants the inputs' magnitudes.
func (z *Quantising) Scaled() bool { return z.q.Scheme.Scaled() }

// how says how a tensor's numbers are made.
func (z *Quantising) how(t *safetensors.Tensor) safetensors.DType {
	how := fmt.Sprintf("%s quantised as %s", t.DType, z.q.Scheme)
	if format := z.q.Scheme.Format; format != "" {
		how += " in " + string(format)
	}
	if c := z.q.Calibration; c != nil {
		how += fmt.Sprintf(" on %d sequences of %d tokens of %s", c.Sequences, c.Length, c.SHA256)
	}
	return safetensors.DType(how)
}

// quantise does all of it, for methods that are not calibrated.
func (k *Checkpoint) quantise(ctx context.Context, q *Quantisation) error {
	z, err := k.NewQuantising(q)
	if err != nil {
		return err
	}
	for _, w := range k.Config.outer() {
		if err := z.weight(ctx, w, nil, nil, nil); err != nil {
			return err
		}
	}
	for i := range k.Layers {
		if err := z.Layer(ctx, i, nil); err != nil {
			return err
		}
	}
	z.Finish()
	return nil
}

// Layer quantises block i.
func (z *Quantising) Layer(ctx context.Context, i int, inputs Inputs) (err error) {
	var scales *scaling
	if z.q.Scheme.Scaled() {
		if scales, err = z.scale(ctx, i, inputs); err != nil {
			return err
		}
		inputs = nil
	}
	for _, w := range z.k.Config.layer(i) {
		if err := z.weight(ctx, w, &z.k.Layers[i], inputs, scales); err != nil {
			return err
		}
	}
	z.putFolded(i)
	return nil
}

func (z *Quantising) weight(ctx context.Context, w Weight, l *Layer, inputs Inputs, scales *scaling) error {
	k := z.k
	if !z.q.takes(k, w, l) {
		return nil
	}
	t := (*w.uses[0].place(k, l)).Stored
	if z.made[t] == nil {
		scheme := z.q.Scheme
		if scales != nil {
			scheme.ToLast = scales.toLast[*w.uses[0].place(k, l)] // all views of a tensor read the same
		}
		d, err := k.quantiseTensor(ctx, scheme, t, w, hessians(k, w, l, inputs), scalers(k, w, l, scales))
		if err != nil {
			return fmt.Errorf("%s: tensor %q: %w", t.Path(), t.Name, err)
		}
		z.put(t, d)
	}
	for _, u := range w.uses {
		(*u.place(k, l)).Stored = z.made[t]
	}
	return nil
}

// put notes what a tensor has become.
func (z *Quantising) put(t *safetensors.Tensor, d *quantisedTensor) {
	z.made[t] = safetensors.NewDecoded(t.Name, z.how(t), t.Shape, d, t)
	z.done.Weights++
	for _, m := range d.parts {
		z.done.Parameters += int64(m.Rows) * int64(m.Cols)
		z.done.Bytes += m.Bytes()
	}
}

// hessians finds those of the matrices that a tensor holds: of each number of rows from
// which a view reads it. Views of one matrix, such as q and k of a fused one, read the
// same inputs.
func hessians(k *Checkpoint, w Weight, l *Layer, inputs Inputs) func(from int) *quantise.Hessian {
	if inputs == nil {
		return nil
	}
	return func(from int) *quantise.Hessian {
		for _, u := range w.uses {
			if v := *u.place(k, l); v.from == from {
				return inputs(v)
			}
		}
		return nil
	}
}

// scalers returns what multiplies the weights of a tensor's matrix, of those from row `from` on, by
// the scales of its inputs and divides them by those of its outputs; nil where there are no scales.
func scalers(k *Checkpoint, w Weight, l *Layer, s *scaling) func(from int, x []float32, rows, cols int) {
	if s == nil {
		return nil
	}
	place := func(u use) *View { return *u.place(k, l) }
	return func(from int, x []float32, rows, cols int) {
		quantise.ScaleWeights(x, cols, s.columnsOf(w.uses, from, place), s.rowsOf(w.uses, from, rows, place))
	}
}

// Finish notes what was done.
func (z *Quantising) Finish() {
	k := z.k
	for i, t := range k.used {
		if m := z.made[t]; m != nil {
			k.used[i] = m
		}
	}
	what := "the blocks' linear layers"
	if len(z.q.Include) > 0 {
		what += " and " + strings.Join(z.q.Include, ", ")
	}
	k.Quantised = &z.done
	k.Computed = fmt.Sprintf("%s quantised as %s, each number dequantised as the method's reference does", what, z.q.Scheme)
	if k.Int8 = z.q.Scheme.Int8(); k.Int8 {
		k.Computed = fmt.Sprintf("%s quantised as %s: %s", what, z.q.Scheme, int8Computed)
	}
	note := fmt.Sprintf("quantised as %s: %s, %d weights, %.2f bits a parameter", z.q.Scheme, what, z.done.Weights, 8*float64(z.done.Bytes)/float64(z.done.Parameters))
	if c := z.q.Calibration; c != nil {
		note += fmt.Sprintf("; calibrated on %d sequences of %d tokens of the text with SHA-256 %s", c.Sequences, c.Length, c.SHA256)
	}
	k.Notes = append(k.Notes, note)
	if left := z.leftNote(); left != "" {
		k.Notes = append(k.Notes, left)
	}
}

// int8Computed says what is computed where activations are int8 too.
const int8Computed = "int8 weights times activations that are rounded to int8 a token at a time (symmetric, the largest magnitude over 127.5), sums in whole numbers"

// takes says whether a weight is quantised: routers, biases and what belongs to
// attention kinds and activations never are.
func (q *Quantisation) takes(k *Checkpoint, w Weight, l *Layer) bool {
	p := w.uses[0].place(k, l)
	switch {
	case *p == nil:
		return false
	case l != nil && w.Matrix:
		return p != &l.Router && p != &l.SharedGate
	case p == &k.Embed || p == &k.Positions:
		return slices.Contains(q.Include, "embeddings")
	case p == &k.Head:
		return slices.Contains(q.Include, "head")
	}
	norms := []**View{&k.Norm.Weight}
	if l != nil {
		norms = []**View{&l.AttnNorm.Weight, &l.PostAttnNorm.Weight, &l.MLPNorm.Weight, &l.PostMLPNorm.Weight, &l.QNorm.Weight, &l.KNorm.Weight}
	}
	return slices.Contains(q.Include, "norms") && slices.Contains(norms, p)
}

// quantiseTensor quantises the matrices of a tensor.
func (k *Checkpoint) quantiseTensor(ctx context.Context, s quantise.Scheme, t *safetensors.Tensor, w Weight, inputs func(from int) *quantise.Hessian, scale func(from int, x []float32, rows, cols int)) (*quantisedTensor, error) {
	each := func(n int, one func(i int) error) error { return inParallel(ctx, k.threads, n, one) }
	columns, vector := w.uses[0].view.columns, w.uses[0].view.K == 1
	var x []float32
	d, err := k.matrices(s, t, w, func(part, rows, cols int, format safetensors.DType) (*quantise.Matrix, error) {
		if x == nil {
			x = make([]float32, rows*cols)
		}
		if err := each(rows, func(i int) error {
			row := x[i*cols:][:cols]
			switch {
			case vector:
				copy(row, t.F32())
			case columns:
				t.ColumnF32(i, part*cols, row)
			default:
				t.RowF32(i, row)
			}
			return nil
		}); err != nil {
			return nil, err
		}
		from := 0
		if columns {
			from = part * cols
		}
		if scale != nil {
			scale(from, x, rows, cols)
		}
		if inputs == nil {
			return s.Quantise(x, rows, cols, format, each)
		}
		return s.QuantiseWith(inputs(from), x, rows, cols, format, each)
	})
	safetensors.Drop(t)
	return d, err
}

// matrices makes a tensor of the matrices [out, in] that it holds; groups lie along their
// inputs, however they are stored. A vector is one row.
func (k *Checkpoint) matrices(s quantise.Scheme, t *safetensors.Tensor, w Weight, one func(part, rows, cols int, format safetensors.DType) (*quantise.Matrix, error)) (*quantisedTensor, error) {
	d := &quantisedTensor{columns: w.uses[0].view.columns, vector: w.uses[0].view.K == 1}
	count, rows, cols := 1, 1, t.Elements()
	if !d.vector {
		rows, cols = t.Shape[0], t.Shape[1]
	}
	if d.columns {
		in := w.uses[0].view.K
		rows, cols = t.Shape[len(t.Shape)-1], in
		count = t.Elements() / (rows * cols)
	}
	for part := range count {
		m, err := one(part, rows, cols, s.FormatOf(t.DType))
		if err != nil {
			return nil, err
		}
		d.parts = append(d.parts, m)
	}
	return d, nil
}

// quantisedTensor decodes a tensor from its quantised matrices.
type quantisedTensor struct {
	parts   []*quantise.Matrix // one, or one of each expert
	columns bool               // a row of a matrix is a column of the tensor
	vector  bool
}

func (d *quantisedTensor) Codes(columns bool, from int) *quantise.Codes {
	if d.vector || columns != d.columns || d.parts == nil {
		return nil
	}
	return d.parts[from/d.parts[0].Cols].Coded()
}

// Forget lets go of the weights that Options.Quantise made, once a backend has packed them:
// they must not be read any more. The checkpoint's hash is not of them.
func (k *Checkpoint) Forget() {
	for _, t := range k.used {
		if d, ok := t.Decoder().(*quantisedTensor); ok {
			d.parts = nil
		}
	}
}

func (d *quantisedTensor) Row(i int, dst []float32) {
	m := d.parts[0]
	switch {
	case d.vector:
		row := make([]float32, m.Cols)
		m.Row(0, row)
		copy(dst, row[i*len(dst):])
	case d.columns:
		column := make([]float32, len(dst)/m.Rows) // rows of the tensor's last dimension in one of its first
		for o := range m.Rows {
			d.Column(o, i*len(column), column)
			for r, x := range column {
				dst[r*m.Rows+o] = x
			}
		}
	default:
		m.Row(i, dst)
	}
}

func (d *quantisedTensor) Column(j, from int, dst []float32) {
	m := d.parts[0]
	if d.columns {
		row := make([]float32, m.Cols)
		for len(dst) > 0 {
			d.parts[from/m.Cols].Row(j, row)
			n := copy(dst, row[from%m.Cols:])
			dst, from = dst[n:], from+n
		}
		return
	}
	row := make([]float32, m.Cols)
	for i := range dst {
		m.Row(from+i, row)
		dst[i] = row[j]
	}
}
