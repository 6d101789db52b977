//go:build race

package tokenizer

// raceEnabled: the race detector makes encoding about ten times slower.
const raceEnabled = true
