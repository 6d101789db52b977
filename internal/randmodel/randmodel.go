package randmodel

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/atomicfile"
)

// Options says what model to write. Zero fields take the preset's value.
type Options struct {
	Preset string // "tiny" (the default) or "340m"
	Type   string // model_type: "llama" (the default), "mistral", "qwen2", "qwen3" or "transformer"
	Seed   uint64
	DType  string // "float32" (the default), "float16" or "bfloat16"

	Hidden, Intermediate, Layers, Heads, KVHeads, HeadDim, Vocab, MaxPositions int

	Tie       bool   // share the embedding with the head
	Bias      bool   // every bias the type can be given
	QKNorm    bool   // for "transformer"
	Attention string // an attention kind's name; empty for softmax

	// Gain multiplies the final norm, and so the logits, whose standard deviation
	// it is about; 0 means 1. ScoreGain multiplies q, and so the attention scores.
	Gain, ScoreGain float64

	// ShardBytes splits the weights into files of at most so many bytes; 0: one.
	ShardBytes int64
	// Tokenizer is a directory whose tokenizer files are copied; empty for none.
	Tokenizer string
	// Config has members that replace or join those of config.json.
	Config map[string]any
}

var presets = map[string]Options{
	"tiny": {Hidden: 64, Intermediate: 96, Layers: 2, Heads: 4, Vocab: 256, MaxPositions: 512},
	"340m": {Hidden: 1024, Intermediate: 2816, Layers: 24, Heads: 16, Vocab: 32768, MaxPositions: 4096},
}

var dtypes = map[string]safetensors.DType{
	"float32": safetensors.F32, "float16": safetensors.F16, "bfloat16": safetensors.BF16,
}

// Write makes dir a checkpoint with random weights. Equal options give equal
// bytes, on every machine. Matrices have entries of standard deviation
// 1/sqrt(inputs), so activations neither grow nor die; norms are near 1, biases
// near 0.
func Write(dir string, o Options) error {
	if err := o.complete(); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if err := o.write(dir, o.config()); err != nil {
		return err
	}
	return copyTokenizer(o.Tokenizer, dir)
}

// WriteConfig makes dir a checkpoint of any model type, with config.json's members
// as they are given and random weights of o's seed, number format and gains.
func WriteConfig(dir string, config map[string]any, o Options) error {
	if err := o.complete(); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return o.write(dir, config)
}

// write writes the config, and a random tensor for each weight that it calls for.
func (o *Options) write(dir string, cfg map[string]any) error {
	text, err := json.Marshal(cfg)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	parsed, _, err := checkpoint.ParseConfig(text, "")
	if err != nil {
		return fmt.Errorf("%s: config.json: %w", dir, err)
	}
	var entries []safetensors.Entry
	for _, w := range parsed.Weights() {
		entries = append(entries, o.entry(w))
	}
	return checkpoint.WriteShards(dir, cfg, o.ShardBytes, entries...)
}

func (o *Options) complete() error {
	o.Preset = cmp.Or(o.Preset, "tiny")
	p, ok := presets[o.Preset]
	if !ok {
		return fmt.Errorf("unknown preset %q: want tiny or 340m", o.Preset)
	}
	for _, f := range []struct{ to, from *int }{
		{&o.Hidden, &p.Hidden}, {&o.Intermediate, &p.Intermediate}, {&o.Layers, &p.Layers},
		{&o.Heads, &p.Heads}, {&o.Vocab, &p.Vocab}, {&o.MaxPositions, &p.MaxPositions},
		{&o.KVHeads, &o.Heads},
	} {
		if *f.to == 0 {
			*f.to = *f.from
		}
	}
	if o.HeadDim == 0 && o.Heads > 0 {
		o.HeadDim = o.Hidden / o.Heads
	}
	o.Type = cmp.Or(o.Type, "llama")
	o.DType = cmp.Or(o.DType, "float32")
	if _, ok := dtypes[o.DType]; !ok {
		return fmt.Errorf("unknown dtype %q: want float32, float16 or bfloat16", o.DType)
	}
	o.Gain = cmp.Or(o.Gain, 1)
	o.ScoreGain = cmp.Or(o.ScoreGain, 1)
	return nil
}

