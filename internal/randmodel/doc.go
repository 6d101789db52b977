// Package randmodel writes random checkpoints: for tests, benchmarks and
// demonstrations that need a model of some shape and no knowledge in it.
//
// It owns the random weights. Their names and shapes come from package
// checkpoint, so what it writes is what that package expects.
package randmodel
