package checkpoint

import "math"

// sharedNorm makes attention and MLP read the same normed input, side by side.
func (c *Config) sharedNorm() { c.Parallel, c.Names.MLPNorm = true, "" }

// windowsByType gives the window to the layers that layer_types, or else sliding,
// names; a null window leaves all of them full.
func (c *Config) windowsByType(f *fields, d defaults, sliding func(i int) bool) (is []bool) {
	window, kinds := f.window("sliding_window", d), f.layerTypes(c.Layers)
	is = make([]bool, c.Layers)
	c.eachBlock(func(i int, b *Block) {
		is[i] = kinds == nil && sliding(i) || kinds != nil && kinds[i] == slidingAttention
		if is[i] {
			b.Window = window
		}
	})
	return is
}

// everyNth is the rule of layers of which each n-th is full.
func everyNth(n int) func(i int) bool {
	return func(i int) bool { return n > 0 && (i+1)%n != 0 }
}

// readOPT is transformers' OPTForCausalLM.
func readOPT(f *fields, c *Config, d defaults) {
	c.Names = Names{
		Embed: "model.decoder.embed_tokens", Positions: "model.decoder.embed_positions", Norm: "model.decoder.final_layer_norm",
		Head: "lm_head", Layer: "model.decoder.layers.%d.",
		AttnNorm: "self_attn_layer_norm", MLPNorm: "final_layer_norm",
		Q: "self_attn.q_proj", K: "self_attn.k_proj", V: "self_attn.v_proj", O: "self_attn.out_proj", Scale: "self_attn.s", Sinks: "self_attn.sinks", OutputGate: "self_attn.g_proj",
		Up: "fc1", Down: "fc2",
	}
	c.sizes(f, d, keys{intermediate: "ffn_dim"})
	c.Norm = Norm{Mean: true, Bias: true, Eps: 1e-5, Bare: !f.flag("layer_norm_elementwise_affine", true)}
	c.MLP = MLP{Act: f.activation("activation_function", d)}
	c.QKVBias = f.flag("enable_bias", true)
	c.OutputBias, c.MLPBias = c.QKVBias, c.QKVBias
	c.PositionsFrom = 2
	c.Positions = c.MaxPositions + 2
	n := &c.Names
	if width := f.dimension("word_embed_proj_dim", int64(max(c.Hidden, 1))); width != c.Hidden {
		c.EmbedWidth = width
		n.ProjectIn, n.ProjectOut = "model.decoder.project_in", "model.decoder.project_out"
	}
	before := f.flag("do_layer_norm_before", true)
	if !before { // OPT 350M
		c.NormSum = true
		n.PostAttnNorm, n.PostMLPNorm = n.AttnNorm, n.MLPNorm
		n.AttnNorm, n.MLPNorm = "", ""
	}
	if !before || f.flag("_remove_final_layer_norm", false) {
		n.Norm = ""
	}
}

// readPhi is transformers' PhiForCausalLM: biases everywhere, the head's too.
func readPhi(f *fields, c *Config, d defaults) {
	c.Names = llamaNames()
	n := &c.Names
	n.Norm, n.O, n.Gate, n.Up, n.Down = "model.final_layernorm", "self_attn.dense", "", "mlp.fc1", "mlp.fc2"
	n.QNorm, n.KNorm = "self_attn.q_layernorm", "self_attn.k_layernorm"
	c.sizes(f, d, llamaKeys)
	c.Norm = Norm{Mean: true, Bias: true, Eps: f.epsilon("layer_norm_eps", d)}
	c.MLP = MLP{Act: f.activation("hidden_act", d)}
	c.QKVBias, c.OutputBias, c.MLPBias, c.HeadBias = true, true, true, true
	c.QKNorm = QKNorm{Norm: c.Norm, On: f.flag("qk_layernorm", false)}
	c.sharedNorm()
	c.rotary(f, d)
}

// fusedLlama reads a LLaMA whose q, k, v and whose gate and up are one weight each.
func fusedLlama(f *fields, c *Config, d defaults, qkv bool) {
	llamaLike(f, c, d)
	if qkv {
		c.Names.QKV = Fused{Name: "self_attn.qkv_proj"}
	}
	c.Names.GateUp = Fused{Name: "mlp.gate_up_proj"}
}

// readPhi3 is transformers' Phi3ForCausalLM.
func readPhi3(f *fields, c *Config, d defaults) {
	fusedLlama(f, c, d, true)
	w := f.window("sliding_window", d)
	c.eachBlock(func(_ int, b *Block) { b.Window = w })
}

// readGLM is transformers' GlmForCausalLM.
func readGLM(f *fields, c *Config, d defaults) {
	fusedLlama(f, c, d, false)
	c.QKVBias = f.flag("attention_bias", true)
	c.Interleaved = true
}