// config returns config.json's members in the type's own spelling.
func (o *Options) config() map[string]any {
	c := map[string]any{
		"model_type":              o.Type,
		"hidden_size":             o.Hidden,
		"intermediate_size":       o.Intermediate,
		"num_hidden_layers":       o.Layers,
		"vocab_size":              o.Vocab,
		"max_position_embeddings": o.MaxPositions,
		"tie_word_embeddings":     o.Tie,
		"torch_dtype":             o.DType,
		"rope_theta":              10000.0,
		"bos_token_id":            1,
		"eos_token_id":            2,
	}
	if o.Type == "transformer" {
		c["architectures"] = []string{"TransformerForCausalLM"}
		c["num_heads"], c["num_kv_heads"] = o.Heads, o.KVHeads
		c["norm_eps"], c["hidden_act"] = 1e-6, "swish"
		c["qkv_bias"], c["qk_norm"] = o.Bias, o.QKNorm
		c["attn_impl"] = flaName(o.Attention)
	} else {
		class := map[string]string{"llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2", "qwen3": "Qwen3"}[o.Type]
		c["architectures"] = []string{class + "ForCausalLM"}
		c["num_attention_heads"], c["num_key_value_heads"] = o.Heads, o.KVHeads
		c["head_dim"] = o.HeadDim
		c["rms_norm_eps"], c["hidden_act"] = 1e-6, "silu"
		if o.Type == "llama" || o.Type == "qwen3" {
			c["attention_bias"] = o.Bias
		}
		if o.Type == "llama" {
			c["mlp_bias"] = o.Bias
		}
		if o.Type == "mistral" {
			c["sliding_window"] = nil // absent would mean 4096
		}
		if o.Attention != "" {
			c["attn_impl"] = o.Attention
		}
	}
	maps.Copy(c, o.Config)
	return c
}

// flaName is the kind as flash-linear-attention spells it, where it can.
func flaName(kind string) string {
	spec, err := attention.Parse(kind)
	if err != nil {
		if kind == "" {
			return "parallel_attn"
		}
		return kind // refused when it is read
	}
	name := map[attention.Kind]string{
		attention.Softmax: "", attention.Softpick: "softpick_", attention.MaskedSoftmax: "rectified_",
	}
	part, ok := name[spec.Kind]
	if !ok || spec.Gated || spec.Cap != 0 {
		return kind
	}
	if spec.Scaled {
		part = "scaled_" + part
	}
	return "parallel_" + part + "attn"
}

// entry returns the random tensor for w.
func (o *Options) entry(w checkpoint.Weight) safetensors.Entry {
	var centre, width float64
	switch {
	case w.Matrix:
		width = 1 / math.Sqrt(float64(w.Shape[1]))
		if strings.HasSuffix(w.Name, ".q_proj.weight") || strings.HasSuffix(w.Name, ".qkv_proj.weight") {
			width *= o.ScoreGain
		}
	case strings.HasSuffix(w.Name, ".bias"):
		width = 0.1
	case strings.HasSuffix(w.Name, ".s"): // where the paper starts its scale
		centre, width = 0.3, 0.05
	case w.Name == "model.norm.weight":
		centre, width = o.Gain, 0.1*o.Gain
	default: // norms
		centre, width = 1, 0.1
	}
	return Tensor(dtypes[o.DType], o.Seed, w.Name, w.Shape, centre, width)
}

// Tensor returns a tensor of random numbers of a mean and a standard deviation,
// the same for one seed, name and shape everywhere.
func Tensor(d safetensors.DType, seed uint64, name string, shape []int, mean, deviation float64) safetensors.Entry {
	n := 1
	for _, k := range shape {
		n *= k
	}
	return safetensors.Entry{Name: name, DType: d, Shape: shape, Stream: fill(d, stream(seed, name), n, mean, deviation)}
}

// tokenizerFiles are what a hub directory may hold of a tokenizer.
var tokenizerFiles = []string{
	"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
	"vocab.json", "merges.txt", "added_tokens.json",
}

func copyTokenizer(from, to string) error {
	if from == "" {
		return nil
	}
	copied := 0
	for _, name := range tokenizerFiles {
		in, err := os.Open(filepath.Join(from, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		err = atomicfile.Write(filepath.Join(to, name), func(w io.Writer) error {
			_, err := io.Copy(w, in)
			return err
		})
		_ = in.Close()
		if err != nil {
			return err
		}
		copied++
	}
	if copied == 0 {
		return fmt.Errorf("%s: no tokenizer files: want tokenizer.json or tokenizer.model", from)
	}
	return nil
}
