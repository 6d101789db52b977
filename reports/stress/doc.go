// Package stress says what weights of few bits cost models: scores, what is kept of them,
// divergences and activations at every setting, and whether one model keeps more than
// another.
//
// It owns the summary of runs that are on disk and its table for a terminal. It must not know
// how weights are quantised or runs computed, nor HTML.
package stress
