package train

import (
	"math"

	"github.com/softbench/softbench/engine/attention"
	"github.com/softbench/softbench/engine/kernel"
)

// block is the number of queries, and of keys, that are handled together.
const block = kernel.KeyBlock

// attentionScratch is what one head of one sequence needs, for one thread.
type attentionScratch struct {
	q, k, v, o     []float32 // [T, size]
	dq, dk, dv, do []float32
	keys, values   []float32 // k and v in transposed groups, [T/16, size, 16]
	p, dx          [block * block]float32
	pt, dxt        [block * block]float32 // transposes
	capped         [block * block]float32 // the scores under a soft cap
	cap            float32                // 0: none
	lo, hi         [block]int
	factor         [block]float32
	delta          [block]float32
}

// state is what backward needs of a row: its maximum and its denominator.
type state = kernel.State

// forward fills o with the attention's output and states with the rows' final
// states. q is scaled already. Row i sees keys 0 to i.
func (s *attentionScratch) forward(set kernel.Gradients, kind attention.Kind, learned float32, length, size int, states []state) {
	toGroups(set, s.keys, s.k, length, size)
	clear(s.o)
	for i0 := 0; i0 < length; i0 += block {
		n := min(block, length-i0)
		st := states[i0:][:n]
		for i := range st {
			st[i] = kernel.NewState(kind, learned)
		}
		for j0 := 0; j0 <= i0; j0 += block {
			keys := s.scores(set, &s.p, s.q, s.keys, i0, j0, length, size)
			if s.cap != 0 {
				kernel.SoftCap(s.p[:n*block], s.cap)
			}
			for i := range n {
				s.hi[i] = min(keys, i0+i+1-j0)
			}
			set.WeighRows(kind, s.p[:n*block], n, s.lo[:n], s.hi[:n], st, s.factor[:n])
			for i, f := range s.factor[:n] {
				if f != 1 && j0 > 0 {
					set.Scale(s.o[(i0+i)*size:][:size], f)
				}
			}
			set.Accumulate(s.o[i0*size:], s.p[:], block, n, s.v[j0*size:], keys, size)
		}
		for i := range st {
			set.Scale(s.o[(i0+i)*size:][:size], st[i].Norm(kind))
		}
	}
}

// scores multiplies a block of queries (or of dO) with a block of transposed
// keys (or values) into to, and returns the number of keys in the block.
func (s *attentionScratch) scores(set kernel.Set, to *[block * block]float32, q, groups []float32, i0, j0, length, size int) int {
	keys := min(block, length-j0)
	set.Scores(to[:], block, q[i0*size:], min(block, length-i0), size, groups[j0*size:], (keys+kernel.KeyGroup-1)/kernel.KeyGroup)
	return keys
}

// backward computes dq, dk and dv from do, given q (scaled), k, v, o and the
// forward pass's states (kernel.Gradients has the formulas). It returns the
// gradient of learned, the head's sink.
func (s *attentionScratch) backward(set kernel.Gradients, kind attention.Kind, learned float32, length, size int, states []state) (dlearned float64) {
	toGroups(set, s.keys, s.k, length, size)
	toGroups(set, s.values, s.v, length, size)
	clear(s.dq)
	clear(s.dk)
	clear(s.dv)
	for i0 := 0; i0 < length; i0 += block {
		n := min(block, length-i0)
		for i := range n {
			var delta float32
			o := s.o[(i0+i)*size:][:size]
			for d, g := range s.do[(i0+i)*size:][:size] {
				delta += g * o[d]
			}
			s.delta[i] = delta
			if st := states[i0+i]; kind.Definition().Learned {
				dlearned -= math.Exp(float64(learned-st.Max)) * float64(st.Norm(kind)) * float64(delta)
			}
		}
		for j0 := 0; j0 <= i0; j0 += block {
			keys := s.scores(set, &s.p, s.q, s.keys, i0, j0, length, size)
			s.scores(set, &s.dx, s.do, s.values, i0, j0, length, size)
			if s.cap != 0 {
				kernel.SoftCap(s.p[:n*block], s.cap)
				copy(s.capped[:], s.p[:n*block])
			}
			for i := range n {
				seen := min(keys, i0+i+1-j0)
				p, dx := s.p[i*block:][:block], s.dx[i*block:][:block]
				set.WeighGrad(kind, p[:seen], dx[:seen], states[i0+i], s.delta[i])
				if s.cap != 0 {
					capGrad(dx[:seen], s.capped[i*block:], s.cap)
				}
				clear(p[seen:])
				clear(dx[seen:])
			}
			set.Accumulate(s.dq[i0*size:], s.dx[:], block, n, s.k[j0*size:], keys, size)
			set.Transpose(s.pt[:], block, s.p[:], block, n, keys)
			set.Transpose(s.dxt[:], block, s.dx[:], block, n, keys)
			set.Accumulate(s.dk[j0*size:], s.dxt[:], block, keys, s.q[i0*size:], n, size)
			set.Accumulate(s.dv[j0*size:], s.pt[:], block, keys, s.do[i0*size:], n, size)
		}
	}
	return dlearned
}

func newAttentionScratch(length, size int, cap float32) attentionScratch {
	groups := (length + kernel.KeyGroup - 1) / kernel.KeyGroup
	rows := func() []float32 { return make([]float32, length*size) }
	return attentionScratch{
		cap: cap,
		q:   rows(), k: rows(), v: rows(), o: rows(), dq: rows(), dk: rows(), dv: rows(), do: rows(),
		keys: make([]float32, groups*size*kernel.KeyGroup), values: make([]float32, groups*size*kernel.KeyGroup),
	}
}

// toGroups writes rows [length, size] as kernel.Set.Scores reads keys. Lanes
// behind the last row stay as they are.
func toGroups(set kernel.Gradients, dst, rows []float32, length, size int) {
	const g = kernel.KeyGroup
	for j := 0; j < length; j += g {
		set.Transpose(dst[j*size:], g, rows[j*size:], size, min(g, length-j), size)
	}
}
