package eval

import (
	"context"
	"os"
	"testing"

	"github.com/softbench/softbench/internal/golden"
)

// BenchmarkSuite times the first 40 documents of four tasks over the shared
// data, from loading on, on the checkpoint that SOFTBENCH_BENCH_MODEL names.
func BenchmarkSuite(b *testing.B) {
	dir := os.Getenv("SOFTBENCH_BENCH_MODEL")
	if dir == "" {
		b.Skip("SOFTBENCH_BENCH_MODEL names no checkpoint")
	}
	o := RunOptions{
		Suites: []string{"arc_easy", "hellaswag", "piqa", "winogrande"}, Model: ModelOptions{Model: dir},
		Data: golden.Shared(b, "data"), Limit: 40, BatchTokens: 512, Note: func(string) {},
	}
	for b.Loop() {
		r, err := Run(context.Background(), o)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(r.Tokens.Distinct)/r.Process.Seconds, "tok/s")
	}
}
