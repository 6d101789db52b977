package checkpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/softbench/softbench/internal/regularfile"
)

// Mistral's own layout: the weights under its own names, q and k with neighbouring
// components paired, and the settings in params.json.
const (
	paramsFile        = "params.json"
	consolidatedFile  = "consolidated.safetensors"
	consolidatedIndex = "consolidated.safetensors.index.json"
)

// consolidated chooses the file that leads to the weights where a directory with
// files of these names has Mistral's layout alone; else "".
func consolidated(names []string) string {
	has := func(name string) bool { return slices.Contains(names, name) }
	switch {
	case !has(paramsFile), has("config.json") && (has(singleFile) || has(indexFile)):
		return ""
	case has(consolidatedFile):
		return consolidatedFile
	case has(consolidatedIndex):
		return consolidatedIndex
	}
	return ""
}

// openParams reads params.json as a config.
func (k *Checkpoint) openParams(ctx context.Context, o Options) error {
	path := filepath.Join(k.Dir, paramsFile)
	if err := k.watch(path); err != nil {
		return err
	}
	text, err := regularfile.ReadAll(ctx, path, maxConfig)
	if err != nil {
		return regularfile.PathError(path, err)
	}
	f, err := parseFields(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	p := params{fields: f, config: map[string]any{}}
	p.read()
	if f.err != nil {
		return fmt.Errorf("%s: %w", path, f.err)
	}
	if k.ConfigText, err = json.MarshalIndent(p.config, "", "  "); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if k.Config, k.Notes, err = ParseConfig(k.ConfigText, o.Attention); err != nil {
		return fmt.Errorf("%s: its settings as a config: %w", path, err)
	}
	k.Config.Interleaved, k.Config.TextOf = true, p.of
	k.Notes = append(p.notes, k.Notes...)
	k.config, k.Format, k.native = paramsFile, "Mistral's safetensors", true
	return nil
}

// params is a params.json on its way to a config, as transformers' converters of
// Mistral's checkpoints make one of it.
type params struct {
	*fields
	config map[string]any
	of     string // the multimodal model that this is the text part of
	notes  []string
}

// paramNames are the keys of both, and whether params.json must have it.
var paramNames = []struct {
	from, to string
	must     bool
}{
	{"dim", "hidden_size", true}, {"n_layers", "num_hidden_layers", true}, {"n_heads", "num_attention_heads", true},
	{"hidden_dim", "intermediate_size", true}, {"vocab_size", "vocab_size", true}, {"norm_eps", "rms_norm_eps", true},
	{"n_kv_heads", "num_key_value_heads", false}, {"head_dim", "head_dim", false}, {"rope_theta", "rope_theta", false},
	{"tied_embeddings", "tie_word_embeddings", false}, {"activation", "hidden_act", false},
}

// contextUnsaid is what transformers' converter takes where params.json says none.
const contextUnsaid = 32768

func (p *params) read() {
	p.config["model_type"] = "mistral"
	for _, n := range paramNames {
		if p.has(n.from) {
			p.config[n.to] = p.values[n.from]
		} else if n.must {
			p.fail("%s is missing", n.from)
		}
	}
	if !p.has("rope_theta") {
		p.config["rope_theta"] = 10000.0 // whatever the model type's default
	}
	if !p.has("n_kv_heads") && p.has("n_heads") {
		p.config["num_key_value_heads"] = p.values["n_heads"]
	}
	if kind := p.text("model_type", "transformer"); kind != "transformer" {
		p.fail("model_type %q is not supported: want Mistral's transformer", kind)
	}
	if p.has("qk_nope_head_dim") {
		p.fail("qk_nope_head_dim: latent attention is not supported")
	}
	if !p.flag("causal", true) {
		p.fail("causal is false: an encoder is not supported")
	}
	p.context()
	p.windows()
	p.experts()
	p.rotary()
	p.quantisation()
	p.others()
}

func (p *params) context() {
	for _, key := range []string{"max_position_embeddings", "max_seq_len"} {
		if p.has(key) {
			p.config["max_position_embeddings"] = p.values[key]
			return
		}
	}
	p.config["max_position_embeddings"] = contextUnsaid
	p.notes = append(p.notes, fmt.Sprintf("params.json does not say how long a context is: %d tokens are taken, as by transformers' converter", contextUnsaid))
}

// windows reads sliding_window: a number, which may stand as a text, or a list whose
// pattern the layers repeat.
func (p *params) windows() {
	p.config["sliding_window"] = nil
	if !p.has("sliding_window") {
		return
	}
	var list []*int
	if raw := p.values["sliding_window"]; raw[0] != '[' {
		n, err := strconv.Atoi(strings.Trim(string(raw), `"`))
		if err != nil {
			p.fail("sliding_window is %s: want a number, or a list of them", shorten(raw))
		}
		p.config["sliding_window"] = n
		return
	}
	layers := int(p.integer("n_layers", 1, 1, maxLayers))
	if !p.fields.read("sliding_window", &list, "a list of numbers and nulls") {
		return
	}
	if len(list) == 0 || layers%len(list) != 0 {
		p.fail("sliding_window has %d entries, which %d layers do not repeat", len(list), layers)
		return
	}
	kinds := make([]string, layers)
	for i := range kinds {
		kinds[i] = fullAttention
		w := list[i%len(list)]
		if w == nil {
			continue
		}
		kinds[i] = slidingAttention
		if known := p.config["sliding_window"]; known != nil && known != *w {
			p.fail("sliding_window has windows of %v and %d: want one", known, *w)
		}
		p.config["sliding_window"] = *w
	}
	if p.config["sliding_window"] != nil {
		p.config["model_type"], p.config["layer_types"] = "ministral", kinds
	}
}

func (p *params) experts() {
	moe := p.object("moe")
	if moe == nil {
		return
	}
	for _, key := range []string{"num_shared_experts", "first_k_dense_replace"} {
		if moe.number(key, 0) != 0 {
			moe.fail("%s%s is not supported: want Mixtral's experts", moe.prefix, key)
		}
	}
	p.only("moe", "mistral")
	p.config["model_type"] = "mixtral"
	p.config["num_local_experts"], p.config["num_experts_per_tok"] = moe.dimension("num_experts", 8), moe.dimension("num_experts_per_tok", 2)
	p.err = firstError(p.err, moe.err)
}

// only refuses settings that no one model type has together.
func (p *params) only(key, kind string) {
	if p.config["model_type"] != kind {
		p.fail("%s with %s's settings is not supported", key, p.config["model_type"])
	}
}

// rotary reads YaRN's settings and the scale of queries that grows with position.
func (p *params) rotary() {
	yarn, queries := p.object("yarn"), p.object("llama_4_scaling")
	if yarn == nil && queries == nil {
		return
	}
	rope := map[string]any{"rope_type": "default", "rope_theta": p.number("rope_theta", 10000)}
	p.config["rope_parameters"] = rope
	delete(p.config, "rope_theta")
	if yarn != nil {
		rope["rope_type"] = "yarn"
		for from, to := range map[string]string{"factor": "factor", "original_max_position_embeddings": "original_max_position_embeddings", "beta": "beta_fast", "alpha": "beta_slow"} {
			if yarn.has(from) {
				rope[to] = yarn.values[from]
			}
		}
		if !yarn.flag("apply_scale", true) {
			rope["attention_factor"] = 1.0
		}
		p.err = firstError(p.err, yarn.err)
	}
	if queries == nil {
		return
	}
	p.only("llama_4_scaling", "mistral")
	p.config["model_type"] = "ministral3"
	rope["llama_4_scaling_beta"] = queries.number("beta", 0)
	if from := queries.dimension("original_max_position_embeddings", int64(maxLayers)); !queries.has("original_max_position_embeddings") {
		queries.fail("%soriginal_max_position_embeddings is missing", queries.prefix)
	} else if yarn != nil && yarn.dimension("original_max_position_embeddings", int64(from)) != from {
		queries.fail("%soriginal_max_position_embeddings %d is not yarn's: want one", queries.prefix, from)
	} else {
		rope["original_max_position_embeddings"] = from
	}
	p.err = firstError(p.err, queries.err)
}

func (p *params) quantisation() {
	q := p.object("quantization")
	switch {
	case q == nil:
	case q.text("qformat_weight", "") == "fp8_e4m3":
		scheme := "static"
		if q.text("qscheme_act", "") == "NO_SCALES" {
			scheme = "dynamic"
		}
		p.config["quantization_config"] = map[string]any{"quant_method": "fp8", "activation_scheme": scheme}
	case q.has("quant_method"):
		p.config["quantization_config"] = q.values
	default:
		q.fail("quantization is not read: want qformat_weight fp8_e4m3, or a quant_method")
	}
	if q != nil {
		p.err = firstError(p.err, q.err)
	}
}

// others notes what is not computed: what the model sees, and keys that are not known.
func (p *params) others() {
	seen := p.has("vision_encoder")
	if m := p.object("multimodal"); m != nil {
		if m.has("whisper_model_args") {
			p.fail("multimodal.whisper_model_args: a model that hears is not supported")
		}
		seen = true
	}
	if seen {
		p.of = "mistral3"
	}
	known := []string{"model_type", "causal", "max_position_embeddings", "max_seq_len", "sliding_window", "moe", "yarn", "llama_4_scaling",
		"quantization", "vision_encoder", "multimodal", "dtype", "max_batch_size"}
	for _, n := range paramNames {
		known = append(known, n.from)
	}
	for _, key := range sortedNames(p.values) {
		if !slices.Contains(known, key) && p.has(key) {
			p.notes = append(p.notes, fmt.Sprintf("%q in params.json is not known and not used", key))
		}
	}
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func sortedNames(m map[string]json.RawMessage) (names []string) {
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// mistralNames turn Mistral's names into transformers'.
var mistralNames = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`^tok_embeddings\.`), "model.embed_tokens."},
	{regexp.MustCompile(`^norm\.`), "model.norm."},
	{regexp.MustCompile(`^output\.`), "lm_head."},
	{regexp.MustCompile(`^layers\.(\d+)\.attention_norm\.`), "model.layers.$1.input_layernorm."},
	{regexp.MustCompile(`^layers\.(\d+)\.ffn_norm\.`), "model.layers.$1.post_attention_layernorm."},
	{regexp.MustCompile(`^layers\.(\d+)\.attention\.w([qkvo])\.`), "model.layers.$1.self_attn.${2}_proj."},
	{regexp.MustCompile(`^layers\.(\d+)\.feed_forward\.w1\.`), "model.layers.$1.mlp.gate_proj."},
	{regexp.MustCompile(`^layers\.(\d+)\.feed_forward\.w2\.`), "model.layers.$1.mlp.down_proj."},
	{regexp.MustCompile(`^layers\.(\d+)\.feed_forward\.w3\.`), "model.layers.$1.mlp.up_proj."},
	{regexp.MustCompile(`^layers\.(\d+)\.feed_forward\.gate\.`), "model.layers.$1.block_sparse_moe.gate."},
	{regexp.MustCompile(`^layers\.(\d+)\.feed_forward\.experts\.(\d+)\.`), "model.layers.$1.block_sparse_moe.experts.$2."},
	{regexp.MustCompile(`\.qscale_weight$`), ".weight_scale"},
	{regexp.MustCompile(`\.qscale_act$`), ".input_scale"},
}

// ownNames gives the tensors of Mistral's layout the names of transformers'.
func (k *Checkpoint) ownNames() error {
	return k.set.Rename(func(name string) string {
		for _, n := range mistralNames {
			name = n.from.ReplaceAllString(name, n.to)
		}
		return name
	})
}
