package probe

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/softbench/softbench/engine"
)

// feed shows a probe one sample's weights, head by head, in blocks of queries
// and keys as the engine does.
func feed(p *Diagnostics, layer, node, heads, length, queryBlock, keyBlock int, weight func(head, q, k int) float32) {
	for h := range heads {
		for q0 := 0; q0 < length; q0 += queryBlock {
			queries := min(queryBlock, length-q0)
			last := q0 + queries - 1
			for k0 := 0; k0 <= last; k0 += keyBlock {
				keys := min(keyBlock, last+1-k0)
				w := make([]float32, queries*keys)
				for q := range queries {
					for k := range keys {
						if k0+k <= q0+q {
							w[q*keys+k] = weight(h, q0+q, k0+k)
						}
					}
				}
				p.Attention(engine.AttentionBlock{Layer: layer, Head: h, Node: node, Query: q0, Queries: queries, Key: k0, Keys: keys, Weights: w})
			}
		}
	}
}

// TestSinkRateByHand: one head puts all on the first key, one exactly 0.3 of
// every row, one nothing, one a uniform row.
func TestSinkRateByHand(t *testing.T) {
	const length = 40
	weight := func(h, q, k int) float32 {
		switch h {
		case 0:
			if k == 0 {
				return 1
			}
		case 1:
			if k == 0 {
				return 0.25 // exact in binary: the mean is exactly the threshold
			}
		case 3:
			return 1 / float32(q+1)
		}
		return 0
	}
	for _, blocks := range [][2]int{{1, 64}, {7, 16}, {40, 40}, {64, 3}} {
		p, err := New(1, 4, 1, []int{length, length}, Options{Threshold: 0.25})
		if err != nil {
			t.Fatal(err)
		}
		for node := range 2 {
			feed(p, 0, node, 4, length, blocks[0], blocks[1], weight)
		}
		s := p.Summary()
		if s.SinkRate[0] != 0.25 {
			t.Errorf("blocks %v: sink rate %v, want 1/4: only the first head is above the threshold, the second exactly at it", blocks, s.SinkRate[0])
		}
		if s.DeadHeads != 0.25 {
			t.Errorf("blocks %v: dead heads %v, want 1/4", blocks, s.DeadHeads)
		}
		heads := p.Heads()
		triangle := float64(length * (length + 1) / 2)
		for h, want := range []float64{1 - length/triangle, 1 - length/triangle, 1, 0} {
			if math.Abs(heads[h].Sparsity-want) > 1e-12 {
				t.Errorf("blocks %v head %d: sparsity %v, want %v", blocks, h, heads[h].Sparsity, want)
			}
		}
		for h, want := range []float64{1, 0.25, 0, 1} {
			if math.Abs(heads[h].Mass-want) > 1e-6 {
				t.Errorf("blocks %v head %d: mass %v, want %v", blocks, h, heads[h].Mass, want)
			}
		}
		if b := heads[3].MassByLength; b[0].Queries != 2 || b[5].Queries != 2*(40-31) || b[6].Queries != 0 {
			t.Errorf("blocks %v: queries by length %v", blocks, b[:7])
		}
	}
}

// TestLaterKeys: alpha_k divides by the number of queries that see key k.
func TestLaterKeys(t *testing.T) {
	p, err := New(1, 1, 1, []int{10}, Options{Threshold: 0.9, Keys: 3})
	if err != nil {
		t.Fatal(err)
	}
	feed(p, 0, 0, 1, 10, 4, 4, func(_, _, k int) float32 {
		if k == 2 {
			return 1
		}
		return 0
	})
	if got := p.Summary().SinkRate; got[0] != 0 || got[1] != 0 || got[2] != 1 {
		t.Errorf("sink rates %v, want 0 0 1", got)
	}
}

func TestResidualMoments(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const hidden, length = 8, 50
	p, err := New(1, 1, hidden, []int{length, length}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	massive := 0
	for node := range 2 {
		x := make([]float32, hidden*length)
		for i := range x {
			x[i] = float32(r.NormFloat64()*0.01 + 0.5)
		}
		if node == 1 {
			x[17], x[40] = 800, -900 // median 0.5: the limit is 500
			x[41] = 400
			massive += 2
		}
		for _, v := range x {
			all = append(all, float64(v))
		}
		for at := 0; at < length; at += 13 { // in pieces
			n := min(13, length-at)
			p.Residual(engine.Residual{Node: node, Position: at, X: x[at*hidden:][:n*hidden]})
		}
	}
	var mean, m2, m4 float64
	for _, v := range all {
		mean += v / float64(len(all))
	}
	for _, v := range all {
		d := v - mean
		m2 += d * d / float64(len(all))
		m4 += d * d * d * d / float64(len(all))
	}
	l := p.Layers()[0]
	if want := m4 / (m2 * m2); math.Abs(l.Kurtosis/want-1) > 1e-9 {
		t.Errorf("kurtosis %v, want %v", l.Kurtosis, want)
	}
	if l.Min != -900 || l.Max != 800 || l.Massive != int64(massive) || l.Values != int64(len(all)) {
		t.Errorf("layer %+v, want %d massive of %d", l, massive, len(all))
	}
}

func TestGaussianKurtosisIsThree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const hidden, length = 400, 1000
	x := make([]float32, hidden*length)
	for i := range x {
		x[i] = float32(r.NormFloat64()*3 + 100)
	}
	p, err := New(1, 1, hidden, []int{length}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.Residual(engine.Residual{X: x})
	if k := p.Layers()[0].Kurtosis; math.Abs(k-3) > 0.03 {
		t.Errorf("kurtosis of a Gaussian %v, want 3", k)
	}
}

// TestMedianAbs: of few and many numbers, odd and even, alike and far apart, with the two in the
// middle in one range of upper bits and in ranges that are not neighbours.
func TestMedianAbs(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	draws := []func() float32{
		func() float32 { return float32(r.NormFloat64()) },
		func() float32 { return float32(math.Exp(20 * r.NormFloat64())) },
		func() float32 { return float32(r.IntN(3)) - 1 },
		func() float32 { return float32(math.Pow(1000, float64(r.IntN(2)))) },
	}
	for k, draw := range draws {
		for n := 1; n < 60; n++ {
			x, abs := make([]float32, n), make([]float64, n)
			for i := range x {
				x[i] = draw()
				abs[i] = math.Abs(float64(x[i]))
			}
			slices.Sort(abs)
			if got, want := medianAbs(x), (abs[(n-1)/2]+abs[n/2])/2; got != want {
				t.Fatalf("draw %d, %d numbers: %v, want %v", k, n, got, want)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, try := range map[string]func() error{
		"no samples":      func() error { _, err := New(1, 1, 1, nil, Options{}); return err },
		"short sample":    func() error { _, err := New(1, 1, 1, []int{1}, Options{Keys: 2}); return err },
		"threshold of 1":  func() error { _, err := New(1, 1, 1, []int{9}, Options{Threshold: 1}); return err },
		"negative thresh": func() error { _, err := New(1, 1, 1, []int{9}, Options{Threshold: -1}); return err },
	} {
		if try() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
