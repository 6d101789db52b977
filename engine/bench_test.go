package engine_test

import (
	"context"
	"math"
	"os"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
)

// BenchmarkPrefill times a document of 2048 tokens, every position scored, on
// the checkpoint that SOFTBENCH_BENCH_MODEL names (internal/randmodel makes
// one). It reports FLOP/s as 2·parameters·tokens.
func BenchmarkPrefill(b *testing.B) {
	dir := os.Getenv("SOFTBENCH_BENCH_MODEL")
	if dir == "" {
		b.Skip("SOFTBENCH_BENCH_MODEL names no checkpoint")
	}
	set, err := kernel.FromEnv()
	if err != nil {
		b.Fatal(err)
	}
	for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
		m, ck := open(b, dir, "", CPUOptions{Set: set, Formats: kernel.FormatsOf(dt)})
		ids, targets := make([]int32, 2048), make([]int32, 2048)
		for i := range ids {
			ids[i] = int32((i*7919 + 13) % ck.Config.Vocab)
			targets[i] = int32((i*7919 + 7932) % ck.Config.Vocab)
		}
		for _, s := range scoreAll(b, m, ids[:64], targets[:64], RunOptions{}) {
			if math.IsNaN(float64(s.LogProbs[0])) {
				b.Fatal("NaN")
			}
		}
		b.Run(dt.String()+"/"+set.Name(), func(b *testing.B) {
			node := Node{Parent: -1, Tokens: ids}
			for i := range ids {
				node.Scored = append(node.Scored, Scored{Row: i, Targets: targets[i : i+1]})
			}
			for b.Loop() {
				if _, err := m.Run(context.Background(), &Forest{Nodes: []Node{node}}, RunOptions{}); err != nil {
					b.Fatal(err)
				}
			}
			flops := 2 * float64(ck.Parameters) * float64(len(ids)) * float64(b.N)
			b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			b.ReportMetric(float64(len(ids)*b.N)/b.Elapsed().Seconds(), "tok/s")
		})
	}
}
