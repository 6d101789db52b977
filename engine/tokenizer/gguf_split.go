package tokenizer

import (
	"fmt"
	"slices"
	"strings"
)

// Names in tokenizer.ggml.pre, by the pattern that llama.cpp has for them.
var (
	gpt2Names   = []string{"gpt-2", "mpt", "olmo", "jais", "phi-2", "trillion", "granite-docling", "roberta-bpe", "gigachat", "jina-v2-en", "jina-v2-es", "jina-v2-de", "jina-v1-en", "a.x-4.0", "mellum", "modern-bert"}
	digitNames  = []string{"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"}
	llama3Names = []string{"llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"}
	like3Names  = []string{"dbrx", "smaug-bpe", "chatglm-bpe", "glm4"}
	qwen2Names  = []string{"qwen2", "deepseek-r1-qwen", "stablelm2", "kormo", "f2llmv2", "megrez", "hunyuan", "solar-open"}
	tekkenNames = []string{"tekken"}
	gpt4oNames  = []string{"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"}
)

const (
	splitTekken = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	splitGPT4o  = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// preTokenizer is the section of that name for tokenizer.ggml.pre.
func (g *ggufTokenizer) preTokenizer() (any, error) {
	pre, said := g.Text("tokenizer.ggml.pre")
	arch, _ := g.Text("general.architecture")
	level := func(regex bool) any {
		return map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": regex}
	}
	sequence := func(steps ...any) any { return map[string]any{"type": "Sequence", "pretokenizers": steps} }
	split := func(pattern string) any {
		return sequence(map[string]any{"type": "Split", "pattern": map[string]any{"Regex": pattern}, "behavior": "Isolated", "invert": false}, level(false))
	}
	switch {
	case slices.Contains(gpt2Names, pre), !said && (arch == "gpt2" || arch == "gptneox"):
		return level(true), nil
	case slices.Contains(digitNames, pre):
		return sequence(map[string]any{"type": "Digits", "individual_digits": true}, level(true)), nil
	case slices.Contains(llama3Names, pre) || slices.Contains(like3Names, pre):
		return split(patternLlama3), nil
	case slices.Contains(qwen2Names, pre):
		return split(patternQwen2), nil
	case slices.Contains(tekkenNames, pre):
		return split(splitTekken), nil
	case slices.Contains(gpt4oNames, pre):
		return split(splitGPT4o), nil
	}
	known := slices.Concat(gpt2Names, digitNames, llama3Names, like3Names, qwen2Names, tekkenNames, gpt4oNames)
	slices.Sort(known)
	return nil, fmt.Errorf("tokenizer.ggml.pre %q does not say how text is split (known: %s): put the model's tokenizer.json beside the file", pre, strings.Join(known, ", "))
}
