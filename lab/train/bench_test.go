package train

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/kernel"
)

// BenchmarkStep times one training step, on one thread: of the small model of
// docs/twins.md on 32 windows of 128 tokens, and of one as large as the built-in
// twins on 8 windows of 1024. GFLOP/s count the products of weights, queries, keys
// and values that a step needs, two operations each: 3 times the forward pass's.
// The last figures are of the fastest step, beside the fastest runs of the loops
// that do nothing but multiply, on this thread: other work on the machine moves
// them little.
func BenchmarkStep(b *testing.B) {
	tokens := make([]int32, 10000)
	for _, size := range []struct {
		name   string
		config Config
		batch  int
	}{
		{"toy", Config{Hidden: 64, Intermediate: 176, Layers: 2, Heads: 2, HeadSize: 64, Vocab: 162, Context: 128}, 32},
		{"twin", Config{Hidden: 128, Intermediate: 344, Layers: 4, Heads: 4, Vocab: 2048, Context: 1024}, 4},
		{"4M", Config{Hidden: 192, Intermediate: 512, Layers: 8, Heads: 3, HeadSize: 64, Vocab: 2048, Context: 256}, 16},
	} {
		c := size.config
		c.RopeTheta, c.NormEps, c.Tie = 10000, 1e-5, true
		for i := range tokens {
			tokens[i] = int32(i * 7919 % c.Vocab)
		}
		for _, kind := range []attention.Kind{attention.Softmax, attention.Softpick} {
			b.Run(size.name+"/"+kind.String(), func(b *testing.B) {
				c.Attention = kind
				t, err := NewTrainer(tokens, Options{
					Config: c, Steps: 1000000, Batch: size.batch, Accumulate: 1, Rate: 1e-4, Clip: 1, Threads: 1, DType: kernel.BFloat16,
				})
				if err != nil {
					b.Fatal(err)
				}
				fastest := math.Inf(1)
				for b.Loop() {
					start := time.Now()
					if _, err := t.Step(context.Background()); err != nil {
						b.Fatal(err)
					}
					fastest = min(fastest, time.Since(start).Seconds())
				}
				rows := float64(size.batch * c.Context)
				b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "tok/s")
				speed := rows * stepFLOPs(&c) / fastest
				b.ReportMetric(speed/1e9, "GFLOP/s")
				for dt, peak := range peaks() {
					b.ReportMetric(100*speed/peak, "%"+dt.String()+"-peak")
				}
			})
		}
	}
}

// peaks are this thread's, by operands' format.
func peaks() map[kernel.Arithmetic]float64 {
	best := map[kernel.Arithmetic]float64{}
	for _, p := range kernel.Peaks() {
		if p.Unit != "FLOP" {
			continue
		}
		for range 2000 {
			start := time.Now()
			work := p.Run()
			best[p.Arithmetic] = max(best[p.Arithmetic], work/time.Since(start).Seconds())
		}
	}
	return best
}

// stepFLOPs are the operations of a token's products in a step.
func stepFLOPs(c *Config) float64 {
	h, f, a := float64(c.Hidden), float64(c.Intermediate), float64(c.width())
	weights := float64(c.Layers)*(4*a*h+3*f*h) + float64(c.Vocab)*h
	keys := float64(c.Context+1) / 2 // a token sees on average
	return 3 * 2 * (weights + float64(c.Layers)*2*a*keys)
}
