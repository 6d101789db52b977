package train

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/kernel"
)

// plainKinds are those without weights of their own.
func plainKinds() []attention.Kind {
	return slices.DeleteFunc(attention.Kinds(), func(k attention.Kind) bool { return k.Definition().Learned })
}

// specs are all of them, then all scaled ones.
func specs() (all []attention.Spec) {
	for _, scaled := range []bool{false, true} {
		for _, kind := range plainKinds() {
			all = append(all, attention.Spec{Kind: kind, Scaled: scaled})
		}
	}
	return all
}

// remedies are the specs with weights of their own, or with a soft cap.
var remedies = []attention.Spec{
	{Kind: attention.Sink}, {Kind: attention.Sink, Scaled: true}, {Gated: true}, {Kind: attention.Softpick, Gated: true},
	{Kind: attention.Sink, Gated: true},
	{Cap: 2}, {Kind: attention.Softpick, Cap: 1.5}, {Kind: attention.MaskedSoftmax, Cap: 3}, {Kind: attention.Rectified, Cap: 2, Scaled: true},
	{Kind: attention.Sink, Gated: true, Cap: 2},
}

func smallModel(t *testing.T, kind attention.Spec, set kernel.Set, threads int, tie bool) *Model {
	t.Helper()
	return smallModelOf(t, kind, set, threads, tie, 0)
}

func smallModelOf(t *testing.T, kind attention.Spec, set kernel.Set, threads int, tie bool, headSize int) *Model {
	t.Helper()
	m, err := NewModel(Config{
		Hidden: 24, Intermediate: 40, Layers: 2, Heads: 3, HeadSize: headSize, Vocab: 37, Context: 70,
		Attention: kind.Kind, Scaled: kind.Scaled, Gated: kind.Gated, Cap: kind.Cap, RopeTheta: 1000, NormEps: 1e-5, Tie: tie,
	}, 2, set, threads)
	if err != nil {
		t.Fatal(err)
	}
	m.Params.Init(7, Beginning{})
	// Larger weights than at the start of training: scores of both signs, some
	// above one, and losses that move.
	for _, p := range m.Params.Tensors() {
		switch {
		case hasSuffix(p.Name, scaleSuffix): // a scale of its own for each head
			for i := range p.Data {
				p.Data[i] *= 1 + float32(i)/2
			}
		case len(p.Shape) == 2:
			for i := range p.Data {
				p.Data[i] *= 12
			}
		}
	}
	return m
}

func randomTokens(r *rand.Rand, n, vocab int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(r.IntN(vocab))
	}
	return out
}

// TestGradients compares each parameter's gradient, along random directions,
// with central differences of the loss, for every attention kind.
//
// The rectified kinds jump where a row's first score crosses zero, and a
// difference over the jump is not a slope: the median of several directions is
// compared. Masked softmax jumps wherever any score does; its gradient is
// checked element by element below.
func TestGradients(t *testing.T) {
	for _, kind := range append(specs(), remedies...) {
		if kind.Kind == attention.MaskedSoftmax {
			continue
		}
		for _, tie := range []bool{false, true} {
			headSize := 0
			if tie && !kind.Scaled {
				headSize = 12 // 36 of all heads, beside a width of 24
			}
			m := smallModelOf(t, kind, kernel.Best(), 2, tie, headSize)
			r := rand.New(rand.NewPCG(uint64(kind.Kind), 3))
			in, targets := randomTokens(r, 140, 37), randomTokens(r, 140, 37)
			targets[5], targets[100] = -1, -1
			if _, err := m.Step(context.Background(), in, targets, 1); err != nil {
				t.Fatal(err)
			}
			grads := append([]float32(nil), m.Grads.All...)
			gradTensors := m.Grads.Tensors()
			for i, p := range m.Params.Tensors() {
				copy(m.Grads.All, grads)
				g := append([]float32(nil), gradTensors[i].Data...)
				var errs []float64
				for range 7 {
					errs = append(errs, slopeError(m, r, in, targets, p.Data, g))
				}
				slices.Sort(errs)
				if median := errs[len(errs)/2]; !(median < 0.01) {
					t.Errorf("%s, tied %v: %s: slopes are off by %.2g of themselves", kind, tie, p.Name, median)
				}
			}
		}
	}
}

