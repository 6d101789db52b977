package kernel

import (
	"math"

	"github.com/softbench/softbench/engine/attention"
)

// NewState is the state before the first key block. The maximum starts at zero
// for all kinds but softmax: e^-Max then cannot overflow, and the kinds that
// compare a score with zero are unchanged by it (DESIGN: online form).
func NewState(kind attention.Kind) State {
	if kind == attention.Softmax {
		return State{Max: float32(math.Inf(-1))}
	}
	return State{}
}

// Norm is the factor that turns unnormalised weights, and what was accumulated
// with them, into the final ones: one over the denominator, or 0 where the
// query gives no weight to any key.
func (st State) Norm(kind attention.Kind) float32 {
	switch den := st.Sum; kind {
	case attention.Softpick, attention.Rectified:
		return 1 / (den + attention.Epsilon)
	case attention.SoftmaxPlusOne:
		return 1 / (den + exp32(-st.Max))
	case attention.MaskedSoftmax:
		if den == 0 {
			return 0
		}
		return 1 / den
	default:
		return 1 / den
	}
}

// WeighGeneric is the portable Weigh, with m the running maximum:
//
//	m = max(m_old, max s[lo:hi])
//	softmax, softmax-plus-one: w = d = e^(s-m)
//	softpick:                  w = max(e^(s-m)-e^-m, 0), d = |e^(s-m)-e^-m|
//	rectified:                 w = d = max(e^(s-m)-e^-m, 0)
//	masked-softmax:            w = d = e^(s-m) where s >= 0, else 0
//	Sum = Sum·e^(m_old-m) + Σ d
func WeighGeneric(kind attention.Kind, s []float32, lo, hi int, st *State) (factor float32, any bool) {
	m := st.Max
	for _, x := range s[lo:hi] {
		if x > m {
			m = x
		}
	}
	clear(s[:lo])
	clear(s[hi:])
	factor = 1
	if m != st.Max {
		factor = exp32(st.Max - m)
	}
	var sum float32
	floor := exp32(-m)
	for i := lo; i < hi; i++ {
		x := s[i]
		e := exp32(x - m)
		w, d := e, e
		switch kind {
		case attention.Softpick:
			w = e - floor
			d = float32(math.Abs(float64(w)))
			w = max(w, 0)
		case attention.Rectified:
			w = max(e-floor, 0)
			d = w
		case attention.MaskedSoftmax:
			if x < 0 {
				w, d = 0, 0
			}
		}
		s[i] = w
		sum += d
		any = any || w > 0
	}
	st.Max = m
	st.Sum = st.Sum*factor + sum
	return factor, any
}
