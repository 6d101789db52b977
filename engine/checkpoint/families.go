package checkpoint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/softbench/softbench/engine/attention"
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
	windowFrom    int64   // max_window_layers of Qwen's; 0: 28
	rope          string  // rope_parameters of a config that has no rotary settings; "": none
	mrope         bool    // positions of time, height and width, which of text are one
	act           string  // "": silu
	tie           bool
	kind          attention.Spec // of attention; softmax where not said
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

	"apertus":          {defaults{hidden: 4096, intermediate: 14336, layers: 32, heads: 32, vocab: 131072, maxPositions: 65536, eps: 1e-5, theta: 12000000, act: "xielu", rope: `{"rope_type":"llama3","rope_theta":12000000,"factor":8,"original_max_position_embeddings":8192,"low_freq_factor":1,"high_freq_factor":4}`, bos: 1, eos: 2}, readApertus},
	"arcee":            {defaults{hidden: 2560, intermediate: 18432, layers: 32, heads: 32, vocab: 32000, maxPositions: 4096, eps: 1e-5, act: "relu2", bos: 128000, eos: 128001}, readArcee},
	"cohere":           {defaults{hidden: 8192, intermediate: 22528, layers: 40, heads: 64, vocab: 256000, maxPositions: 8192, eps: 1e-5, theta: 500000, tie: true, bos: 5, eos: 255001}, readCohere},
	"cohere2":          {defaults{hidden: 8192, intermediate: 22528, layers: 40, heads: 64, vocab: 256000, maxPositions: 8192, eps: 1e-5, slidingWindow: 4096, tie: true, bos: 5, eos: 255001}, readCohere2},
	"ernie4_5":         {defaults{hidden: 1024, intermediate: 3072, layers: 18, heads: 16, kvHeads: 2, headDim: 128, vocab: 103424, maxPositions: 131072, eps: 1e-5, theta: 500000, tie: true, bos: 1, eos: 2}, readErnie45},
	"exaone4":          {defaults{hidden: 4096, intermediate: 16384, layers: 32, heads: 32, kvHeads: 32, vocab: 102400, maxPositions: 2048, eps: 1e-5, slidingWindow: 4096, bos: 0, eos: 2}, readExaone4},
	"gemma3_text":      {defaults{hidden: 2304, intermediate: 9216, layers: 26, heads: 8, kvHeads: 4, headDim: 256, vocab: 262208, maxPositions: 131072, theta: 1000000, slidingWindow: 4096, act: "gelu_pytorch_tanh", tie: true, bos: 2, eos: 1}, readGemma3},
	"glm":              {defaults{hidden: 4096, intermediate: 13696, layers: 40, heads: 32, kvHeads: 2, headDim: 128, vocab: 151552, maxPositions: 131072, eps: 1.5625e-7, partial: 0.5, bos: -1, eos: 151329}, readGLM},
	"glm4":             {defaults{hidden: 4096, intermediate: 13696, layers: 40, heads: 32, kvHeads: 2, headDim: 128, vocab: 151552, maxPositions: 131072, eps: 1.5625e-7, partial: 0.5, bos: -1, eos: 151329}, readGLM4},
	"granite":          {defaults{hidden: 4096, intermediate: 11008, layers: 32, heads: 32, vocab: 32000, maxPositions: 2048, bos: 1, eos: 2}, readGranite},
	"helium":           {defaults{hidden: 2560, intermediate: 7040, layers: 24, heads: 20, kvHeads: 20, headDim: 128, vocab: 48000, maxPositions: 4096, eps: 1e-8, theta: 100000, bos: 1, eos: 2}, readHelium},
	"hunyuan_v1_dense": {defaults{hidden: 4096, intermediate: 11008, layers: 32, heads: 32, vocab: 290943, maxPositions: 2048, eps: 1e-5, bos: 1, eos: 2}, readHunYuan},
	"ministral":        {defaults{hidden: 4096, intermediate: 14336, layers: 32, heads: 32, kvHeads: 8, vocab: 32000, maxPositions: 131072, slidingWindow: 4096, bos: 1, eos: 2}, readMinistral},
	"ministral3": {defaults{hidden: 4096, intermediate: 14336, layers: 34, heads: 32, kvHeads: 8, headDim: 128, vocab: 131072, maxPositions: 262144, eps: 1e-5,
		rope: `{"rope_type":"yarn","rope_theta":1000000,"factor":16,"original_max_position_embeddings":16384,"beta_fast":32,"beta_slow":1,"mscale_all_dim":1,"mscale":1,"llama_4_scaling_beta":0.1}`, bos: 1, eos: 2}, readMinistral3},
	"nemotron":        {defaults{hidden: 6144, intermediate: 24576, layers: 32, heads: 48, vocab: 256000, maxPositions: 4096, eps: 1e-5, partial: 0.5, act: "relu2", bos: 2, eos: 3}, readNemotron},
	"olmo":            {defaults{hidden: 4096, intermediate: 11008, layers: 32, heads: 32, vocab: 50304, maxPositions: 2048, bos: -1, eos: 50279}, readOLMo},
	"olmo3":           {defaults{hidden: 4096, intermediate: 11008, layers: 32, heads: 32, vocab: 50304, maxPositions: 2048, eps: 1e-5, theta: 500000, slidingWindow: 4096, bos: -1, eos: 50279}, readOLMo3},
	"opt":             {defaults{hidden: 768, intermediate: 3072, layers: 12, heads: 12, vocab: 50272, maxPositions: 2048, act: "relu", tie: true, bos: 2, eos: 2}, readOPT},
	"phi":             {defaults{hidden: 2048, intermediate: 8192, layers: 24, heads: 32, vocab: 51200, maxPositions: 2048, eps: 1e-5, partial: 0.5, act: "gelu_new", bos: 1, eos: 2}, readPhi},
	"phi3":            {defaults{hidden: 3072, intermediate: 8192, layers: 32, heads: 32, vocab: 32064, maxPositions: 4096, eps: 1e-5, partial: 1, bos: 1, eos: 32000}, readPhi3},
	"seed_oss":        {defaults{hidden: 4096, intermediate: 27648, layers: 64, heads: 80, kvHeads: 8, headDim: 128, vocab: 155136, maxPositions: 524288, bos: 0, eos: 2}, readSeedOSS},
	"smollm3":         {defaults{hidden: 2048, intermediate: 11008, layers: 36, heads: 16, kvHeads: 4, vocab: 128256, maxPositions: 32768, theta: 2000000, tie: true, bos: 128000, eos: 128001}, readSmolLM3},
	"stablelm":        {defaults{hidden: 2560, intermediate: 6912, layers: 32, heads: 32, kvHeads: 32, vocab: 50304, maxPositions: 4096, eps: 1e-5, partial: 0.25, bos: 0, eos: 0}, readStableLM},
	"qwen2_vl_text":   {defaults{hidden: 8192, intermediate: 29568, layers: 80, heads: 64, kvHeads: 8, vocab: 152064, maxPositions: 32768, eps: 1e-5, theta: 1000000, slidingWindow: 4096, windowFrom: 80, mrope: true, bos: 151643, eos: 151645}, readQwen2},
	"qwen2_5_vl_text": {defaults{hidden: 8192, intermediate: 29568, layers: 80, heads: 64, kvHeads: 8, vocab: 152064, maxPositions: 32768, eps: 1e-5, theta: 1000000, slidingWindow: 4096, windowFrom: 80, mrope: true, bos: 151643, eos: 151645}, readQwen2},
	"qwen3_vl_text":   {defaults{hidden: 4096, intermediate: 22016, layers: 32, heads: 32, kvHeads: 32, headDim: 128, vocab: 151936, maxPositions: 128000, theta: 500000, slidingWindow: 4096, mrope: true, bos: -1, eos: -1}, readQwen3VL},
	"mixtral":         {defaults{hidden: 4096, intermediate: 14336, layers: 32, heads: 32, kvHeads: 8, vocab: 32000, maxPositions: 131072, eps: 1e-5, theta: 1000000, bos: 1, eos: 2}, readMixtral},
	"qwen2_moe":       {defaults{hidden: 2048, intermediate: 5632, layers: 24, heads: 16, kvHeads: 16, vocab: 151936, maxPositions: 32768, slidingWindow: 4096, bos: -1, eos: -1}, readQwen2MoE},
	"qwen3_moe":       {defaults{hidden: 2048, intermediate: 6144, layers: 24, heads: 32, kvHeads: 4, vocab: 151936, maxPositions: 32768, slidingWindow: 4096, bos: -1, eos: -1}, readQwen3MoE},
	"olmoe":           {defaults{hidden: 2048, intermediate: 2048, layers: 16, heads: 16, vocab: 50304, maxPositions: 4096, eps: 1e-5, bos: -1, eos: 50279}, readOLMoE},
	"gpt_oss": {defaults{hidden: 2880, intermediate: 2880, layers: 36, heads: 64, kvHeads: 8, headDim: 64, vocab: 201088, maxPositions: 131072, eps: 1e-5, theta: 150000, slidingWindow: 128, kind: attention.Spec{Kind: attention.Sink},
		rope: `{"rope_type":"yarn","factor":32,"beta_fast":32,"beta_slow":1,"truncate":false,"original_max_position_embeddings":4096}`, bos: -1, eos: 200002}, readGPTOSS},

	"starcoder2": {defaults{hidden: 3072, intermediate: 12288, layers: 30, heads: 24, kvHeads: 2, vocab: 49152, maxPositions: 4096, eps: 1e-5, act: "gelu_pytorch_tanh", tie: true, bos: 50256, eos: 50256}, readStarcoder2},
}

// Families lists the model types that load, sorted.
func Families() []string { return slices.Sorted(maps.Keys(families)) }

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
