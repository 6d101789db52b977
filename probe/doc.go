// Package probe has the diagnostics of a model: attention sinks, sparsity,
// dead heads, attention mass and massive activations.
//
// It owns the definitions of these measures, as an engine.Tallier: the engine adds
// up each query's weights where it has them, and the moments of each row of the
// residual stream. It holds no weights; of the residual stream it holds that of
// samples that a batch cuts. It must not know tasks, files or how text became tokens.
//
// Their one word is diagnostics: of a suite's section, a study's, flags, files,
// pages and types. Only this package's name is older (flags and a study's key that
// were called so are still read).
package probe
