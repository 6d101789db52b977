// Package quantised turns the tensors that a quantiser left in a checkpoint back
// into weights: GPTQ, AWQ, compressed-tensors, FP8, bitsandbytes, MXFP4.
//
// It owns the formats: which tensors belong together, how numbers are packed, and
// the rounding of the reference, so that a weight has the reference's bits in the
// reference's number format. It decodes row by row and keeps nothing. It knows
// nothing of models, and does not look at activations: where a format means them to
// be quantised too, it says so and does not.
package quantised
