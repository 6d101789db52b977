package checkpoint

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/quantised"
)

// limit bounds every dimension: far above any model, low enough that products
// of two cannot overflow.
const (
	limit     = 1 << 28
	maxLayers = 1 << 16
)

// ParseConfig reads the text of a config.json. override, where not empty, is an
// attention kind's name and wins over what the config says. Notes are remarks
// for the user, one line each.
func ParseConfig(text []byte, override string) (c Config, notes []string, err error) {
	f, err := parseFields(text)
	if err != nil {
		return Config{}, nil, err
	}
	f, c.TextOf, err = textPart(f)
	if err != nil {
		return Config{}, nil, err
	}
	if err := refuseForeign(f); err != nil {
		return Config{}, nil, err
	}
	c.ModelType = f.text("model_type", "")
	fam, known := families[c.ModelType]
	if f.err != nil {
		return Config{}, nil, f.err
	}
	if !known {
		return Config{}, nil, unknownType(c.ModelType)
	}
	c.TieEmbeddings = f.flag("tie_word_embeddings", fam.tie)
	fam.read(f, &c, fam.defaults)
	c.tokens(f, fam.defaults)
	c.check(f)
	length := c.context(f)
	if f.err != nil {
		return Config{}, nil, f.err
	}
	if c.Attention, notes, err = attentionOf(f, override, fam.kind); err != nil {
		return Config{}, nil, err
	}
	if a := c.Attention.Cap; a != 0 { // instead of what the model type has
		c.ScoreCap = a
	}
	notes = append(notes, length...)
	if fam.slidingWindow == 0 && f.has("sliding_window") {
		notes = append(notes, "sliding_window in config.json is not used: a "+c.ModelType+" has none, as in transformers")
	}
	if f.has("auto_map") {
		notes = append(notes, "config.json names Python code of its own (auto_map): softbench computes the "+c.ModelType+" architecture and does not run that code")
	}
	return c, notes, f.err
}

// refuseForeign stops at settings that mean another kind of checkpoint.
func refuseForeign(f *fields) error {
	if f.has("quantization_config") {
		if _, err := quantised.ParseConfig(f.values["quantization_config"]); err != nil {
			return err
		}
	}
	for _, key := range []string{"per_layer_config", "vision_config"} {
		if f.has(key) {
			return fmt.Errorf("%s is not supported: use a text-only checkpoint whose layers are alike", key)
		}
	}
	return nil
}

// keys are the names of a config's sizes; empty ones are LLaMA's.
type keys struct {
	hidden, intermediate, layers, heads, kvHeads, maxPositions string
	// aliases: the config class has LLaMA's names beside its own (transformers'
	// attribute_map), and they win where both are given.
	aliases bool
}

// name is the key that holds a size.
func (k keys) name(f *fields, own, common string) string {
	if own == "" || k.aliases && f.has(common) {
		return common
	}
	return own
}

var (
	llamaKeys = keys{kvHeads: "num_key_value_heads", intermediate: "intermediate_size"}
	flaKeys   = keys{heads: "num_heads", kvHeads: "num_kv_heads"}
)

// sizes reads the dimensions, and makes the layers. A family without a key for
// the MLP's width or for key/value heads has none in its config.
func (c *Config) sizes(f *fields, d defaults, k keys) {
	headsKey := k.name(f, k.heads, "num_attention_heads")
	hiddenKey := k.name(f, k.hidden, "hidden_size")
	c.Hidden = f.dimension(hiddenKey, d.hidden)
	c.Layers = int(f.integer(k.name(f, k.layers, "num_hidden_layers"), d.layers, 1, maxLayers))
	c.Heads = f.dimension(headsKey, d.heads)
	c.Vocab = f.dimension("vocab_size", d.vocab)
	c.MaxPositions = f.dimension(k.name(f, k.maxPositions, "max_position_embeddings"), d.maxPositions)
	c.KVHeads = c.Heads
	if k.kvHeads != "" {
		kv := d.kvHeads
		if kv == 0 || f.isNull(k.kvHeads) {
			kv = int64(c.Heads)
		}
		c.KVHeads = f.dimension(k.kvHeads, kv)
	}
	if k.intermediate != "" {
		c.Intermediate = f.dimension(k.intermediate, d.intermediate)
	}
	if f.err != nil {
		return
	}
	c.Blocks = make([]Block, c.Layers)
	switch ownDim := k.kvHeads == llamaKeys.kvHeads; { // whether the config may have a head_dim
	case d.headDim != 0 && f.isNull("head_dim"):
		f.fail("head_dim is null: %s wants a number", c.ModelType)
	case !ownDim || d.headDim == 0 && !f.has("head_dim"):
		if c.Hidden%c.Heads != 0 {
			f.fail("%s %d is not a multiple of %s %d", hiddenKey, c.Hidden, headsKey, c.Heads)
			return
		}
		c.HeadDim = c.Hidden / c.Heads
	default:
		c.HeadDim = f.dimension("head_dim", d.headDim)
	}
	if f.err == nil && c.Heads%c.KVHeads != 0 {
		f.fail("%s %d is not a multiple of %s %d", headsKey, c.Heads, k.kvHeads, c.KVHeads)
	}
}