// readGLM4 is transformers' Glm4ForCausalLM: GLM with norms on both sides.
func readGLM4(f *fields, c *Config, d defaults) {
	readGLM(f, c, d)
	c.Names.PostAttnNorm, c.Names.PostMLPNorm = "post_self_attn_layernorm", "post_mlp_layernorm"
}

// readGemma3 is transformers' Gemma3ForCausalLM: norms of queries and keys, and
// other rotary settings in its sliding layers.
func readGemma3(f *fields, c *Config, d defaults) {
	gemmaLike(f, c, d)
	n := &c.Names
	n.PostAttnNorm, n.MLPNorm, n.PostMLPNorm = "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"
	c.MLP.Act = f.activation("hidden_activation", d)
	c.QKNorm = QKNorm{Norm: c.Norm, On: true}
	c.AttnScale = float32(1 / math.Sqrt(f.positive("query_pre_attn_scalar", 256)))
	// attn_logit_softcapping is in its config class, and its attention does not apply it.
	if f.has("final_logit_softcapping") {
		c.LogitCap = f.cap("final_logit_softcapping", 0)
	}
	if f.flag("use_bidirectional_attention", false) {
		f.fail("use_bidirectional_attention is true: a model whose tokens see later ones cannot be scored")
	}
	sliding := c.windowsByType(f, d, everyNth(f.count("sliding_window_pattern", 6)))
	c.rotaryByType(f, d, "rope_local_base_freq", 10000, sliding)
}

// readOLMo is transformers' OlmoForCausalLM: LayerNorm without weights.
func readOLMo(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.Norm = Norm{Mean: true, Bare: true, Eps: 1e-5}
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	if f.has("clip_qkv") {
		c.ClipQKV = float32(f.positive("clip_qkv", 1))
	}
}

// readOLMo3 is transformers' Olmo3ForCausalLM: OLMo 2 with windows in three of
// four layers, which take no rotary scaling.
func readOLMo3(f *fields, c *Config, d defaults) {
	olmo2Layers(f, c, d)
	sliding := c.windowsByType(f, d, everyNth(4))
	// As in transformers, a rope_theta of the older spelling is the full layers' alone.
	c.rotaryByType(f, d, "", d.theta, sliding)
}

// readSmolLM3 is transformers' SmolLM3ForCausalLM: every fourth layer does not
// rotate.
func readSmolLM3(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	c.MLPBias = f.flag("mlp_bias", false)
	rotate := everyNth(f.count("no_rope_layer_interval", 4))
	if f.has("no_rope_layers") {
		list := f.integers("no_rope_layers", c.Layers)
		rotate = func(i int) bool { return list[i] != 0 }
	}
	if f.err != nil {
		return
	}
	window := 0
	if f.flag("use_sliding_window", false) {
		window = f.window("sliding_window", d)
	}
	kinds := f.layerTypes(c.Layers)
	c.eachBlock(func(i int, b *Block) {
		if !rotate(i) {
			b.Rotary = -1
		}
		if kinds == nil && !rotate(i) || kinds != nil && kinds[i] == slidingAttention {
			b.Window = window
		}
	})
}

// readStableLM is transformers' StableLmForCausalLM.
func readStableLM(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.Norm = Norm{Mean: true, Bias: true, Eps: f.epsilon("layer_norm_eps", d)}
	c.QKVBias = f.flag("use_qkv_bias", false)
	if f.flag("use_parallel_residual", false) {
		c.sharedNorm()
	}
	if f.flag("qk_layernorm", false) {
		c.Names.QNorm, c.Names.KNorm = "self_attn.q_layernorm", "self_attn.k_layernorm"
		c.QKNorm = QKNorm{Norm: Norm{Mean: true, Eps: c.Norm.Eps}, On: true, PerHead: true, Apart: true}
	}
}

// readStarcoder2 is transformers' Starcoder2ForCausalLM.
func readStarcoder2(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.Names.Gate, c.Names.Up, c.Names.Down = "", "mlp.c_fc", "mlp.c_proj"
	c.Norm = Norm{Mean: true, Bias: true, Eps: f.epsilon("norm_epsilon", d)}
	c.MLP = MLP{Act: f.activation("hidden_act", d)}
	c.QKVBias = f.flag("use_bias", true)
	c.OutputBias, c.MLPBias = c.QKVBias, c.QKVBias
	w := f.window("sliding_window", d)
	c.eachBlock(func(_ int, b *Block) { b.Window = w })
}

