package lm

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/randmodel"
)

// BenchmarkGrowth scores requests of shapes that might cost more than their distinct tokens do, each
// in two sizes, on a random model of one layer. It reports nanoseconds a distinct token: where the
// larger size has much more, cost grows faster than tokens, or contexts are that much longer.
func BenchmarkGrowth(b *testing.B) {
	const longest = 4096
	dir := b.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{Hidden: 64, Intermediate: 64, Layers: 1, Heads: 1, Vocab: 1024, MaxPositions: 2 * longest}); err != nil {
		b.Fatal(err)
	}
	ck, err := checkpoint.Open(dir, checkpoint.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer ck.Close()
	text := strings.Repeat("abcdefghijklmnopqrstuvwxyz", longest/26+1)
	shapes := []struct {
		name  string
		sizes [2]int
		make  func(n int) []Request
	}{
		{"prefixes that grow", [2]int{400, 1600}, func(n int) (r []Request) {
			for i := range n {
				r = append(r, Request{text[:i+1], text[i+1 : i+2]})
			}
			return r
		}},
		{"short choices", [2]int{2500, 10_000}, func(n int) (r []Request) {
			for i := range n {
				r = append(r, Request{text[:30], "." + spelled(i)})
			}
			return r
		}},
		{"a path that branches at every token", [2]int{400, 1600}, func(n int) (r []Request) {
			for i := range n {
				r = append(r, Request{text[:i+1], text[i+1 : i+3]}, Request{text[:i+1], ".,"})
			}
			return r
		}},
		{"documents", [2]int{25_000, 100_000}, func(n int) (r []Request) {
			for i := range n {
				r = append(r, Request{spelled(i), "."})
			}
			return r
		}},
	}
	for _, dt := range []kernel.Arithmetic{kernel.Float32, kernel.BFloat16} {
		backend, err := engine.NewCPU(context.Background(), ck, engine.CPUOptions{Formats: kernel.FormatsOf(dt)})
		if err != nil {
			b.Fatal(err)
		}
		m := engine.New(backend, ck.Config.Vocab)
		l, err := New(m, letters{}, Options{MaxLength: 2 * longest})
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range shapes {
			for _, n := range s.sizes {
				requests := s.make(n)
				b.Run(fmt.Sprintf("%s/%s/%d", dt, s.name, n), func(b *testing.B) {
					var tokens int64
					for b.Loop() {
						_, stats, err := l.Score(context.Background(), requests, nil, RunOptions{})
						if err != nil {
							b.Fatal(err)
						}
						tokens += stats.Tokens
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(tokens), "ns/token")
				})
			}
		}
		m.Close()
	}
}

// spelled is a number in letters of which no two neighbours are the same.
func spelled(i int) string {
	var b strings.Builder
	for at := range 4 {
		b.WriteRune(rune("abcdefghijklmnopqr"[i%18]) + rune(at%2*(int('A')-int('a'))))
		i /= 18
	}
	return b.String()
}
