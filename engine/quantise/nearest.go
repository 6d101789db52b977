package quantise

// half puts zero in the middle of the codes.
func half(m *Matrix) { m.Zero = float32(int(1) << (m.Bits - 1)) }

// int8Inputs is half, of weights that meet activations of eight bits.
func int8Inputs(m *Matrix) {
	half(m)
	m.Int8 = true
}

// zeroPoints gives each group a zero of its own.
func zeroPoints(m *Matrix) { m.Zeros = make([]float32, len(m.Scales)) }

// span is the range of x, which zero is part of.
func span(x []float32) (low, high float32) {
	for _, v := range x {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// roundSymmetric is compressed-tensors' symmetric round-to-nearest: the scale is
// the largest magnitude over half the range of codes.
func (w *weights) roundSymmetric(g int, x []float32, codes []uint8) {
	low, high := span(x)
	levels := float32(int(1)<<w.Bits - 1)
	scale := w.notZero(w.round(max(-low, high) / (levels / 2)))
	w.Scales[g] = scale
	for j, v := range x {
		codes[j] = uint8(nearest(w.round(v/scale), -w.Zero, levels-w.Zero) + w.Zero)
	}
}

// roundAsymmetric is compressed-tensors' round-to-nearest with a zero point: the
// codes' range is the numbers' and zero's.
func (w *weights) roundAsymmetric(g int, x []float32, codes []uint8) {
	low, high := span(x)
	levels := float32(int(1)<<w.Bits - 1)
	least := -float32(int(1) << (w.Bits - 1)) // codes count from here, as signed numbers
	scale := w.round(w.round(high-low) / levels)
	var zero float32
	if scale != 0 {
		zero = nearest(w.round(least-w.round(low/scale)), least, levels+least)
	}
	scale = w.notZero(scale)
	w.Scales[g], w.Zeros[g] = scale, zero-least
	for j, v := range x {
		codes[j] = uint8(nearest(w.round(w.round(v/scale)+zero), least, levels+least) - least)
	}
}

// notZero is a scale that can be divided by.
func (w *weights) notZero(scale float32) float32 {
	if scale == 0 {
		return w.eps
	}
	return scale
}

// nearest is x between two whole numbers below 2^22, rounded to the nearest whole
// number, ties to even.
func nearest(x, least, most float32) float32 {
	const shift = 3 << 22 // its last place is one
	if !(x > least) {
		return least
	}
	return float32(min(x, most)+shift) - shift
}
