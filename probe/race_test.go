//go:build race

package probe

// raceEnabled: under the race detector functions are not inlined, and what the compiler else keeps
// on the stack is allocated.
const raceEnabled = true
