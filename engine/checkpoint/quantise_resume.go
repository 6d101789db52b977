package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
)

// foldedSuffix ends the names of vectors that took scales.
const foldedSuffix = ".folded"

// WriteLayer keeps what block i was quantised to, for ReadLayer of another process.
func (z *Quantising) WriteLayer(i int, path string) error {
	var entries []safetensors.Entry
	for _, w := range z.k.Config.layer(i) {
		t := z.k.set.Tensor(w.Name)
		if x := z.folded[t]; x != nil {
			entries = append(entries, safetensors.Float32(w.Name+foldedSuffix, safetensors.F32, []int{len(x)}, x))
		}
		if z.made[t] == nil {
			continue
		}
		d := z.made[t].Decoder().(*quantisedTensor)
		for part, m := range d.parts {
			name := fmt.Sprintf("%s.%d.", w.Name, part)
			entries = append(entries, safetensors.Entry{Name: name + "codes", DType: "U8", Shape: []int{len(m.Codes)}, Data: m.Codes},
				safetensors.Float32(name+"scales", safetensors.F32, []int{len(m.Scales)}, m.Scales))
			if m.Zeros != nil {
				entries = append(entries, safetensors.Float32(name+"zeros", safetensors.F32, []int{len(m.Zeros)}, m.Zeros))
			}
		}
	}
	return safetensors.Write(path, entries, nil)
}

// ReadLayer puts in place what WriteLayer kept of block i; false where there is no file.
func (z *Quantising) ReadLayer(ctx context.Context, i int, path string) (bool, error) {
	set, err := safetensors.OpenSet(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer set.Close()
	restore := func(name string, rows, cols int, format safetensors.DType) (*quantise.Matrix, error) {
		part := func(what string) *safetensors.Tensor { return set.Tensor(name + what) }
		codes, scales, zeros := part("codes"), part("scales"), part("zeros")
		if codes == nil || scales == nil {
			return nil, fmt.Errorf("%s: it lacks %q: remove it", path, name+"codes")
		}
		var z32 []float32
		if zeros != nil {
			z32 = zeros.F32()
		}
		m, err := z.q.Scheme.Restore(rows, cols, format, codes.Data, scales.F32(), z32)
		if err != nil {
			return nil, fmt.Errorf("%s: %q: %w: remove it", path, name, err)
		}
		return m, nil
	}
	l := &z.k.Layers[i]
	for _, w := range z.k.Config.layer(i) {
		t := z.k.set.Tensor(w.Name)
		if kept := set.Tensor(w.Name + foldedSuffix); kept != nil {
			if kept.Elements() != t.Elements() {
				return false, fmt.Errorf("%s: %q has %d numbers where %d are wanted: remove it", path, kept.Name, kept.Elements(), t.Elements())
			}
			z.folded[t] = slices.Clone(kept.F32())
		}
		if !z.q.takes(z.k, w, l) {
			continue
		}
		if z.made[t] == nil {
			d, err := z.k.matrices(z.q.Scheme, t, w, func(part, rows, cols int, format safetensors.DType) (*quantise.Matrix, error) {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				return restore(fmt.Sprintf("%s.%d.", w.Name, part), rows, cols, format)
			})
			if err != nil {
				return false, err
			}
			z.put(t, d)
		}
		for _, u := range w.uses {
			(*u.place(z.k, l)).Stored = z.made[t]
		}
	}
	if z.q.Scheme.Scaled() {
		z.noteUnscaled(i)
	}
	z.putFolded(i)
	return true, nil
}
