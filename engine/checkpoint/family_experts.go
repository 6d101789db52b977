package checkpoint

import "slices"

// expertNames are the names of Qwen's experts, which others took.
func (c *Config) expertNames() {
	n := &c.Names
	n.Router, n.Expert, n.ExpertParts = "mlp.gate", "mlp.experts.%d.", [3]string{"gate_proj", "up_proj", "down_proj"}
	n.Shared, n.SharedGate = "mlp.shared_expert.", "mlp.shared_expert_gate"
}

// chosen reads the numbers of experts and of those that a token goes through.
func (c *Config) chosen(f *fields, key string, n, each int64) {
	c.Experts.N = int(f.integer(key, n, 1, maxLayers))
	c.Experts.Each = f.dimension("num_experts_per_tok", each)
	if f.err == nil && c.Experts.Each > c.Experts.N {
		f.fail("num_experts_per_tok is %d of %s %d", c.Experts.Each, key, c.Experts.N)
	}
}

func (c *Config) allExperts() { c.eachBlock(func(_ int, b *Block) { b.Experts = true }) }

// readMixtral is transformers' MixtralForCausalLM.
func readMixtral(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	n := &c.Names
	n.Router, n.Expert, n.ExpertParts = "block_sparse_moe.gate", "block_sparse_moe.experts.%d.", [3]string{"w1", "w3", "w2"}
	c.chosen(f, "num_local_experts", 8, 2)
	c.Experts.Width, c.Experts.Normalise = c.Intermediate, true
	w := f.window("sliding_window", d)
	c.eachBlock(func(_ int, b *Block) { b.Window = w })
	c.allExperts()
}

// sparse gives experts to the layers that Qwen's configs say.
func (c *Config) sparse(f *fields, key string, n, each, width int64) {
	c.expertNames()
	c.chosen(f, key, n, each)
	c.Experts.Width = f.dimension("moe_intermediate_size", width)
	c.Experts.Normalise = f.flag("norm_topk_prob", false)
	step := max(1, f.count("decoder_sparse_step", 1))
	var dense []int
	f.read("mlp_only_layers", &dense, "a list of whole numbers")
	c.eachBlock(func(i int, b *Block) { b.Experts = (i+1)%step == 0 && !slices.Contains(dense, i) })
}

// readQwen2MoE is transformers' Qwen2MoeForCausalLM.
func readQwen2MoE(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = f.flag("qkv_bias", true)
	c.sparse(f, "num_experts", 60, 4, 1408)
	below := f.count("max_window_layers", 28)
	c.qwenWindow(f, d, func(i int) bool { return i%2 == 0 && i < below })
	c.Experts.Shared = f.dimension("shared_expert_intermediate_size", 5632)
}

// readQwen3MoE is transformers' Qwen3MoeForCausalLM.
func readQwen3MoE(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	c.QKNorm = QKNorm{Norm: c.Norm, On: true}
	key := "num_experts"
	if !f.has(key) && f.has("num_local_experts") {
		key = "num_local_experts"
	}
	c.sparse(f, key, 128, 8, 768)
	if f.flag("use_sliding_window", false) { // in every layer, whatever layer_types says
		w := f.window("sliding_window", d)
		c.eachBlock(func(_ int, b *Block) { b.Window = w })
	}
}

// readOLMoE is transformers' OlmoeForCausalLM.
func readOLMoE(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = f.flag("attention_bias", false)
	c.OutputBias = c.QKVBias
	c.QKNorm = QKNorm{Norm: c.Norm, On: true, Wide: true}
	if f.has("clip_qkv") {
		c.ClipQKV = float32(f.positive("clip_qkv", 1))
	}
	c.expertNames()
	c.chosen(f, "num_experts", 64, 8)
	c.Experts.Width, c.Experts.Normalise = c.Intermediate, f.flag("norm_topk_prob", false)
	c.allExperts()
}

// readGPTOSS is transformers' GptOssForCausalLM: a learned sink of each head, a
// window in every other layer, biases in the experts.
func readGPTOSS(f *fields, c *Config, d defaults) {
	llamaLike(f, c, d)
	c.QKVBias = f.flag("attention_bias", true)
	c.OutputBias = c.QKVBias
	c.MLP.Act = ClampedSwiGLU
	c.MLP.Alpha, c.MLP.Limit = float32(f.positive("swiglu_alpha", 1.702)), float32(f.positive("swiglu_limit", 7))
	c.Names.Router, c.Names.Packed = "mlp.router", "mlp.experts."
	c.chosen(f, "num_local_experts", 128, 4)
	c.Experts.Width, c.Experts.Normalise, c.Experts.Bias = c.Intermediate, true, true
	c.windowsByType(f, d, func(i int) bool { return i%2 == 0 })
	c.allExperts()
}
