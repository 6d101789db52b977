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
}

// Includable is what Quantisation may include.
var Includable = []string{"embeddings", "head", "norms"}

// Quantised is what a Quantisation did.
type Quantised struct {
	Scheme     quantise.Scheme
	Include    []string
	Weights    int   // tensors
	Parameters int64 // their numbers
	Bytes      int64 // of codes, scales and zeros
}

// quantisable refuses a checkpoint whose weights have few bits already, and parts
// that cannot be included.
func (k *Checkpoint) quantisable(q *Quantisation) error {
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

// quantise puts quantised weights in the places of those that q takes. What was read
// stays what the checkpoint's hash is of.
func (k *Checkpoint) quantise(ctx context.Context, q *Quantisation) error {
	done := Quantised{Scheme: q.Scheme, Include: q.Include}
	made := map[*safetensors.Tensor]*safetensors.Tensor{}
	replace := func(w Weight, l *Layer) error {
		if !q.takes(k, w, l) {
			return nil
		}
		t := (*w.uses[0].place(k, l)).Stored
		if made[t] == nil {
			d, err := k.quantiseTensor(ctx, q.Scheme, t, w)
			if err != nil {
				return err
			}
			made[t] = safetensors.NewDecoded(t.Name, safetensors.DType(fmt.Sprintf("%s quantised as %s", t.DType, q.Scheme)), t.Shape, d, t)
			done.Weights++
			for _, m := range d.parts {
				done.Parameters += int64(m.Rows) * int64(m.Cols)
				done.Bytes += m.Bytes()
			}
		}
		for _, u := range w.uses {
			(*u.place(k, l)).Stored = made[t]
		}
		return nil
	}
	for _, w := range k.Config.outer() {
		if err := replace(w, nil); err != nil {
			return err
		}
	}
	for i := range k.Layers {
		for _, w := range k.Config.layer(i) {
			if err := replace(w, &k.Layers[i]); err != nil {
				return err
			}
		}
	}
	for i, t := range k.used {
		if m := made[t]; m != nil {
			k.used[i] = m
		}
	}
	what := "the blocks' linear layers"
	if len(q.Include) > 0 {
		what += " and " + strings.Join(q.Include, ", ")
	}
	k.Quantised = &done
	k.Computed = fmt.Sprintf("%s quantised as %s, each number dequantised as the method's reference does", what, q.Scheme)
	k.Notes = append(k.Notes, fmt.Sprintf("quantised as %s: %s, %d weights, %.2f bits a parameter", q.Scheme, what, done.Weights, 8*float64(done.Bytes)/float64(done.Parameters)))
	return nil
}

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

// quantiseTensor quantises the matrices [out, in] that a tensor holds; groups lie
// along their inputs, however they are stored. A vector is one row.
func (k *Checkpoint) quantiseTensor(ctx context.Context, s quantise.Scheme, t *safetensors.Tensor, w Weight) (*quantisedTensor, error) {
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
	format := t.DType
	if format != safetensors.BF16 && format != safetensors.F16 {
		format = safetensors.F32
	}
	each := func(n int, one func(i int) error) error { return inParallel(ctx, k.threads, n, one) }
	x := make([]float32, rows*cols)
	for part := range count {
		if err := each(rows, func(i int) error {
			row := x[i*cols:][:cols]
			switch {
			case d.vector:
				copy(row, t.F32())
			case d.columns:
				t.ColumnF32(i, part*cols, row)
			default:
				t.RowF32(i, row)
			}
			return nil
		}); err != nil {
			return nil, err
		}
		m, err := s.Quantise(x, rows, cols, format, each)
		if err != nil {
			return nil, err
		}
		d.parts = append(d.parts, m)
	}
	safetensors.Drop(t)
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
