package checkpoint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/safetensors"
)

// names makes the tensors' names those that the config calls for, where they
// differ in a way that leaves no doubt.
func (k *Checkpoint) names(weights string, o Options) error {
	if err := k.stripPrefix(o.StripPrefix); err != nil {
		return err
	}
	if k.Config.TextOf != "" {
		if err := k.textNames(); err != nil {
			return err
		}
	}
	if k.Config.QKNorm.Apart {
		if err := k.joinHeads(weights); err != nil {
			return err
		}
	}
	n := &k.Config.Names
	embed, head, base := n.Embed+".weight", n.headName(), n.base()
	if k.set.Tensor(embed) == nil {
		if prefix := k.wrapper(embed); prefix != "" {
			return fmt.Errorf("%s: the tensors' names begin with %q, which a wrapper left there when the model was saved: give --strip-prefix %[2]s to read them without it", weights, prefix)
		}
	}
	// A model saved without its head, as transformers reads it into one that has one.
	if short := strings.TrimPrefix(embed, base); short != embed && k.set.Tensor(embed) == nil && k.set.Tensor(short) != nil {
		k.bodyAlone = true
		k.Notes = append(k.Notes, fmt.Sprintf("the tensors' names lack %q: the body alone was saved, and is read as by transformers", base))
		if err := k.set.Rename(func(name string) string {
			if name == head || strings.HasPrefix(name, base) {
				return name
			}
			return base + name
		}); err != nil {
			return err
		}
	}
	k.storedHead()
	if k.Config.TieEmbeddings && k.set.Tensor(embed) == nil && k.set.Tensor(head) != nil {
		k.Notes = append(k.Notes, fmt.Sprintf("of the embedding and the head, which are one, only %s is stored: it is read as both", head))
		return k.set.Rename(func(name string) string {
			if name == head {
				return embed
			}
			return name
		})
	}
	return nil
}

// joinHeads makes one tensor of the norms of a layer's heads, where each head's is
// stored apart (StableLM).
func (k *Checkpoint) joinHeads(weights string) error {
	c, n := &k.Config, &k.Config.Names
	all, joined := k.set.All(), map[string]bool{}
	for layer := range c.Layers {
		for _, norm := range []struct {
			name  string
			heads int
		}{{n.QNorm, c.Heads}, {n.KNorm, c.KVHeads}} {
			name := fmt.Sprintf(n.Layer, layer) + norm.name
			var parts []*safetensors.Tensor // as they are found: a config may claim a billion
			for i := range norm.heads {
				w := Weight{Name: fmt.Sprintf("%s.norms.%d.weight", name, i), Shape: []int{c.HeadDim}}
				t := k.set.Tensor(w.Name)
				if t == nil {
					return k.missing(weights, w)
				}
				if !slices.Equal(t.Shape, w.Shape) || !t.Readable() {
					return fmt.Errorf("%s: tensor %q has shape %v and dtype %s, %s calls for %v numbers", k.set.FileOf(t), w.Name, t.Shape, t.DType, k.config, w.Shape)
				}
				parts, joined[w.Name] = append(parts, t), true
			}
			read := func(i int, dst []float32) { // a vector's rows are its numbers
				for j := range dst {
					dst[j] = parts[i].ElementF32(j)
				}
			}
			all = append(all, safetensors.NewDecoded(name+".weight", "heads", []int{norm.heads, c.HeadDim}, safetensors.Rows{Width: c.HeadDim, Read: read}, parts...))
		}
	}
	return k.set.Replace(slices.DeleteFunc(all, func(t *safetensors.Tensor) bool { return joined[t.Name] }))
}

// stripPrefix takes a prefix off the names that have it.
func (k *Checkpoint) stripPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	count := 0
	err := k.set.Rename(func(name string) string {
		rest, ok := strings.CutPrefix(name, prefix)
		if ok && rest != "" {
			count++
			return rest
		}
		return name
	})
	if count == 0 {
		k.Notes = append(k.Notes, fmt.Sprintf("--strip-prefix %s changes nothing in %s: no tensor's name begins with it", prefix, k.Dir))
	}
	return err
}

// wrapper returns what stands before the embedding's name, as DataParallel
// ("module.") and torch.compile ("_orig_mod.") put it there; "" for nothing.
func (k *Checkpoint) wrapper(embed string) string {
	for _, name := range k.set.Names() {
		if prefix, ok := strings.CutSuffix(name, embed); ok && strings.HasSuffix(prefix, ".") {
			return prefix
		}
	}
	return ""
}
