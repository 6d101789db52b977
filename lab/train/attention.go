package train

import (
	"math"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/kernel"
)

// attentionScratch is what one head of one sequence needs, for one thread.
type attentionScratch struct {
	q, k, v, o     []float32 // [T, size]
	dq, dk, dv, do []float32
	keys, values   []float32 // k and v in transposed groups, [T/16, size, 16]
	p, dp          []float32 // [T, T]: weights, and what they become
	pt, dpt        []float32 // transposes
}

// state is what backward needs of a row: its maximum and its denominator's
// logarithm are lse = max + ln(denominator).
type state = kernel.State

// forward fills o with the attention's output. q is scaled already. Row i sees
// keys 0 to i.
func (s *attentionScratch) forward(set kernel.Set, kind attention.Kind, length, size int, states []state) {
	s.weights(set, kind, length, size, states)
	clear(s.o)
	for i := 0; i < length; i += kernel.KeyBlock {
		m := min(kernel.KeyBlock, length-i)
		set.Accumulate(s.o[i*size:], s.p[i*length:], length, m, s.v, i+m, size)
	}
}

// weights fills p with the final weights, row by row, zero above the diagonal.
func (s *attentionScratch) weights(set kernel.Set, kind attention.Kind, length, size int, states []state) {
	groups := (length + kernel.KeyGroup - 1) / kernel.KeyGroup
	toGroups(s.keys, s.k, length, size)
	row := make([]float32, groups*kernel.KeyGroup+kernel.KeyBlock)
	for i := range length {
		seen := i/kernel.KeyGroup + 1
		set.Scores(row, len(row), s.q[i*size:], 1, size, s.keys, seen)
		st := kernel.NewState(kind)
		for _, x := range row[:i+1] {
			st.Max = max(st.Max, x)
		}
		floor := exp32(-st.Max)
		var sum float32
		out := s.p[i*length:][:length]
		for j, x := range row[:i+1] {
			w, d := numerator(kind, x, st.Max, floor)
			out[j] = w
			sum += d
		}
		clear(out[i+1:])
		st.Sum = sum
		states[i] = st
		set.Scale(out[:i+1], st.Norm(kind))
	}
}

// numerator is a key's weight before normalising, and its part of the
// denominator (DESIGN §4).
func numerator(kind attention.Kind, x, m, floor float32) (w, d float32) {
	e := exp32(x - m)
	switch kind {
	case attention.Softpick:
		w = e - floor
		return max(w, 0), float32(math.Abs(float64(w)))
	case attention.Rectified:
		w = max(e-floor, 0)
		return w, w
	case attention.MaskedSoftmax:
		if x < 0 {
			return 0, 0
		}
	}
	return e, e
}

// backward computes dq, dk and dv from do, given q (scaled), k, v, o and the
// forward pass's states. With p the weights, Δ = Σ dO·O of a row and
// e_j = e^(x_j - lse), lse = m + ln(denominator), the gradient of score j is
//
//	softmax, masked, plus-one:  p_j·(dO·v_j - Δ)
//	softpick:   e_j·([x_j > 0]·(dO·v_j) - sign(x_j)·Δ)
//	rectified:  e_j·[x_j > 0]·(dO·v_j - Δ)
func (s *attentionScratch) backward(set kernel.Set, kind attention.Kind, length, size int, states []state) {
	groups := (length + kernel.KeyGroup - 1) / kernel.KeyGroup
	toGroups(s.keys, s.k, length, size)
	toGroups(s.values, s.v, length, size)
	width := groups*kernel.KeyGroup + kernel.KeyBlock
	x, dots := make([]float32, width), make([]float32, width)
	for i := range length {
		seen := i/kernel.KeyGroup + 1
		set.Scores(x, width, s.q[i*size:], 1, size, s.keys, seen)
		set.Scores(dots, width, s.do[i*size:], 1, size, s.values, seen)
		var delta float32
		for d, g := range s.do[i*size:][:size] {
			delta += g * s.o[i*size+d]
		}
		st := states[i]
		norm, floor := st.Norm(kind), exp32(-st.Max)
		p, dx := s.p[i*length:][:length], s.dp[i*length:][:length]
		clear(p[i+1:])
		clear(dx[i+1:])
		for j := range i + 1 {
			w, _ := numerator(kind, x[j], st.Max, floor)
			p[j] = w * norm
			switch kind {
			case attention.Softpick:
				e := exp32(x[j]-st.Max) * norm
				switch {
				case x[j] > 0:
					dx[j] = e * (dots[j] - delta)
				case x[j] < 0:
					dx[j] = e * delta
				default:
					dx[j] = 0
				}
			case attention.Rectified:
				dx[j] = 0
				if x[j] > 0 {
					dx[j] = exp32(x[j]-st.Max) * norm * (dots[j] - delta)
				}
			default:
				dx[j] = p[j] * (dots[j] - delta)
			}
		}
	}
	transposeSquare(s.pt, s.p, length)
	transposeSquare(s.dpt, s.dp, length)
	clear(s.dq)
	clear(s.dk)
	clear(s.dv)
	set.Accumulate(s.dq, s.dp, length, length, s.k, length, size)
	set.Accumulate(s.dk, s.dpt, length, length, s.q, length, size)
	set.Accumulate(s.dv, s.pt, length, length, s.do, length, size)
}

func newAttentionScratch(length, size int) attentionScratch {
	groups := (length + kernel.KeyGroup - 1) / kernel.KeyGroup
	rows := func() []float32 { return make([]float32, length*size) }
	square := func() []float32 { return make([]float32, length*length) }
	return attentionScratch{
		q: rows(), k: rows(), v: rows(), o: rows(), dq: rows(), dk: rows(), dv: rows(), do: rows(),
		keys: make([]float32, groups*size*kernel.KeyGroup), values: make([]float32, groups*size*kernel.KeyGroup),
		p: square(), dp: square(), pt: square(), dpt: square(),
	}
}

// toGroups writes rows [length, size] as kernel.Set.Scores reads keys.
func toGroups(dst, rows []float32, length, size int) {
	for j := range length {
		g, lane := j/kernel.KeyGroup, j%kernel.KeyGroup
		for d, x := range rows[j*size:][:size] {
			dst[(g*size+d)*kernel.KeyGroup+lane] = x
		}
	}
}

func transposeSquare(dst, src []float32, n int) {
	const block = 16
	for r0 := 0; r0 < n; r0 += block {
		for c0 := 0; c0 < n; c0 += block {
			for r := r0; r < min(n, r0+block); r++ {
				for c := c0; c < min(n, c0+block); c++ {
					dst[c*n+r] = src[r*n+c]
				}
			}
		}
	}
}

func exp32(x float32) float32 { return float32(math.Exp(float64(x))) }
