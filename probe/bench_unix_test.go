//go:build unix

package probe_test

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/probe"
)

// BenchmarkDiagnostics takes diagnostics and scores of the same samples of 512 tokens, in
// turn, on the checkpoint that SOFTBENCH_BENCH_MODEL names (internal/randmodel makes one). It
// reports the seconds of both, in wall and in processor time, and their ratio.
func BenchmarkDiagnostics(b *testing.B) {
	dir := os.Getenv("SOFTBENCH_BENCH_MODEL")
	if dir == "" {
		b.Skip("SOFTBENCH_BENCH_MODEL names no checkpoint")
	}
	set, err := kernel.FromEnv()
	if err != nil {
		b.Fatal(err)
	}
	ck, err := checkpoint.Open(dir, checkpoint.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer ck.Close()
	for _, dt := range []kernel.Arithmetic{kernel.BFloat16, kernel.Float32} {
		backend, err := engine.NewCPU(context.Background(), ck, engine.CPUOptions{Set: set, Formats: kernel.FormatsOf(dt)})
		if err != nil {
			b.Fatal(err)
		}
		m := engine.New(backend, ck.Config.Vocab)
		b.Run(dt.String()+"/"+set.Name(), func(b *testing.B) { benchDiagnostics(b, m, &ck.Config) })
		m.Close()
	}
}

func benchDiagnostics(b *testing.B, m *engine.Model, c *checkpoint.Config) {
	const samples, length = 4, 512
	observed, scored := &engine.Forest{}, &engine.Forest{}
	var lengths []int
	for s := range samples {
		ids := make([]int32, length)
		var asked []engine.Scored
		for i := range ids {
			ids[i] = int32(((s*length+i)*7919 + 13) % c.Vocab)
			asked = append(asked, engine.Scored{Row: i, Targets: []int32{7}})
		}
		observed.Nodes = append(observed.Nodes, engine.Node{Parent: -1, Tokens: ids})
		scored.Nodes = append(scored.Nodes, engine.Node{Parent: -1, Tokens: ids, Scored: asked})
		lengths = append(lengths, length)
	}
	run := func(f *engine.Forest, o engine.Observer) (wall, cpu float64) {
		before, start := processorTime(b), time.Now()
		if _, err := m.Run(context.Background(), f, engine.RunOptions{Observer: o}); err != nil {
			b.Fatal(err)
		}
		return time.Since(start).Seconds(), (processorTime(b) - before).Seconds()
	}
	run(scored, nil)
	var wall, cpu [2]float64
	for b.Loop() {
		p, err := probe.New(c.Layers, c.Heads, c.Hidden, lengths, probe.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for i, f := range []*engine.Forest{observed, scored} {
			var o engine.Observer
			if i == 0 {
				o = p
			}
			w, c := run(f, o)
			wall[i], cpu[i] = wall[i]+w, cpu[i]+c
		}
		if s := p.Summary(); s.Samples != samples {
			b.Fatal(s)
		}
	}
	n := float64(b.N)
	b.ReportMetric(wall[0]/n, "s-diagnostics")
	b.ReportMetric(cpu[0]/n, "cpu-s-diagnostics")
	b.ReportMetric(wall[1]/n, "s-scores")
	b.ReportMetric(cpu[1]/n, "cpu-s-scores")
	b.ReportMetric(wall[0]/wall[1], "wall-ratio")
	b.ReportMetric(cpu[0]/cpu[1], "cpu-ratio")
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
