package checkpoint

import "math"

// gemmaLike reads what the Gemmas share: norms whose weight is one more than
// stored, and an embedding multiplied by the root of its width.
func gemmaLike(f *fields, c *Config, d defaults) {
	llamaLayers(f, c, d)
	c.Norm.Offset = 1
	c.EmbedScale = float32(math.Sqrt(float64(c.Hidden)))
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
}

// gemmaActivation: hidden_activation wins over hidden_act, whose "gelu" meant
// the approximation by tanh.
func (f *fields) gemmaActivation(d defaults) Activation {
	if f.has("hidden_activation") {
		return f.activation("hidden_activation", d)
	}
	return GELUTanh
}

// readGemma is transformers' GemmaForCausalLM.
func readGemma(f *fields, c *Config, d defaults) {
	gemmaLike(f, c, d)
	c.rotary(f, d)
	c.MLP.Act = f.activation("hidden_act", d)
}

// readGemma2 is transformers' Gemma2ForCausalLM: norms on both sides, capped
// scores and logits, a window in every other layer.
func readGemma2(f *fields, c *Config, d defaults) {
	gemmaLike(f, c, d)
	c.rotary(f, d)
	n := &c.Names
	n.PostAttnNorm, n.MLPNorm, n.PostMLPNorm = "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"
	c.MLP.Act = f.gemmaActivation(d)
	c.AttnScale = float32(1 / math.Sqrt(f.positive("query_pre_attn_scalar", 256)))
	c.ScoreCap = f.cap("attn_logit_softcapping", 50)
	c.LogitCap = f.cap("final_logit_softcapping", 30)
	window, kinds := f.window("sliding_window", d), f.layerTypes(c.Layers)
	c.eachBlock(func(i int, b *Block) {
		if kinds == nil && i%2 == 0 || kinds != nil && kinds[i] == slidingAttention {
			b.Window = window
		}
	})
}
