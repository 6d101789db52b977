// Package lm is the language-model view of an engine: loglikelihoods of
// continuations, rolling perplexity and greedy decoding over text.
//
// It owns how text becomes token sequences (special tokens, the boundary of
// context and continuation, truncation, windows), equal to
// lm-evaluation-harness 0.4.13's HFLM, and how requests of any kind are gathered
// into one token forest. It must not know tasks, metrics or files.
package lm
