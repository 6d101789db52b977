package attention

import "math"

// Weights writes the weights of one query over the keys it may see into dst,
// which has the length of scores and may be scores itself. Scores are the
// scaled dot products, in any order; a key the query may not see is not among
// them. It is the definition that kernels are compared with, not a fast path.
func Weights(kind Kind, dst, scores []float64) {
	// But for softmax, m starts at 0, not -inf: e^(-m) then cannot overflow, and
	// where every score is below zero the rectified numerators are zero anyway.
	m := 0.0
	if kind == Softmax {
		m = math.Inf(-1)
	}
	for _, x := range scores {
		m = math.Max(m, x)
	}
	floor := math.Exp(-m)
	var sum float64
	for i, x := range scores {
		e := math.Exp(x - m)
		var w, d float64 // numerator and this key's part of the denominator
		switch kind {
		case Softmax, SoftmaxPlusOne:
			w, d = e, e
		case Softpick:
			w, d = math.Max(e-floor, 0), math.Abs(e-floor)
		case Rectified:
			w = math.Max(e-floor, 0)
			d = w
		case MaskedSoftmax:
			if x >= 0 {
				w, d = e, e
			}
		}
		dst[i] = w
		sum += d
	}
	switch kind {
	case SoftmaxPlusOne:
		sum += floor
	case Softpick, Rectified:
		sum += Epsilon
	}
	for i, w := range dst[:len(scores)] {
		if w != 0 {
			dst[i] = w / sum
		}
	}
}
