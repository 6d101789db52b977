package quantise

import "math"

// HQQ's constants, the hqq package's defaults (optimize_weights_proximal).
const (
	hqqIterations = 20
	hqqNorm       = 0.7 // the p of the loss |W - Ŵ|^p
	hqqBeta       = 10
	hqqLargest    = 2e4 // of a scale's inverse
	hqqFlat       = 1e-4
)

// halfQuadratic finds scales and zeros by HQQ (Badri and Shaji, "Half-Quadratic
// Quantization of Large Machine Learning Models"), groups along a row (axis 1): the
// scale is the range's; the zero is fitted in turns with what an L_p loss would not
// count of the error, until the mean error of the whole matrix no longer falls:
//
//	Q = clamp(round(W·s + z)); Ŵ = (Q - z)/s
//	E = shrink(W - Ŵ);         z = mean(Q - (W - E)·s)
//
// Scales hold the inverse, s, until halfQuadraticGroup.
func halfQuadratic(_ *Scheme, w *weights) error {
	most := float32(int(1)<<w.Bits - 1)
	if err := w.eachRow(func(i int) {
		w.groups(i, func(g int, x []float32) { w.Scales[g], w.Zeros[g] = rangeOf(x, most) })
	}); err != nil {
		return err
	}
	best := float32(math.Inf(1))
	errors := make([]float64, w.Rows)
	for range hqqIterations {
		if err := w.eachRow(func(i int) {
			errors[i] = 0
			w.groups(i, func(g int, x []float32) {
				var sum float64
				w.Zeros[g], sum = fitZero(x, w.Scales[g], w.Zeros[g], most)
				errors[i] += sum
			})
		}); err != nil {
			return err
		}
		var sum float64
		for _, e := range errors {
			sum += e
		}
		now := float32(sum / float64(len(w.x)))
		if !(now < best) {
			break
		}
		best = now
	}
	return nil
}

// groups calls one for each group of row i.
func (w *weights) groups(i int, one func(g int, x []float32)) {
	for g := range w.across {
		from, to := w.columns(g)
		one(i*w.across+g, w.x[i*w.Cols+from:i*w.Cols+to])
	}
}

// rangeOf is a group's inverse scale and zero before they are fitted.
func rangeOf(x []float32, most float32) (scale, zero float32) {
	low, high := x[0], x[0]
	for _, v := range x {
		low, high = min(low, v), max(high, v)
	}
	scale = 1 / float32(high-low) * most // in this order, as torch divides a number by a tensor
	if high-low <= hqqFlat {
		scale = 1
	}
	scale = min(scale, hqqLargest)
	return scale, -low * scale
}

// fitZero is one step of the solver for a group, and the sum of its errors before
// it.
func fitZero(x []float32, scale, zero, most float32) (fitted float32, sum float64) {
	var mean float64
	for _, v := range x {
		q := nearest(float32(v*scale)+zero, 0, most)
		e := v - (q-zero)/scale
		sum += math.Abs(float64(e))
		mean += float64(q - float32((v-shrink(e))*scale))
	}
	return float32(mean / float64(len(x))), sum
}

// shrink is the proximal operator of the loss: sign(x)·max(0, |x| - |x|^(p-1)/β).
func shrink(x float32) float32 {
	const zeroBelow = 0.17 // |x|^(2-p) < 1/β
	a := float32(math.Abs(float64(x)))
	if a < zeroBelow {
		return 0
	}
	power := float32(math.Pow(float64(a), float64(float32(hqqNorm)-1)))
	a = max(0, a-float32(power*(1.0/hqqBeta)))
	return float32(math.Copysign(float64(a), float64(x)))
}

// halfQuadraticGroup makes codes with the scales and zeros that halfQuadratic found.
func (w *weights) halfQuadraticGroup(g int, x []float32, codes []uint8) {
	scale, zero, most := w.Scales[g], w.Zeros[g], float32(int(1)<<w.Bits-1)
	for j, v := range x {
		codes[j] = uint8(nearest(float32(v*scale)+zero, 0, most))
	}
	w.Scales[g] = 1 / scale
}
