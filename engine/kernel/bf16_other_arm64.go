//go:build !noasm && !linux && !darwin

package kernel

// hasBF16 does not know how to ask this system.
func hasBF16() bool { return false }
