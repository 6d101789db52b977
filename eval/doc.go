// Package eval runs suites on checkpoints: it loads a model, turns the
// suite's tasks into one plan, journals what comes back and closes the run
// directory with its metrics.
//
// It owns the order of these steps and nothing else: prompts and metrics are
// tasks' and passkey's, numbers the engine's, files reports'. It must not know
// flags or terminals.
package eval