// check refuses what no family's reader has: sizes that the kernels cannot take.
func (c *Config) check(f *fields) {
	if f.err != nil {
		return
	}
	for _, key := range []string{"num_local_experts", "num_experts", "n_routed_experts"} {
		if n := f.number(key, 0); n > 1 && c.Experts.N == 0 {
			f.fail("%s is %v, but model_type %q has no experts: its mixture-of-experts form is another type", key, n, c.ModelType)
		}
	}
	if c.HeadDim%2 != 0 {
		f.fail("the head dimension is %d: it must be even", c.HeadDim)
	}
	for i := range c.Rotary {
		if r := &c.Rotary[i]; r.Dim < 2 || r.Dim%2 != 0 || r.Dim > c.HeadDim {
			f.fail("%d of a head's %d components are rotated: want an even number of them, at least 2", r.Dim, c.HeadDim)
		} else if r.Type == "longrope" && len(r.Short) != r.Dim/2 {
			f.fail("short_factor has %d numbers for %d pairs of rotated components", len(r.Short), r.Dim/2)
		}
	}
}

// context resolves how many tokens a run feeds at most. lm-evaluation-harness
// (models/utils.py, resolve_max_length) asks for n_positions first, which any
// config may carry whatever its type; where there are learned positions, the type
// has a key of its own for them.
func (c *Config) context(f *fields) (notes []string) {
	c.Context = c.MaxPositions
	if c.Positions > 0 || f.err != nil {
		return nil
	}
	if c.Context = f.dimension("n_positions", int64(c.MaxPositions)); c.Context != c.MaxPositions {
		notes = append(notes, fmt.Sprintf("the context is %d tokens by n_positions in config.json, which lm-evaluation-harness reads first; max_position_embeddings says %d: --max-length %[2]d asks for that", c.Context, c.MaxPositions))
	}
	return notes
}

// eachBlock lets set give every layer what it has of its own.
func (c *Config) eachBlock(set func(i int, b *Block)) {
	for i := range c.Blocks {
		set(i, &c.Blocks[i])
	}
}

// epsilon reads a norm's epsilon.
func (f *fields) epsilon(key string, d defaults) float32 {
	return float32(f.positive(key, cmp.Or(d.eps, 1e-6)))
}

// activation reads the name of an activation.
func (f *fields) activation(key string, d defaults) Activation {
	name := f.text(key, cmp.Or(d.act, "silu"))
	act, ok := activations[name]
	if !ok {
		f.fail("%s %q is not supported: want one of %s", key, name, strings.Join(slices.Sorted(maps.Keys(activations)), ", "))
	}
	return act
}

// cap reads a soft cap; null is none.
func (f *fields) cap(key string, absent float64) float32 {
	if f.isNull(key) {
		return 0
	}
	return float32(f.positive(key, absent))
}

// window reads a sliding window; null is none, and so is an absent key where the
// family has no default.
func (f *fields) window(key string, d defaults) int {
	if f.isNull(key) || d.slidingWindow == 0 && !f.has(key) {
		return 0
	}
	return f.dimension(key, d.slidingWindow)
}

const (
	fullAttention    = "full_attention"
	slidingAttention = "sliding_attention"
)

// layerTypes reads layer_types, one of the two above a layer; nil where absent.
func (f *fields) layerTypes(layers int) []string {
	if !f.has("layer_types") {
		return nil
	}
	kinds := f.texts("layer_types")
	if f.err == nil && len(kinds) != layers {
		f.fail("layer_types has %d entries for %d layers", len(kinds), layers)
	}
	for i, k := range kinds {
		if k != fullAttention && k != slidingAttention {
			f.fail("layer_types[%d] %q is not supported: want %q or %q", i, k, fullAttention, slidingAttention)
		}
	}
	if f.err != nil {
		return make([]string, layers)
	}
	return kinds
}

// uniformLayers refuses a layer_types list that says anything but kind.
func (f *fields) uniformLayers(layers int, kind string) {
	for i, k := range f.layerTypes(layers) {
		if k != kind {
			f.fail("layer_types[%d] is %q where %q is expected: this model type's layers are alike", i, k, kind)
		}
	}
}

func (c *Config) tokens(f *fields, d defaults) {
	c.BOS = f.token("bos_token_id", d.bos)
	c.EOS = f.token("eos_token_id", d.eos)
	dtype := f.text("dtype", "")
	if dtype == "" {
		dtype = f.text("torch_dtype", "")
	}
	c.TorchDType = strings.TrimPrefix(dtype, "torch.")
}