// readGranite is transformers' GraniteForCausalLM: scales at four places.
func readGranite(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	c.MLPBias = f.flag("mlp_bias", false)
	c.EmbedScale = float32(f.positive("embedding_multiplier", 1))
	c.ResidualScale = float32(f.positive("residual_multiplier", 1))
	c.AttnScale = float32(f.positive("attention_multiplier", 1))
	c.LogitScale = float32(1 / f.positive("logits_scaling", 1))
}

// cohereLike reads what the Coheres share: LayerNorm without bias, one norm for
// attention and MLP, scaled logits.
func cohereLike(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.Norm = Norm{Mean: true, Eps: f.epsilon("layer_norm_eps", d)}
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	c.LogitScale = float32(f.positive("logit_scale", 0.0625))
	c.Interleaved = true
	c.sharedNorm()
}

// readCohere is transformers' CohereForCausalLM.
func readCohere(f *fields, c *Config, d defaults) {
	cohereLike(f, c, d)
	c.QKNorm = QKNorm{Norm: c.Norm, On: f.flag("use_qk_norm", false), PerHead: true}
}

// readCohere2 is transformers' Cohere2ForCausalLM: only sliding layers rotate.
func readCohere2(f *fields, c *Config, d defaults) {
	cohereLike(f, c, d)
	sliding := c.windowsByType(f, d, everyNth(f.count("sliding_window_pattern", 4)))
	c.eachBlock(func(i int, b *Block) {
		if !sliding[i] || b.Window == 0 {
			b.Rotary = -1
		}
	})
}

// readHelium is transformers' HeliumForCausalLM.
func readHelium(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = f.flag("attention_bias", false)
	c.MLPBias = f.flag("mlp_bias", false)
	c.Interleaved = true
}

// ungated reads a LLaMA whose MLP has no gate.
func ungated(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.Names.Gate, c.MLP.Gated = "", false
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	c.MLPBias = f.flag("mlp_bias", false)
}

// readNemotron is transformers' NemotronForCausalLM: LayerNorm whose weight is
// one more than stored.
func readNemotron(f *fields, c *Config, d defaults) {
	ungated(f, c, d)
	c.Norm = Norm{Mean: true, Bias: true, Eps: f.epsilon("norm_eps", d), Offset: 1}
}

// readArcee is transformers' ArceeForCausalLM.
func readArcee(f *fields, c *Config, d defaults) { ungated(f, c, d) }

// readApertus is transformers' ApertusForCausalLM: an activation with learned
// parameters, and norms of queries and keys.
func readApertus(f *fields, c *Config, d defaults) {
	ungated(f, c, d)
	c.MLPBias = false
	c.Names.AttnNorm, c.Names.MLPNorm = "attention_layernorm", "feedforward_layernorm"
	if c.MLP.Act == XIELU {
		c.Names.Act = "mlp.act_fn"
	}
	c.QKNorm = QKNorm{Norm: c.Norm, On: true}
}

// readExaone4 is transformers' Exaone4ForCausalLM: norms after attention and MLP,
// and where there are windows, only their layers rotate.
func readExaone4(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	n := &c.Names
	n.AttnNorm, n.PostAttnNorm = "", "post_attention_layernorm"
	n.MLPNorm, n.PostMLPNorm = "", "post_feedforward_layernorm"
	c.QKNorm = QKNorm{Norm: c.Norm, On: true}
	if f.isNull("sliding_window") {
		return
	}
	pattern := 0
	if _, text := f.values["sliding_window_pattern"]; text && f.values["sliding_window_pattern"][0] == '"' {
		pattern = len(f.text("sliding_window_pattern", ""))
	} else {
		pattern = f.count("sliding_window_pattern", 4)
	}
	sliding := c.windowsByType(f, d, everyNth(pattern))
	c.eachBlock(func(i int, b *Block) {
		if !sliding[i] {
			b.Rotary = -1
		}
	})
}

// readMinistral is transformers' MinistralForCausalLM.
func readMinistral(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.windowsByType(f, d, func(int) bool { return true })
}

// readSeedOSS is transformers' SeedOssForCausalLM.
func readSeedOSS(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = f.flag("attention_bias", true)
	c.OutputBias = f.flag("attention_out_bias", false)
	c.MLPBias = f.flag("mlp_bias", false)
}

// readHunYuan is transformers' HunYuanDenseV1ForCausalLM: queries and keys are
// normalised after they are rotated.
func readHunYuan(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.Names.QNorm, c.Names.KNorm = "self_attn.query_layernorm", "self_attn.key_layernorm"
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	c.QKNorm = QKNorm{Norm: c.Norm, On: true, After: true}
}

// readErnie45 is transformers' Ernie4_5ForCausalLM.
func readErnie45(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = f.flag("use_bias", false)
	c.OutputBias, c.MLPBias = c.QKVBias, c.QKVBias
	c.Interleaved = true
}
