package quantised

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/jsonplace"
)

// Config is what quantization_config says that the tensors do not.
type Config struct {
	Method           string `json:"quant_method"`
	Format           string `json:"format"`            // compressed-tensors; GPTQ: for CheckpointFormat
	CheckpointFormat string `json:"checkpoint_format"` // GPTQ: gptq or gptq_v2
	Version          string `json:"version"`           // AWQ: gemm
	Marlin           bool   `json:"is_marlin_format"`  // GPTQ, AWQ: packed for one kernel
	Bits             int    `json:"bits"`
	BitsOfWeights    int    `json:"w_bit"`
	Block            []int  `json:"weight_block_size"` // FP8
	Activation       string `json:"activation_scheme"`
	Groups           map[string]struct {
		Weights *struct {
			scheme
			Block []int `json:"block_structure"`
		} `json:"weights"`
		Inputs json.RawMessage `json:"input_activations"`
	} `json:"config_groups"`
	KVCache   json.RawMessage `json:"kv_cache_scheme"`
	Transform json.RawMessage `json:"transform_config"`
	Sparsity  struct {
		Format string `json:"format"`
	} `json:"sparsity_config"`
}

// scheme is how compressed-tensors says that numbers are quantised.
type scheme struct {
	Bits      int    `json:"num_bits"`
	Type      string `json:"type"`
	Symmetric *bool  `json:"symmetric"`
	Strategy  string `json:"strategy"`
	Dynamic   any    `json:"dynamic"` // a bool, or "local"
}

// int8 reports whether it is whole numbers of eight bits without zero points, of one of the
// strategies.
func (s *scheme) int8(strategies ...string) bool {
	whole, symmetric := cmp.Or(s.Type, "int") == "int", s.Symmetric == nil || *s.Symmetric // compressed-tensors' defaults
	return s.Bits == 8 && whole && symmetric && slices.Contains(strategies, s.Strategy)
}

// Int8 reports whether activations are meant to be quantised to int8 a token at a time, and all
// weights are int8 of a scale for each row, or one: what this program computes so.
func (c *Config) Int8() bool {
	for _, g := range c.Groups {
		var inputs scheme
		if g.Weights == nil || !said(g.Inputs) || json.Unmarshal(g.Inputs, &inputs) != nil {
			return false
		}
		if dynamic, ok := inputs.Dynamic.(bool); !ok || !dynamic || !inputs.int8("token") || !g.Weights.int8("channel", "tensor") {
			return false
		}
	}
	return c.Method == "compressed-tensors" && c.Format == "int-quantized" && len(c.Groups) > 0
}

// Methods are the values of quant_method that are read.
var Methods = []string{"awq", "bitsandbytes", "compressed-tensors", "fbgemm_fp8", "fp8", "gptq", "mxfp4"}

// ParseConfig reads a quantization_config; an error is one line.
func ParseConfig(text []byte) (*Config, error) {
	c := &Config{}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("quantization_config: %s", strings.TrimPrefix(jsonplace.Plain(err).Error(), "json: "))
	}
	if c.Method == "" && c.Format != "" {
		c.Method = "compressed-tensors"
	}
	if !slices.Contains(Methods, c.Method) {
		return nil, fmt.Errorf("quantization_config: quant_method %q is not read: want %s; or dequantise the weights and save them again", c.Method, strings.Join(Methods, ", "))
	}
	if c.Method == "compressed-tensors" {
		switch c.Format {
		case "pack-quantized", "int-quantized", "float-quantized", "naive-quantized":
		default:
			return nil, fmt.Errorf("quantization_config: format %q of compressed-tensors is not read: want pack-quantized, int-quantized, float-quantized or naive-quantized", c.Format)
		}
		if said(c.Transform) || c.Sparsity.Format != "" && c.Sparsity.Format != "dense" {
			return nil, fmt.Errorf("quantization_config: transform_config and sparsity_config are not read")
		}
	}
	// How numbers are packed: other layouts have tensors of the same names and shapes.
	if layout := cmp.Or(c.CheckpointFormat, c.Format); c.Method == "gptq" && layout != "" && layout != "gptq" && layout != "gptq_v2" || c.Method == "awq" && layout != "" && layout != "gemm" || c.Marlin {
		return nil, fmt.Errorf("quantization_config: layout %q of %s is not read: want %s", cmp.Or(layout, "marlin"), c.Method, map[string]string{"gptq": "gptq or gptq_v2", "awq": "gemm"}[c.Method])
	}
	if c.Method == "gptq" {
		c.CheckpointFormat = cmp.Or(c.CheckpointFormat, c.Format)
	}
	if c.Method == "awq" && c.Version != "" && !strings.EqualFold(c.Version, "gemm") {
		return nil, fmt.Errorf("quantization_config: version %q of AWQ is not read: want gemm", c.Version)
	}
	for _, b := range c.blocks() {
		if b < 1 {
			return nil, fmt.Errorf("quantization_config: a block of %d", b)
		}
	}
	return c, nil
}

