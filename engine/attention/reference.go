package attention

import "math"

// Weigh is the rule for one key: the numerator of its weight and its part of the
// denominator, from its score x, e = e^(x-m) and f = e^(-m).
func (r Rule) Weigh(x, e, f float64) (w, d float64) {
	switch r {
	case Exponential:
		return e, e
	case Difference:
		return math.Max(e-f, 0), math.Abs(e - f)
	case Positive:
		w = math.Max(e-f, 0)
		return w, w
	case NonNegative:
		if x >= 0 {
			return e, e
		}
		return 0, 0
	}
	panic("attention: a rule without a formula")
}

// Weights writes the weights of one query over the keys it may see into dst,
// which has the length of scores and may be scores itself. Scores are the
// scaled dot products, in any order; a key the query may not see is not among
// them. learned is the head's b, of kinds that have one. It is the definition that
// kernels are compared with, not a fast path.
func Weights(kind Kind, dst, scores []float64, learned float64) {
	def := kind.Definition()
	m := math.Inf(-1)
	if def.FromZero {
		m = 0
	}
	if def.Learned {
		m = learned
	}
	for _, x := range scores {
		m = math.Max(m, x)
	}
	floor := math.Exp(-m)
	var sum float64
	for i, x := range scores {
		w, d := def.Rule.Weigh(x, math.Exp(x-m), floor)
		dst[i] = w
		sum += d
	}
	sum += float64(def.Epsilon)
	if def.One {
		sum += floor
	}
	if def.Learned {
		sum += math.Exp(learned - m)
	}
	for i, w := range dst[:len(scores)] {
		if w != 0 {
			dst[i] = w / sum
		}
	}
}
