// Package observed has what diagnostics keep of one sample: package probe makes it, a run's journal
// keeps it, and probe makes the measures of it. It imports nothing.
package observed

// Sample is what one sample gave: all that the measures of a run are made of, so
// that samples observed by several processes, or at several times, give the numbers of
// one. Its names in JSON are those of a run's journal (docs/run-format.md).
type Sample struct {
	Tokens int     `json:"tokens"` // of the sample
	Layers []Layer `json:"layers"`
}

// Layer is what a layer gave; what is a head's is listed by head.
type Layer struct {
	Sinks  []uint64  `json:"sinks"`  // bit k: the mean weight on key k exceeds the threshold
	Zeros  []int64   `json:"zeros"`  // weights of exactly 0, of the causal triangle
	Small  []int64   `json:"small"`  // weights that are nearly zero
	Silent []int64   `json:"silent"` // queries without any weight
	Mass   []float64 `json:"mass"`   // sum of all weights
	// MassByLength is the same by the number of keys that a query sees: bucket b is over
	// queries of [2^b, 2^(b+1)) keys.
	MassByLength [][]float64 `json:"mass_by_length"`
	// Moments are of the residual stream after the layer: number of values, mean, and the sums of
	// the second to fourth powers of the distance from it.
	Moments [5]float64 `json:"moments"`
	Min     float64    `json:"min"`
	Max     float64    `json:"max"`
	Massive int64      `json:"massive"`
}
