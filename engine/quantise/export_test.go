package quantise

// AWQScales are the scales of one exponent, which SearchScales tries.
func (s Scheme) AWQScales(in Inputs, readers []Reader, a float64, duo bool) []float32 {
	return awqScales(in.magnitudes(in.N), s.relativeWeights(in, readers, in.N), a, duo)
}
