package kernel

import (
	"math"

	"github.com/softbench/softbench/engine/attention"
)

// NewState is the state before the first key block. The maximum starts at zero
// where the kind's definition says so; learned is the head's b of kinds that have
// one, a key without a value that is there from the start.
func NewState(kind attention.Kind, learned float32) State {
	switch def := kind.Definition(); {
	case def.Learned:
		return State{Max: learned, Sum: 1}
	case def.FromZero:
		return State{}
	}
	return State{Max: float32(math.Inf(-1))}
}

// Norm is the factor that turns unnormalised weights, and what was accumulated
// with them, into the final ones: one over the denominator, or 0 where the
// query gives no weight to any key.
func (st State) Norm(kind attention.Kind) float32 {
	def, den := kind.Definition(), st.Sum
	if def.Epsilon != 0 {
		den += def.Epsilon
	}
	if def.One {
		den += exp32(-st.Max)
	}
	if den == 0 {
		return 0
	}
	return 1 / den
}

// FinalWeight is the numerator of one key's weight, from its score and the
// query's final maximum.
func FinalWeight(kind attention.Kind, x, max float32) float32 {
	e := exp32(x - max)
	switch kind.Definition().Rule {
	case attention.Difference, attention.Positive:
		return floorAt0(e - exp32(-max))
	case attention.NonNegative:
		if x < 0 {
			return 0
		}
	}
	return e
}

func floorAt0(x float32) float32 { return max(x, 0) }

// WeighGeneric is the portable Weigh, with m the running maximum:
//
//	m = max(m_old, max s[lo:hi])
//	w, d = the kind's attention.Rule
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
	rule, floor := kind.Definition().Rule, exp32(-m)
	for i := lo; i < hi; i++ {
		x := s[i]
		e := exp32(x - m)
		w, d := e, e
		switch rule {
		case attention.Difference:
			w = e - floor
			d = float32(math.Abs(float64(w)))
			w = max(w, 0)
		case attention.Positive:
			w = max(e-floor, 0)
			d = w
		case attention.NonNegative:
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
