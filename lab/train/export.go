package train

import (
	"fmt"
	"strings"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/safetensors"
)

// Export writes the model as a Hugging Face directory that softbench loads; bos
// and eos are the tokenizer's. transformers loads it as Llama, and a
// kind other than softmax only once an attention function of its name is registered. Scaled kinds have
// a parameter that no type of transformers has: they are written as
// flash-linear-attention's "transformer", as the softpick paper's are.
func (t *Trainer) Export(dir string, d safetensors.DType, bos, eos int32) error {
	c := &t.opts.Config
	name := map[safetensors.DType]string{safetensors.F32: "float32", safetensors.BF16: "bfloat16", safetensors.F16: "float16"}[d]
	if name == "" {
		return fmt.Errorf("cannot write weights as %s", d)
	}
	config, rename := llamaConfig(c), strings.NewReplacer()
	if c.Scaled {
		config, rename = flaConfig(c), flaNames
	}
	config["torch_dtype"], config["bos_token_id"], config["eos_token_id"] = name, bos, eos
	var entries []safetensors.Entry
	for _, p := range t.Model.Params.Tensors() {
		entries = append(entries, safetensors.Float32(rename.Replace(p.Name), d, p.Shape, p.Data))
	}
	if c.Scaled {
		// The authors' code loads this buffer, and does not compute it where a file lacks it.
		logs := logPositions(4 * c.positions())
		for i := range c.Layers {
			entries = append(entries, safetensors.Float32(fmt.Sprintf("model.layers.%d.attn.logn", i), d, []int{len(logs), 1, 1}, logs))
		}
	}
	return checkpoint.Write(dir, config, entries...)
}

func llamaConfig(c *Config) map[string]any {
	config := map[string]any{
		"architectures": []string{"LlamaForCausalLM"}, "model_type": "llama",
		"hidden_size": c.Hidden, "intermediate_size": c.Intermediate, "num_hidden_layers": c.Layers,
		"num_attention_heads": c.Heads, "num_key_value_heads": c.Heads, "vocab_size": c.Vocab,
		"max_position_embeddings": c.positions(), "rms_norm_eps": c.NormEps, "rope_theta": c.RopeTheta,
		"hidden_act": "silu", "tie_word_embeddings": c.Tie,
	}
	if c.HeadSize != 0 {
		config["head_dim"] = c.HeadSize
	}
	if spec := (attention.Spec{Kind: c.Attention, Gated: c.Gated, Cap: c.Cap}); spec != (attention.Spec{}) {
		config["attn_impl"] = spec.String()
		// transformers would compute softmax, silently, but for this key: it refuses an
		// implementation that it does not know, until one of that name is registered.
		config["attn_implementation"] = spec.String()
	}
	return config
}

// flaNames turns transformers' names into flash-linear-attention's.
var flaNames = strings.NewReplacer("embed_tokens", "embeddings", "input_layernorm", "attn_norm", "post_attention_layernorm", "mlp_norm", "self_attn", "attn")

// flaImplementations are the scaled kinds that the softpick authors' code has.
// Its rectified attention is another than ours, and not scaled: the others keep
// our names.
var flaImplementations = map[attention.Kind]string{
	attention.Softmax:  "parallel_scaled_attn",
	attention.Softpick: "parallel_scaled_softpick_attn",
}

func flaConfig(c *Config) map[string]any {
	config := map[string]any{
		"architectures": []string{"TransformerForCausalLM"}, "model_type": "transformer",
		"hidden_size": c.Hidden, "intermediate_size": c.Intermediate, "num_hidden_layers": c.Layers,
		"num_heads": c.Heads, "num_kv_heads": nil, "vocab_size": c.Vocab, "window_size": nil,
		"max_position_embeddings": c.positions(), "norm_eps": c.NormEps, "rope_theta": c.RopeTheta,
		"hidden_act": "swish", "elementwise_affine": true, "tie_word_embeddings": c.Tie,
		"attn_impl": attention.Spec{Kind: c.Attention, Scaled: true, Gated: c.Gated, Cap: c.Cap}.String(),
	}
	if name := flaImplementations[c.Attention]; name != "" && !c.Gated && c.Cap == 0 {
		config["attn_impl"] = name
	}
	return config
}
