//go:build !noasm

package kernel

import "golang.org/x/sys/unix"

// hasBF16 asks the system for FEAT_BF16, which Apple's M2 and later have.
func hasBF16() bool {
	has, err := unix.SysctlUint32("hw.optional.arm.FEAT_BF16")
	return err == nil && has != 0
}
