// Package checkpoint opens a Hugging Face checkpoint directory: config.json and
// the weights, checked against each other.
//
// It owns the reading of configs with the semantics of transformers (and of
// flash-linear-attention's "transformer"), the names and shapes of weights,
// and the refusal of everything that would make numbers wrong: a missing, extra
// or misshapen tensor, a NaN, a setting nobody here honours. It knows nothing of
// tokenizers, kernels or the forward pass.
//
// Every error is one line that names the file, what is wrong and what to do.
package checkpoint
