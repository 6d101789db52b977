package tokenizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkLoad and BenchmarkEncode run over the real tokenizers and skip where they are absent.

func BenchmarkLoad(b *testing.B) {
	shared := sharedDir(b)
	for _, name := range []string{"gpt-neox", "mistral-v0.3", "llama2"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				load(b, filepath.Join(shared, "tokenizers", name))
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	shared := sharedDir(b)
	data, err := os.ReadFile(filepath.Join(shared, "data", "wikitext2", "validation.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	texts := map[string]string{"wikitext": string(data), "letters": strings.Repeat("a", 1<<20), "mixed": nonRepeating(1 << 20)}
	for _, name := range []string{"gpt-neox", "mistral-v0.3", "llama2"} {
		tok := load(b, filepath.Join(shared, "tokenizers", name))
		for kind, text := range texts {
			b.Run(name+"/"+kind, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					tok.Encode(text, true)
				}
			})
		}
	}
}

// nonRepeating returns n lower-case letters without a space, from a linear congruential generator.
func nonRepeating(n int) string {
	b := make([]byte, n)
	state := uint32(1)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = 'a' + byte(state>>24)%26
	}
	return string(b)
}
