package checkpoint

// readGPT2 is transformers' GPT2LMHeadModel: learned positions, LayerNorm with
// bias, matrices stored [in, out].
func readGPT2(f *fields, c *Config, d defaults) {
	c.Names = Names{
		Embed: "transformer.wte", Positions: "transformer.wpe", Norm: "transformer.ln_f", Head: "lm_head", Layer: "transformer.h.%d.",
		AttnNorm: "ln_1", MLPNorm: "ln_2",
		QKV: Fused{Name: "attn.c_attn"}, O: "attn.c_proj", Scale: "attn.s", Sinks: "attn.sinks", OutputGate: "attn.g_proj",
		Up: "mlp.c_fc", Down: "mlp.c_proj", Transposed: true,
	}
	c.sizes(f, d, keys{hidden: "n_embd", layers: "n_layer", heads: "n_head", maxPositions: "n_positions", aliases: true})
	c.Intermediate = 4 * c.Hidden
	if f.has("n_inner") {
		c.Intermediate = f.dimension("n_inner", 0)
	}
	c.Norm = Norm{Mean: true, Bias: true, Eps: f.epsilon("layer_norm_epsilon", d)}
	c.MLP = MLP{Act: f.activation("activation_function", d)}
	c.QKVBias, c.OutputBias, c.MLPBias = true, true, true
	c.Positions = c.MaxPositions
	if !f.flag("scale_attn_weights", true) {
		c.AttnScale = 1
	}
	if f.flag("scale_attn_by_inverse_layer_idx", false) {
		c.eachBlock(func(i int, b *Block) { b.AttnScale = 1 / float32(i+1) })
	}
	if f.flag("add_cross_attention", false) {
		f.fail("add_cross_attention is true: a decoder with cross-attention is not a language model of its own")
	}
}

// readGPTNeoX is transformers' GPTNeoXForCausalLM (Pythia): one weight of q, k
// and v by head, rotary positions over part of a head, attention and MLP in
// parallel.
func readGPTNeoX(f *fields, c *Config, d defaults) {
	c.Names = Names{
		Embed: "gpt_neox.embed_in", Norm: "gpt_neox.final_layer_norm", Head: "embed_out", Layer: "gpt_neox.layers.%d.",
		AttnNorm: "input_layernorm", MLPNorm: "post_attention_layernorm",
		QKV: Fused{Name: "attention.query_key_value", ByGroup: true}, O: "attention.dense", Scale: "attention.s", Sinks: "attention.sinks", OutputGate: "attention.g_proj",
		Up: "mlp.dense_h_to_4h", Down: "mlp.dense_4h_to_h",
	}
	c.sizes(f, d, keys{intermediate: "intermediate_size"})
	c.Norm = Norm{Mean: true, Bias: true, Eps: f.epsilon("layer_norm_eps", d)}
	c.MLP = MLP{Act: f.activation("hidden_act", d)}
	c.QKVBias = f.flag("attention_bias", true)
	c.OutputBias, c.MLPBias = c.QKVBias, true
	c.Parallel = f.flag("use_parallel_residual", true)
	d.partial = f.share("rotary_pct", 0.25) // the older spellings
	d.theta = f.positive("rotary_emb_base", 10000)
	c.rotary(f, d)
}
