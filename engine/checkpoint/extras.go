package checkpoint

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/safetensors"
)

// Tensors that files may hold beside the weights.
var (
	// Buffers that old transformers, GPT-2's and GPT-NeoX's classes and
	// flash-linear-attention stored: recomputed.
	rotaryBuffer = regexp.MustCompile(`(^|\.)rotary(_emb)?\.((original_)?inv_freq|cos_cached|sin_cached)$`)
	maskBuffer   = regexp.MustCompile(`(^|\.)((attn|attention)\.(masked_)?bias|self_attn\.masked_bias)$`)
	placeBuffer  = regexp.MustCompile(`(^|\.)position_ids$`)
	scaleVector  = regexp.MustCompile(`^model\.layers\.\d+\.(self_attn|attn)\.s$`)
	// A buffer the paper's scaled checkpoints carry: ln(position+2).
	logTable = regexp.MustCompile(`^model\.layers\.\d+\.(self_attn|attn)\.logn$`)
	// Heads of other tasks, beside the language model's: of trl's value functions,
	// of rewards and of classes, and of tokens further on.
	otherHead = regexp.MustCompile(`^(v_head|value_head|reward_head|regression_layer|score|classifier|qa_outputs|medusa_head|mtp)\.`)
)

// extras judges the tensors that no weight asked for: what transformers leaves
// unused though the model is the one that was meant is left unused with a note,
// and what says that another model was meant is refused.
func (k *Checkpoint) extras(ctx context.Context, o Options) error {
	used := map[*safetensors.Tensor]bool{}
	for _, t := range k.used {
		used[t] = true
	}
	var unused left
	for _, name := range k.set.Names() {
		if t := k.set.Tensor(name); !used[t] && !k.others[name] {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := k.extra(t, o, &unused); err != nil {
				return err
			}
		}
	}
	k.Notes = append(k.Notes, unused.notes()...)
	return nil
}

// extra judges one of them.
func (k *Checkpoint) extra(t *safetensors.Tensor, o Options, unused *left) error {
	name, file := t.Name, k.set.FileOf(t)
	switch {
	case name == k.Config.Names.headName() && k.Config.TieEmbeddings:
		// The same as the embedding: storedHead has looked.
	case rotaryBuffer.MatchString(name):
		unused.add("stored rotary inv_freq tensors, or cosines and sines, are ignored, as by transformers: they follow from config.json")
	case logTable.MatchString(name):
		if err := checkLogTable(t); err != nil {
			return fmt.Errorf("%s: tensor %q: %w", file, name, err)
		}
		unused.add("stored tables of ln(position+2) are not read: they are computed")
	case scaleVector.MatchString(name) && o.Attention != "":
		unused.add(fmt.Sprintf("learned attention scales are ignored: --attention %s has none", k.Config.Attention))
	case scaleVector.MatchString(name):
		return fmt.Errorf("%s: tensor %q is unexpected: %s attention has no scale; if the model was trained with one choose --attention scaled-%[3]s, else --attention %[3]s", file, name, k.Config.Attention)
	case k.beyond(name):
		unused.add(fmt.Sprintf("tensors of layers beyond the %d of config.json are ignored, as by transformers", k.Config.Layers))
	case maskBuffer.MatchString(name):
		unused.add("stored attention masks are ignored, as by transformers: they are the causal one")
	case placeBuffer.MatchString(name):
		unused.add("stored position_ids are ignored, as by transformers: they count from 0")
	case otherHead.MatchString(name):
		unused.add("tensors of a head for another task are ignored, as by transformers")
	case strings.HasSuffix(name, ".bias") && k.set.Tensor(strings.TrimSuffix(name, "bias")+"weight") != nil:
		unused.add(fmt.Sprintf("biases (such as %q) are ignored, as by transformers: by config.json a %s model of this kind has none", name, k.Config.ModelType))
	default:
		return fmt.Errorf("%s: tensor %q (shape %v) is unexpected: a %s model has none; the checkpoint holds more than this architecture or its config.json belongs to another", file, name, t.Shape, k.Config.ModelType)
	}
	return nil
}

// beyond reports whether a name is of a layer that config.json does not have.
func (k *Checkpoint) beyond(name string) bool {
	before, after, _ := strings.Cut(k.Config.Names.Layer, "%d")
	rest, ok := strings.CutPrefix(name, before)
	if !ok {
		return false
	}
	var layer int
	if n, _ := fmt.Sscanf(rest, "%d", &layer); n != 1 || layer < k.Config.Layers {
		return false
	}
	return strings.HasPrefix(rest, fmt.Sprint(layer)+after)
}

// sameNumbers reports whether two tensors have the same shape and numbers,
// whatever their types.
func sameNumbers(a, b *safetensors.Tensor) bool {
	if !slices.Equal(a.Shape, b.Shape) || !a.Readable() || !b.Readable() || len(a.Shape) == 0 {
		return false
	}
	if a.Elements() == 0 {
		return true
	}
	width := a.Elements() / a.Shape[0]
	x, y := make([]float32, width), make([]float32, width)
	for i := range a.Shape[0] {
		a.RowF32(i, x)
		b.RowF32(i, y)
		if !slices.Equal(x, y) {
			return false
		}
	}
	return true
}

// left counts what is left unused, by what there is to say of it.
type left struct {
	texts  []string
	counts map[string]int
}

func (l *left) add(text string) {
	// One remark for all biases: the first is named.
	for _, known := range l.texts {
		if strings.HasPrefix(text, "biases") && strings.HasPrefix(known, "biases") {
			text = known
		}
	}
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	if l.counts[text]++; l.counts[text] == 1 {
		l.texts = append(l.texts, text)
	}
}

func (l *left) notes() []string {
	var out []string
	for _, text := range l.texts {
		out = append(out, fmt.Sprintf("%d %s", l.counts[text], text))
	}
	return out
}
