package engine_test

import (
	"os"
	"testing"
	"time"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/kernel"
	"golang.org/x/sys/unix"
)

// processTime is the processor time of all threads.
func processTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// BenchmarkOneSequence times what SOFTBENCH_BENCH_MODEL, a directory or a GGUF file, does for one user on
// one thread, in processor time: a prompt of 512 tokens, the last scored, and 64 tokens decoded
// greedily after 16. docs/quantisation.md has its figures beside llama.cpp's.
func BenchmarkOneSequence(b *testing.B) {
	dir := os.Getenv("SOFTBENCH_BENCH_MODEL")
	if dir == "" {
		b.Skip("SOFTBENCH_BENCH_MODEL names no checkpoint")
	}
	set, err := kernel.FromEnv()
	if err != nil {
		b.Fatal(err)
	}
	for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
		m, ck := open(b, dir, "", CPUOptions{Set: set, Threads: 1, Formats: kernel.FormatsOf(dt)})
		ids := make([]int32, 512)
		for i := range ids {
			ids[i] = int32((i*7919 + 13) % ck.Config.Vocab)
		}
		one := func(name string, tokens int, node Node) {
			b.Run(name+"/"+dt.String()+"/"+set.Name(), func(b *testing.B) {
				before := processTime(b)
				for b.Loop() {
					if _, err := m.Run(b.Context(), &Forest{Nodes: []Node{node}}, RunOptions{Generated: func(int, []int32) error { return nil }}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(tokens*b.N)/(processTime(b)-before).Seconds(), "tok/CPU-s")
			})
		}
		one("prefill", len(ids), Node{Parent: -1, Tokens: ids, Scored: []Scored{{Row: len(ids) - 1, Targets: ids[:1]}}})
		one("decode", 64, Node{Parent: -1, Tokens: ids[:16], Generate: 64})
	}
}
