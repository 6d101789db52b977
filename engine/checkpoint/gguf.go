package checkpoint

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/gguf"
	"github.com/softbench/softbench/engine/safetensors"
)

// ggufArch is what an architecture's name in a GGUF file means: a model type, and
// how llama.cpp changed the weights when it wrote them.
type ggufArch struct {
	modelType string
	permuted  bool // rows of q and k: neighbours are rotated together
	raised    bool // norms have one more than the checkpoint's
	// more sets what is beyond the keys that all have.
	more func(g *ggufFile)
}

// ggufArchs by general.architecture. Those of transformers'
// modeling_gguf_pytorch_utils have its meaning; the others, llama.cpp's.
var ggufArchs = map[string]ggufArch{
	"llama":      {modelType: "llama", permuted: true, more: ggufLlama},
	"qwen2":      {modelType: "qwen2"},
	"qwen3":      {modelType: "qwen3"},
	"qwen2moe":   {modelType: "qwen2_moe", more: ggufQwenMoE},
	"qwen3moe":   {modelType: "qwen3_moe", more: ggufQwenMoE},
	"gemma":      {modelType: "gemma", raised: true},
	"gemma2":     {modelType: "gemma2", raised: true, more: ggufGemma2},
	"gemma3":     {modelType: "gemma3_text", raised: true, more: ggufGemma3},
	"phi3":       {modelType: "phi3"},
	"stablelm":   {modelType: "stablelm", more: ggufStableLM},
	"starcoder2": {modelType: "starcoder2", more: func(g *ggufFile) { g.number("attention.layer_norm_epsilon", "norm_epsilon") }},
	"nemotron":   {modelType: "nemotron", raised: true, more: func(g *ggufFile) { g.number("attention.layer_norm_epsilon", "norm_eps") }},
	"gpt2":       {modelType: "gpt2", more: ggufGPT2},
	"gptneox":    {modelType: "gpt_neox", more: ggufGPTNeoX},
	"olmo2":      {modelType: "olmo2"},
	"gpt-oss":    {modelType: "gpt_oss", more: ggufGPTOSS},
}

// dequantised is what is computed with quantised weights.
const dequantised = "the dequantised weights, each number as the format's reference makes it; activations are not quantised"

// ggufFile is a GGUF file on its way to a checkpoint.
type ggufFile struct {
	*gguf.File
	name   string // its architecture
	arch   ggufArch
	config map[string]any
	byName map[string]*safetensors.Tensor
	parts  int // that tensors of all experts were cut into
	notes  []string
}

// openGGUF reads a GGUF file's metadata as a config, and gives its tensors the names
// and the order that the model type has in Hugging Face checkpoints.
func (k *Checkpoint) openGGUF(o Options) error {
	file, err := gguf.Open(k.Dir)
	if err != nil {
		return err
	}
	g := &ggufFile{File: file, byName: map[string]*safetensors.Tensor{}}
	for _, t := range file.Tensors {
		g.byName[t.Name] = t
	}
	k.set, err = safetensors.NewSet(file.Files, file.Tensors)
	if err != nil {
		return err
	}
	k.Format, k.config = "GGUF", "the file's metadata"
	if err := g.readConfig(); err != nil {
		return fmt.Errorf("%s: %w", file.Path, err)
	}
	if k.ConfigText, err = json.MarshalIndent(g.config, "", "  "); err != nil {
		return fmt.Errorf("%s: %w", file.Path, err)
	}
	if k.Config, k.Notes, err = ParseConfig(k.ConfigText, o.Attention); err != nil {
		return fmt.Errorf("%s: its metadata as a config: %w", file.Path, err)
	}
	k.Notes = append(g.notes, k.Notes...)
	if len(g.Kinds) > 1 || g.Kinds["F32"]+g.Kinds["F16"]+g.Kinds["BF16"] == 0 {
		k.Computed, k.fewBits = dequantised, true
	}
	n := &k.Config.Names
	n.QKV.ByGroup, n.Transposed = false, false // llama.cpp puts q, k and v apart, and matrices as [out, in]
	return k.set.Replace(g.tensors(&k.Config))
}

// key is a key of the architecture's own.
func (g *ggufFile) key(name string) string { return g.name + "." + name }

// integer and number copy a key of the metadata, where it is there, to the config.
func (g *ggufFile) integer(from, to string) {
	if n, ok := g.Integer(g.key(from)); ok {
		g.config[to] = n
	}
}

func (g *ggufFile) number(from, to string) {
	if x, ok := g.Number(g.key(from)); ok {
		g.config[to] = x
	}
}

// has reports whether the first block has a tensor.
func (g *ggufFile) has(name string) bool { return g.byName["blk.0."+name] != nil }

