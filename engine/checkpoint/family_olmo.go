package checkpoint

// readOLMo2 is transformers' Olmo2ForCausalLM: norms after attention and MLP,
// and over all heads' queries and keys together.
func readOLMo2(f *fields, c *Config, d defaults) {
	olmo2Layers(f, c, d)
	c.rotary(f, d)
}

// olmo2Layers is OLMo 2 without its rotary positions.
func olmo2Layers(f *fields, c *Config, d defaults) {
	llamaLayers(f, c, d)
	n := &c.Names
	n.AttnNorm, n.PostAttnNorm = "", "post_attention_layernorm"
	n.MLPNorm, n.PostMLPNorm = "", "post_feedforward_layernorm"
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	c.QKNorm = QKNorm{Norm: c.Norm, On: true, Wide: true}
}
