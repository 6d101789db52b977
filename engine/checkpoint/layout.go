package checkpoint

import (
	"fmt"
	"regexp"

	"github.com/softbench/softbench/engine/safetensors"
)

// Weight is a tensor that a config calls for. Matrices are [out, in]: y = W·x.
type Weight struct {
	Name   string
	Shape  []int
	Matrix bool // one of the large products' operands; else a norm, bias or scale

	slot func(*Checkpoint, *Layer) **safetensors.Tensor
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

// names that the two families of checkpoints spell differently.
type spelling struct{ embed, attnNorm, mlpNorm, attn string }

func (c *Config) spelling() spelling {
	if c.ModelType == "transformer" {
		return spelling{"model.embeddings.weight", "attn_norm", "mlp_norm", "attn"}
	}
	return spelling{"model.embed_tokens.weight", "input_layernorm", "post_attention_layernorm", "self_attn"}
}

const (
	headName = "lm_head.weight"
	normName = "model.norm.weight"
)

// outer returns the weights outside the layers.
func (c *Config) outer() []Weight {
	w := []Weight{
		{c.spelling().embed, []int{c.Vocab, c.Hidden}, true, func(k *Checkpoint, _ *Layer) **safetensors.Tensor { return &k.Embed }},
		{normName, []int{c.Hidden}, false, func(k *Checkpoint, _ *Layer) **safetensors.Tensor { return &k.Norm }},
	}
	if !c.TieEmbeddings {
		w = append(w, Weight{headName, []int{c.Vocab, c.Hidden}, true, func(k *Checkpoint, _ *Layer) **safetensors.Tensor { return &k.Head }})
	}
	return w
}

// layer returns the weights of layer i.
func (c *Config) layer(i int) []Weight {
	s := c.spelling()
	prefix := fmt.Sprintf("model.layers.%d.", i)
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	var w []Weight
	add := func(when bool, name string, slot func(*Layer) **safetensors.Tensor, shape ...int) {
		if when {
			w = append(w, Weight{prefix + name, shape, false, func(_ *Checkpoint, l *Layer) **safetensors.Tensor { return slot(l) }})
		}
	}
	linear := func(name string, out, in int, bias bool, weight, biasSlot func(*Layer) **safetensors.Tensor) {
		add(true, name+".weight", weight, out, in)
		w[len(w)-1].Matrix = true
		add(bias, name+".bias", biasSlot, out)
	}
	type slot = **safetensors.Tensor
	add(true, s.attnNorm+".weight", func(l *Layer) slot { return &l.AttnNorm }, c.Hidden)
	linear(s.attn+".q_proj", q, c.Hidden, c.QKVBias, func(l *Layer) slot { return &l.Q }, func(l *Layer) slot { return &l.QBias })
	linear(s.attn+".k_proj", kv, c.Hidden, c.QKVBias, func(l *Layer) slot { return &l.K }, func(l *Layer) slot { return &l.KBias })
	linear(s.attn+".v_proj", kv, c.Hidden, c.QKVBias, func(l *Layer) slot { return &l.V }, func(l *Layer) slot { return &l.VBias })
	linear(s.attn+".o_proj", c.Hidden, q, c.OutputBias, func(l *Layer) slot { return &l.O }, func(l *Layer) slot { return &l.OBias })
	add(c.QKNorm, s.attn+".q_norm.weight", func(l *Layer) slot { return &l.QNorm }, c.HeadDim)
	add(c.QKNorm, s.attn+".k_norm.weight", func(l *Layer) slot { return &l.KNorm }, c.HeadDim)
	add(c.Attention.Scaled, s.attn+".s", func(l *Layer) slot { return &l.Scale }, c.Heads, 1)
	add(true, s.mlpNorm+".weight", func(l *Layer) slot { return &l.MLPNorm }, c.Hidden)
	linear("mlp.gate_proj", c.Intermediate, c.Hidden, c.MLPBias, func(l *Layer) slot { return &l.Gate }, func(l *Layer) slot { return &l.GateBias })
	linear("mlp.up_proj", c.Intermediate, c.Hidden, c.MLPBias, func(l *Layer) slot { return &l.Up }, func(l *Layer) slot { return &l.UpBias })
	linear("mlp.down_proj", c.Hidden, c.Intermediate, c.MLPBias, func(l *Layer) slot { return &l.Down }, func(l *Layer) slot { return &l.DownBias })
	return w
}

// Tensors that files may hold beside the weights.
var (
	// Buffers of old transformers and flash-linear-attention: recomputed.
	rotaryBuffer = regexp.MustCompile(`^model\.(layers\.\d+\.(self_attn|attn)\.)?rotary(_emb)?\.inv_freq$`)
	scaleVector  = regexp.MustCompile(`^model\.layers\.\d+\.(self_attn|attn)\.s$`)
	// A buffer the paper's scaled checkpoints carry: ln(position+2).
	logTable = regexp.MustCompile(`^model\.layers\.\d+\.(self_attn|attn)\.logn$`)
)