// rows is the first dimension of a tensor; 0 where it is absent.
func (g *ggufFile) rows(name string) int {
	if t := g.byName[name]; t != nil {
		return t.Shape[0]
	}
	return 0
}

func (g *ggufFile) readConfig() error {
	g.name, _ = g.Text("general.architecture")
	arch, known := ggufArchs[g.name]
	if !known {
		return fmt.Errorf("architecture %q is not read from GGUF: want %s", g.name, strings.Join(slices.Sorted(maps.Keys(ggufArchs)), ", "))
	}
	g.arch = arch
	g.config = map[string]any{"model_type": arch.modelType, "tie_word_embeddings": g.byName["output.weight"] == nil}
	if g.byName["token_embd.weight"] == nil {
		return fmt.Errorf("tensor %q is missing: the file holds no language model", "token_embd.weight")
	}
	for _, key := range []string{"block_count", "embedding_length", "attention.head_count"} {
		if _, ok := g.Integer(g.key(key)); !ok {
			return fmt.Errorf("its metadata have no %s.%s that is one whole number", g.name, key)
		}
	}
	g.config["vocab_size"] = g.rows("token_embd.weight")
	g.integer("context_length", "max_position_embeddings")
	g.integer("block_count", "num_hidden_layers")
	g.integer("feed_forward_length", "intermediate_size")
	g.integer("embedding_length", "hidden_size")
	g.integer("attention.head_count", "num_attention_heads")
	g.integer("attention.head_count_kv", "num_key_value_heads")
	g.number("attention.layer_norm_rms_epsilon", "rms_norm_eps")
	g.integer("attention.sliding_window", "sliding_window")
	g.tokens()
	if err := g.heads(); err != nil {
		return err
	}
	if err := g.rotary(); err != nil {
		return err
	}
	if arch.more != nil {
		arch.more(g)
	}
	return nil
}

func (g *ggufFile) tokens() {
	for from, to := range map[string]string{"bos": "bos_token_id", "eos": "eos_token_id", "padding": "pad_token_id"} {
		g.config[to] = nil
		if n, ok := g.Integer("tokenizer.ggml." + from + "_token_id"); ok {
			g.config[to] = n
		}
	}
}

// heads sets the size of heads and the share of them that is rotated.
func (g *ggufFile) heads() error {
	width, _ := g.Integer(g.key("embedding_length"))
	count, _ := g.Integer(g.key("attention.head_count"))
	if count < 1 || width < 1 {
		return fmt.Errorf("%s.attention.head_count %d and %[1]s.embedding_length %d: want at least 1", g.name, count, width)
	}
	size := width / count
	if n, ok := g.Integer(g.key("attention.key_length")); ok {
		size = n
		g.config["head_dim"] = n
	}
	if v, ok := g.Integer(g.key("attention.value_length")); ok && v != size {
		return fmt.Errorf("%s.attention.value_length is %d, and heads of keys are %d wide: values of another size are not supported", g.name, v, size)
	}
	rotated, ok := g.Integer(g.key("rope.dimension_count"))
	if !ok || rotated == size || size < 1 {
		return nil
	}
	if !g.Has(g.key("attention.key_length")) && (g.arch.modelType == "llama" || g.arch.modelType == "mixtral") {
		g.config["head_dim"] = rotated
		return nil
	}
	g.config["partial_rotary_factor"] = float64(rotated) / float64(size)
	return nil
}

// rotary sets the base of rotary frequencies and how they are stretched: by the
// metadata, or by tensors of factors, one for each pair of components.
func (g *ggufFile) rotary() error {
	g.number("rope.freq_base", "rope_theta")
	kind, _ := g.Text(g.key("rope.scaling.type"))
	factor, _ := g.Number(g.key("rope.scaling.factor"))
	original, hasOriginal := g.Integer(g.key("rope.scaling.original_context_length"))
	amplitude, hasAmplitude := g.Number(g.key("rope.scaling.attn_factor"))
	scaling := map[string]any{"rope_type": kind}
	for _, name := range []string{"rope_freqs.weight", "rope_factors_short.weight"} {
		if t := g.byName[name]; t != nil && t.Elements() > maxLayers {
			return fmt.Errorf("tensor %q has shape %v: want a number for each pair of a head's components", name, t.Shape)
		}
	}
	if hasOriginal {
		scaling["original_max_position_embeddings"] = original
	}
	factors, long := g.byName["rope_freqs.weight"], g.byName["rope_factors_short.weight"]
	switch {
	case long != nil:
		scaling["rope_type"], scaling["short_factor"] = "longrope", long.F32()
		if hasAmplitude {
			scaling["attention_factor"] = amplitude
		}
	case factors != nil:
		// LLaMA 3's stretching, worked out. It holds for the whole context.
		context, _ := g.Integer(g.key("context_length"))
		scaling = map[string]any{"rope_type": "longrope", "short_factor": factors.F32(), "attention_factor": 1, "original_max_position_embeddings": context}
		g.notes = append(g.notes, "rotary frequencies are divided by the factors of rope_freqs.weight, as llama.cpp does; transformers leaves that tensor out when it reads a GGUF file")
	case kind == "" || kind == "none":
		return nil
	case kind == "linear":
		scaling["factor"] = factor
	case kind == "yarn":
		scaling["factor"] = factor
		scaling["truncate"] = g.arch.modelType != "gpt_oss"
	default:
		return fmt.Errorf("%s.rope.scaling.type %q is not supported: want none, linear, yarn or longrope", g.name, kind)
	}
	g.config["rope_scaling"] = scaling
	return nil
}

