package checkpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/softbench/softbench/engine/gguf"
	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/quantised"
	"github.com/softbench/softbench/engine/safetensors"
)

// StoredBytes is the size of all tensors in the files.
func (k *Checkpoint) StoredBytes() (n int64) {
	for _, t := range k.set.All() {
		n += int64(len(t.Data))
	}
	return n
}

// Packable is the error of a checkpoint whose weights, quantised by s, a layout does not
// hold, without quantising any.
func (k *Checkpoint) Packable(s quantise.Scheme, layout quantised.Layout) error {
	q := &Quantisation{Scheme: s}
	if err := k.quantisable(q); err != nil {
		return err
	}
	if gguf.Is(k.Dir) || k.Config.Names.Transposed || k.Config.Names.Packed != "" {
		return fmt.Errorf("%s: of this checkpoint (%s, %s) no packed one can be written: want safetensors with a matrix [out, in] for each linear layer; quantise on the fly with --quantize %s", k.Dir, k.Format, k.Config.ModelType, s)
	}
	for i := range k.Layers {
		for _, w := range k.Config.layer(i) {
			if !q.takes(k, w, &k.Layers[i]) {
				continue
			}
			if err := layout.Fits(s, w.Shape[0], w.Shape[1]); err != nil {
				return fmt.Errorf("%s: tensor %q has %w", k.Dir, w.Name, err)
			}
		}
	}
	return nil
}

// QuantisedEntries quantises the blocks' linear layers, and returns the config.json
// and the tensors of a checkpoint that has them packed and all else as it is. It is
// for what Open made without Options.Quantise. progress is told the parameters that
// are done, of all; it may be nil.
func (k *Checkpoint) QuantisedEntries(ctx context.Context, s quantise.Scheme, layout quantised.Layout, progress func(done, total int64)) (config map[string]any, entries []safetensors.Entry, err error) {
	if s.Calibrated() {
		return nil, nil, fmt.Errorf("%s looks at what weights are multiplied with: it needs a text to be calibrated on", s)
	}
	s.Format = layout.Format()
	none := func(*safetensors.Tensor) (safetensors.Entry, bool) { return safetensors.Entry{}, false }
	return k.guardedEntries(s, layout, progress, none, func(t *safetensors.Tensor, w Weight) (*quantisedTensor, error) {
		return k.quantiseTensor(ctx, s, t, w, nil, nil)
	})
}

// Entries is QuantisedEntries of what was quantised already.
func (z *Quantising) Entries(layout quantised.Layout) (config map[string]any, entries []safetensors.Entry, err error) {
	return z.k.guardedEntries(z.q.Scheme, layout, nil, z.foldedEntry, func(t *safetensors.Tensor, _ Weight) (*quantisedTensor, error) {
		return z.made[t].Decoder().(*quantisedTensor), nil
	})
}

func (k *Checkpoint) guardedEntries(s quantise.Scheme, layout quantised.Layout, progress func(done, total int64), folded func(*safetensors.Tensor) (safetensors.Entry, bool), one func(*safetensors.Tensor, Weight) (*quantisedTensor, error)) (config map[string]any, entries []safetensors.Entry, err error) {
	err = safetensors.Guard(func() error {
		config, entries, err = k.quantisedEntries(s, layout, progress, folded, one)
		return err
	})
	return config, entries, err
}

func (k *Checkpoint) quantisedEntries(s quantise.Scheme, layout quantised.Layout, progress func(done, total int64), folded func(*safetensors.Tensor) (safetensors.Entry, bool), one func(*safetensors.Tensor, Weight) (*quantisedTensor, error)) (map[string]any, []safetensors.Entry, error) {
	if err := k.Packable(s, layout); err != nil {
		return nil, nil, err
	}
	q := &Quantisation{Scheme: s}
	chosen := map[*safetensors.Tensor]Weight{}
	var ignore []string
	var total, done int64
	for i := range k.Layers {
		for _, w := range k.Config.layer(i) {
			t := k.set.Tensor(w.Name)
			switch {
			case q.takes(k, w, &k.Layers[i]):
				chosen[t] = w
				total += int64(t.Elements())
			case w.Matrix:
				ignore = append(ignore, strings.TrimSuffix(w.Name, ".weight"))
			}
		}
	}
	ignore = append(ignore, k.Config.Names.Head)
	var entries []safetensors.Entry
	for _, t := range k.set.All() {
		w, ok := chosen[t]
		if !ok {
			if e, ok := folded(t); ok {
				entries = append(entries, e)
				continue
			}
			entries = append(entries, safetensors.Entry{Name: t.Name, DType: t.DType, Shape: t.Shape, Data: t.Data})
			continue
		}
		d, err := one(t, w)
		if err != nil {
			return nil, nil, err
		}
		made, err := layout.Entries(s, t.Name, d.parts[0])
		if err != nil {
			return nil, nil, err
		}
		entries = append(entries, made...)
		if done += int64(t.Elements()); progress != nil {
			progress(done, total)
		}
	}
	var config map[string]any
	d := json.NewDecoder(strings.NewReader(string(k.ConfigText)))
	d.UseNumber() // numbers stay as they are written
	if err := d.Decode(&config); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", k.config, err)
	}
	config["quantization_config"] = layout.Config(s, ignore)
	return config, entries, nil
}
