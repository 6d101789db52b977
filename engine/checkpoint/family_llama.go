package checkpoint

import "cmp"

// llamaNames are the names that LLaMA gave and most others took.
func llamaNames() Names {
	return Names{
		Embed: "model.embed_tokens", Norm: "model.norm", Head: "lm_head", Layer: "model.layers.%d.",
		AttnNorm: "input_layernorm", MLPNorm: "post_attention_layernorm",
		Q: "self_attn.q_proj", K: "self_attn.k_proj", V: "self_attn.v_proj", O: "self_attn.o_proj",
		QNorm: "self_attn.q_norm", KNorm: "self_attn.k_norm", Scale: "self_attn.s", Sinks: "self_attn.sinks", OutputGate: "self_attn.g_proj",
		Gate: "mlp.gate_proj", Up: "mlp.up_proj", Down: "mlp.down_proj",
	}
}

// llamaLike reads what a LLaMA-like config has: its keys, RMSNorm before
// attention and MLP, a gated MLP, rotary positions over whole heads.
func llamaLike(f *fields, c *Config, d defaults) {
	llamaLayers(f, c, d)
	c.rotary(f, d)
}

// llamaLayers is llamaLike without rotary positions.
func llamaLayers(f *fields, c *Config, d defaults) {
	c.Names = llamaNames()
	c.sizes(f, d, llamaKeys)
	c.Norm = Norm{Eps: f.epsilon("rms_norm_eps", d)}
	c.MLP = MLP{Gated: true, Act: f.activation("hidden_act", d)}
}

// readLlama is transformers' LlamaForCausalLM.
func readLlama(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	c.MLPBias = f.flag("mlp_bias", false)
	// It has no window: transformers takes the key and does not apply it.
	f.uniformLayers(c.Layers, "full_attention")
}

// readMistral is transformers' MistralForCausalLM: a window over every layer.
func readMistral(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	if w := f.window("sliding_window", d); w > 0 {
		f.uniformLayers(c.Layers, "sliding_attention")
		c.eachBlock(func(_ int, b *Block) { b.Window = w })
		return
	}
	f.uniformLayers(c.Layers, "full_attention")
}

// readMinistral3 is transformers' Ministral3ForCausalLM: a Mistral whose queries grow
// with the logarithm of their position beyond the context it was first trained at.
func readMinistral3(f *fields, c *Config, d defaults) {
	readMistral(f, c, d)
	p := f.rope(d)
	if f.err != nil || p == nil || len(p.values) == 0 {
		return
	}
	r := &c.Rotary[0]
	if r.QueryBeta = p.number("llama_4_scaling_beta", 0); r.OriginalMaxPositions == 0 {
		r.OriginalMaxPositions = p.original(f, c)
	}
	f.err = p.err
}

// readQwen2 is transformers' Qwen2ForCausalLM: biases of q, k and v.
func readQwen2(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = true
	c.qwenWindow(f, d, f.fromLayer(d))
}

// readQwen3 is transformers' Qwen3ForCausalLM: norms of queries and keys.
func readQwen3(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	c.QKNorm = QKNorm{Norm: c.Norm, On: true}
	c.qwenWindow(f, d, f.fromLayer(d))
}

// readQwen3VL is the text part of transformers' Qwen3VLForConditionalGeneration, which
// has no windows.
func readQwen3VL(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	c.QKNorm = QKNorm{Norm: c.Norm, On: true}
	f.uniformLayers(c.Layers, fullAttention)
}

// fromLayer is Qwen's rule of layers with a window: from max_window_layers on.
func (f *fields) fromLayer(d defaults) func(i int) bool {
	from := f.count("max_window_layers", cmp.Or(d.windowFrom, 28))
	return func(i int) bool { return i >= from }
}

// qwenWindow gives a window to the layers that layer_types, or else in, names; only
// where use_sliding_window says so.
func (c *Config) qwenWindow(f *fields, d defaults, in func(i int) bool) {
	window := 0
	if f.flag("use_sliding_window", false) {
		window = f.window("sliding_window", d)
	}
	kinds := f.layerTypes(c.Layers)
	c.eachBlock(func(i int, b *Block) {
		if sliding := kinds == nil && in(i) || kinds != nil && kinds[i] == slidingAttention; !sliding {
			return
		}
		if b.Window = window; window == 0 && kinds != nil {
			f.fail("layer_types[%d] is %q, but there is no window: use_sliding_window is false or sliding_window null", i, kinds[i])
		}
	})
}

// readFla is flash-linear-attention's TransformerForCausalLM, of the paper's
// checkpoints.
func readFla(f *fields, c *Config, d defaults) {
	c.Names = llamaNames()
	n := &c.Names
	n.Embed, n.AttnNorm, n.MLPNorm = "model.embeddings", "attn_norm", "mlp_norm"
	n.Q, n.K, n.V, n.O = "attn.q_proj", "attn.k_proj", "attn.v_proj", "attn.o_proj"
	n.QNorm, n.KNorm, n.Scale, n.Sinks, n.OutputGate = "attn.q_norm", "attn.k_norm", "attn.s", "attn.sinks", "attn.g_proj"
	c.sizes(f, d, flaKeys)
	c.Intermediate = f.flaIntermediate(c.Hidden)
	c.Norm = Norm{Eps: f.epsilon("norm_eps", d)}
	c.MLP = MLP{Gated: true, Act: f.activation("hidden_act", d)}
	c.QKVBias = f.flag("qkv_bias", false)
	if f.flag("qk_norm", false) {
		// Its RMSNorm's default epsilon, not the config's.
		c.QKNorm = QKNorm{Norm: Norm{Eps: 1e-5}, On: true}
	}
	if !f.flag("elementwise_affine", true) {
		f.fail("elementwise_affine is false: norms without weights are not supported")
	}
	c.rotary(f, d)
	for _, key := range []string{"rope_scaling", "rope_parameters"} {
		if r := f.object(key); r != nil && len(r.values) > 0 {
			f.fail("%s is not supported for model_type \"transformer\", which would ignore it: set it to null", key)
		}
	}
	window := f.window("window_size", d)
	f.uniformLayers(c.Layers, map[bool]string{true: slidingAttention, false: fullAttention}[window > 0])
	c.eachBlock(func(_ int, b *Block) { b.Window = window })
	if impl := f.text("attn_impl", "flash_attn"); window != 0 && impl != "flash_attn" {
		f.fail("window_size is %d, but attn_impl %q has no window: set window_size to null, or attn_impl to \"flash_attn\"", window, impl)
	}
}

// flaIntermediate is GatedMLP's rule: intermediate_size, else two thirds of
// hidden·hidden_ratio, rounded down to an integer and up to a multiple of 256.
func (f *fields) flaIntermediate(hidden int) int {
	ratio := f.positive("hidden_ratio", 4)
	if f.has("intermediate_size") || f.err != nil {
		return f.dimension("intermediate_size", 0)
	}
	n := float64(hidden) * ratio * 2 / 3
	if n < 1 || n > limit-256 {
		f.fail("hidden_ratio %v gives an MLP of width %v", ratio, n)
		return 0
	}
	return (int(n) + 255) / 256 * 256
}
