// Package kernel holds the engine's inner loops: matrix multiply over packed
// weights, the pieces of block-wise attention, and the row operations between
// them, each in one portable form and in forms for particular processors.
//
// It owns number formats, memory layouts and instruction sets. It must not know
// models, layers, tokens or threads: callers split the work, and every function
// here is safe to call from several goroutines on disjoint outputs.
//
// Every output element is computed in an order fixed by its own row and column
// alone, never by how many rows or columns are computed beside it. That is what
// makes a score independent of its batch (see Set).
package kernel
