// Package engine runs LLaMA-style transformers over forests of token sequences.
//
// It owns the forward pass, the key/value store shared along prefixes, the
// schedule that packs ragged rows into batches, and greedy decoding. Its one
// entry point is Model.Run: loglikelihoods, perplexities, multiple choice and
// retrieval all become a Forest. It must not know tasks, prompts, metrics or
// text.
//
// Promise: the score of a position depends on its own tokens alone. Batch size,
// order, thread count, prefix sharing and the memory bound change no bit of it.
package engine
