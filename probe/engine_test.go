package probe

import (
	"context"
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/internal/golden"
)

// naive keeps whole maps and streams, and hands everything on to Diagnostics, block by block: it
// is no Tallier.
type naive struct {
	p        *Diagnostics
	mu       sync.Mutex
	lengths  []int
	weights  map[[3]int][]float32 // of a node, layer and head: [query, key]
	residual map[[2]int][]float32
}

func (n *naive) Attention(b engine.AttentionBlock) {
	n.mu.Lock()
	at, length := [3]int{b.Node, b.Layer, b.Head}, n.lengths[b.Node]
	if n.weights[at] == nil {
		n.weights[at] = make([]float32, length*length)
	}
	for q := range b.Queries {
		for k := range b.Keys {
			if b.Key+k <= b.Query+q {
				n.weights[at][(b.Query+q)*length+b.Key+k] = b.Weights[q*b.Keys+k]
			}
		}
	}
	n.mu.Unlock()
	n.p.Attention(b)
}

func (n *naive) Residual(r engine.Residual) {
	at := [2]int{r.Node, r.Layer}
	n.residual[at] = append(n.residual[at], r.X...)
	n.p.Residual(r)
}

// TestAgainstWholeMaps: on small models of every kind the accumulated measures
// equal those computed from whole maps and streams in float64, from blocks as from
// tallies, and are the same to the bit whatever the batch and the threads.
func TestAgainstWholeMaps(t *testing.T) {
	for _, g := range golden.Models(t) {
		for _, in := range g.Observed {
			ck, err := checkpoint.Open(g.Dir, checkpoint.Options{Attention: in.Attention})
			if err != nil {
				t.Fatal(err)
			}
			models := map[int]*engine.Model{} // by threads
			for _, threads := range []int{1, 2, 3} {
				b, err := engine.NewCPU(context.Background(), ck, engine.CPUOptions{Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				defer b.Close()
				models[threads] = engine.New(b, ck.Config.Vocab)
			}
			f := &engine.Forest{}
			var lengths []int
			for _, s := range g.Sequences {
				if len(s.IDs) > 16 {
					f.Nodes = append(f.Nodes, engine.Node{Parent: -1, Tokens: s.IDs})
					lengths = append(lengths, len(s.IDs))
				}
			}
			c, name := &ck.Config, g.Name+" "+in.Attention
			run := func(o func(*Diagnostics) engine.Observer, batch, threads int) *Diagnostics {
				p, err := New(c.Layers, c.Heads, c.Hidden, lengths, Options{Threshold: 0.2, Keys: 2})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := models[threads].Run(context.Background(), f, engine.RunOptions{BatchTokens: batch, Observer: o(p)}); err != nil {
					t.Fatal(err)
				}
				return p
			}
			n := &naive{lengths: lengths, weights: map[[3]int][]float32{}, residual: map[[2]int][]float32{}}
			blocks := func(p *Diagnostics) engine.Observer { n.p = p; return n }
			tallies := func(p *Diagnostics) engine.Observer { return p }
			for how, o := range map[string]func(*Diagnostics) engine.Observer{"blocks": blocks, "tallies": tallies} {
				first := run(o, 512, 2)
				if n.p == nil { // the weights are those that blocks show
					run(blocks, 512, 2)
				}
				n.p = first
				n.check(t, name+" "+how, c, lengths)
				for threads, batch := range map[int]int{1: 23, 3: 64} {
					again := run(o, batch, threads)
					for i := range lengths {
						if got, want := again.Observed(i), first.Observed(i); !reflect.DeepEqual(got, want) {
							t.Errorf("%s: %s, batch of %d, %d threads: sample %d gave %+v, else %+v", name, how, batch, threads, i, got, want)
						}
					}
				}
				clear(n.residual)
				n.p = nil
			}
			ck.Close()
		}
	}
}

func (n *naive) check(t *testing.T, name string, c *checkpoint.Config, lengths []int) {
	t.Helper()
	near := func(what string, got, want, bound float64) {
		t.Helper()
		if !(math.Abs(got-want) <= bound*(1+math.Abs(want))) {
			t.Errorf("%s: %s %v, want %v", name, what, got, want)
		}
	}
	sinks, heads := [2]int{}, n.p.Heads()
	for layer := range c.Layers {
		for h := range c.Heads {
			var zeros, small, all, silent, queries int
			var mass float64
			for node, length := range lengths {
				seen := n.weights[[3]int{node, layer, h}]
				var keys [2]float64
				for q := range length {
					row, any := 0.0, false
					for k := range q + 1 {
						w := seen[q*length+k] // zero outside the window
						all++
						if w == 0 {
							zeros++
						}
						if w <= Small {
							small++
						}
						if k < 2 {
							keys[k] += float64(w)
						}
						row += float64(w)
						any = any || w != 0
					}
					mass += row
					queries++
					if !any {
						silent++
					}
				}
				for k, sum := range keys {
					if sum/float64(length-k) > 0.2 {
						sinks[k]++
					}
				}
			}
			got := heads[layer*c.Heads+h]
			near("sparsity", got.Sparsity, float64(zeros)/float64(all), 1e-12)
			near("near sparsity", got.NearSparsity, float64(small)/float64(all), 1e-12)
			near("silent", got.Silent, float64(silent)/float64(queries), 1e-12)
			near("mass", got.Mass, mass/float64(queries), 1e-9)
			if got.Dead != (silent == queries) {
				t.Errorf("%s layer %d head %d: dead %v", name, layer, h, got.Dead)
			}
		}
		var x []float64
		for node := range lengths {
			for _, v := range n.residual[[2]int{node, layer}] {
				x = append(x, float64(v))
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
		l := n.p.Layers()[layer]
		near("kurtosis", l.Kurtosis, m4/(m2*m2), 1e-9)
		near("min", l.Min, slices.Min(x), 0)
		near("max", l.Max, slices.Max(x), 0)
	}
	n.checkSamples(near, c, lengths)
	n.checkSummary(near, c, lengths)
	n.checkMaps(t, name, c, lengths)
	for k, count := range sinks {
		near("sink rate", n.p.Summary().SinkRate[k], float64(count)/float64(c.Layers*c.Heads*len(lengths)), 1e-12)
	}
}

// checkSamples compares the measures of each sample with its own maps and stream.
func (n *naive) checkSamples(near func(what string, got, want, bound float64), c *checkpoint.Config, lengths []int) {
	for node, length := range lengths {
		var sinks, dead, zeros, small, all int
		var mass, count, mean, m2, m4 float64
		for layer := range c.Layers {
			for h := range c.Heads {
				seen := n.weights[[3]int{node, layer, h}]
				first, any := 0.0, false
				for q := range length {
					for k := range q + 1 {
						w := seen[q*length+k]
						all++
						if w == 0 {
							zeros++
						}
						if w <= Small {
							small++
						}
						if k == 0 {
							first += float64(w)
						}
						mass += float64(w)
						any = any || w != 0
					}
				}
				if first/float64(length) > 0.2 {
					sinks++
				}
				if !any {
					dead++
				}
			}
			for _, v := range n.residual[[2]int{node, layer}] {
				mean += float64(v)
				count++
			}
		}
		mean /= count
		for layer := range c.Layers {
			for _, v := range n.residual[[2]int{node, layer}] {
				d := float64(v) - mean
				m2 += d * d / count
				m4 += d * d * d * d / count
			}
		}
		heads := float64(c.Layers * c.Heads)
		got := n.p.Samples()[node]
		near("sample's sink rate", got.SinkRate, float64(sinks)/heads, 1e-12)
		near("sample's dead heads", got.DeadHeads, float64(dead)/heads, 1e-12)
		near("sample's sparsity", got.Sparsity, float64(zeros)/float64(all), 1e-12)
		near("sample's near sparsity", got.NearSparsity, float64(small)/float64(all), 1e-12)
		near("sample's mass", got.Mass, mass/heads/float64(length), 1e-9)
		near("sample's kurtosis", got.Kurtosis, m4/(m2*m2), 1e-9)
	}
}

// checkMaps feeds the blocks of the last sample to Maps again, cut anew, and
// compares the maps with the weights seen.
func (n *naive) checkMaps(t *testing.T, name string, c *checkpoint.Config, lengths []int) {
	t.Helper()
	node := len(lengths) - 1
	length := lengths[node]
	m, err := NewMaps([]int{c.Layers - 1, 0}, []int{0, c.Heads - 1}, length, c.Layers, c.Heads)
	if err != nil {
		t.Fatal(err)
	}
	const queries, keys = 5, 7
	for layer := range c.Layers {
		for h := range c.Heads {
			seen := n.weights[[3]int{node, layer, h}]
			for q := 0; q < length; q += queries {
				for k := 0; k < length; k += keys {
					b := engine.AttentionBlock{Layer: layer, Head: h, Query: q, Queries: min(queries, length-q), Key: k, Keys: min(keys, length-k)}
					for i := range b.Queries {
						for j := range b.Keys {
							b.Weights = append(b.Weights, seen[(q+i)*length+k+j])
						}
					}
					m.Attention(b)
				}
			}
		}
	}
	if all := m.All(); all[0].Layer != c.Layers-1 || all[0].Head != 0 {
		t.Errorf("%s: the first map is of layer %d head %d", name, all[0].Layer, all[0].Head)
	}
	for _, one := range m.All() {
		seen := n.weights[[3]int{node, one.Layer, one.Head}]
		for q := range length {
			for k := range q + 1 {
				if got, want := one.Weights[q*(q+1)/2+k], seen[q*length+k]; got != want {
					t.Fatalf("%s: layer %d head %d: weight of query %d on key %d is %v, want %v", name, one.Layer, one.Head, q, k, got, want)
				}
			}
		}
	}
	if _, err := NewMaps([]int{c.Layers}, []int{0}, length, c.Layers, c.Heads); err == nil {
		t.Errorf("%s: a map of a layer that does not exist", name)
	}
}
