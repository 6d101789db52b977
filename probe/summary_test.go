package probe

import (
	"context"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/randmodel"
)

// checkSummary compares the whole model's measures, and each head's mass by the
// number of keys a query sees, with whole maps and streams.
func (n *naive) checkSummary(near func(what string, got, want, bound float64), c *checkpoint.Config, lengths []int) {
	var zeros, small, all, dead, queries, massive int
	var mass float64
	var x []float64
	for layer := range c.Layers {
		for h := range c.Heads {
			var sums, counts [MassBuckets]float64
			any := false
			for node, length := range lengths {
				seen := n.weights[[3]int{node, layer, h}]
				for q := range length {
					row := 0.0
					for k := range q + 1 {
						w := seen[q*length+k]
						all++
						if w == 0 {
							zeros++
						}
						if w <= Small {
							small++
						}
						row += float64(w)
						any = any || w != 0
					}
					mass += row
					queries++
					bucket := 0
					for 2<<bucket <= q+1 {
						bucket++
					}
					sums[bucket] += row
					counts[bucket]++
				}
			}
			if !any {
				dead++
			}
			for b, m := range n.p.Heads()[layer*c.Heads+h].MassByLength {
				near("queries by length", float64(m.Queries), counts[b], 0)
				near("mass by length", m.Sum, sums[b], 1e-9)
			}
		}
		for node := range lengths {
			stream := n.residual[[2]int{node, layer}]
			abs := make([]float64, len(stream))
			for i, v := range stream {
				x = append(x, float64(v))
				abs[i] = math.Abs(float64(v))
			}
			slices.Sort(abs)
			median := (abs[(len(abs)-1)/2] + abs[len(abs)/2]) / 2
			for _, v := range abs {
				if v > 100 && v > 1000*median {
					massive++
				}
			}
		}
	}
	var mean, m2, m4 float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		d := v - mean
		m2 += d * d / float64(len(x))
		m4 += d * d * d * d / float64(len(x))
	}
	s := n.p.Summary()
	near("pooled sparsity", s.Sparsity, float64(zeros)/float64(all), 1e-12)
	near("pooled near sparsity", s.NearSparsity, float64(small)/float64(all), 1e-12)
	near("dead heads", s.DeadHeads, float64(dead)/float64(c.Layers*c.Heads), 1e-12)
	near("pooled mass", s.Mass, mass/float64(queries), 1e-9)
	near("pooled kurtosis", s.Kurtosis, m4/(m2*m2), 1e-9)
	near("pooled min", s.Min, slices.Min(x), 0)
	near("pooled max", s.Max, slices.Max(x), 0)
	near("massive", float64(s.Massive), float64(massive), 0)
	near("samples", float64(s.Samples), float64(len(lengths)), 0)
	near("queries", float64(s.Tokens*c.Layers*c.Heads), float64(queries), 0)
}

// TestMassiveNeedsBoth: an activation counts above 100 and above 1000 medians of
// its layer, neither alone; the model's count and extremes are of all layers.
func TestMassiveNeedsBoth(t *testing.T) {
	const hidden, length = 4, 10
	for name, c := range map[string]struct {
		rest, odd []float32
		want      int64
	}{
		"above medians alone": {[]float32{0.01}, []float32{90, -100}, 0},
		"both":                {[]float32{0.01}, []float32{100.5, -101, 99}, 2},
		"above 100 alone":     {[]float32{-1}, []float32{999, -1000}, 0},
		"both, by medians":    {[]float32{-1}, []float32{1001, -1002, 1000}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := New(3, 1, hidden, []int{length}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for layer := range 3 {
				x := slices.Repeat(c.rest, hidden*length)
				if layer == 1 {
					copy(x[7:], c.odd)
				}
				p.Residual(engine.Residual{Layer: layer, X: x})
			}
			layers, s := p.Layers(), p.Summary()
			if layers[1].Massive != c.want || layers[0].Massive+layers[2].Massive != 0 || s.Massive != c.want {
				t.Errorf("%+v, pooled %d; want %d in the middle one", layers, s.Massive, c.want)
			}
			if want := float64(slices.Min(c.odd)); s.Min != want || layers[1].Min != want {
				t.Errorf("least %v and %v, want %v", s.Min, layers[1].Min, want)
			}
			if want := float64(slices.Max(c.odd)); s.Max != want || layers[1].Max != want {
				t.Errorf("largest %v and %v, want %v", s.Max, layers[1].Max, want)
			}
		})
	}
}

// TestNearlyZero: a weight of exactly 1e-5 is nearly zero, the next above it is
// not, and only zero is zero.
func TestNearlyZero(t *testing.T) {
	p, err := New(1, 1, 1, []int{4}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	const small = float32(1e-5)
	row := []float32{0, small, math.Nextafter32(small, 1), 0.5}
	feed(p, 0, 0, 1, 4, 4, 4, func(_, q, k int) float32 { return row[k] })
	// The rows are 0 | 0 s | 0 s + | 0 s + 5.
	if s := p.Summary(); s.Sparsity != 0.4 || s.NearSparsity != 0.7 {
		t.Errorf("sparsity %v, near %v; want 4 and 7 of 10", s.Sparsity, s.NearSparsity)
	}
}

// widest hands on to Diagnostics and keeps the size of the largest block it saw.
type widest struct {
	p       *Diagnostics
	weights int
}

func (w *widest) Attention(b engine.AttentionBlock) {
	w.weights = max(w.weights, len(b.Weights))
	w.p.Attention(b)
}

func (w *widest) Residual(r engine.Residual) { w.p.Residual(r) }

// TestMemoryIsLinear: a text four times as long is shown no larger
// blocks, and takes at most about four times as much memory, all that is thrown
// away on the way included; a map would take sixteen times as much.
func TestMemoryIsLinear(t *testing.T) {
	dir := t.TempDir()
	if err := randmodel.Write(dir, randmodel.Options{Hidden: 32, Intermediate: 32, Layers: 2, Heads: 2, Vocab: 16, MaxPositions: 2048, Attention: "softpick"}); err != nil {
		t.Fatal(err)
	}
	ck, err := checkpoint.Open(dir, checkpoint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ck.Close()
	took := func(length int) (block int, bytes uint64) {
		b, err := engine.NewCPU(context.Background(), ck, engine.CPUOptions{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		m := engine.New(b, ck.Config.Vocab)
		defer m.Close()
		p, err := New(2, 2, 32, []int{length}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		w := &widest{p: p}
		ids := make([]int32, length)
		for i := range ids {
			ids[i] = int32(i * 7 % 16)
		}
		f := &engine.Forest{Nodes: []engine.Node{{Parent: -1, Tokens: ids}}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := m.Run(context.Background(), f, engine.RunOptions{BatchTokens: 256, Observer: w}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return w.weights, after.TotalAlloc - before.TotalAlloc
	}
	shortBlock, short := took(512)
	longBlock, long := took(2048)
	t.Logf("512 tokens: blocks of %d weights, %d bytes in all; 2048: %d, %d", shortBlock, short, longBlock, long)
	if longBlock != shortBlock {
		t.Errorf("blocks of %d weights in 2048 tokens, of %d in 512", longBlock, shortBlock)
	}
	if raceEnabled {
		t.Skip("each block of weights, and there are quadratically many, allocates under the race detector: bytes are counted without it")
	}
	if long > 6*short {
		t.Errorf("2048 tokens took %d bytes, 512 took %d", long, short)
	}
}
