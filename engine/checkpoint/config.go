package checkpoint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/attention"
)

// Config is what the forward pass needs to know, with every default filled in.
type Config struct {
	ModelType    string // "llama", "mistral", "qwen2", "qwen3" or "transformer"
	Hidden       int    // width of the residual stream
	Intermediate int    // width of the gated MLP
	Layers       int
	Heads        int // query heads
	KVHeads      int // key and value heads; divides Heads
	HeadDim      int // even; Heads·HeadDim need not be Hidden
	Vocab        int // rows of the embedding and of the head
	MaxPositions int // max_position_embeddings

	NormEps   float32 // of every RMSNorm but those of q and k
	QKNormEps float32 // of q's and k's RMSNorm, 0 without QKNorm

	RopeTheta float64
	Rope      RopeScaling

	TieEmbeddings bool // the head is the embedding
	QKVBias       bool // q, k and v add a bias
	OutputBias    bool // the attention's output projection adds a bias
	MLPBias       bool // gate, up and down add a bias
	QKNorm        bool // q and k are normalised per head, before RoPE

	Attention     attention.Spec
	SlidingWindow int // keys at distance >= it are not seen, in every layer; 0: all are

	BOS, EOS   int32  // -1: none. Of several EOS the first
	TorchDType string // as the config says, "" where it does not
}

// family is what the config classes of the model types differ in. The numbers
// are the defaults of their fields: transformers 5.23 (LlamaConfig,
// MistralConfig, Qwen2Config, Qwen3Config) and flash-linear-attention
// (TransformerConfig).
type family struct {
	hidden, intermediate, layers, heads, vocab, maxPositions int64

	kvHeads       int64 // 0: as many as heads
	headDim       int64 // 0: hidden / heads
	slidingWindow int64 // where the key is absent
	bos, eos      int64
}

var families = map[string]family{
	"llama":       {hidden: 4096, intermediate: 11008, layers: 32, heads: 32, vocab: 32000, maxPositions: 2048, bos: 1, eos: 2},
	"mistral":     {hidden: 4096, intermediate: 14336, layers: 32, heads: 32, vocab: 32000, maxPositions: 131072, kvHeads: 8, slidingWindow: 4096, bos: 1, eos: 2},
	"qwen2":       {hidden: 4096, intermediate: 22016, layers: 32, heads: 32, vocab: 151936, maxPositions: 32768, kvHeads: 32, slidingWindow: 4096, bos: -1, eos: -1},
	"qwen3":       {hidden: 4096, intermediate: 22016, layers: 32, heads: 32, vocab: 151936, maxPositions: 32768, kvHeads: 32, headDim: 128, slidingWindow: 4096, bos: -1, eos: -1},
	"transformer": {hidden: 2048, layers: 24, heads: 32, vocab: 32000, maxPositions: 2048, bos: 1, eos: 2},
}

// limit bounds every dimension: far above any model, low enough that products
// of two cannot overflow.
const limit = 1 << 28

// flaQKNormEps is the epsilon of flash-linear-attention's q_norm and k_norm:
// they take its RMSNorm's default, not the config's norm_eps.
const flaQKNormEps = 1e-5

// ParseConfig reads the text of a config.json. override, where not empty, is an
// attention kind's name and wins over what the config says. Notes are remarks
// for the user, one line each.
func ParseConfig(text []byte, override string) (c Config, notes []string, err error) {
	f, err := parseFields(text)
	if err != nil {
		return Config{}, nil, err
	}
	if err := refuseForeign(f); err != nil {
		return Config{}, nil, err
	}
	c.ModelType = f.text("model_type", "")
	fam, known := families[c.ModelType]
	if f.err == nil && !known {
		return Config{}, nil, unknownType(c.ModelType)
	}
	c.dimensions(f, fam)
	c.switches(f)
	c.rope(f)
	c.window(f, fam)
	c.tokens(f, fam)
	if f.err != nil {
		return Config{}, nil, f.err
	}
	if c.Attention, notes, err = attentionOf(f, override); err != nil {
		return Config{}, nil, err
	}
	if c.ModelType == "transformer" && c.SlidingWindow != 0 {
		if impl := f.text("attn_impl", "flash_attn"); impl != "flash_attn" {
			return Config{}, nil, fmt.Errorf("window_size is %d, but attn_impl %q knows no window: set window_size to null, or attn_impl to \"flash_attn\"", c.SlidingWindow, impl)
		}
	}
	if f.has("auto_map") {
		notes = append(notes, "config.json names Python code of its own (auto_map): softbench computes the "+c.ModelType+" architecture and does not run that code")
	}
	return c, notes, f.err
}

