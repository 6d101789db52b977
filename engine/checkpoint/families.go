package checkpoint

import (
	"fmt"
	"slices"
	"strings"
)

// family is what softbench knows of a model type: the defaults of its config
// class, and how its config is read. This is the only place that knows a type.
type family struct {
	defaults
	read func(f *fields, c *Config, d defaults)
}

// defaults are those of the config class's fields, in transformers 5.24 but for
// "transformer", which is flash-linear-attention's.
type defaults struct {
	hidden, intermediate, layers, heads, vocab, maxPositions int64

	kvHeads       int64   // 0: as many as heads
	headDim       int64   // 0: hidden / heads
	eps           float64 // 0: 1e-6
	theta         float64 // 0: 10000
	partial       float64 // share of a head that is rotated, where the type may have one; 0: the whole
	slidingWindow int64   // where the key is absent
	act           string  // "": silu
	tie           bool
	bos, eos      int64
}

// families by model_type. A newcomer is a row here and a function in a file
// family_*.go; docs/extending.md says how it is proven.
var families = map[string]family{
	"llama":       {defaults{hidden: 4096, intermediate: 11008, layers: 32, heads: 32, vocab: 32000, maxPositions: 2048, bos: 1, eos: 2}, readLlama},
	"mistral":     {defaults{hidden: 4096, intermediate: 14336, layers: 32, heads: 32, vocab: 32000, maxPositions: 131072, kvHeads: 8, slidingWindow: 4096, bos: 1, eos: 2}, readMistral},
	"qwen2":       {defaults{hidden: 4096, intermediate: 22016, layers: 32, heads: 32, vocab: 151936, maxPositions: 32768, kvHeads: 32, slidingWindow: 4096, bos: -1, eos: -1}, readQwen2},
	"qwen3":       {defaults{hidden: 4096, intermediate: 22016, layers: 32, heads: 32, vocab: 151936, maxPositions: 32768, kvHeads: 32, headDim: 128, slidingWindow: 4096, bos: -1, eos: -1}, readQwen3},
	"transformer": {defaults{hidden: 2048, layers: 24, heads: 32, vocab: 32000, maxPositions: 2048, act: "swish", bos: 1, eos: 2}, readFla},

	"gpt2":     {defaults{hidden: 768, layers: 12, heads: 12, vocab: 50257, maxPositions: 1024, eps: 1e-5, act: "gelu_new", tie: true, bos: 50256, eos: 50256}, readGPT2},
	"gpt_neox": {defaults{hidden: 6144, intermediate: 24576, layers: 44, heads: 64, vocab: 50432, maxPositions: 2048, eps: 1e-5, act: "gelu", bos: 0, eos: 2}, readGPTNeoX},
	"olmo2":    {defaults{hidden: 4096, intermediate: 11008, layers: 32, heads: 32, vocab: 50304, maxPositions: 2048, eps: 1e-5, bos: -1, eos: 50279}, readOLMo2},
	"gemma":    {defaults{hidden: 3072, intermediate: 24576, layers: 28, heads: 16, kvHeads: 16, headDim: 256, vocab: 256000, maxPositions: 8192, act: "gelu_pytorch_tanh", tie: true, bos: 2, eos: 1}, readGemma},
	"gemma2":   {defaults{hidden: 2304, intermediate: 9216, layers: 26, heads: 8, kvHeads: 4, headDim: 256, vocab: 256000, maxPositions: 8192, slidingWindow: 4096, act: "gelu_pytorch_tanh", tie: true, bos: 2, eos: 1}, readGemma2},
}

// Families lists the model types that load, sorted.
func Families() []string {
	names := make([]string, 0, len(families))
	for n := range families {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func unknownType(name string) error {
	if name == "" {
		return fmt.Errorf("model_type is missing: want %s", typeList())
	}
	return fmt.Errorf("model_type %q is not supported: want %s", name, typeList())
}

func typeList() string {
	names := Families()
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