// slopeError is the relative distance of the gradient's slope along a random
// direction from the loss's central difference.
func slopeError(m *Model, r *rand.Rand, in, targets []int32, data, grad []float32) float64 {
	loss := func() float64 {
		m.forward(in)
		clear(m.dx)
		return m.head(targets, 0, true)
	}
	direction := make([]float32, len(data))
	var slope float64
	for j := range direction {
		direction[j] = float32(r.NormFloat64()) + sign(grad[j]) // not one in which nothing happens
		slope += float64(direction[j]) * float64(grad[j])
	}
	// A step that moves the loss by about 1e-4: far above its rounding,
	// small against its curvature.
	eps := 1e-4 / math.Abs(slope)
	start := append([]float32(nil), data...)
	move := func(by float64) float64 {
		for j := range start {
			data[j] = start[j] + float32(by)*direction[j]
		}
		return loss()
	}
	numeric := (move(eps) - move(-eps)) / (2 * eps)
	copy(data, start)
	return math.Abs(numeric/slope - 1)
}

func sign(x float32) float32 {
	if x < 0 {
		return -1
	}
	return 1
}

// TestAttentionGradients checks dq, dk and dv element by element in float64,
// with rows that have no positive score, and heads whose every row is dead.
func TestAttentionGradients(t *testing.T) {
	const length, size = 21, 6
	for _, kind := range plainKinds() {
		for _, shift := range []float32{0, -4} { // -4: nearly all scores below zero
			r := rand.New(rand.NewPCG(11, uint64(kind)))
			s := newAttentionScratch(length, size, 0)
			for _, v := range [][]float32{s.q, s.k, s.v, s.do} {
				for i := range v {
					v[i] = float32(r.NormFloat64())
				}
			}
			if shift != 0 {
				for i := 0; i < len(s.q); i += size { // a component that adds shift to every score
					s.q[i], s.k[i] = 2, shift
				}
			}
			states := make([]state, length)
			s.forward(kernel.Best().(kernel.Gradients), kind, 0, length, size, states)
			s.backward(kernel.Best().(kernel.Gradients), kind, 0, length, size, states)
			in := [][]float32{s.q, s.k, s.v}
			for n, got := range [][]float32{s.dq, s.dk, s.dv} {
				for i := range got {
					const eps = 1e-5
					at := func(by float64) float64 {
						return objective(kind, in, s.do, length, size, n, i, by)
					}
					want := (at(eps) - at(-eps)) / (2 * eps)
					if math.Abs(float64(got[i])-want) > 2e-4*(1+math.Abs(want)) {
						t.Fatalf("%s shift %v: gradient %d of %s is %v, want %v", kind, shift, i, []string{"q", "k", "v"}[n], got[i], want)
					}
				}
			}
		}
	}
}

// objective is Σ do·o in float64, with element i of input n moved.
func objective(kind attention.Kind, in [][]float32, do []float32, length, size, n, i int, by float64) float64 {
	get := func(which, at int) float64 {
		v := float64(in[which][at])
		if which == n && at == i {
			v += by
		}
		return v
	}
	var sum float64
	for row := range length {
		scores := make([]float64, row+1)
		for j := range scores {
			for d := range size {
				scores[j] += get(0, row*size+d) * get(1, j*size+d)
			}
		}
		weights := make([]float64, row+1)
		attention.Weights(kind, weights, scores, 0)
		for j, w := range weights {
			for d := range size {
				sum += w * get(2, j*size+d) * float64(do[row*size+d])
			}
		}
	}
	return sum
}

// TestThreadsDoNotMatter: the gradient has the same bits on any number of
// threads.
func TestThreadsDoNotMatter(t *testing.T) {
	for _, scaled := range []bool{false, true} {
		threadsDoNotMatter(t, attention.Spec{Kind: attention.Softpick, Scaled: scaled})
	}
	for _, kind := range remedies {
		threadsDoNotMatter(t, kind)
	}
}

func threadsDoNotMatter(t *testing.T, kind attention.Spec) {
	r := rand.New(rand.NewPCG(1, 1))
	in, targets := randomTokens(r, 140, 37), randomTokens(r, 140, 37)
	var want []float32
	var wantLoss float64
	for _, threads := range []int{1, 2, 5} {
		m := smallModel(t, kind, kernel.Best(), threads, true)
		loss, err := m.Step(context.Background(), in, targets, 0.5)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want, wantLoss = m.Grads.All, loss
			continue
		}
		if loss != wantLoss {
			t.Errorf("%d threads: loss %v, on one %v", threads, loss, wantLoss)
		}
		for i, g := range m.Grads.All {
			if math.Float32bits(g) != math.Float32bits(want[i]) {
				t.Fatalf("%d threads: gradient %d is %v, on one %v", threads, i, g, want[i])
			}
		}
	}
}