func ggufLlama(g *ggufFile) {
	g.config["attention_bias"] = g.has("attn_q.bias")
	g.config["mlp_bias"] = g.has("ffn_up.bias")
	if n, ok := g.Integer(g.key("expert_count")); ok && n > 0 {
		g.config["model_type"], g.config["num_local_experts"] = "mixtral", n
		g.integer("expert_used_count", "num_experts_per_tok")
		g.config["sliding_window"] = nil
	}
}

func ggufQwenMoE(g *ggufFile) {
	g.integer("expert_count", "num_experts")
	g.integer("expert_used_count", "num_experts_per_tok")
	if t := g.byName["blk.0.ffn_gate_exps.weight"]; t != nil && len(t.Shape) == 3 {
		g.config["moe_intermediate_size"] = t.Shape[1]
	}
	if n := g.rows("blk.0.ffn_gate_shexp.weight"); n > 0 {
		g.config["shared_expert_intermediate_size"] = n
	}
	g.config["norm_topk_prob"] = g.name == "qwen3moe" // the file does not say
}

// gemmaScale sets what scores are divided by: the size of heads, but for the model
// of that many blocks, as in llama.cpp: the file does not say.
func (g *ggufFile) gemmaScale(blocks int64) {
	scale := g.config["head_dim"]
	if n, _ := g.Integer(g.key("block_count")); n == blocks {
		width, _ := g.Integer(g.key("embedding_length"))
		heads, _ := g.Integer(g.key("attention.head_count"))
		scale = width / heads
	}
	if scale != nil {
		g.config["query_pre_attn_scalar"] = scale
	}
}

func ggufGemma2(g *ggufFile) {
	g.number("attn_logit_softcapping", "attn_logit_softcapping")
	g.number("final_logit_softcapping", "final_logit_softcapping")
	g.gemmaScale(46)
}

func ggufGemma3(g *ggufFile) {
	g.number("final_logit_softcapping", "final_logit_softcapping")
	g.number("rope.freq_base_swa", "rope_local_base_freq")
	g.gemmaScale(62)
}

func ggufStableLM(g *ggufFile) {
	g.number("attention.layer_norm_epsilon", "layer_norm_eps")
	g.config["use_qkv_bias"] = g.has("attn_q.bias")
	g.config["use_parallel_residual"] = !g.has("ffn_norm.weight")
}

func ggufGPT2(g *ggufFile) {
	for from, to := range map[string]string{"embedding_length": "n_embd", "block_count": "n_layer", "attention.head_count": "n_head", "feed_forward_length": "n_inner"} {
		g.integer(from, to)
	}
	g.config["n_positions"] = g.rows("position_embd.weight")
	g.number("attention.layer_norm_epsilon", "layer_norm_epsilon")
	for _, key := range []string{"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size", "max_position_embeddings"} {
		delete(g.config, key)
	}
}

func ggufGPTNeoX(g *ggufFile) {
	g.number("attention.layer_norm_epsilon", "layer_norm_eps")
	if parallel, ok := g.Flag(g.key("use_parallel_residual")); ok {
		g.config["use_parallel_residual"] = parallel
	}
	if share, ok := g.config["partial_rotary_factor"]; ok {
		g.config["rotary_pct"] = share
		delete(g.config, "partial_rotary_factor")
	} else {
		g.config["rotary_pct"] = 1
	}
	g.number("rope.freq_base", "rotary_emb_base")
	delete(g.config, "num_key_value_heads")
}

func ggufGPTOSS(g *ggufFile) {
	g.integer("expert_count", "num_local_experts")
	g.integer("expert_used_count", "num_experts_per_tok")
	g.integer("expert_feed_forward_length", "intermediate_size")
}
