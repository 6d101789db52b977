// Package probe measures what goes on inside a model: attention sinks, sparsity,
// dead heads, attention mass and massive activations.
//
// It owns the definitions of these measures, as an engine.Observer that
// accumulates while blocks pass; it never holds more than one query block's row
// sums and one sample's residual stream of one layer. It must not know tasks,
// files or how text became tokens.
//
// What asks for these measures, keeps them and shows them calls them diagnostics:
// a suite's section, the run's files, the trainer's measures. Only this package's
// name, and flags and keys that users have written down (--probe-length, a
// study's probe), are older than that word.
package probe