// refuseForeign stops at settings that mean another kind of checkpoint.
func refuseForeign(f *fields) error {
	if f.has("quantization_config") {
		return fmt.Errorf("quantization_config: the weights are quantised; softbench reads float32, float16 or bfloat16: dequantise them and save again")
	}
	for _, key := range []string{"num_local_experts", "num_experts", "n_routed_experts"} {
		if n := f.number(key, 0); n > 1 {
			return fmt.Errorf("%s is %v: mixture-of-experts models are not supported: use a dense %s checkpoint", key, n, typeList())
		}
	}
	for _, key := range []string{"per_layer_config", "vision_config", "text_config"} {
		if f.has(key) {
			return fmt.Errorf("%s is not supported: use a text-only checkpoint whose layers are alike", key)
		}
	}
	return nil
}

func unknownType(name string) error {
	if name == "" {
		return fmt.Errorf("model_type is missing: want %s", typeList())
	}
	return fmt.Errorf("model_type %q is not supported: want %s", name, typeList())
}

func typeList() string {
	names := make([]string, 0, len(families))
	for n := range families {
		names = append(names, n)
	}
	slices.Sort(names)
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

func (c *Config) dimensions(f *fields, fam family) {
	fla := c.ModelType == "transformer"
	headsKey, kvKey, epsKey := "num_attention_heads", "num_key_value_heads", "rms_norm_eps"
	if fla {
		headsKey, kvKey, epsKey = "num_heads", "num_kv_heads", "norm_eps"
	}
	c.Hidden = f.dimension("hidden_size", fam.hidden)
	c.Layers = f.dimension("num_hidden_layers", fam.layers)
	c.Heads = f.dimension(headsKey, fam.heads)
	c.Vocab = f.dimension("vocab_size", fam.vocab)
	c.MaxPositions = f.dimension("max_position_embeddings", fam.maxPositions)

	kv := fam.kvHeads
	if kv == 0 || f.isNull(kvKey) {
		kv = int64(c.Heads)
	}
	c.KVHeads = f.dimension(kvKey, kv)
	c.NormEps = float32(f.positive(epsKey, 1e-6))

	if fla {
		c.Intermediate = f.flaIntermediate(c.Hidden)
	} else {
		c.Intermediate = f.dimension("intermediate_size", fam.intermediate)
	}
	if f.err != nil {
		return
	}
	switch {
	case fam.headDim != 0 && f.isNull("head_dim"):
		f.fail("head_dim is null: %s wants a number", c.ModelType)
	case fla || fam.headDim == 0 && !f.has("head_dim"):
		if c.Hidden%c.Heads != 0 {
			f.fail("hidden_size %d is not a multiple of %s %d", c.Hidden, headsKey, c.Heads)
			return
		}
		c.HeadDim = c.Hidden / c.Heads
	default:
		c.HeadDim = f.dimension("head_dim", fam.headDim)
	}
	switch {
	case f.err != nil:
	case c.HeadDim%2 != 0:
		f.fail("the head dimension is %d: rotary positions need an even one", c.HeadDim)
	case c.Heads%c.KVHeads != 0:
		f.fail("%s %d is not a multiple of %s %d", headsKey, c.Heads, kvKey, c.KVHeads)
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

func (c *Config) switches(f *fields) {
	c.TieEmbeddings = f.flag("tie_word_embeddings", false)
	act := "silu"
	switch c.ModelType {
	case "llama":
		c.QKVBias = f.flag("attention_bias", false)
		c.OutputBias = c.QKVBias
		c.MLPBias = f.flag("mlp_bias", false)
	case "qwen2":
		c.QKVBias = true
	case "qwen3":
		c.QKVBias = f.flag("attention_bias", false)
		c.OutputBias = c.QKVBias
		c.QKNorm, c.QKNormEps = true, c.NormEps
	case "transformer":
		act = "swish" // the same function
		c.QKVBias = f.flag("qkv_bias", false)
		if c.QKNorm = f.flag("qk_norm", false); c.QKNorm {
			c.QKNormEps = flaQKNormEps
		}
		if !f.flag("elementwise_affine", true) {
			f.fail("elementwise_affine is false: norms without weights are not supported")
		}
	}
	if got := f.text("hidden_act", act); got != "silu" && got != "swish" {
		f.fail("hidden_act %q is not supported: want \"silu\"", got)
	}
}

// window resolves the sliding window, which must be the same in every layer.
func (c *Config) window(f *fields, fam family) {
	key := "sliding_window"
	absent := fam.slidingWindow
	switch c.ModelType {
	case "llama": // has none: transformers would take the key and not apply it
		if f.has(key) {
			f.fail("sliding_window: llama has none; set it to null, or model_type to \"mistral\"")
		}
		f.uniformLayers(c.Layers, "full_attention")
		return
	case "transformer":
		key = "window_size"
	case "qwen2", "qwen3":
		if !f.flag("use_sliding_window", false) {
			f.uniformLayers(c.Layers, "full_attention")
			return
		}
	}
	window := 0
	if !f.isNull(key) && (absent != 0 || f.has(key)) {
		window = f.dimension(key, absent)
	}
	if f.err != nil || window == 0 {
		f.uniformLayers(c.Layers, "full_attention")
		return
	}
	kind := "sliding_attention"
	if c.ModelType[:4] == "qwen" && !f.has("layer_types") {
		switch full := f.count("max_window_layers", 28); { // so many layers at the start see everything
		case full >= c.Layers:
			kind = "full_attention"
		case full > 0:
			f.fail("max_window_layers %d of %d layers: a sliding window in only some layers is not supported: set use_sliding_window to false to evaluate without it", full, c.Layers)
		}
	} else if kinds := f.texts("layer_types"); c.ModelType[:4] == "qwen" && len(kinds) > 0 {
		kind = kinds[0]
	}
	f.uniformLayers(c.Layers, kind)
	if kind == "sliding_attention" {
		c.SlidingWindow = window
	}
}

// uniformLayers refuses a layer_types list that says anything but kind.
func (f *fields) uniformLayers(layers int, kind string) {
	if !f.has("layer_types") {
		return
	}
	kinds := f.texts("layer_types")
	if f.err == nil && len(kinds) != layers {
		f.fail("layer_types has %d entries for %d layers", len(kinds), layers)
	}
	for i, k := range kinds {
		switch {
		case k != "full_attention" && k != "sliding_attention":
			f.fail("layer_types[%d] %q is not supported: want \"full_attention\" or \"sliding_attention\"", i, k)
		case k != kind:
			f.fail("layer_types[%d] is %q where %q is expected: layers that differ, or that differ from the sliding window's setting, are not supported", i, k, kind)
		}
	}
}

func (c *Config) tokens(f *fields, fam family) {
	c.BOS = f.token("bos_token_id", fam.bos)
	c.EOS = f.token("eos_token_id", fam.eos)
	dtype := f.text("dtype", "")
	if dtype == "" {
		dtype = f.text("torch_dtype", "")
	}
	c.TorchDType = strings.TrimPrefix(dtype, "torch.")
}
