// Package passkey is retrieval of a five-digit key from a long, dull text (Mohtashami and Jaggi 2023,
// as the softpick paper uses it): over a grid of prompt length and of the key's depth, how often does
// greedy decoding repeat the key?
//
// It is a kind of task: its trials are documents with one request each.
//
// It owns the prompt, its exact length in tokens, the keys, and what counts as right. It must not
// know models: it hands out prompts as token ids and judges the ids that come back. It needs no more
// of a tokenizer than the interface Tokenizer.
package passkey
