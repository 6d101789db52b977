package checkpoint

// readOLMo2 is transformers' Olmo2ForCausalLM: norms after attention and MLP,
// and over all heads' queries and keys together.
func readOLMo2(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	n := &c.Names
	n.AttnNorm, n.PostAttnNorm = "", "post_attention_layernorm"
	n.MLPNorm, n.PostMLPNorm = "", "post_feedforward_layernorm"
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	c.QKNorm = QKNorm{Norm: c.Norm, On: true, Wide: true}
}
