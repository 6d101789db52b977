package checkpoint

import (
	"context"

	"github.com/softbench/softbench/engine/safetensors"
)

// Fold scales block i as Layer does, and leaves the weights in float32; it reports how many matrices
// were multiplied by scales of their inputs.
func (z *Quantising) Fold(ctx context.Context, i int, inputs Inputs) (scaled int, err error) {
	k, l := z.k, &z.k.Layers[i]
	of, err := z.scale(ctx, i, inputs)
	if err != nil {
		return 0, err
	}
	for _, w := range k.Config.layer(i) {
		t := (*w.uses[0].place(k, l)).Stored
		if !z.q.takes(k, w, l) || len(t.Shape) != 2 { // experts in one tensor are not scaled
			continue
		}
		rows, cols, at := t.Shape[0], t.Shape[1], func(r, c int) int { return r*t.Shape[1] + c }
		if w.uses[0].view.columns {
			rows, cols, at = cols, rows, func(r, c int) int { return c*t.Shape[1] + r }
		}
		numbers, x := t.F32(), make([]float32, rows*cols)
		for n := range x {
			x[n] = numbers[at(n/cols, n%cols)]
		}
		scalers(k, w, l, of)(0, x, rows, cols)
		for n, v := range x {
			numbers[at(n/cols, n%cols)] = v
		}
		folded := safetensors.NewDecoded(t.Name, "folded", t.Shape, safetensors.Rows{Width: t.Shape[1], Read: func(i int, dst []float32) {
			copy(dst, numbers[i*len(dst):])
		}}, t)
		for _, u := range w.uses {
			(*u.place(k, l)).Stored = folded
		}
	}
	z.putFolded(i)
	return len(of.columns), nil
}