// said reports whether a member is there and holds something.
func said(raw json.RawMessage) bool {
	s := string(raw)
	return s != "" && s != "null" && s != "{}"
}

// Name says in a few words what the weights are.
func (c *Config) Name() string {
	switch {
	case c.Method == "compressed-tensors":
		return c.Method + " " + c.Format
	case c.CheckpointFormat == "gptq_v2":
		return "gptq v2"
	}
	return c.Method
}

// Activations reports whether the format means activations to be quantised too.
func (c *Config) Activations() bool {
	if c.Method == "fp8" || c.Method == "fbgemm_fp8" {
		return true
	}
	for _, g := range c.Groups {
		if said(g.Inputs) {
			return true
		}
	}
	return false
}

// blocks is the size of blocks that share a scale; nil where rows or groups do.
func (c *Config) blocks() []int {
	if len(c.Block) == 2 {
		return c.Block
	}
	for _, g := range c.Groups {
		if g.Weights != nil && len(g.Weights.Block) == 2 {
			return g.Weights.Block
		}
	}
	return nil
}

// Decode returns the tensors with the quantised ones replaced by the weights that
// they stand for. int8 is whether bitsandbytes' eight bits were found.
func Decode(c *Config, tensors []*safetensors.Tensor) (all []*safetensors.Tensor, err error) {
	d := &decoding{config: c, byName: map[string]*safetensors.Tensor{}, used: map[*safetensors.Tensor]bool{}}
	for _, t := range tensors {
		d.byName[t.Name] = t
	}
	for _, t := range tensors {
		made, err := d.one(t)
		if err != nil {
			return nil, fmt.Errorf("%s: tensor %q: %w", t.Path(), t.Name, err)
		}
		if made != nil {
			all = append(all, made)
			d.used[t] = true
		}
	}
	for _, t := range tensors {
		if !d.used[t] && !spare(t.Name) {
			all = append(all, t)
		}
	}
	return all, nil
}

// spare names what belongs to quantised activations, keys and values.
func spare(name string) bool {
	return slices.ContainsFunc([]string{".input_scale", ".input_scale_ub", ".input_zero_point", ".input_global_scale", ".k_scale", ".v_scale", ".output_scale"},
		func(s string) bool { return strings.HasSuffix(name, s) })
}

type decoding struct {
	config *Config
	byName map[string]*safetensors.Tensor
	used   map[*safetensors.Tensor]bool
}

// take returns a tensor that belongs to a weight; nil where there is none.
func (d *decoding) take(name string) *safetensors.Tensor {
	t := d.byName[name]
	if t != nil {
		d.used[t] = true
	}
	return t
}

// need is take of a tensor that must be there, of a type and a number of elements
// (0: any).
func (d *decoding) need(name string, elements int, types ...safetensors.DType) (*safetensors.Tensor, error) {
	t := d.take(name)
	switch {
	case t == nil:
		return nil, fmt.Errorf("%q, which belongs to it, is missing", name)
	case !slices.Contains(types, t.DType):
		return nil, fmt.Errorf("%q has dtype %s: want one of %v", name, t.DType, types)
	case elements > 0 && t.Elements() != elements:
		return nil, fmt.Errorf("%q has shape %v: want %d elements", name, t.Shape, elements)
	}
	return t, nil
}

// one makes the weight of which t is the main tensor; nil where it is not one.
func (d *decoding) one(t *safetensors.Tensor) (*safetensors.Tensor, error) {
	module, isQ := strings.CutSuffix(t.Name, ".qweight")
	switch {
	case isQ && d.config.Method == "gptq":
		return d.gptq(module, t)
	case isQ && d.config.Method == "awq":
		return d.awq(module, t)
	}
	if d.config.Method == "mxfp4" {
		if base, ok := strings.CutSuffix(t.Name, "_blocks"); ok {
			return d.mxfp4(base, t)
		}
		return nil, nil
	}
	if module, ok := strings.CutSuffix(t.Name, ".weight_packed"); ok {
		return d.packed(module, t)
	}
	module, ok := strings.CutSuffix(t.Name, ".weight")
	switch {
	case !ok:
		return nil, nil
	case d.config.Method == "bitsandbytes" && t.DType == "I8":
		return d.int8(module, t)
	case d.config.Method == "bitsandbytes" && t.DType == "U8":
		return d.fourBits(module, t)
	case t.DType == safetensors.E4M3 || t.DType == safetensors.E5M2 || t.DType == "I8":
		return d.scaled(module, t)
	}
	return nil, nil
}

var floats = []safetensors.DType{safetensors.F32, safetensors.BF16, safetensors.F16}
