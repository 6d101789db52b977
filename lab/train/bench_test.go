package train

import (
	"context"
	"testing"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/kernel"
)

// BenchmarkStep times one training step of a model as large as the built-in
// twins on 8 windows of 1024 tokens.
func BenchmarkStep(b *testing.B) {
	tokens := make([]int32, 10000)
	for i := range tokens {
		tokens[i] = int32(i * 7919 % 2048)
	}
	for _, kind := range []attention.Kind{attention.Softmax, attention.Softpick} {
		b.Run(kind.String(), func(b *testing.B) {
			t, err := NewTrainer(tokens, Options{
				Config: Config{Hidden: 128, Intermediate: 344, Layers: 6, Heads: 4, Vocab: 2048, Context: 1024, Attention: kind, RopeTheta: 10000, NormEps: 1e-5, Tie: true},
				Steps:  1000000, Batch: 8, Accumulate: 1, Rate: 1e-4, Clip: 1, Threads: 2, DType: kernel.BFloat16,
			})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := t.Step(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*8*1024/b.Elapsed().Seconds(), "tok/s")
		})
	}
}
