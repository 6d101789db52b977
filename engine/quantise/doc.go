// Package quantise makes weights of few bits: round-to-nearest, HQQ, NF4, FP4, FP8, GPTQ
// and AWQ, by groups of a row's columns.
//
// It owns the rules of the quantisers, each with the bits of its reference, and one
// form for what they all make (Matrix). It must not know models, files or the
// formats that quantised checkpoints are stored in: engine/quantised reads those.
package quantise
