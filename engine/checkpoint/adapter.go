package checkpoint

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/regularfile"
)

// merge adds a LoRA adapter of peft to the weights, as its merge_and_unload does in
// float32: W + (B·A)·s, with s = lora_alpha/r, or lora_alpha/√r (rslora). dir is the
// adapter's directory.
func (k *Checkpoint) merge(ctx context.Context, dir string) error {
	path := filepath.Join(dir, "adapter_config.json")
	if err := k.watch(path); err != nil {
		return err
	}
	text, err := regularfile.ReadAll(ctx, path, maxConfig)
	if err != nil {
		return err
	}
	rank, scale, fan, err := parseAdapter(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	weights := filepath.Join(dir, "adapter_model.safetensors")
	f, err := safetensors.Open(weights)
	if err != nil {
		return err
	}
	k.set.Files = append(k.set.Files, f)
	pairs := map[string][2]*safetensors.Tensor{}
	for _, t := range f.Tensors() {
		name, ok := strings.CutPrefix(t.Name, "base_model.model.")
		module, part := name, -1
		for i, suffix := range []string{".lora_A.weight", ".lora_B.weight"} {
			if before, found := strings.CutSuffix(name, suffix); found {
				module, part = before, i
			}
		}
		if !ok || part < 0 || len(t.Shape) != 2 || !t.Readable() {
			return fmt.Errorf("%s: tensor %q (shape %v) is not a LoRA matrix of a linear layer: merge it with peft's merge_and_unload and save that", weights, t.Name, t.Shape)
		}
		pair := pairs[module]
		pair[part] = t
		pairs[module] = pair
	}
	if len(pairs) == 0 {
		return fmt.Errorf("%s: it holds no LoRA matrices", weights)
	}
	all, against := k.set.All(), false
	layers, _, _ := strings.Cut(k.Config.Names.Layer, "%d")
	for _, module := range slices.Sorted(maps.Keys(pairs)) { // the first mistake is the same each time
		pair := pairs[module]
		at := slices.IndexFunc(all, func(t *safetensors.Tensor) bool { return t.Name == module+".weight" })
		if pair[0] == nil || pair[1] == nil {
			return fmt.Errorf("%s: of %q there is only one of lora_A and lora_B", weights, module)
		}
		if at < 0 {
			return fmt.Errorf("%s: it changes %q, which the model does not have: the adapter is of another model", weights, module+".weight")
		}
		if pair[0].Shape[0] != rank {
			return fmt.Errorf("%s: lora_A of %q has rank %d, adapter_config.json says that r is %d", weights, module, pair[0].Shape[0], rank)
		}
		turned := k.Config.Names.Transposed && strings.HasPrefix(module, layers)
		against = against || turned != fan
		merged, err := adapted(all[at], pair[0], pair[1], scale, turned)
		if err != nil {
			return fmt.Errorf("%s: %q: %w", weights, module, err)
		}
		all[at] = merged
	}
	k.Format += ", with a LoRA adapter"
	k.Notes = append(k.Notes, fmt.Sprintf("the LoRA adapter in %s is merged into %d of the weights", dir, len(pairs)))
	if against {
		k.Notes = append(k.Notes, fmt.Sprintf("fan_in_fan_out is %t in %s, against how the model stores its weights: it is not used, as by peft", fan, path))
	}
	k.Computed = cmp.Or(k.Computed, "the weights with the adapter merged into them, in float32")
	return k.set.Replace(all)
}

// parseAdapter reads an adapter_config.json, and refuses what merging does not have.
func parseAdapter(text []byte) (rank int, scale float32, fan bool, err error) {
	f, err := parseFields(text)
	if err != nil {
		return 0, 0, false, err
	}
	if kind := f.text("peft_type", ""); f.err == nil && kind != "LORA" {
		f.fail("peft_type %q is not read: want LORA", kind)
	}
	if f.flag("use_dora", false) {
		f.fail("use_dora is true: DoRA is not read; merge it with peft's merge_and_unload and save that")
	}
	if bias := f.text("bias", "none"); f.err == nil && bias != "none" {
		f.fail("bias %q is not read: want \"none\"", bias)
	}
	for _, key := range []string{"rank_pattern", "alpha_pattern", "modules_to_save", "trainable_token_indices", "layer_replication", "target_parameters"} {
		if v := string(f.values[key]); v != "" && v != "null" && v != "{}" && v != "[]" {
			f.fail("%s is not read: merge the adapter with peft's merge_and_unload and save that", key)
		}
	}
	rank = f.dimension("r", 8)
	over := float64(rank)
	if f.flag("use_rslora", false) {
		over = math.Sqrt(over)
	}
	scale = float32(f.number("lora_alpha", 8) / over)
	return rank, scale, f.flag("fan_in_fan_out", false), f.err
}

// adapted is w + (b·a)·scale; turned, the product's transpose, for weights that are
// [in, out].
func adapted(w, a, b *safetensors.Tensor, scale float32, turned bool) (*safetensors.Tensor, error) {
	rank, in, out := a.Shape[0], a.Shape[1], b.Shape[0]
	want := []int{out, in}
	if turned {
		want = []int{in, out}
	}
	if b.Shape[1] != rank || rank > max(in, out) || !slices.Equal(w.Shape, want) {
		return nil, fmt.Errorf("lora_A %v and lora_B %v do not fit the weight's %v", a.Shape, b.Shape, w.Shape)
	}
	left, right := b.F32(), a.F32() // [out, rank], [rank, in]
	read := func(i int, dst []float32) {
		w.RowF32(i, dst)
		for j := range dst {
			o, n := i, j
			if turned {
				o, n = j, i
			}
			var sum float32
			for r := range rank {
				sum += left[o*rank+r] * right[r*in+n]
			}
			dst[j] += sum * scale
		}
	}
	how := fmt.Sprintf("%s with LoRA times %v", w.DType, scale)
	return safetensors.NewDecoded(w.Name, safetensors.DType(how), w.Shape, safetensors.Rows{Width: w.Shape[1], Read: read}, w, a, b), nil
}
