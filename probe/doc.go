// Package probe has the diagnostics of a model: attention sinks, sparsity,
// dead heads, attention mass and massive activations.
//
// It owns the definitions of these measures, as an engine.Observer that
// accumulates while blocks pass; it never holds more than one query block's row
// sums and one sample's residual stream of one layer. It must not know tasks,
// files or how text became tokens.
//
// Their one word is diagnostics: of a suite's section, a study's, flags, files,
// pages and types. Only this package's name is older (flags and a study's key that
// were called so are still read).
package probe
