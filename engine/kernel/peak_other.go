//go:build !(amd64 || arm64) || noasm

package kernel

// Peaks returns the loops of this machine; there are none without assembly.
func Peaks() []Peak { return nil }
